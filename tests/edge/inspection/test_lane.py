import time
from dataclasses import replace

import numpy as np

from edge.camera.slot import Slot
from edge.clock import monotonic_ns
from edge.frame import Frame, Unusable
from edge.health import Health
from edge.inspection.lane import Lane
from edge.inspection.part import Terms
from edge.trigger.trigger import Another, EveryFrame, OnOrder, Triggered


class Bench:
    """Keeps the parts that it is offered, and what further frames come for them."""

    busy = False

    def __init__(self):
        self.parts, self.others, self.further = [], [], []

    def offer(self, part, others=(), *, more=False):
        self.parts.append(part)
        self.others.append([one.number for one in others])

    def arrived(self, part, frame, *, last):
        self.further.append((self.parts.index(part), frame and frame.number, last))
        return True

    def settled(self, _camera, _timeout_s):
        return True

    def waits(self, part, seen):
        return self.busy


class Judge:
    """Remembers what it was to prepare."""

    def __init__(self):
        self.prepared = []

    def prepare(self, pixels, moved, ready):
        self.prepared.append((pixels, moved, ready))


class Moody:
    """A trigger that fails on every odd frame and finds two parts in every even one."""

    trouble = ""

    def see(self, seen):
        if seen.number % 2:
            raise ZeroDivisionError
        return [Triggered(seen, "a"), Triggered(seen, "b")]


def frame(number, captured_ns=0):
    """A black frame."""
    return Frame(np.zeros((8, 8, 3), np.uint8), "eye", number, captured_ns, 0, f"f{number}")


def play(seen, trigger, *, lossless):
    """Parts offered, and the health, after a lane has seen all of these."""
    slot, bench, health = Slot(lossless=lossless), Bench(), Health(("eye",))
    lane = Lane(slot, trigger, Terms("eye", Judge(), 100.0, 4), bench, health)
    lane.start()
    for one in seen:
        slot.put(one)
    slot.close()
    lane.join(5)
    assert lane.ended
    return bench.parts, health


def test_every_frame_of_a_played_source_becomes_a_part():
    """None is lost, a damaged one included, and each carries its name."""
    seen = [frame(0), Unusable("torn", "eye", 1, 0, 0, "f1"), frame(2)]
    parts, _ = play(seen, EveryFrame(), lossless=True)
    assert [part.name for part in parts] == ["f0", "f1", "f2"]
    assert isinstance(parts[1].seen, Unusable)


def test_a_played_picture_is_captured_when_the_line_takes_it():
    """Its deadline doesn't run while it only lies ready."""
    parts, _ = play([frame(0)], EveryFrame(), lossless=True)
    assert monotonic_ns() - parts[0].seen.captured_ns < 5e9


def test_a_live_frame_keeps_its_time_of_capture():
    """What a camera saw is as old as it is."""
    parts, _ = play([frame(0, captured_ns=123)], EveryFrame(), lossless=False)
    assert parts[0].seen.captured_ns == 123


def test_a_trigger_that_fails_is_a_fault_and_the_lane_goes_on():
    """One bad look doesn't end the watching, and ends as a fault when a look succeeds."""
    parts, health = play([frame(n) for n in range(4)], Moody(), lossless=True)
    assert len(parts) == 4
    assert health.counts("eye").faults == {"trigger": 2}
    assert "ZeroDivisionError" in health.standing()[0]


def test_an_idle_lane_ends_soon_after_its_slot_is_closed():
    """Nobody has to wait for a camera that says nothing."""
    slot = Slot()
    lane = Lane(slot, EveryFrame(), Terms("eye", Judge(), 1.0, 1), Bench(), Health(("eye",)))
    lane.start()
    started = time.monotonic()
    slot.close()
    lane.join(5)
    assert time.monotonic() - started < 1


def test_a_stopped_lane_waits_for_no_order_that_will_not_come():
    """A played picture that nobody has ordered keeps its lane, and the box, from ending no more."""
    slot = Slot(lossless=True)
    lane = Lane(slot, OnOrder(), Terms("eye", Judge(), 1.0, 1), Bench(), Health(("eye",)))
    lane.start()
    slot.put(frame(0))
    slot.close()
    lane.join(0.2)
    assert not lane.ended
    lane.stop()
    lane.join(5)
    assert lane.ended


class Several:
    """A trigger that finds a part in frame 2, seen in 0 before, in 3 and at last in 4."""

    trouble = ""

    def __init__(self):
        self.seen, self.found = [], None

    def see(self, seen):
        self.seen.append(seen)
        if seen.number == 2:
            self.found = Triggered(seen, "a", (self.seen[0],), more=True)
            return [self.found]
        if seen.number in (3, 4):
            return [Another(self.found, seen, last=seen.number == 4)]
        return []


def test_further_frames_of_a_part_follow_it_to_the_bench():
    """Those from before come along, later ones as they come, and the last one says so."""
    slot, bench = Slot(lossless=True), Bench()
    lane = Lane(
        slot, Several(), Terms("eye", Judge(), 60_000.0, 4, frames=4), bench, Health(("eye",))
    )
    lane.start()
    for number in range(6):
        slot.put(frame(number))
    slot.close()
    lane.join(5)
    (part,) = bench.parts
    assert (part.seen.number, bench.others) == (2, [[0]])
    assert bench.further == [(0, 3, False), (0, 4, True)]


def test_frames_from_long_before_are_left_out():
    """The deadline runs from the first frame: half of it at most is spent before the best one."""
    slot, bench, trigger = Slot(), Bench(), Several()
    lane = Lane(slot, trigger, Terms("eye", Judge(), 100.0, 4, frames=4), bench, Health(("eye",)))
    lane.start()
    for number, captured_ms in enumerate((0, 40, 60)):
        limit_ns = monotonic_ns() + 5_000_000_000
        slot.put(frame(number, captured_ms * 1_000_000))
        while len(trigger.seen) <= number and monotonic_ns() < limit_ns:
            time.sleep(0.001)
    slot.close()
    lane.join(5)
    assert bench.others == [[]]
    assert bench.parts[0].age_ms(160_000_000) == 100


def test_a_frame_that_waits_is_made_ready_and_no_other():
    """What the judge would do first, where it moved to; after the part lies on the bench."""
    for busy in (False, True):
        slot, bench, judge = Slot(lossless=True), Bench(), Judge()
        bench.busy = busy
        lane = Lane(slot, EveryFrame(), Terms("eye", judge, 100.0, 4), bench, Health(("eye",)))
        lane.start()
        shown = replace(frame(0), moved=(0.1, 0.2))
        slot.put(shown)
        slot.put(Unusable("torn", "eye", 1, 0, 0))
        slot.close()
        lane.join(5)
        assert len(bench.parts) == 2
        expected = [(shown.pixels, shown.moved, shown.ready)] if busy else []
        assert [(p is expected[0][0], m, r is expected[0][2]) for p, m, r in judge.prepared] == [
            (True, (0.1, 0.2), True) for _ in expected
        ]


def test_an_ordered_frame_is_handed_to_all_orders_before_it_is_made_ready():
    """Once for all of them."""
    slot, bench, judge = Slot(), Bench(), Judge()
    bench.busy = True
    bench.expect = bench.parts.append
    lane = Lane(slot, OnOrder(), Terms("eye", judge, 60_000.0, 4), bench, Health(("eye",)))
    lane.order("a")
    lane.order("b")
    judge.prepare = lambda *_: judge.prepared.append(len(bench.further))
    lane.start()
    slot.put(frame(0, monotonic_ns()))
    slot.close()
    lane.join(5)
    assert judge.prepared == [2]
