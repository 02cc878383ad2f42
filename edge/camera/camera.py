"""One camera: a capture process that may be killed, and the thread that reads its frames.

A driver's read can hang for ever, so the capture is a process of its own: when it opens or
delivers nothing in time it is killed and started again, later and later while that doesn't help.
Frames go into a slot; what becomes of them there is the line's business.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from edge.camera.ring import Ring
from edge.camera.slot import Slot
from edge.clock import monotonic_ns, wall_ns
from edge.config import capture_environment
from edge.frame import Frame, Unusable
from edge.health import Health

FIRST_BACKOFF_S = 0.25
LAST_BACKOFF_S = 4.0
STEADY_FRAMES = 50  # so many frames in a row forgive earlier failures
MESSAGE_BYTES = 65_536
GRACE_S = 0.3  # for a capture that is told to end
FATAL_TRIES = 3  # a played source that dies so often at one picture is led past it

Seen = Frame | Unusable


class Warden(Protocol):
    """Looks at every frame; edge.camera_health.warden.Warden is one."""

    def see(self, frame: Frame) -> Seen:
        """What goes on in the frame's place."""
        ...


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """How one camera is run: its source as `edge.camera.capture` takes it, and its time-outs.

    `lossless` sources wait for the line; all others lose frames to newer ones. `virtual` marks
    what no lens has seen.
    """

    name: str
    source: dict[str, Any]
    lossless: bool
    open_s: float = 10.0
    stall_s: float = 2.0

    @property
    def virtual(self) -> bool:
        """Whether its parts are simulated."""
        return self.source["kind"] == "virtual"

    @property
    def waits(self) -> bool:
        """Whether it gives a frame only when the line triggers it, perhaps none for hours."""
        return bool(self.source.get("trigger"))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let it give its camera back, else nobody can have that for seconds; or kill it.

    By a descriptor of the process: Popen.wait looks at it again and again, by a clock.
    """
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(OSError):
            ended = os.pidfd_open(process.pid)
            try:
                select.select([ended], [], [], GRACE_S)
            finally:
                os.close(ended)
    process.kill()
    process.wait()


class _Died(Exception):  # noqa: N818 - an event in a capture's life
    """The capture process failed, hung or ended before its time: why, in words."""


class Camera:
    """Keeps a capture process running and its newest frames in `slot`, until the source ends.

    `warden` looks at every frame before it goes into the slot.
    """

    def __init__(
        self,
        settings: CameraSettings,
        slot: Slot[Seen],
        health: Health,
        warden: Warden | None = None,
    ) -> None:
        self.settings = settings
        self.slot = slot
        self._warden = warden
        self._process: subprocess.Popen[bytes] | None = None
        self._health = health
        self._next = 0
        self._streak = 0
        self._overwritten = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"camera-{settings.name}", daemon=True
        )
        self._log = structlog.get_logger().bind(camera=settings.name)

    def start(self) -> None:
        """Start the thread; the first frame may take `open_s`."""
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The capture process's number, if one is running."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the capture process and the thread."""
        self._stop.set()
        self.slot.close()
        if process := self._process:
            _end(process)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        """Capture after capture, until the source ends or `stop`."""
        backoff_s, tries, before = FIRST_BACKOFF_S, 0, -1
        while not self._stop.is_set():
            self._streak = 0
            try:
                self._capture()
                break
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                # Whatever it was (no memory for a process, nonsense in a message): start afresh.
                if self._stop.is_set():
                    break
                why = str(error) if isinstance(error, _Died) else repr(error)
                self._report(why, backoff_s)
            tries = tries + 1 if self._next == before else 1
            before = self._next
            if self.settings.lossless and self._next and tries >= FATAL_TRIES:
                self._lead_past()
            self._stop.wait(backoff_s)
            steady = self._streak >= STEADY_FRAMES
            backoff_s = FIRST_BACKOFF_S if steady else min(LAST_BACKOFF_S, 2 * backoff_s)
        self.slot.close()

    def _report(self, why: str, backoff_s: float) -> None:
        name = self.settings.name
        self._health.count_fault(name, "capture")
        self._health.reconnect(name)
        self._health.raise_fault(f"camera {name}", "capture", why)
        self._log.warning("capture failed", why=why, again_in_s=backoff_s)

    def _lead_past(self) -> None:
        now = monotonic_ns()
        why = f"the capture died {FATAL_TRIES} times at this picture"
        number, self._next = self._next, self._next + 1
        self._offer(Unusable(why, self.settings.name, number, now, wall_ns()))

    def _capture(self) -> None:
        """One capture process from start to end; raises _Died unless the source came to its end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ring = Ring.create()
        try:
            with theirs:
                process = self._spawn(theirs, ring)
            try:
                self._read(ours, ring)
            finally:
                _end(process)
        finally:
            ours.close()
            ring.close()

    def _spawn(self, channel: socket.socket, ring: Ring) -> "subprocess.Popen[bytes]":
        spec = {
            "source": self.settings.source,
            "lossless": self.settings.lossless,
            "first": self._next,
            "parent": os.getpid(),
        }
        command = [sys.executable, "-m", "edge.camera.capture", str(channel.fileno()), str(ring.fd)]
        self._process = process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,  # an address may hold a password, and anyone may read argv
            pass_fds=(channel.fileno(), ring.fd),
            env=capture_environment(),
            process_group=0,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin as told:
            told.write(json.dumps(spec).encode())
        return process

    def _read(self, channel: socket.socket, ring: Ring) -> None:
        limit_s, what = self.settings.open_s, "did not open"
        while not self._stop.is_set():
            channel.settimeout(limit_s)
            try:
                packet = channel.recv(MESSAGE_BYTES)
            except TimeoutError:
                raise _Died(f"{self._source()} {what} within {limit_s:g} s") from None
            except OSError as error:
                raise _Died(f"the capture of {self._source()} broke: {error}") from error
            if not packet:
                raise _Died(f"the capture of {self._source()} ended unexpectedly")
            if self._handle(json.loads(packet), channel, ring):
                return
            limit_s, what = self.settings.stall_s, "gave no frame"

    def _handle(self, told: dict[str, Any], channel: socket.socket, ring: Ring) -> bool:
        """Deal with one message; returns whether the source has ended."""
        what = told.pop("what")
        if what in ("alive", "lost"):
            for kind, count in told.get("counts", {}).items():
                self._health.count_fault(self.settings.name, kind, count)
            return False
        self._lost(told["number"] - self._next)
        self._next = told["number"]
        if what == "end":
            return True
        if what == "error":
            raise _Died(f"{told['problem']} ({told['remedy']})")
        self._next += 1
        if what == "unusable":
            self._offer(Unusable(camera=self.settings.name, **told))
            return False
        buffer, size, shape = told.pop("buffer"), told.pop("size"), tuple(told.pop("shape"))
        if size != ring.buffer_bytes:
            ring.resize(size)
        pixels = ring.read(buffer, shape)
        # If it died meanwhile the next recv tells.
        with contextlib.suppress(OSError):
            channel.send(bytes([buffer]))
        self._offer(self._watched(Frame(pixels, self.settings.name, **told)))
        return False

    def _watched(self, frame: Frame) -> Seen:
        """What the warden makes of a frame; one that it can't look at is judged all the same."""
        if self._warden is None:
            return frame
        name = self.settings.name
        try:
            seen = self._warden.see(frame)
        except Exception as error:  # noqa: BLE001 - a fault of the watch is none of the line's
            self._log.exception("the frame was not watched", frame=frame.number)
            self._health.count_fault(name, "not_watched")
            self._health.raise_fault(f"camera {name}", "not_watched", repr(error))
            return frame
        self._health.clear_fault(f"camera {name}", "not_watched")
        return seen

    def _offer(self, seen: Seen) -> None:
        name = self.settings.name
        self._health.frame(name, seen.captured_ns)
        self.slot.put(seen)
        self._lost(self.slot.overwritten - self._overwritten)
        self._overwritten = self.slot.overwritten
        self._streak += 1
        if self._health.clear_fault(f"camera {name}", "capture"):
            self._log.info("capture works again")

    def _lost(self, frames: int) -> None:
        if frames > 0:
            self._health.overwritten(self.settings.name, frames)

    def _source(self) -> str:
        source = self.settings.source
        named = source.get("path") or source.get("url") or source.get("camera") or ""
        address = str(named).rpartition("@")[2]
        return f"{source['kind']} {address or source.get('index', '')}".strip()
