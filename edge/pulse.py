"""The pulse: whether every stage of the box still moves.

A thread that the line depends on says so each time round its loop. One that hangs, in a driver, a
model or a deadlock, falls silent, and whoever feeds a watchdog can see it; a timer of its own would
go on feeding while the line stands. Part of the pure core; safe from every thread.
"""

from collections.abc import Callable

from edge.clock import monotonic_ns

STILL_S = 10.0  # longer than any stage waits on purpose


class Beat:
    """One stage's: call it each time round the loop; `rest` when the loop has ended well."""

    def __init__(self, limit_s: float, now_ns: Callable[[], int]) -> None:
        self.limit_s = limit_s
        self._now_ns = now_ns
        self._at_ns: int | None = now_ns()

    def __call__(self) -> None:
        """The stage moves."""
        self._at_ns = self._now_ns()

    def rest(self) -> None:
        """The stage has come to its end and need not move any more."""
        self._at_ns = None

    @property
    def idle_s(self) -> float:
        """Seconds since it last moved; 0 at rest."""
        at_ns = self._at_ns
        return 0.0 if at_ns is None else (self._now_ns() - at_ns) / 1e9


class Pulse:
    """The beats of all stages, by name."""

    def __init__(self, now_ns: Callable[[], int] = monotonic_ns) -> None:
        self._now_ns = now_ns
        self._beats: dict[str, Beat] = {}

    def stage(self, name: str, limit_s: float = STILL_S) -> Beat:
        """A new stage, which counts as moving now; `limit_s`: silence that is no fault yet."""
        beat = self._beats[name] = Beat(limit_s, self._now_ns)
        return beat

    def idle_s(self) -> dict[str, float]:
        """{stage: seconds since it last moved}."""
        return {name: beat.idle_s for name, beat in self._beats.items()}

    def still(self) -> tuple[str, ...]:
        """The stages that have not moved within their limit, in words; empty when all is well."""
        idle = {name: (beat.idle_s, beat.limit_s) for name, beat in self._beats.items()}
        return tuple(
            f"{name} has not moved for {idle_s:.0f} s"
            for name, (idle_s, limit_s) in sorted(idle.items())
            if idle_s > limit_s
        )
