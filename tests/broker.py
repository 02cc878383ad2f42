"""A real mosquitto on a free loopback port, which tests may start, kill and start again.

`from tests.broker import Mosquitto, needs_mosquitto`; mark the tests with `needs_mosquitto`.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def needs_mosquitto(test):
    """Mark `test` as one that starts mosquitto, and skip it where there is none."""
    absent = pytest.mark.skipif(
        PROGRAM is None, reason="mosquitto is not installed (Debian: apt install mosquitto)"
    )
    return pytest.mark.broker(absent(test))


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mosquitto:
    """One broker.

    Args:
        folder: for its configuration, log and, with `persistence`, its database.
        conf: further lines of configuration (acl_file, max_packet_size, …).
        persistence: keep retained messages and sessions over a kill, saved on every change.
        anonymous: let everybody in.
        log: note every packet; else only errors, for measurements.
        listener: whether to listen on plain TCP; else `conf` brings its own listener.
    """

    def __init__(
        self,
        folder: Path,
        conf="",
        *,
        port=0,
        persistence=False,
        anonymous=True,
        listener=True,
        log=True,
    ):
        self.folder = folder
        self.port = port or free_port()
        self._conf = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        lines = [f"listener {self.port} 127.0.0.1"] if listener else []
        lines += [f"allow_anonymous {str(anonymous).lower()}", "set_tcp_nodelay true"]
        lines += ["max_queued_messages 1000000", f"log_type {'all' if log else 'error'}"]
        lines += [f"log_dest file {self._log}"]
        if os.geteuid() == 0:
            lines += ["user root"]  # or it becomes a user who may not write here
        if persistence:
            lines += ["persistence true", f"persistence_location {folder}/"]
            lines += ["autosave_on_changes true", "autosave_interval 1"]
        self._conf.write_text("\n".join([*lines, conf, ""]))
        self._process = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process while it runs."""
        return self._process.pid

    def start(self):
        """Start it and wait until it listens; returns itself."""
        assert PROGRAM is not None
        self._process = subprocess.Popen(
            [PROGRAM, "-c", str(self._conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 10
        while time.monotonic() < end:
            assert self._process.poll() is None, f"mosquitto ended at once: {self.log()[-2000:]}"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError("mosquitto does not listen")

    def set(self, key: str, value: object):
        """Change one line of its configuration, for the next reload or start."""
        lines = [line for line in self._conf.read_text().splitlines() if key not in line]
        self._conf.write_text("\n".join([*lines, f"{key} {value}", ""]))

    def reload(self):
        """Have it read rights and limits again."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self):
        """Kill -9, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self):
        """Kill -9 and start again on the same port."""
        self.kill()
        return self.start()

    def stop(self):
        """End it as systemd would."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
