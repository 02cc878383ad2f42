"""What the box knows about itself: counts that only grow, and faults that come and go.

Part of the pure core: it opens nothing, asks no clock and publishes nothing. Safe to use from
every thread.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace

FAULT_LIMIT = 256  # characters of a fault's sentence


@dataclass(frozen=True, slots=True)
class CameraCounts:
    """One camera since the start. `last_frame_ns` is monotonic, None before the first frame."""

    frames: int = 0
    triggers: int = 0
    verdicts: int = 0
    overwritten: int = 0
    reconnects: int = 0
    last_frame_ns: int | None = None
    faults: dict[str, int] = field(default_factory=dict[str, int])
    outcomes: dict[str, int] = field(default_factory=dict[str, int])


class _Tally:
    """One camera's counts, while they grow."""

    def __init__(self) -> None:
        self.counts = CameraCounts()
        self.faults: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()


class Health:
    """Counts per camera, and the faults that stand now: {(where, kind): sentence}."""

    def __init__(self, cameras: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._tallies = {name: _Tally() for name in cameras}
        self._standing: dict[tuple[str, str], str] = {}

    def frame(self, camera: str, captured_ns: int) -> None:
        """A frame came."""
        with self._lock:
            tally = self._tallies[camera]
            tally.counts = replace(
                tally.counts, frames=tally.counts.frames + 1, last_frame_ns=captured_ns
            )

    def trigger(self, camera: str) -> None:
        """A part was seen: a verdict is due."""
        with self._lock:
            tally = self._tallies[camera]
            tally.counts = replace(tally.counts, triggers=tally.counts.triggers + 1)

    def verdict(self, camera: str, outcome: str) -> None:
        """A verdict was recorded."""
        with self._lock:
            tally = self._tallies[camera]
            tally.counts = replace(tally.counts, verdicts=tally.counts.verdicts + 1)
            tally.outcomes[outcome] += 1

    def overwritten(self, camera: str, frames: int) -> None:
        """So many frames were lost to newer ones."""
        with self._lock:
            tally = self._tallies[camera]
            tally.counts = replace(tally.counts, overwritten=tally.counts.overwritten + frames)

    def reconnect(self, camera: str) -> None:
        """The camera was started again."""
        with self._lock:
            tally = self._tallies[camera]
            tally.counts = replace(tally.counts, reconnects=tally.counts.reconnects + 1)

    def count_fault(self, camera: str, kind: str, times: int = 1) -> None:
        """Something went wrong, once or so many times, and was dealt with."""
        with self._lock:
            self._tallies[camera].faults[kind] += times

    def raise_fault(self, where: str, kind: str, sentence: str) -> bool:
        """Something is wrong until `clear_fault`; returns whether it is news."""
        with self._lock:
            news = (where, kind) not in self._standing
            self._standing[where, kind] = sentence[:FAULT_LIMIT]
            return news

    def clear_fault(self, where: str, kind: str) -> bool:
        """It is well again; returns whether it wasn't before."""
        with self._lock:
            return self._standing.pop((where, kind), None) is not None

    def counts(self, camera: str) -> CameraCounts:
        """One camera's counts now."""
        with self._lock:
            tally = self._tallies[camera]
            return replace(tally.counts, faults=dict(tally.faults), outcomes=dict(tally.outcomes))

    def standing(self) -> tuple[str, ...]:
        """The faults that stand, as sentences that begin with where they are."""
        with self._lock:
            return tuple(f"{where}: {said}" for (where, _), said in sorted(self._standing.items()))
