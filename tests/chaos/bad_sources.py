"""Eight bad sources at once beside good cameras: these lose nothing, and what heals comes back.

`python -m tests.chaos.bad_sources --seconds 20` prints a table and writes results/bad_sources.json.
Real cameras with real capture processes; the sources are loopback servers that misbehave, a port
that refuses and a FIFO. Each heals into a sound stream (or film) at its own time.
"""

import argparse
import contextlib
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import structlog

from edge.camera.camera import Camera, CameraSettings
from edge.camera.slot import Slot
from edge.health import Health
from export.figures import Figure, save, table

FPS = 20.0
OPEN_S, STALL_S = 4.0, 1.0
BACK_S = 20.0  # after this long it is called lost
GOOD = {"kind": "virtual", "seed": 1, "parts": 400, "fps": FPS, "width": 320, "height": 256}
GOOD |= {"defect_rate": 0.1, "defect_size": 1.0, "defect_contrast": 1.0, "designs": ["bracket"]}
GOOD |= {"pace": "realtime", "truth": None}
JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 99, np.uint8))[1].tobytes()
FRAME = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (
    len(JPEG),
    JPEG,
)
OK = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n"

Answer = Callable[[socket.socket, threading.Event], None]


def sound(peer: socket.socket, end: threading.Event) -> None:
    """Frames, for ever."""
    peer.sendall(OK)
    while not end.wait(0.05):
        peer.sendall(FRAME)


def silent(_peer: socket.socket, end: threading.Event) -> None:
    """Accepts, and says nothing."""
    end.wait()


def stalling(peer: socket.socket, end: threading.Event) -> None:
    """Some frames, then none, on an open connection."""
    peer.sendall(OK + FRAME * 20)
    end.wait()


def garbage(peer: socket.socket, end: threading.Event) -> None:
    """Noise, for ever."""
    while not end.wait(0.05):
        peer.sendall(random.Random(1).randbytes(4096))


def closing(_peer: socket.socket, _end: threading.Event) -> None:
    """Accepts and closes."""


def endless(peer: socket.socket, end: threading.Event) -> None:
    """A header that never ends."""
    peer.sendall(b"HTTP/1.0 200 OK\r\n")
    while not end.wait(0.01):
        peer.sendall(b"X-More: " + b"x" * 500 + b"\r\n")


def web_page(peer: socket.socket, _end: threading.Event) -> None:
    """The camera's log-in page instead of its picture."""
    body = b"<html><body>Please log in</body></html>"
    peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + body)


class Server:
    """A network camera on loopback that answers as it is told, until it heals."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer, self._end, self._over = answer, threading.Event(), threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        if answer is None:
            self._door.close()
        else:
            threading.Thread(target=self._serve, daemon=True).start()

    @property
    def source(self) -> dict[str, Any]:
        """As a camera's source."""
        return {"kind": "stream", "url": f"http://127.0.0.1:{self.port}/live.mjpg"}

    def heal(self) -> None:
        """As if switched off and on: what was connected is cut, and from now on it is sound."""
        old, self._end = self._end, threading.Event()
        refused, self._answer = self._answer is None, sound
        old.set()
        if refused:
            self._door = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End."""
        self._over.set()
        self._end.set()
        self._door.close()

    def _serve(self) -> None:
        self._door.settimeout(0.2)
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                peer, _ = self._door.accept()
                told = (peer, self._answer, self._end)
                threading.Thread(target=self._one, args=told, daemon=True).start()

    def _one(self, peer: socket.socket, answer: Answer, end: threading.Event) -> None:
        with peer, contextlib.suppress(OSError):
            peer.settimeout(5)
            peer.recv(4096)
            answer(peer, end)


class Fifo:
    """A path that was to be a film and is a FIFO without a writer, until it heals."""

    def __init__(self, folder: Path) -> None:
        self._path, self._film = folder / "film.avi", folder / "sound.avi"
        os.mkfifo(self._path)
        code = cv2.VideoWriter.fourcc(*"MJPG")
        film = cv2.VideoWriter(str(self._film), code, 25, (64, 48))
        for grey in range(0, 200, 10):
            film.write(np.full((48, 64, 3), grey, np.uint8))
        film.release()

    @property
    def source(self) -> dict[str, Any]:
        """As a camera's source."""
        return {"kind": "video", "path": str(self._path), "loop": True}

    def heal(self) -> None:
        """The film takes the FIFO's place; who waits in the FIFO is told that it ended."""
        pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        self._film.replace(self._path)
        os.close(pipe)

    def close(self) -> None:
        """Nothing is left to end."""


