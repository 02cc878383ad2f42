"""The parts of a line in the order in which they pass, planned only as far as somebody looks."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from threading import RLock
from typing import Protocol, overload

from edge.virtual_line.truth import PartTruth

_KEPT = 8  # truths in memory: those of the parts that a frame or two show


class Planned(Protocol):
    """What a passage asks of a plan."""

    def ways(self) -> Iterator[int]:
        """How far the belt has run when each part in turn is at the middle, pixels, rising."""
        ...

    def centre_frame(self, way: int) -> int:
        """The frame that is nearest to where the belt has run so far."""
        ...

    def truth(self, index: int, way: int) -> PartTruth:
        """What part `index` is, which is at the middle when the belt has run so far."""
        ...


class Passage(Sequence[PartTruth]):
    """The first `count` parts of a plan, each told when it is asked for.

    Only the way of each part is kept, 8 bytes: a line of a million parts opens as soon as one of
    ten, and may run for months. Threads may share it.
    """

    def __init__(self, plan: Planned, count: int) -> None:
        self._plan, self._count = plan, count
        self._coming = islice(plan.ways(), count)
        self._ways = array("q")
        self._truth = lru_cache(_KEPT)(self._told)
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
            self._learn(last + 1 - len(self._ways))
        if isinstance(chosen, int):
            return self._truth(chosen)
        return [self._truth(one) for one in chosen]

    def between(self, first: int, last: int) -> list[PartTruth]:
        """The parts whose centre frame is from `first` to `last`, both included."""
        self.any_after(last)
        begin = bisect_left(self._ways, first, key=self._plan.centre_frame)
        end = bisect_right(self._ways, last, key=self._plan.centre_frame)
        return [self._truth(index) for index in range(begin, end)]

    def any_after(self, frame: int) -> bool:
        """Whether a part has its centre frame after `frame`."""
        with self._lock:
            while not self._ways or self._plan.centre_frame(self._ways[-1]) <= frame:
                if not self._learn(1):
                    return False
        return True

    def _learn(self, parts: int) -> int:
        """Plan so many parts more, if there are as many; returns how many there were."""
        before = len(self._ways)
        self._ways.extend(islice(self._coming, max(0, parts)))
        return len(self._ways) - before

    def _told(self, index: int) -> PartTruth:
        return self._plan.truth(index, self._ways[index])
