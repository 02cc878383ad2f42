"""The capture process: opens one source and hands its frames to the daemon until it is killed.

Started by camera.py with two inherited file descriptors, a socket for messages and the memory for
pixels, and told on its standard input what to do. It may hang or crash in a driver at any time:
nothing depends on its end.
Messages are JSON, one per packet. From here: frame, unusable, alive (no frame, and none is due),
lost (counts), end, error; to here: one byte per packet, the buffer that is free again.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import cv2

from edge.camera import live, playback
from edge.camera.genicam import Lost, Told, genicam
from edge.camera.playback import Shot
from edge.camera.ring import BUFFERS, Ring
from edge.clock import monotonic_ns, wall_ns
from export.errors import LinewardenError

_PR_SET_PDEATHSIG = 1


def shots(source: dict[str, Any], first: int) -> Iterator[Told]:
    """What the source yields, from the frame numbered `first` where it can be told to."""
    kind = source["kind"]
    if kind == "folder":
        return playback.folder(source["path"], first)
    if kind == "video":
        return playback.video(source["path"], source["loop"], first)
    if kind == "virtual":
        return playback.virtual(source, first)
    if kind == "device":
        return live.device(source)
    if kind == "genicam":
        return genicam(source)
    return live.stream(source)


class Sender:
    """This side of the agreement: which buffers are free, and what has been said.

    Args:
        channel: the packet socket to the daemon.
        ring: where pixels go.
        lossless: whether to wait for a free buffer rather than drop the frame.
        number: the number of the first frame.
    """

    def __init__(self, channel: socket.socket, ring: Ring, lossless: bool, number: int) -> None:
        self._channel, self._ring, self._lossless = channel, ring, lossless
        self._number = number
        self._free = list(range(BUFFERS))

    def say(self, what: str, **fields: Any) -> None:
        """Send one message."""
        self._channel.send(json.dumps({"what": what, **fields}).encode())

    def tell(self, told: Told) -> None:
        """Send on what the source has told."""
        if isinstance(told, Shot):
            self.hand_over(told)
        elif isinstance(told, Lost):
            self.say("lost", counts=told.counts)
        else:
            self.say("alive")

    def hand_over(self, shot: Shot) -> None:
        """Send one frame, or why there is none; a live frame without a free buffer is dropped."""
        number = self._number + shot.skipped
        self._number = number + 1
        taken = {
            "number": number,
            "label": shot.label,
            "captured_ns": monotonic_ns() - shot.age_ns,
            "captured_wall_ns": wall_ns() - shot.age_ns,
        }
        if shot.pixels is None:
            self.say("unusable", why=shot.why, **taken)
            return
        self._fit(shot.pixels.nbytes)
        self._collect(wait=self._lossless and not self._free)
        if self._free:
            buffer = self._free.pop()
            self._ring.write(buffer, shot.pixels)
            size = self._ring.buffer_bytes
            self.say("frame", buffer=buffer, size=size, shape=shot.pixels.shape, **taken)

    def part_with(self, what: str, **fields: Any) -> None:
        """Send the last message, with the number of frames until then, and wait to be killed.

        A Unix socket that is closed with unread packets resets its peer, which would then lose
        what it hasn't read: the last frames and this message.
        """
        self.say(what, number=self._number, **fields)
        while self._channel.recv(1):
            pass

    def _fit(self, needed: int) -> None:
        if needed > self._ring.buffer_bytes:
            while len(self._free) < BUFFERS:
                self._collect(wait=True)
            self._ring.resize(needed)

    def _collect(self, wait: bool) -> None:
        """Take back the buffers that were returned; the daemon's end is this process's end."""
        while True:
            try:
                packet = self._channel.recv(1, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not packet:
                raise BrokenPipeError
            self._free.append(packet[0])
            wait = False


def main(channel_fd: int, memory_fd: int, spec: str) -> None:
    """Run until the source ends or the daemon is gone.

    Args:
        channel_fd: the inherited socket.
        memory_fd: the inherited memory.
        spec: JSON of {"source": {...}, "lossless": bool, "first": int, "parent": pid}.
    """
    told = json.loads(spec)
    _die_with(told["parent"])
    cv2.setNumThreads(1)
    channel = socket.socket(fileno=channel_fd)
    sender = Sender(channel, Ring(memory_fd), told["lossless"], told["first"])
    try:
        for shot in shots(told["source"], told["first"]):
            sender.tell(shot)
        sender.part_with("end")
    except LinewardenError as error:
        sender.part_with("error", problem=error.problem, remedy=error.remedy)
    except BrokenPipeError:
        return


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process with its parent, even while a driver's call hangs."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() != parent:
        sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.stdin.read())
