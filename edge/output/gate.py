"""The gate: says "accept" for one part at a time, for a moment, and beats as long as it is well.

The wire rests at reject. A pass that is fresh switches it to accept for `hold_s`, then it falls
back; anything else switches it back at once. The heartbeat changes only while whoever decides is
alive: a PLC that sees it stand still must reject. One thread: a slow wire holds nobody up.
Knows no protocol.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from edge.alarm import Alarms
from edge.clock import monotonic_ns
from edge.health import Health
from edge.messages import Severity
from export.errors import OutputError
from export.verdict import Outcome

WAITING = 64  # decisions that may wait for a slow wire; more are dropped: their parts are rejected
AGAIN_MIN_S, AGAIN_MAX_S = 0.05, 1.0
LOST = "output_lost"  # an alarm


@dataclass(frozen=True, slots=True)
class Shown:
    """One decision, as the gate hears it.

    Attributes:
        outcome: of the part.
        seq: of its verdict.
        until_ns: monotonic; a pass that can't be shown by then is not shown at all, since the next
            part may stand before the gate.
    """

    outcome: Outcome
    seq: int
    until_ns: int


class Wire(Protocol):
    """A way to the gate. Every method raises OutputError when it can't be reached in time."""

    def open(self) -> None:
        """Connect, and rest at reject."""
        ...

    def show(self, *, accept: bool, shown: Shown | None) -> None:
        """Accept or reject from now on; `shown` is the decision behind it, None when at rest.

        Where it takes several steps, it doesn't accept after `shown.until_ns`.
        """
        ...

    def beat(self, count: int) -> None:
        """The heartbeat's next count."""
        ...

    def close(self) -> None:
        """Rest at reject and let go; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How long a pass is shown, and how often the heartbeat changes."""

    hold_s: float = 0.2
    beat_s: float = 0.1


class RejectGate:
    """Drives one wire. `decide` returns at once, from any thread.

    Attributes:
        stale: passes that came to the wire too late to be shown, or found no room.
    """

    def __init__(
        self,
        name: str,
        wire: Wire,
        settings: GateSettings,
        health: Health,
        *,
        alarms: Alarms,
        alive: Callable[[], bool],
    ) -> None:
        self.stale = 0
        self._name, self._wire, self._settings = name, wire, settings
        self._health, self._alarms, self._alive = health, alarms, alive
        self._waiting: deque[Shown] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._accept_until_ns = self._newest = 0
        self._beats, self._beat_due_ns = 0, 0
        self._thread = threading.Thread(target=self._run, name=f"gate-{name}", daemon=True)
        self._log = structlog.get_logger("gate").bind(camera=name)

    def start(self) -> None:
        """Start the thread; the wire is opened by it."""
        self._thread.start()

    def decide(self, shown: Shown) -> None:
        """A part was decided."""
        with self._changed:
            room = len(self._waiting) < WAITING
            if room:
                self._waiting.append(shown)
                self._changed.notify_all()
        if not room:
            self._missed(shown, f"{WAITING} decisions wait for the wire")

    def stop(self, timeout_s: float) -> None:
        """Fall back to reject and let the wire go."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        again_s = AGAIN_MIN_S
        while not self._closing:
            try:
                self._wire.open()
                self._accept_until_ns = 0
                self._health.clear_fault(f"camera {self._name}", "output")
                self._alarms.clear(self._name, LOST)
                again_s = AGAIN_MIN_S
                while not self._closing:
                    self._turn()
            except OutputError as error:
                self._broken(error.problem)
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                self._log.exception("the output failed")
                self._broken(repr(error))
            finally:
                self._wire.close()
            self._pause(again_s)
            again_s = min(AGAIN_MAX_S, 2 * again_s)

    def _turn(self) -> None:
        """Do the next thing that is due, or wait for it."""
        now_ns = monotonic_ns()
        if shown := self._next(now_ns):
            self._show(shown)
        elif self._accept_until_ns and now_ns >= self._accept_until_ns:
            self._wire.show(accept=False, shown=None)
            self._accept_until_ns = 0
        elif now_ns >= self._beat_due_ns and self._alive():
            self._beats += 1
            self._wire.beat(self._beats)
            self._beat_due_ns = now_ns + round(self._settings.beat_s * 1e9)

    def _next(self, now_ns: int) -> Shown | None:
        """The next decision; None once something else is due first."""
        ends = [self._beat_due_ns, *([self._accept_until_ns] if self._accept_until_ns else [])]
        wait_s = max(0.0, (min(ends) - now_ns) / 1e9)
        if not self._alive():
            wait_s = max(wait_s, 0.01)
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closing, wait_s)
            return self._waiting.popleft() if self._waiting else None

    def _show(self, shown: Shown) -> None:
        if shown.outcome is Outcome.PASS and shown.seq < self._newest:
            self._missed(shown, "a later part was decided before it")
            return
        self._newest = max(self._newest, shown.seq)
        now_ns = monotonic_ns()
        accept = shown.outcome is Outcome.PASS and not self._is_late(shown)
        self._accept_until_ns = 0
        self._wire.show(accept=accept, shown=shown)
        if accept and self._is_late(shown):  # the wire was slow: it may have come to the next part
            self._wire.show(accept=False, shown=None)
        elif accept:
            self._accept_until_ns = now_ns + round(self._settings.hold_s * 1e9)

    def _is_late(self, shown: Shown) -> bool:
        """Whether its time is over; a pass is then missed."""
        late_ms = (monotonic_ns() - shown.until_ns) / 1e6
        if late_ms > 0:
            self._missed(shown, f"{late_ms:.1f} ms too late")
        return late_ms > 0

    def _missed(self, shown: Shown, why: str) -> None:
        """A decision that the gate never heard: its part is rejected, since reject is at rest."""
        if shown.outcome is Outcome.PASS:
            self.stale += 1
            self._health.count_fault(self._name, "output_missed")
            self._log.warning("a pass was not shown at the gate", seq=shown.seq, why=why)

    def _broken(self, why: str) -> None:
        self._health.count_fault(self._name, "output")
        self._alarms.raise_(self._name, LOST, f"every part is rejected: {why}", Severity.CRITICAL)
        if self._health.raise_fault(f"camera {self._name}", "output", why):
            self._log.warning("output lost: the gate must reject", why=why)

    def _pause(self, seconds: float) -> None:
        """Wait before the next try; what was decided meanwhile comes too late for the gate."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)
            missed = list(self._waiting)
            self._waiting.clear()
        for shown in missed:
            self._missed(shown, "there was no wire")
