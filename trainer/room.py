"""Where large arrays lie: in memory while all fit, past that each in a file without a name.

Pictures, features and maps grow with the data set; all of them are made here, so that one limit
bounds them all. Values are the same wherever they lie. A file loses its name as it is opened: the
disk has its space back when the array or the process ends, however that ends. It knows nothing of
what the numbers mean.
"""

import mmap
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from export.errors import RunError

MEMORY_BYTES = 2 << 30
_CHUNK_BYTES = 8 << 20


class Room:
    """The arrays of one process.

    Attributes:
        memory_bytes: what all arrays in memory may take together; the next one lies in a file.
        folder: where such files lie, or in the nearest folder above that exists; None: where the
            system keeps what is temporary.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, folder: Path | None = None) -> None:
        self.memory_bytes, self.folder = memory_bytes, folder
        self._held, self._lock = 0, Lock()

    @property
    def held_bytes(self) -> int:
        """What the arrays in memory take now."""
        return self._held

    @contextmanager
    def beside(self, folder: Path) -> Iterator[None]:
        """Files lie in `folder` meanwhile."""
        before, self.folder = self.folder, folder
        try:
            yield
        finally:
            self.folder = before

    def empty(self, shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
        """An array with nothing in it yet; raises RunError where no disk has the space."""
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if size == 0:
            return np.empty(shape, dtype)
        with self._lock:
            fits = self._held + size <= self.memory_bytes
            self._held += size if fits else 0
        if not fits:
            return self._in_file(shape, dtype, size)
        array = np.empty(shape, dtype)
        weakref.finalize(array, self._give_back, size)
        return array

    def tensor(self, shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
        """The same as a tensor."""
        return torch.from_numpy(self.empty(shape, dtype))

    def taken(self, array: NDArray[Any], at: NDArray[Any] | Sequence[int]) -> NDArray[Any]:
        """A copy of the rows `at` (positions, or True for those that are taken) of an array."""
        rows = np.asarray(at)
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        found = self.empty((len(rows), *array.shape[1:]), array.dtype)
        step = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
        for start in range(0, len(rows), step):
            found[start : start + step] = array[rows[start : start + step]]
        return found

    def filled(self, parts: Iterable[Tensor], count: int, start: int = 0) -> Tensor:
        """(count,…) float32 whose rows from `start` on are those of `parts`, one after the other.

        There is at least one part.
        """
        whole: Tensor | None = None
        for part in parts:
            if whole is None:
                whole = self.tensor((count, *part.shape[1:]))
            whole[start : start + len(part)] = part
            start += len(part)
        if whole is None:
            raise ValueError("no part to fill from")
        return whole

    def joined(self, tensors: Sequence[Tensor]) -> Tensor:
        """The rows of float32 tensors one after the other, as torch.cat."""
        return self.filled(tensors, sum(map(len, tensors)))

    def _give_back(self, size: int) -> None:
        with self._lock:
            self._held -= size

    def _in_file(self, shape: Sequence[int], dtype: DTypeLike, size: int) -> NDArray[Any]:
        place = self._place()
        try:
            with tempfile.TemporaryFile(dir=place, prefix="linewarden-") as file:
                _reserve(file.fileno(), size)
                mapped = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise RunError(
                f"{size / 1e9:.1f} GB for pictures or what is known of them don't fit into "
                f"{str(place)!r}: {error.strerror}",
                "make room there, or give a folder on a larger disk: --out for what trains, "
                "TMPDIR for the rest",
            ) from error
        return np.frombuffer(mapped, dtype).reshape(shape)

    def _place(self) -> Path:
        above = () if self.folder is None else (self.folder, *self.folder.absolute().parents)
        return next((path for path in above if path.is_dir()), Path(tempfile.gettempdir()))


def _reserve(descriptor: int, size: int) -> None:
    """Take the space at once: a disk that is full later would end the process without a word."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)


@cache
def room() -> Room:
    """This process's."""
    return Room()
