import threading
import time

import numpy as np
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import monotonic_ns, wall_ns
from edge.frame import Frame, Unusable
from edge.health import Health
from edge.inspection.audience import Nobody
from edge.inspection.bench import Bench
from edge.inspection.inspector import Judgement
from edge.inspection.part import Part, Terms
from export.errors import StoreError
from export.verdict import FAIL_SAFE, BundleRef, Outcome, Reason, Thresholds, Verdict

LIMITS = Thresholds(pass_below=0.3, fail_above=0.7)
BUNDLE = BundleRef(name="fake", version=1, digest="0" * 64)


class Judge:
    """Passes every part after `seconds`; `probabilities` as given."""

    def __init__(self, seconds=0.0, probabilities=None, error=None, gate=None):
        self.seconds, self.error, self.gate = seconds, error, gate
        self.probabilities = probabilities or {"good": 0.9, "bad": 0.1}

    def prepare(self, pixels, moved, ready):
        """Nothing."""

    def judge(self, pixels, moved=None, ready=None):
        if self.gate:
            self.gate.wait(10)
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return Judgement(
            Outcome.PASS, Reason.BELOW_PASS, "", LIMITS, BUNDLE,
            score=0.1, probabilities=self.probabilities,
        )  # fmt: skip


class Record:
    """Keeps verdicts in memory, seq by seq; refuses as long as `full`."""

    def __init__(self):
        self.verdicts, self.full = [], False
        self._lock = threading.Lock()

    def __call__(self, camera, make):
        with self._lock:
            seq = sum(one.camera == camera for one in self.verdicts) + 1
            verdict = make(seq)
            verdict.to_json()
            if self.full:
                raise StoreError("no room", "make some")
            self.verdicts.append(verdict)
            return verdict


@pytest.fixture(autouse=True)
def quiet():
    """Traces of planted errors are not printed."""
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


def terms(judge, deadline_ms=60_000.0, room=1000):
    """The terms of camera `eye`."""
    return Terms("eye", judge, deadline_ms, room)


def frame(number=0, age_ms=0.0):
    """A black frame, captured `age_ms` ago."""
    then = monotonic_ns() - round(age_ms * 1e6)
    return Frame(np.zeros((8, 8, 3), np.uint8), "eye", number, then, wall_ns())


def test_a_judged_part_has_one_complete_verdict(box):
    """Score, thresholds, bundle, times and the frame it was seen in are all in it."""
    health, record, bench = box
    bench.offer(Part(frame(5), terms(Judge()), "bolt-1"))
    assert bench.settled("eye", 5)
    (verdict,) = record.verdicts
    assert (verdict.part, verdict.frame, verdict.epoch, verdict.seq) == ("bolt-1", 5, 7, 1)
    assert (verdict.outcome, verdict.reason, verdict.score) == ("pass", Reason.BELOW_PASS, 0.1)
    assert (verdict.thresholds, verdict.bundle) == (LIMITS, BUNDLE)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert health.standing() == ()


class Taker(Judge):
    """Holds the first part until it is let go; remembers what lay ready."""

    def __init__(self):
        super().__init__(gate=threading.Event())
        self.got = []

    def judge(self, pixels, moved=None, ready=None):
        self.got.append(ready)
        return super().judge(pixels, moved, ready)


def test_a_frame_waits_while_another_is_looked_at_and_takes_what_was_made_along(box):
    """Not when it is in hand, nor once its part has its verdict, nor if it came to no room."""
    _, record, bench = box
    judge = Taker()
    held, waiting, beyond = (Part(frame(n), terms(judge, room=2)) for n in range(3))
    bench.offer(held)
    while not judge.got:
        time.sleep(0.001)
    bench.offer(waiting)
    bench.offer(beyond)
    parts = (held, waiting, beyond)
    assert [bench.waits(part, part.seen) for part in parts] == [False, True, False]
    assert not bench.waits(waiting, frame(1))
    lies = waiting.seen.ready
    judge.gate.set()
    assert bench.settled("eye", 5)
    assert judge.got[1] is lies
    assert [bench.waits(part, part.seen) for part in parts] == [False] * 3
    assert len(record.verdicts) == 3


