"""Plates: room for the pixels of a camera's frames, used again when nobody holds the frame.

A frame is megabytes. Taken from glibc one by one, each is either mapped anew, and its pages are
cleared while the camera waits, or leaves a hole in the heap that the next doesn't quite fill.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from export.preprocess import Pixels

SPARE = 3  # free ones that are kept: as many as a burst gives back at once


class Plates:
    """Copies frames into room that came back from frames before; for one thread that copies.

    The copies may be held, cut and dropped by any thread.
    """

    def __init__(self) -> None:
        self._free: deque[Pixels] = deque(maxlen=SPARE)

    def copy(self, pixels: Pixels) -> Pixels:
        """A copy of HxWx3 uint8 pixels; its room comes back when no view of it is left."""
        held = _Held(self._room(pixels.nbytes), pixels.shape, self._free.append)
        copied = np.asarray(held)
        copied[...] = pixels
        return copied

    def _room(self, count: int) -> Pixels:
        while self._free:
            room = self._free.pop()
            if room.nbytes == count:
                return room
        return np.empty(count, np.uint8)


class _Held:
    """What every view of a copy refers to in the end (NumPy's array interface, version 3)."""

    def __init__(
        self, room: Pixels, shape: tuple[int, ...], back: Callable[[Pixels], None]
    ) -> None:
        self._room, self._back = room, back  # first: __del__ comes whatever happens here
        self.__array_interface__: dict[str, Any] = {
            "version": 3, "typestr": "|u1", "shape": shape, "data": (room.ctypes.data, False),
        }  # fmt: skip

    def __del__(self) -> None:
        self._back(self._room)
