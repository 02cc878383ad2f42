"""The parts that are due a verdict, camera by camera, and whose turn it is on the processor.

Of the cameras that have not had more than their share lately, the one whose part has the earliest
deadline (docs/decisions/0009, with what else was measured). Pure: it judges nothing, and its owner
holds the lock.
"""

from collections import Counter, deque
from collections.abc import Iterator
from statistics import median

from edge.inspection.part import Part

MEMORY = 0.95  # what is left of a camera's account after each further look on the bench
AHEAD = 3.0  # looks that a camera may have had more than the one that had least
LAST = 8  # looks whose time is remembered; parts on end that it may cost their look


class Due:
    """Parts of all cameras, each camera's in the order in which they came."""

    def __init__(self) -> None:
        self._parts: dict[str, deque[Part]] = {}
        self._had_ms: dict[str, float] = {}
        self._took_ms: dict[str, deque[float]] = {}
        self._doubts: Counter[str] = Counter()

    def add(self, part: Part) -> None:
        """One more."""
        self._parts.setdefault(part.terms.camera, deque()).append(part)

    def remove(self, part: Part) -> None:
        """It has its verdict."""
        parts = self._parts.get(part.terms.camera)
        if parts and part in parts:
            parts.remove(part)

    def of(self, camera: str) -> int:
        """How many of a camera's."""
        return len(self._parts.get(camera, ()))

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def __iter__(self) -> Iterator[Part]:
        for parts in self._parts.values():
            yield from parts

    def turn(self, now_ns: int) -> Part | None:
        """The part to look at next; None if none waits to be looked at."""
        first = [part for parts in self._parts.values() if (part := _first(parts))]
        if len(first) < 2:
            return first[0] if first else None
        least_ms = min(self._had_ms.get(part.terms.camera, 0.0) for part in first)
        fair = [part for part in first if self._had(part) <= least_ms + self._ahead_ms(part)]
        return min(fair, key=lambda part: part.left_ms(now_ns))

    def alone(self, part: Part) -> bool:
        """Whether no other part waits to be looked at."""
        return not any(one.looks.ready for one in self if one is not part)

    def looked(self, camera: str, took_ms: float) -> None:
        """A look at a part of `camera` took so long."""
        for name in self._had_ms:
            self._had_ms[name] *= MEMORY
        self._had_ms[camera] = self._had_ms.get(camera, 0.0) + took_ms
        self._took_ms.setdefault(camera, deque(maxlen=LAST)).append(took_ms)
        self._doubts[camera] = 0

    def look_ms(self, camera: str) -> float:
        """What a look at a part of `camera` usually takes, by the last ones; 0 if not known."""
        return median(self._took_ms.get(camera) or (0.0,))

    def doubt(self, camera: str) -> None:
        """A part was given up for want of time; after so many on end that is put to the test."""
        self._doubts[camera] += 1
        if self._doubts[camera] >= LAST:
            self._took_ms.pop(camera, None)

    def _had(self, part: Part) -> float:
        return self._had_ms.get(part.terms.camera, 0.0)

    def _ahead_ms(self, part: Part) -> float:
        return AHEAD * self.look_ms(part.terms.camera)


def _first(parts: deque[Part]) -> Part | None:
    return next((part for part in parts if part.looks.ready), None)