def test_a_part_without_a_name_is_called_by_its_key(box):
    """Camera, epoch and seq make a name that is never given twice."""
    _, record, bench = box
    bench.offer(Part(frame(), terms(Judge())))
    assert bench.settled("eye", 5)
    assert record.verdicts[0].part == "eye-7-1"


def test_a_model_that_hangs_is_not_waited_for(box):
    """Every part, in hand or waiting, is failed at its deadline while the model still hangs."""
    health, record, bench = box
    for _ in range(3):
        bench.offer(Part(frame(), terms(Judge(seconds=1.5), deadline_ms=50)))
    limit = time.monotonic() + 1.0
    while len(record.verdicts) < 3 and time.monotonic() < limit:
        time.sleep(0.005)
    assert [verdict.reason for verdict in record.verdicts] == [Reason.LATE] * 3
    assert all(verdict.latency_ms.total >= 45 for verdict in record.verdicts)
    assert health.standing()


def test_a_late_result_never_passes(box):
    """A pass that comes after the deadline is a fail that says so."""
    health, record, bench = box
    bench.offer(Part(frame(), terms(Judge(seconds=0.1), deadline_ms=50)))
    assert bench.settled("eye", 5)
    (verdict,) = record.verdicts
    assert (verdict.outcome, verdict.reason) == (Outcome.FAIL, Reason.LATE)
    assert verdict.score is None
    assert health.counts("eye").faults == {Reason.LATE.value: 1}
    assert "50 ms" in health.standing()[0]


def test_a_part_that_is_late_already_costs_no_judging(box):
    """What waited too long is failed at once, so that the bench catches up."""
    _, record, bench = box
    bench.offer(Part(frame(age_ms=500), terms(Judge(seconds=5), deadline_ms=100)))
    assert bench.settled("eye", 4)
    assert record.verdicts[0].reason == Reason.LATE


def test_a_full_queue_answers_at_once(box):
    """The part that finds no room has its fail-safe verdict before the others are judged."""
    _, record, bench = box
    gate = threading.Event()
    for number in range(5):
        bench.offer(Part(frame(number), terms(Judge(gate=gate), room=3)))
    assert [one.reason for one in record.verdicts] == [Reason.OVERLOAD] * 2
    gate.set()
    assert bench.settled("eye", 5)
    assert sorted(one.frame for one in record.verdicts) == list(range(5))
    assert [one.seq for one in record.verdicts] == [1, 2, 3, 4, 5]


def test_an_unusable_frame_is_a_fail(box):
    """A damaged picture is a part nobody could look at."""
    _, record, bench = box
    bad = Unusable("cut off", "eye", 3, monotonic_ns(), wall_ns(), "x.png")
    bench.offer(Part(bad, terms(Judge()), "x.png"))
    assert bench.settled("eye", 5)
    assert record.verdicts[0].reason == Reason.BAD_FRAME
    assert record.verdicts[0].detail == "cut off"


@pytest.mark.parametrize(
    "judge",
    [
        Judge(error=RuntimeError("broken")),
        Judge(probabilities={"good": 2.0}),
        Judge(probabilities={f"a class with a long name {n}": 0.1 for n in range(900)}),
    ],
)
def test_whatever_a_judge_does_the_part_has_its_verdict(box, judge):
    """An exception, a probability above 1, a verdict too long: fail, and the next is judged."""
    _, record, bench = box
    bench.offer(Part(frame(), terms(judge)))
    bench.offer(Part(frame(1), terms(Judge())))
    assert bench.settled("eye", 5)
    assert [one.reason for one in record.verdicts] == [Reason.INSPECTION_ERROR, Reason.BELOW_PASS]
    assert record.verdicts[0].detail


