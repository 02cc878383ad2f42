"""Verdicts that came before their turn, kept by the runs that they form.

A consumer that is far behind holds thousands of them, and asks for what is missing after each new
one: that costs the number of runs, mostly one or two, and never the number of verdicts.
"""

from bisect import bisect_right
from collections.abc import Iterator

from export.verdict import Verdict


class Ahead:
    """One camera's verdicts of one epoch, by seq."""

    def __init__(self) -> None:
        self._held: dict[int, Verdict] = {}
        self._firsts: list[int] = []  # of each run, in order
        self._lasts: list[int] = []

    def __len__(self) -> int:
        return len(self._held)

    @property
    def newest(self) -> int:
        """The highest seq held; 0 if there is none."""
        return self._lasts[-1] if self._lasts else 0

    def get(self, seq: int) -> Verdict | None:
        """The verdict of that seq, if it is here."""
        return self._held.get(seq)

    def add(self, verdict: Verdict) -> None:
        """Hold one more, of a seq that isn't held."""
        seq = verdict.seq
        self._held[seq] = verdict
        at = bisect_right(self._firsts, seq)  # the run before it is at - 1
        follows = at > 0 and self._lasts[at - 1] == seq - 1
        precedes = at < len(self._firsts) and self._firsts[at] == seq + 1
        if follows and precedes:
            self._lasts[at - 1] = self._lasts.pop(at)
            self._firsts.pop(at)
        elif follows:
            self._lasts[at - 1] = seq
        elif precedes:
            self._firsts[at] = seq
        else:
            self._firsts.insert(at, seq)
            self._lasts.insert(at, seq)

    def take(self, seq: int) -> Iterator[Verdict]:
        """Give away the run that begins with `seq`, if it is here; nothing lower may be held."""
        if not self._firsts or self._firsts[0] != seq:
            return
        last = self._lasts.pop(0)
        self._firsts.pop(0)
        for one in range(seq, last + 1):
            yield self._held.pop(one)

    def drop_newest(self) -> None:
        """Forget the highest seq, of at least one."""
        seq = self._lasts[-1]
        del self._held[seq]
        if self._firsts[-1] == seq:
            self._firsts.pop()
            self._lasts.pop()
        else:
            self._lasts[-1] = seq - 1

    def missing(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """What isn't held of seq `first` to `last`, as ranges, both ends included.

        `first` must not be above the lowest held.
        """
        for begin, end in zip(self._firsts, self._lasts, strict=True):
            if begin > last:
                break
            if begin > first:
                yield first, begin - 1
            first = end + 1
        if first <= last:
            yield first, last
