"""RTSP cameras: a sound one is seen, hostile and stalled ones cost nobody else anything."""

import time

import psutil
import pytest

from edge.camera.camera import Camera, CameraSettings
from edge.camera.slot import Slot
from edge.health import Health
from tests.edge.camera.rtsp import HOSTILE, SIZE, RtspCamera, sound

MEMORY_MIB = 600  # of a capture that is being lied to


def until(holds, timeout_s):
    """Whether it came true in time."""
    end = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(holds())


class Eye:
    """A camera of the box that looks at an RTSP camera."""

    def __init__(self, answer, health, name):
        self.name, self.server, self.slot = name, RtspCamera(answer), Slot(lossless=False)
        source = {"kind": "stream", "url": self.server.url}
        settings = CameraSettings(name, source, lossless=False, open_s=4.0, stall_s=1.0)
        self.camera = Camera(settings, self.slot, health)
        self.camera.start()

    def memory_mib(self):
        """Of its capture; 0 if there is none now."""
        try:
            process = psutil.Process(self.camera.pid)
            begun = "edge.camera.capture" in process.cmdline()  # before, it still is its parent
            return process.memory_info().rss / 2**20 if begun else 0
        except (psutil.NoSuchProcess, TypeError, ValueError):
            return 0

    def stop(self):
        self.camera.stop()
        self.server.close()


def test_a_sound_camera_is_seen():
    """Frame after frame, of its size, growing brighter."""
    health = Health(("eye",))
    eye = Eye(sound, health, "eye")
    try:
        assert until(lambda: health.counts("eye").frames >= 10, 15), health.standing()
        frame = eye.slot.take(5)
    finally:
        eye.stop()
    assert frame.pixels.shape == (SIZE[1], SIZE[0], 3)
    assert health.counts("eye").reconnects == 0


@pytest.mark.slow
def test_hostile_and_stalled_cameras_are_survived():
    """All at once beside a sound one: it isn't restarted, no capture grows, and each heals."""
    names = [one.__name__ for one in HOSTILE]
    health = Health(("good", *names))
    good = Eye(sound, health, "good")
    eyes = []
    try:
        assert until(lambda: health.counts("good").frames >= 10, 15), health.standing()
        before = health.counts("good").reconnects
        eyes = [Eye(answer, health, answer.__name__) for answer in HOSTILE]
        most = 0.0
        end = time.monotonic() + 10
        while time.monotonic() < end:
            most = max(most, *(eye.memory_mib() for eye in eyes))
            time.sleep(0.1)
        restarted = {name for name in names if health.counts(name).reconnects}
        assert restarted == set(names), "one was taken for sound"
        assert most < MEMORY_MIB
        for eye in eyes:
            frames = health.counts(eye.name).frames
            eye.server.heal()
            assert until(lambda e=eye, f=frames: health.counts(e.name).frames > f + 5, 20), eye.name
        assert health.counts("good").reconnects == before
    finally:
        for eye in (good, *eyes):
            eye.stop()