def test_a_name_that_is_no_text_or_too_long_is_made_one(box):
    """File names may hold any bytes."""
    _, record, bench = box
    bench.offer(Part(frame(), terms(Judge()), "\udcff" + "x" * 300))
    assert bench.settled("eye", 5)
    assert len(record.verdicts[0].part) == 128


def test_a_verdict_that_finds_no_store_is_counted_and_reported(box):
    """When disk and memory are full, the loss is a fault for all to see, and ends when it ends."""
    health, record, bench = box
    record.full = True
    bench.offer(Part(frame(), terms(Judge())))
    assert bench.settled("eye", 5)
    assert health.counts("eye").faults == {"verdict_not_recorded": 1}
    assert "a verdict is lost" in health.standing()[0]
    record.full = False
    bench.offer(Part(frame(), terms(Judge())))
    assert bench.settled("eye", 5)
    assert health.standing() == ()


def test_a_stop_leaves_no_part_without_a_verdict(box):
    """A judge that hangs, and parts behind it: all are failed when the time is up, each once."""
    health, record, bench = box
    gate = threading.Event()
    for number in range(4):
        bench.offer(Part(frame(number), terms(Judge(gate=gate))))
    bench.stop(0.2)
    bench.offer(Part(frame(4), terms(Judge())))
    assert sorted(one.frame for one in record.verdicts) == [0, 1, 2, 3, 4]
    assert {one.reason for one in record.verdicts} == {Reason.LATE}
    gate.set()
    time.sleep(0.1)
    assert health.counts("eye").verdicts == health.counts("eye").triggers == 5


class Listener(Nobody):
    """Notes the late results that it hears of."""

    def __init__(self):
        self.heard = []

    def late(self, part, verdict, judgement):
        self.heard.append((part.name, verdict.seq, verdict.reason, judgement.score))


@pytest.mark.parametrize("record_s", [0.0, 0.15])
def test_a_late_result_is_told_once_beside_its_verdict(record_s):
    """After the verdict stands, and while it is only being recorded: nothing is lost of it."""
    record, hangs, listener = Record(), threading.Event(), Listener()

    def slow(camera, make):
        time.sleep(record_s)
        return record(camera, make)

    bench = Bench(slow, 7, Health(("eye",)), listener)
    bench.start()
    part = Part(frame(), terms(Judge(gate=hangs), deadline_ms=100), "a")
    bench.offer(part)
    limit = time.monotonic() + 2
    while not (part.settled and (record.verdicts or record_s)) and time.monotonic() < limit:
        time.sleep(0.001)
    hangs.set()
    while not listener.heard and time.monotonic() < limit:
        time.sleep(0.001)
    bench.stop(1)
    assert listener.heard == [("a", 1, Reason.LATE, 0.1)]
    assert len(record.verdicts) == 1


def test_a_stop_waits_for_the_verdict_that_is_being_recorded():
    """A late part is settled, and its result has come, before its verdict is in the record."""
    record, hangs = Record(), threading.Event()

    def slow(camera, make):
        time.sleep(0.1)
        return record(camera, make)

    bench = Bench(slow, 7, Health(("eye",)))
    bench.start()
    part = Part(frame(), terms(Judge(gate=hangs), deadline_ms=60))
    bench.offer(part)
    limit = time.monotonic() + 2
    while not part.settled and time.monotonic() < limit:
        time.sleep(0.001)
    hangs.set()
    bench.stop(1)
    assert len(record.verdicts) == 1


def test_the_bench_is_alive_while_both_its_threads_are(box):
    """The reject gate's heartbeat stands on it: one dead thread, or the stop, ends it."""
    _, _, bench = box
    assert bench.alive
    for name in ("_thread", "_timekeeper"):
        one, dead = getattr(bench, name), threading.Thread()
        setattr(bench, name, dead)
        assert not bench.alive
        setattr(bench, name, one)
    assert bench.alive
    bench.stop(1)
    assert not bench.alive


