"""Frames in shared memory between a capture process and the daemon.

An anonymous file (memfd) that has no name, so that nothing is left behind when either side is
killed. Buffers are lent in turn; who may write which is agreed in messages, not here.
"""

import mmap
import os

import numpy as np

from edge.camera.plates import Plates
from export.preprocess import Pixels

BUFFERS = 4


class Ring:
    """BUFFERS equal buffers in the anonymous file `fd`; grows when a larger frame comes."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.buffer_bytes = 0
        self._memory: mmap.mmap | None = None
        self._plates = Plates()

    @classmethod
    def create(cls) -> "Ring":
        """A new, empty ring."""
        return cls(os.memfd_create("linewarden-frames", os.MFD_CLOEXEC))

    def resize(self, buffer_bytes: int) -> None:
        """Make each buffer `buffer_bytes` long and map it; all buffers must be free."""
        total = BUFFERS * buffer_bytes
        if os.fstat(self.fd).st_size < total:
            os.ftruncate(self.fd, total)
        self._memory = mmap.mmap(self.fd, total)
        self.buffer_bytes = buffer_bytes

    def write(self, buffer: int, pixels: Pixels) -> None:
        """Copy HxWx3 uint8 pixels into a buffer."""
        self._view(buffer, pixels.shape)[...] = pixels

    def read(self, buffer: int, shape: tuple[int, ...]) -> Pixels:
        """A copy of the pixels of `shape` in a buffer."""
        return self._plates.copy(self._view(buffer, shape))

    def close(self) -> None:
        """Give the memory back."""
        self._memory = None
        os.close(self.fd)

    def _view(self, buffer: int, shape: tuple[int, ...]) -> Pixels:
        count = int(np.prod(shape))
        if self._memory is None or count > self.buffer_bytes or not 0 <= buffer < BUFFERS:
            raise ValueError(f"{shape} does not fit buffer {buffer} of {self.buffer_bytes} bytes")
        offset = buffer * self.buffer_bytes
        return np.frombuffer(self._memory, np.uint8, count, offset).reshape(shape)
