import threading

import pytest
import structlog

from edge.clock import monotonic_ns
from edge.health import Health
from edge.inspection.bench import Bench
from edge.inspection.inspector import Judgement
from edge.inspection.part import Part, Terms
from export.decide import decide
from export.verdict import FAIL_SAFE, Outcome, Reason
from tests.edge.inspection.test_bench import BUNDLE, LIMITS, Record, frame
from tests.edge.inspection.test_fusion import bad


class Rater:
    """Scores a frame by its brightness, pixel 0 of 0 to 255; waits at frames of `held` grey."""

    def __init__(self, held=None):
        self.held, self.gate, self.judged = held, threading.Event(), []

    def prepare(self, pixels, moved, ready):
        """Nothing."""

    def judge(self, pixels, moved=None, ready=None):
        grey = int(pixels[0, 0, 0])
        if grey == self.held:
            assert self.gate.wait(10)
        self.judged.append(grey)
        score = grey / 255
        outcome, reason = decide(score, None, LIMITS)
        return Judgement(outcome, reason, "", LIMITS, BUNDLE, score=score, score_ms=2.0)


@pytest.fixture(autouse=True)
def quiet():
    """What is planted is not printed."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def box():
    """Health, record and a bench at work on camera `eye`."""
    health, record = Health(("eye",)), Record()
    bench = Bench(record, 7, health)
    bench.start()
    yield health, record, bench
    bench.stop(2)


def grey(number, level):
    """A flat frame."""
    one = frame(number)
    one.pixels[:] = level
    return one


def part(judge, seen, frames=3, deadline_ms=60_000.0, **more):
    """One of `frames` frames."""
    return Part(seen, Terms("eye", judge, deadline_ms, 100, frames=frames), "bolt", **more)


def test_several_frames_make_one_verdict_and_the_worst_decides(box):
    """Its frame, capture and score; the record says what the others showed, the best one first."""
    _, record, bench = box
    one = part(Rater(), grey(5, 20))
    bench.offer(one, [grey(3, 30)], more=True)
    assert bench.arrived(one, grey(7, 240))
    assert bench.settled("eye", 5)
    (verdict,) = record.verdicts
    assert (verdict.frame, verdict.outcome, verdict.score) == (7, Outcome.FAIL, 240 / 255)
    assert (verdict.fused.asked, [view.frame for view in verdict.fused.views]) == (3, [5, 3, 7])
    assert verdict.latency_ms.score == 6.0
    assert one.seen.number == 7


def test_the_frame_that_is_enough_alone_is_judged_first(box):
    """Whatever else there is time for: a verdict stands on it."""
    _, record, bench = box
    judge = Rater()
    bench.offer(part(judge, grey(5, 20)), [grey(3, 30), grey(4, 40)])
    assert bench.settled("eye", 5)
    assert judge.judged == [20, 30, 40]
    assert record.verdicts[0].frame == 4


def test_frames_that_never_come_leave_the_verdict_to_those_that_did(box):
    """At the deadline the part is decided by what was seen; what is missing is told and counted."""
    health, record, bench = box
    one = part(Rater(), grey(5, 20), deadline_ms=600)
    bench.offer(one, more=True)
    assert bench.settled("eye", 5)
    (verdict,) = record.verdicts
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, Reason.BELOW_PASS)
    assert (verdict.fused.asked, len(verdict.fused.views)) == (3, 1)
    assert health.counts("eye").faults == {"frames_not_judged": 1}
    assert not bench.arrived(one, grey(6, 255))


def test_a_frame_that_hangs_leaves_the_verdict_to_those_before_it(box):
    """The deadline holds, and the hung frame stands in the record without a result."""
    _, record, bench = box
    judge = Rater(held=99)
    bench.offer(part(judge, grey(5, 20), deadline_ms=600), [grey(3, 99), grey(4, 255)])
    limit_ns = monotonic_ns() + 5_000_000_000
    while not record.verdicts and monotonic_ns() < limit_ns:
        threading.Event().wait(0.002)
    (verdict,) = record.verdicts
    judge.gate.set()
    assert verdict.outcome is Outcome.PASS
    assert [view.reason for view in verdict.fused.views[1:]] == [Reason.LATE, Reason.LATE]
    assert bench.settled("eye", 5)
    assert 255 not in judge.judged


def test_a_part_none_of_whose_frames_was_judged_in_time_is_fail_safe(box):
    """Several chances don't make a pass of nothing."""
    _, record, bench = box
    judge = Rater(held=20)
    bench.offer(part(judge, grey(5, 20), deadline_ms=50), [grey(3, 30)])
    limit_ns = monotonic_ns() + 5_000_000_000
    while not record.verdicts and monotonic_ns() < limit_ns:
        threading.Event().wait(0.002)
    judge.gate.set()
    assert (record.verdicts[0].outcome, record.verdicts[0].reason) == ("fail", Reason.LATE)
    assert bench.settled("eye", 5)


def test_the_deadline_runs_from_the_first_capture(box):
    """A part whose first frame is older than allowed is late, however new its best one is."""
    _, record, bench = box
    long_ago = monotonic_ns() - 10**9
    bench.offer(part(Rater(), grey(5, 20), deadline_ms=500, due_from_ns=long_ago), [grey(3, 30)])
    assert bench.settled("eye", 5)
    assert record.verdicts[0].reason is Reason.LATE
    assert record.verdicts[0].latency_ms.total >= 1000


def test_an_ordered_part_is_judged_by_what_can_be_used(box):
    """A torn frame is left out; if all are torn, the part is nobody's picture."""
    _, record, bench = box
    for levels in ([None, 20, 30], [None, None, None]):
        one = part(Rater(), bad(0), due_from_ns=monotonic_ns())
        bench.expect(one)
        for number, level in enumerate(levels):
            seen = bad(number) if level is None else grey(number, level)
            assert bench.arrived(one, seen, last=number == 2)
    assert bench.settled("eye", 5)
    assert [one.reason for one in record.verdicts] == [Reason.BELOW_PASS, Reason.BAD_FRAME]
    assert record.verdicts[1].detail == "none of 3 frames could be used: torn"


def test_a_part_that_is_closed_is_decided_at_once(box):
    """No more frames will come: nobody waits for the deadline."""
    _, record, bench = box
    one = part(Rater(), grey(5, 20))
    bench.offer(one, more=True)
    bench.arrived(one, None)
    assert bench.settled("eye", 5)
    assert record.verdicts[0].outcome is Outcome.PASS


def test_a_stop_decides_by_what_was_judged(box):
    """A part that waits for further frames when the box stops keeps what was seen of it."""
    _, record, bench = box
    judge = Rater()
    bench.offer(part(judge, grey(5, 240)), more=True)
    limit_ns = monotonic_ns() + 5_000_000_000
    while not judge.judged and monotonic_ns() < limit_ns:
        threading.Event().wait(0.002)
    bench.stop(0.1)
    assert (record.verdicts[0].outcome, record.verdicts[0].reason not in FAIL_SAFE) == (
        "fail",
        True,
    )