def test_the_bench_is_busy_while_a_part_is_due(box):
    """A challenger in the shadow leaves it the processor by that."""
    _, _, bench = box
    gate = threading.Event()
    assert not bench.busy
    bench.offer(Part(frame(), terms(Judge(gate=gate))))
    assert bench.busy
    gate.set()
    assert bench.settled("eye", 5)
    assert not bench.busy


def test_deadlines_hold_while_the_bench_is_being_stopped(box):
    """A judge hangs: its parts are failed at their deadline, not when the time to stop is up."""
    _, record, bench = box
    gate = threading.Event()
    for number in range(2):
        bench.offer(Part(frame(number), terms(Judge(gate=gate), deadline_ms=60)))
    stopping = threading.Thread(target=bench.stop, args=(0.4,))
    stopping.start()
    stopping.join()
    assert len(record.verdicts) == 2
    assert all(one.latency_ms.total < 200 for one in record.verdicts)
    gate.set()
    bench._timekeeper.join(0.5)
    assert not bench._timekeeper.is_alive()


def test_a_camera_that_floods_the_box_does_not_hold_up_another():
    """Every part has its one verdict, and the quiet camera's is among the next few given."""
    health, record, gate = Health(("flood", "eye")), Record(), threading.Event()
    bench = Bench(record, 7, health)
    bench.start()
    for number in range(60):
        flood = Frame(frame().pixels, "flood", number, monotonic_ns(), wall_ns())
        bench.offer(Part(flood, Terms("flood", Judge(gate=gate), 60_000.0, 50)))
    bench.offer(Part(frame(), Terms("eye", Judge(gate=gate), 60_000.0, 50)))
    gate.set()
    assert bench.settled("eye", 5)
    assert bench.settled("flood", 5)
    bench.stop(2)
    judged = [one.camera for one in record.verdicts if one.reason is not Reason.OVERLOAD]
    assert (len(judged), len(record.verdicts)) == (51, 61)
    assert judged.index("eye") <= 5


class Slow(Judge):
    """Takes its time, and counts how often it was asked."""

    def __init__(self, seconds):
        super().__init__(seconds)
        self.asked = 0

    def judge(self, pixels, moved=None, ready=None):
        self.asked += 1
        return super().judge(pixels, moved, ready)


def test_a_part_that_cannot_be_done_in_time_costs_no_other_its_look(box):
    """It is failed without one while others wait; the last of them is tried all the same."""
    _, record, bench = box
    judge = Slow(0.2)
    bench.offer(Part(frame(0), terms(judge)))
    for number in (1, 2, 3):
        bench.offer(Part(frame(number), terms(judge, deadline_ms=330)))
    assert bench.settled("eye", 5)
    late = {one.frame for one in record.verdicts if one.reason is Reason.LATE}
    assert late == {1, 2, 3}
    assert judge.asked == 2


KINDS = st.sampled_from(["good", "error", "late", "unusable", "slow"])


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(KINDS, max_size=15), st.integers(1, 8))
def test_parts_and_verdicts_are_equal_in_number_whatever_happens(kinds, room):
    """Exactly one verdict per part, seq without a gap, and no pass that isn't one."""
    health, record = Health(("eye",)), Record()
    bench = Bench(record, 7, health)
    bench.start()
    judges = {"error": Judge(error=ValueError()), "slow": Judge(seconds=0.002)}
    for number, kind in enumerate(kinds):
        seen = frame(number, age_ms=1e6 if kind == "late" else 0)
        if kind == "unusable":
            seen = Unusable("bad", "eye", number, monotonic_ns(), wall_ns())
        bench.offer(Part(seen, terms(judges.get(kind, Judge()), 30_000, room), f"{kind}-{number}"))
    bench.stop(5)
    assert sorted(one.frame for one in record.verdicts) == list(range(len(kinds)))
    assert [one.seq for one in record.verdicts] == list(range(1, len(kinds) + 1))
    for verdict in record.verdicts:
        honest = verdict.part.startswith(("good", "slow")) and verdict.reason not in FAIL_SAFE
        assert (verdict.outcome == Outcome.PASS) == honest
