"""The bench: parts that wait to be judged, the one thread that judges them, and their verdicts.

Every part offered gets exactly one verdict: judged within its deadline, or fail-safe at it, from a
second thread that keeps the time even while the model hangs. A pass after the deadline doesn't
exist. It knows no camera, model, database, broker or gate: it is given an inspector with each part,
a function that records verdicts, and an audience that hears of them.
"""

import contextlib
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

import structlog

from edge.clock import monotonic_ns
from edge.frame import Frame, Unusable
from edge.health import Health
from edge.inspection.inspector import Judgement
from edge.inspection.part import Part, fail_safe, judged
from export.errors import StoreError
from export.verdict import FAIL_SAFE, Reason, Verdict

GUARD_MS = 5.0  # before the deadline: what the clock's thread may need to wake up and speak
GUARD_SHARE = 0.1  # of a short deadline
URGENCY = -10  # niceness of that thread, where the box may ask for it

Record = Callable[[str, Callable[[int], Verdict]], Verdict]


class Audience(Protocol):
    """Who hears of verdicts as they are given; quick, from any thread, and never raising."""

    def decided(self, part: Part, verdict: Verdict) -> None:
        """A part's one verdict."""
        ...

    def lost(self, part: Part) -> None:
        """A part's verdict could not be recorded."""
        ...

    def late(self, part: Part, verdict: Verdict, judgement: Judgement) -> None:
        """A result came after the part's verdict had to be given."""
        ...


class Nobody:
    """No audience."""

    def decided(self, part: Part, verdict: Verdict) -> None:
        """Unheard."""

    def lost(self, part: Part) -> None:
        """Unheard."""

    def late(self, part: Part, verdict: Verdict, judgement: Judgement) -> None:
        """Unheard."""


