"""The parts of a line in the order in which they pass, planned only as far as somebody looks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from threading import RLock
from typing import overload

from edge.virtual_line.truth import PartTruth


class Passage(Sequence[PartTruth]):
    """`count` parts that are drawn from `planned` when they are first asked for.

    A line of a million parts opens as soon as one of ten. Threads may share it.
    """

    def __init__(self, planned: Iterator[PartTruth], count: int) -> None:
        self._planned = planned
        self._count = count
        self._known: list[PartTruth] = []
        self._centres: list[int] = []
        self._lock = RLock()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> PartTruth: ...
    @overload
    def __getitem__(self, index: slice) -> list[PartTruth]: ...
    def __getitem__(self, index: int | slice) -> PartTruth | list[PartTruth]:
        chosen = range(self._count)[index]
        last = chosen if isinstance(chosen, int) else max(chosen, default=-1)
        with self._lock:
            self._learn(last + 1 - len(self._known))
        if isinstance(chosen, int):
            return self._known[chosen]
        return [self._known[one] for one in chosen]

    def between(self, first: int, last: int) -> list[PartTruth]:
        """The parts whose centre frame is from `first` to `last`, both included."""
        self.any_after(last)
        return self._known[bisect_left(self._centres, first) : bisect_right(self._centres, last)]

    def any_after(self, frame: int) -> bool:
        """Whether a part has its centre frame after `frame`."""
        with self._lock:
            while not self._centres or self._centres[-1] <= frame:
                if not self._learn(1):
                    return False
        return True

    def _learn(self, parts: int) -> int:
        """Plan so many parts more, if there are as many; returns how many there were."""
        before = len(self._known)
        for part in islice(self._planned, max(0, parts)):
            self._known.append(part)
            self._centres.append(part.centre_frame)
        return len(self._known) - before
