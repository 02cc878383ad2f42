"""The bench: parts that wait to be judged, the one thread that judges them, and their verdicts.

Every part offered gets exactly one verdict: judged within its deadline, or fail-safe at it, from a
second thread that keeps the time even while the model hangs. A pass after the deadline doesn't
exist. A part of several frames is judged by those that were looked at in time. It knows no camera,
model, database, broker or gate: it is given an inspector with each part, a function that records
verdicts, and an audience that hears of them.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Sequence

import structlog

from edge.clock import monotonic_ns
from edge.frame import Frame, Unusable
from edge.health import Health
from edge.inspection.audience import Audience, Nobody
from edge.inspection.due import Due
from edge.inspection.part import Part, fail_safe, judged
from edge.pulse import Pulse
from export.errors import StoreError
from export.verdict import FAIL_SAFE, Reason, Verdict

GUARD_MS = 5.0  # before the deadline: what the clock's thread may need to wake up and speak
DECIDED_MS = 25.0  # the same where frames were judged: a late wake-up must not undo their verdict
GUARD_SHARE = 0.1  # of a short deadline
URGENCY = -10  # niceness of that thread, where the box may ask for it
RECORDED_S = 0.5  # for the verdict in hand when the bench is stopped
IDLE_S = 1.0  # a thread with nothing to do looks round so often, and shows that it moves

Record = Callable[[str, Callable[[int], Verdict]], Verdict]


class Bench:
    """Judges the parts of all cameras, one frame at a time, by turns that `Due` gives."""

    def __init__(
        self,
        record: Record,
        epoch: int,
        health: Health,
        audience: Audience | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._record, self._epoch, self._health = record, epoch, health
        self._audience = audience or Nobody()
        pulse = pulse or Pulse()
        self._judging, self._timing = pulse.stage("inspector"), pulse.stage("deadlines")
        self._changed = threading.Condition()
        self._due = Due()
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

    @property
    def busy(self) -> bool:
        """Whether a part waits for its verdict."""
        return len(self._due) > 0

    def offer(self, part: Part, others: Sequence[Frame] = (), *, more: bool = False) -> None:
        """Take a part; if there is no room for it, its fail-safe verdict is given at once.

        Args:
            part: its `seen` is judged first.
            others: further frames of it.
            more: whether others are yet to come, by `arrived`.
        """
        self._health.trigger(part.terms.camera)
        if isinstance(part.seen, Unusable):
            self._refuse(part, Reason.BAD_FRAME, part.seen.why)
            return
        part.looks.add(part.seen, *others)
        part.looks.open = more
        self._admit(part)

    def expect(self, part: Part) -> None:
        """Take a part whose frames are yet to come: `part.seen` says what is wrong if none does."""
        self._health.trigger(part.terms.camera)
        part.looks.open = True
        self._admit(part)

    def arrived(self, part: Part, frame: Frame | Unusable | None, *, last: bool = True) -> bool:
        """A frame of a part is here (or None: no more will come); False if it was decided before.

        Args:
            part: as offered or expected.
            frame: another one of it.
            last: whether no more will come.
        """
        with self._changed:
            if part.settled:
                return False
            if frame is not None:
                part.looks.add(frame)
                part.seen = frame if isinstance(part.seen, Unusable) else part.seen
            part.looks.open = not last
            self._changed.notify_all()
        if frame is None and part.looks.complete:
            self._give_up(part, Reason.BAD_FRAME, "no frame of it came")
            self._leave(part)
        return True

    def waits(self, part: Part, seen: Frame | Unusable) -> bool:
        """Whether a frame that was handed in waits while another is looked at."""
        with self._changed:
            return self._in_hand is not None and not part.settled and part.looks.waits(seen)

    def _admit(self, part: Part) -> None:
        camera = part.terms.camera
        with self._changed:
            full, closed = self._due.of(camera) >= part.terms.room, self._closed
            if not (full or closed):
                self._due.add(part)
                self._changed.notify_all()
                return
        if closed:
            self._refuse(part, Reason.LATE, "the box was being stopped")
        else:
            self._refuse(part, Reason.OVERLOAD, f"{part.terms.room} parts were waiting already")

    def settled(self, camera: str, timeout_s: float) -> bool:
        """Wait until no part of `camera` is due; False if that isn't so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due.of(camera), timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Judge what waits, for `timeout_s`; whatever is then left gets its fail-safe verdict.

        Deadlines hold until then.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not len(self._due), timeout_s)
            left = list(self._due)
            for part in left:
                self._due.remove(part)
            self._changed.notify_all()
        for part in left:
            self._give_up(part, Reason.LATE, "the box was being stopped")
        if self._timekeeper.is_alive():  # what it has settled it may still be recording
            self._timekeeper.join(RECORDED_S)

    def _run(self) -> None:
        while (turn := self._next()) is not None:
            part, seen = turn
            try:
                self._look(part, seen)
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                # The thread must live: whatever a judge or the record does, the next part is due.
                self._log.exception("a part could not be judged", camera=part.terms.camera)
                self._refuse(part, Reason.INSPECTION_ERROR, f"{type(error).__name__}: {error}")
            with self._changed:
                self._in_hand = None
            self._leave(part)

    def _next(self) -> tuple[Part, Frame | Unusable] | None:
        """The part whose turn it is, and its frame; None when the bench is closed and empty."""
        with self._changed:
            while (part := self._due.turn(monotonic_ns())) is None:
                if self._closed:
                    return None
                self._changed.wait(IDLE_S)
                self._judging()
            self._judging()
            self._in_hand = part
            return part, part.looks.take(monotonic_ns())

    def _leave(self, part: Part) -> None:
        """Forget a part that has its verdict, unless it is still being looked at."""
        with self._changed:
            if part.settled and part is not self._in_hand:
                self._due.remove(part)
                self._changed.notify_all()

    def _keep_time(self) -> None:
        """Give every part that is due its fail-safe verdict by its deadline, whatever judges it."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), URGENCY)
        while True:
            self._timing()
            with self._changed:
                if self._closed and not len(self._due):
                    return
                due = [part for part in self._due if not part.settled]
                now_ns = monotonic_ns()
                late = [part for part in due if _left_ms(part, now_ns) <= 0]
                if not late:
                    soonest_ms = min((_left_ms(part, now_ns) for part in due), default=IDLE_S * 1e3)
                    self._changed.wait(min(IDLE_S, soonest_ms / 1000))
            for part in late:
                try:
                    self._time_out(part)
                except Exception:  # noqa: BLE001 - outermost line of the thread
                    # The thread must live: the other parts' deadlines come too.
                    self._log.exception("a late part's verdict failed", camera=part.terms.camera)
                    self._health.count_fault(part.terms.camera, "timekeeper")

    def _time_out(self, part: Part) -> None:
        if part.looks.enough:
            self._health.count_fault(part.terms.camera, "frames_not_judged")
        if isinstance(part.seen, Unusable):
            self._give_up(part, Reason.BAD_FRAME, part.seen.why)
        else:
            limit_ms = part.terms.deadline_ms
            self._give_up(part, Reason.LATE, f"no result in time for its {limit_ms:g} ms")
        self._leave(part)

    def _look(self, part: Part, seen: Frame | Unusable) -> None:
        """Judge one frame of a part, and decide about the part if that was the last."""
        started_ns, judgement = monotonic_ns(), None
        if self._hopeless(part, started_ns):
            return
        if isinstance(seen, Frame):
            judgement = part.terms.judge.judge(seen.pixels, seen.moved, seen.ready)
        with self._changed:
            if judgement is not None:
                self._due.looked(part.terms.camera, (monotonic_ns() - started_ns) / 1e6)
            part.looks.saw(seen, judgement)
            complete = part.looks.complete
            if not complete:  # from now on the clock's thread must speak sooner for it
                self._changed.notify_all()
        if not (complete or part.settled) or self._conclude(part) or judgement is None:
            return
        if verdict := part.came_late(judgement):
            self._audience.late(part, verdict, judgement)

    def _hopeless(self, part: Part, now_ns: int) -> bool:
        """Whether a look would come too late; the part's verdict is then given without it.

        Where others wait: a result that comes too late costs one of them its own.
        """
        limit_ms, left_ms = part.terms.deadline_ms, _left_ms(part, now_ns)
        if part.age_ms(now_ns) > limit_ms:
            self._refuse(part, Reason.LATE, f"not begun within {limit_ms:g} ms of its capture")
            return True
        with self._changed:
            needed_ms = self._due.look_ms(part.terms.camera)
            if left_ms >= needed_ms or self._due.alone(part):
                return False
            self._due.doubt(part.terms.camera)
        self._time_out(part)
        return True

    def _give_up(self, part: Part, reason: Reason, detail: str) -> None:
        """Decide by the frames that were judged; if none was, fail-safe."""
        if part.looks.enough:
            self._conclude(part)
        else:
            self._refuse(part, reason, detail)

    def _conclude(self, part: Part) -> bool:
        """Give the verdict that the judged frames make; False if it was given before."""
        with self._changed:
            answer = part.looks.answer()
        if (judgement := answer.judgement) is None:
            return self._refuse(part, Reason.BAD_FRAME, answer.why)
        counts = self._health.counts(part.terms.camera)
        if not part.settle():
            return False
        part.seen, part.heatmap = answer.seen, judgement.heatmap
        key = self._epoch
        self._store(part, lambda seq: judged(part, (key, seq), counts, judgement, answer.fused))
        return True

    def _refuse(self, part: Part, reason: Reason, detail: str) -> bool:
        """Give the fail-safe verdict; False if there is one."""
        counts = self._health.counts(part.terms.camera)
        if not part.settle():
            return False
        key = self._epoch
        self._store(part, lambda seq: fail_safe(part, (key, seq), counts, reason, detail))
        return True

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
            self._log.warning("fail-safe verdict", camera=camera, part=verdict.part, why=said)


def _left_ms(part: Part, now_ns: int) -> float:
    """Until a verdict must be on its way."""
    guard_ms = DECIDED_MS if part.looks.enough else GUARD_MS
    return part.left_ms(now_ns) - min(guard_ms, GUARD_SHARE * part.terms.deadline_ms)