class Yard:
    """Two good cameras and eight bad ones, in this process as a box has them."""

    def __init__(self, folder: Path) -> None:
        answers = (silent, stalling, garbage, closing, endless, web_page)
        self._bad: dict[str, Server | Fifo] = {one.__name__: Server(one) for one in answers}
        self._bad |= {"refusing": Server(None), "fifo": Fifo(folder)}
        self._health = Health(("left", "right", *self._bad))
        self._cameras: list[Camera] = []

    def run(self, seconds: float) -> list[Figure]:
        """Good cameras alone, then with the bad ones, then these heal one after the other."""
        try:
            for name in ("left", "right"):
                self._start(name, GOOD)
            self._await("left", 0)
            self._await("right", 0)
            time.sleep(2.0)
            restarts = self._restarts()
            alone = self._rate(seconds)
            for name, bad in self._bad.items():
                self._start(name, bad.source)
            beside = self._rate(seconds)
            back = dict(self._healed())
            return self._figures(alone, beside, self._restarts() - restarts, back)
        finally:
            for camera in self._cameras:
                camera.stop()
            for bad in self._bad.values():
                bad.close()

    def _start(self, name: str, source: dict[str, Any]) -> None:
        slot: Slot[Any] = Slot(lossless=False)
        settings = CameraSettings(name, source, lossless=False, open_s=OPEN_S, stall_s=STALL_S)
        camera = Camera(settings, slot, self._health)
        self._cameras.append(camera)
        camera.start()
        threading.Thread(target=_consume, args=(slot,), daemon=True).start()

    def _rate(self, seconds: float) -> float:
        """Frames of both good cameras, a second and camera."""
        began, before = time.monotonic(), self._frames("left") + self._frames("right")
        time.sleep(seconds)
        frames = self._frames("left") + self._frames("right") - before
        return frames / 2 / (time.monotonic() - began)

    def _healed(self) -> Iterator[tuple[str, float]]:
        """Heal each, and see how long its frames take."""
        for name, bad in self._bad.items():
            before = self._frames(name)
            bad.heal()
            yield name, self._await(name, before)

    def _frames(self, name: str) -> int:
        return self._health.counts(name).frames

    def _await(self, name: str, before: int) -> float:
        began = time.monotonic()
        while self._frames(name) <= before and time.monotonic() - began < BACK_S:
            time.sleep(0.02)
        return time.monotonic() - began

    def _restarts(self) -> int:
        return sum(self._health.counts(name).reconnects for name in ("left", "right"))

    def _figures(
        self, alone: float, beside: float, restarts: int, back: dict[str, float]
    ) -> list[Figure]:
        lost = [name for name, took in back.items() if took >= BACK_S]
        note = ", ".join(f"{name} {took:.1f}" for name, took in back.items())
        return [
            Figure("bad sources", len(back), "", note=note),
            Figure("good cameras alone", alone, "frames/s"),
            Figure("good cameras beside the bad", beside, "frames/s"),
            Figure("their share of the rate alone", beside / alone, "", ">= 0.99"),
            Figure("restarts of good cameras", restarts, "", "== 0"),
            Figure("sources that did not come back", len(lost), "", "== 0", ", ".join(lost)),
            Figure("back after healing, worst", max(back.values()), "s", "<= 5"),
        ]


def _consume(slot: Slot[Any]) -> None:
    while not slot.finished:
        slot.take(0.5)


def bad_sources(seconds: float) -> list[Figure]:
    """Run it in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="yard-") as folder:
        return Yard(Path(folder)).run(seconds)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="python -m tests.chaos.bad_sources --seconds 20"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="alone, and beside")
    asked = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print(f"eight bad sources, some {2 * asked.seconds + 40:.0f} s", flush=True)
    figures = bad_sources(asked.seconds)
    print(table(figures))
    print(f"written to {save('bad_sources', figures, seed=0)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
