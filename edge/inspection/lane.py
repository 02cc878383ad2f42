"""One camera's lane: takes its frames, lets the trigger look, and lays parts on the bench.

One thread. A live camera never waits for it (the slot overwrites); a played source does, so that
every part of it is judged. Parts may also be ordered from outside: each gets the next frames. Knows
no capture process, model, database or broker.
"""

import threading
from collections import deque
from dataclasses import replace
from typing import Any

import structlog

from edge.camera.slot import Slot
from edge.clock import monotonic_ns, wall_ns
from edge.frame import Frame, Unusable
from edge.health import Health
from edge.inspection.bench import Bench
from edge.inspection.part import Part, Terms
from edge.pulse import Pulse
from edge.trigger.trigger import Another, OnOrder, Trigger, Triggered

TAKE_S = 0.25
SETTLE_STEPS = 480  # of TAKE_S
SPENT = 0.5  # share of its deadline that a part's further frames may be older than its best one


class Lane:
    """From one slot to the bench, until the slot is finished."""

    def __init__(
        self,
        slot: Slot[Frame | Unusable],
        trigger: Trigger,
        terms: Terms,
        bench: Bench,
        health: Health,
        *,
        pulse: Pulse | None = None,
    ) -> None:
        self.terms = terms
        self._slot, self._trigger, self._bench, self._health = slot, trigger, bench, health
        self._beat = (pulse or Pulse()).stage(f"lane {terms.camera}")
        self._orders: deque[tuple[Part, int]] = deque()  # with the frames that it still gets
        self._lock = threading.Lock()  # of orders and terms: they come from other threads
        self._open: dict[Triggered, Part] = {}
        self._ordered = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"lane-{terms.camera}", daemon=True)
        self._log = structlog.get_logger("lane").bind(camera=terms.camera)

    def start(self) -> None:
        """Start taking frames."""
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the source came to its end and every part of it lies on the bench."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Wait for no more orders: a played picture that nobody has ordered is let go."""
        self._stopping = True
        self._ordered.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    @property
    def takes_orders(self) -> bool:
        """Whether parts are found by order, not by looking."""
        return isinstance(self._trigger, OnOrder)

    def agree(self, **changes: Any) -> None:
        """Change the terms of the parts to come."""
        with self._lock:
            self.terms = replace(self.terms, **changes)

    def order(self, name: str = "") -> None:
        """A part is here, somebody says: judge the next frames; its deadline runs from now."""
        now_ns, camera = monotonic_ns(), self.terms.camera
        why = f"no frame came within {self.terms.deadline_ms:g} ms of the trigger"
        nothing = Unusable(why, camera, 0, now_ns, wall_ns())
        part = Part(nothing, self.terms, name, now_ns, due_from_ns=now_ns)
        self._bench.expect(part)
        with self._lock:
            # Without frames nobody takes them, and a dead camera must not fill the memory.
            while self._orders and self._orders[0][0].settled:
                self._orders.popleft()
            if not part.settled:  # no room: it needs no frame
                self._orders.append((part, self.terms.frames))
        self._ordered.set()

    def _run(self) -> None:
        while not self._slot.finished:
            self._beat()
            if self._slot.lossless and self.takes_orders and not self._orders:
                if self._stopping:
                    break
                self._ordered.wait(TAKE_S)  # a played picture waits for its order
                self._ordered.clear()
                continue
            seen = self._slot.take(TAKE_S)
            if seen is not None:
                seen = self._stamped(seen)
                self._serve(seen)
                self._look(seen)
        self._beat.rest()

    def _serve(self, seen: Frame | Unusable) -> None:
        """Give a frame to the parts that were ordered before it was captured; played, to one."""
        still: list[tuple[Part, int]] = []
        served: Part | None = None
        while (order := self._ordered_before(seen)) is not None:
            part, due = order
            taken = self._bench.arrived(part, seen, last=due == 1)
            served = part if taken else served
            if taken and due > 1:
                still.append((part, due - 1))
            if taken and self._slot.lossless:
                break
        with self._lock:
            self._orders.extendleft(reversed(still))
        if served is not None:
            self._prepare(served, seen)

    def _ordered_before(self, seen: Frame | Unusable) -> tuple[Part, int] | None:
        with self._lock:
            waits = self._orders and self._orders[0][0].triggered_ns <= seen.captured_ns
            return self._orders.popleft() if waits else None

    def _stamped(self, seen: Frame | Unusable) -> Frame | Unusable:
        """A played picture is captured when the line takes it: until then it only lay ready."""
        if not self._slot.lossless:
            return seen
        return replace(seen, captured_ns=monotonic_ns(), captured_wall_ns=wall_ns())

    def _look(self, seen: Frame | Unusable) -> None:
        try:
            found = self._trigger.see(seen)
        except Exception as error:  # noqa: BLE001 - outermost line of the thread
            # The thread must live: a trigger that fails on one frame may work on the next.
            self._log.exception("the trigger failed", frame=seen.number)
            self._health.count_fault(self.terms.camera, "trigger")
            self._health.raise_fault(f"camera {self.terms.camera}", "trigger", repr(error))
            return
        self._tell(self._trigger.trouble)
        if isinstance(seen, Unusable):
            self._log.warning("a picture can't be used", label=seen.label, why=seen.why)
        for one in found:
            if isinstance(one, Another):
                self._add(one)
            else:
                self._offer(one)
        if self._slot.lossless and found and not any(not p.settled for p in self._open.values()):
            self._settle()

    def _tell(self, trouble: str) -> None:
        """What keeps the trigger from telling parts apart stands as a fault until it is over."""
        camera = self.terms.camera
        if not trouble:
            self._health.clear_fault(f"camera {camera}", "trigger")
        elif self._health.raise_fault(f"camera {camera}", "trigger", trouble):
            self._health.count_fault(camera, "trigger")
            self._log.warning("the trigger is in trouble", why=trouble)

    def _settle(self) -> None:
        """A played source waits until its parts are judged, but not for ever."""
        for _ in range(SETTLE_STEPS):
            if self._bench.settled(self.terms.camera, TAKE_S):
                return
            self._beat()

    def _offer(self, found: Triggered) -> None:
        """A part: its deadline runs from the first of its frames, so these can't be old."""
        oldest_ns = found.seen.captured_ns - round(SPENT * self.terms.deadline_ms * 1e6)
        others = [one for one in found.others if one.captured_ns >= oldest_ns]
        began_ns = min(one.captured_ns for one in (found.seen, *others))
        part = Part(found.seen, self.terms, found.part, due_from_ns=began_ns)
        if found.more:
            self._open[found] = part
        self._bench.offer(part, others, more=found.more)
        self._prepare(part, found.seen)

    def _add(self, further: Another) -> None:
        """Another frame of a part; it comes for nothing if the part has its verdict."""
        if (part := self._open.get(further.of)) is None:
            return
        if not self._bench.arrived(part, further.frame, last=further.last) or further.last:
            del self._open[further.of]
        if further.frame is not None:
            self._prepare(part, further.frame)

    def _prepare(self, part: Part, seen: Frame | Unusable) -> None:
        """Do what the judge would do first, while it has another frame in hand."""
        if isinstance(seen, Frame) and self._bench.waits(part, seen):
            part.terms.judge.prepare(seen.pixels, seen.moved, seen.ready)
