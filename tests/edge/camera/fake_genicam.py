"""Aravis' own fake GigE Vision camera, in a process of its own on loopback.

`python tests/edge/camera/fake_genicam.py SERIAL LOST_SHARE` runs it until it is killed.
"""

import ctypes
import signal
import socket
import subprocess
import sys
import time

import pytest

LIBRARY = "libaravis-0.8.so.0"
PORT = 3956  # GVCP's, which can't be chosen
HOST = "127.0.0.1"
HOLDS_S = 3.5  # a camera whose holder was killed is free again after GVCP's heartbeat time-out


def needs_aravis(test):
    """Mark `test` as one that needs Aravis and its port, and skip it where there is none."""
    return pytest.mark.skipif(not usable(), reason=f"needs {LIBRARY} and UDP port {PORT}")(test)


def usable() -> bool:
    """Whether a fake camera can run here."""
    try:
        ctypes.CDLL(LIBRARY)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, PORT))
    except OSError:
        return False
    return True


class FakeCamera:
    """`with FakeCamera(lost=0.01) as camera`: loses that share of its packets."""

    def __init__(self, serial="GV01", lost=0.0):
        self.name = HOST  # found by name, it would be found behind another network too
        self._command = [sys.executable, __file__, serial, str(lost)]

    def start(self):
        self._process = subprocess.Popen(self._command)
        end = time.monotonic() + 10
        while usable():  # its port is still free
            assert time.monotonic() < end, "the fake camera does not start"
            time.sleep(0.02)
        return self

    def stop(self):
        self._process.kill()
        self._process.wait()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()


def main(serial: str, lost: str) -> None:
    """Run one."""
    aravis, gobject = ctypes.CDLL(LIBRARY), ctypes.CDLL("libgobject-2.0.so.0")
    aravis.arv_gv_fake_camera_new.restype = ctypes.c_void_p
    camera = aravis.arv_gv_fake_camera_new(HOST.encode(), serial.encode())
    assert camera, "no fake camera"
    assert aravis.arv_gv_fake_camera_is_running(ctypes.c_void_p(camera)), "it does not run"
    told = (b"gvsp-lost-ratio", ctypes.c_double(float(lost)), None)
    gobject.g_object_set(ctypes.c_void_p(camera), *told)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