class Bench:
    """Judges the parts of all cameras, one at a time, in the order in which they came."""

    def __init__(
        self, record: Record, epoch: int, health: Health, audience: Audience | None = None
    ) -> None:
        self._record, self._epoch, self._health = record, epoch, health
        self._audience = audience or Nobody()
        self._changed = threading.Condition()
        self._waiting: deque[Part] = deque()
        self._awaited: list[Part] = []
        self._due: Counter[str] = Counter()
        self._in_hand: Part | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="inspector", daemon=True)
        self._timekeeper = threading.Thread(target=self._keep_time, name="deadlines", daemon=True)
        self._log = structlog.get_logger("bench")

    def start(self) -> None:
        """Start judging."""
        self._thread.start()
        self._timekeeper.start()

    @property
    def alive(self) -> bool:
        """Whether both threads are at work, so that every part will have its verdict."""
        return self._thread.is_alive() and self._timekeeper.is_alive() and not self._closed

    def offer(self, part: Part) -> None:
        """Take a part; if there is no room for it, its fail-safe verdict is given at once."""
        self._health.trigger(part.terms.camera)
        if isinstance(part.seen, Unusable):
            self._refuse(part, Reason.BAD_FRAME, part.seen.why)
        else:
            self._admit(part, self._waiting.append)

    def expect(self, part: Part) -> None:
        """Take a part whose frame is yet to come: `part.seen` says what is wrong if none does."""
        self._health.trigger(part.terms.camera)
        self._admit(part, self._awaited.append)

    def arrived(self, part: Part, frame: Frame | Unusable) -> bool:
        """The frame of an expected part is here; False if its verdict was due before."""
        with self._changed:
            if part not in self._awaited:
                return False
            self._awaited.remove(part)
            part.seen = frame
            self._waiting.append(part)
            self._changed.notify_all()
            return True

    def _admit(self, part: Part, take: Callable[[Part], None]) -> None:
        camera = part.terms.camera
        with self._changed:
            full, closed = self._due[camera] >= part.terms.room, self._closed
            if not (full or closed):
                self._due[camera] += 1
                take(part)
                self._changed.notify_all()
                return
        if closed:
            self._refuse(part, Reason.LATE, "the box was being stopped")
        else:
            self._refuse(part, Reason.OVERLOAD, f"{part.terms.room} parts were waiting already")

    def settled(self, camera: str, timeout_s: float) -> bool:
        """Wait until no part of `camera` is due; False if that isn't so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due[camera], timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Judge what waits, for `timeout_s`; whatever is then left gets its fail-safe verdict."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._due.total(), timeout_s)
            left = [*self._waiting, *self._awaited]
            self._waiting.clear()
            self._awaited.clear()
            self._due.subtract(part.terms.camera for part in left)
            left += [self._in_hand] if self._in_hand else []
        for part in left:
            self._refuse(part, Reason.LATE, "the box was being stopped")

    def _run(self) -> None:
        while (part := self._next()) is not None:
            try:
                self._decide(part)
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                # The thread must live: whatever a judge or the record does, the next part is due.
                self._log.exception("a part could not be judged", camera=part.terms.camera)
                self._refuse(part, Reason.INSPECTION_ERROR, f"{type(error).__name__}: {error}")
            with self._changed:
                self._in_hand = None
                self._due[part.terms.camera] -= 1
                self._changed.notify_all()

    def _keep_time(self) -> None:
        """Give every part that is due its fail-safe verdict by its deadline, whatever judges it."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), URGENCY)
        while True:
            with self._changed:
                if self._closed:
                    return
                due = [part for part in self._pending() if not part.settled]
                now_ns = monotonic_ns()
                late = [part for part in due if _left_ms(part, now_ns) <= 0]
                if not late:
                    soonest_ms = min((_left_ms(part, now_ns) for part in due), default=None)
                    self._changed.wait(None if soonest_ms is None else soonest_ms / 1000)
            for part in late:
                try:
                    self._time_out(part)
                except Exception:  # noqa: BLE001 - outermost line of the thread
                    # The thread must live: the other parts' deadlines come too.
                    self._log.exception("a late part's verdict failed", camera=part.terms.camera)
                    self._health.count_fault(part.terms.camera, "timekeeper")

    def _time_out(self, part: Part) -> None:
        if isinstance(part.seen, Unusable):
            self._refuse(part, Reason.BAD_FRAME, part.seen.why)
        else:
            limit_ms = part.terms.deadline_ms
            self._refuse(part, Reason.LATE, f"no result in time for its {limit_ms:g} ms")
        with self._changed:
            if part in self._awaited:
                self._awaited.remove(part)
                self._due[part.terms.camera] -= 1
                self._changed.notify_all()

    def _pending(self) -> list[Part]:
        in_hand = [self._in_hand] if self._in_hand else []
        return [*in_hand, *self._waiting, *self._awaited]

    def _next(self) -> Part | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
            self._in_hand = self._waiting.popleft() if self._waiting else None
            return self._in_hand

    def _decide(self, part: Part) -> None:
        started_ns, limit_ms = monotonic_ns(), part.terms.deadline_ms
        if isinstance(part.seen, Unusable):
            self._refuse(part, Reason.BAD_FRAME, part.seen.why)
            return
        if part.age_ms(started_ns) > limit_ms:
            self._refuse(part, Reason.LATE, f"not begun within {limit_ms:g} ms of its capture")
            return
        judgement = part.terms.judge.judge(part.seen.pixels)
        counts = self._health.counts(part.terms.camera)
        if part.settle():
            part.heatmap = judgement.heatmap
            self._store(
                part,
                lambda seq: judged(part, (self._epoch, seq), counts, judgement, started_ns),
            )
        elif verdict := part.came_late(judgement):
            self._audience.late(part, verdict, judgement)

    def _refuse(self, part: Part, reason: Reason, detail: str) -> None:
        counts = self._health.counts(part.terms.camera)
        if part.settle():
            self._store(
                part, lambda seq: fail_safe(part, (self._epoch, seq), counts, reason, detail)
            )

    def _store(self, part: Part, make: Callable[[int], Verdict]) -> None:
        camera = part.terms.camera
        try:
            verdict = self._recorded(part, make)
        except StoreError as error:
            self._health.count_fault(camera, "verdict_not_recorded")
            self._health.raise_fault(f"camera {camera}", "record", f"a verdict is lost: {error}")
            self._log.error("verdict not recorded", camera=camera, frame=part.seen.number)
            self._audience.lost(part)
            return
        self._audience.decided(part, verdict)
        if late := part.concluded(verdict):
            self._audience.late(part, verdict, late)
        self._health.clear_fault(f"camera {camera}", "record")
        self._health.verdict(camera, verdict.outcome.value)
        self._note(camera, verdict)

    def _recorded(self, part: Part, make: Callable[[int], Verdict]) -> Verdict:
        """The verdict recorded; one that can't be said (too long, out of range) is fail-safe."""
        camera = part.terms.camera
        try:
            return self._record(camera, make)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - here the fail-safe verdict is made
            told = f"{type(error).__name__}: {error}"
            counts, reason = self._health.counts(camera), Reason.INSPECTION_ERROR
            return self._record(
                camera,
                lambda seq: fail_safe(part, (self._epoch, seq), counts, reason, told),
            )

    def _note(self, camera: str, verdict: Verdict) -> None:
        """A fail-safe verdict is a fault that stands until the next part is judged."""
        if verdict.reason not in FAIL_SAFE:
            self._health.clear_fault(f"camera {camera}", "fail_safe")
            return
        self._health.count_fault(camera, verdict.reason.value)
        said = f"{verdict.reason.value} (part {verdict.part}): {verdict.detail}"
        if self._health.raise_fault(f"camera {camera}", "fail_safe", said):
            self._log.warning("fail-safe verdict", camera=camera, why=said)


def _left_ms(part: Part, now_ns: int) -> float:
    """Until a verdict must be on its way."""
    return part.left_ms(now_ns) - min(GUARD_MS, GUARD_SHARE * part.terms.deadline_ms)
