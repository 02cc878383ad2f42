"""edge/swap/shadow.py: a challenger beside the line, which is promoted, refused, or goes on."""

import threading
import time

import cv2
import numpy as np
import pytest
import structlog

from edge.flagged.recent import Judged
from edge.frame import Frame
from edge.swap.sequential import Rule
from edge.swap.shadow import ROOM, Shadow
from export.errors import BundleError
from export.sample import Image, Label, Sample, Why, sample_id
from export.sample_folder import SampleFolder
from export.verdict import Reason
from tests.edge.swap.test_exchange import CAMERA, Plant
from tests.edge.verdicts import verdict
from tests.export.small_bundle import small_graph

RULE = Rule(parts=40, most=300, loosened=0.1, tightened=0.1, risk=0.1)
DARK, MIDDLE, BRIGHT = 20, 128, 240  # the champion passes, reviews, fails these


class Ring(Plant):
    """A plant with a shadow; `level`s are shown to both."""

    def __init__(self, folder):
        self.samples, self.busy, self.kept = SampleFolder(folder / "samples"), False, []
        super().__init__(folder)
        self.samples.make()

    def begin(self):
        """As a start of the box does."""
        super().begin()
        self.shadow = Shadow(
            self.shelf, self.exchange, RULE, arm=self.armed, busy=lambda: self.busy,
            disagreed=self.keep, samples=self.samples,
        )  # fmt: skip
        self.shadow.start()

    def keep(self, judged):
        """As the keeper does, at once."""
        body = cv2.imencode(".png", judged.frame.pixels)[1].tobytes()
        told = judged.verdict
        name = sample_id(*told.key)
        self.samples.add(
            Sample(id=name, kept_at="-", why=(Why.DISAGREEING,), verdict=told,
                   image=Image(suffix="png", sha256="0" * 64, bytes=len(body), width=48,
                               height=32)), body)  # fmt: skip
        self.kept.append(name)

    def part(self, level=DARK):
        """The champion judges one, and the shadow is shown it."""
        self.seq += 1
        pixels = np.full((32, 48, 3), level, np.uint8)
        found = self.judge.judge(pixels)
        told = verdict(1, self.seq, CAMERA, outcome=found.outcome, reason=found.reason,
                       bundle=found.bundle)  # fmt: skip
        self.shadow.offer(Judged(Frame(pixels, CAMERA, self.seq, 0, 0), told))
        return told

    def parts(self, count, level=DARK):
        """Some, each of which the shadow has judged before the next comes."""
        for _ in range(count):
            before = self.report.parts
            self.part(level)
            self.until(lambda before=before: self.report.parts > before or self.over)

    def label(self, name, what):
        """A person speaks."""
        self.samples.label(name, Label(label=what, by="Bo", at="-"))

    @property
    def report(self):
        return self.shadow.report(CAMERA)

    @property
    def over(self):
        return self.report.state not in ("shadowing", "waiting for labels")


@pytest.fixture
def ring(tmp_path):
    """A ring, stopped afterwards."""
    with structlog.testing.capture_logs():
        made = Ring(tmp_path)
        yield made
        made.shadow.stop()
        for exchange in made.begun:
            exchange.stop()


def challenger(ring, gain=1.0):
    """One whose score is brightness times `gain`, in the shadow."""
    made = ring.bundle(2, model=small_graph(gain=gain), golden_gain=gain)
    assert ring.shadow.begin(CAMERA, made.path) == made.ref
    return made


def test_one_that_agrees_is_promoted(ring):
    """After the parts that the rule asks for, and not before; then it is on probation."""
    made = challenger(ring)
    ring.parts(RULE.parts - 1)
    time.sleep(0.6)
    assert ring.report.state == "shadowing"
    assert ring.judge.bundle.version == 1
    ring.parts(1)
    assert ring.until(lambda: ring.over)
    assert ring.report.state == "promoted", ring.report
    assert ring.judge.bundle == made.ref
    assert ring.exchange.progress(CAMERA)


def test_one_that_lets_defects_through_is_refused_by_labels(ring):
    """It passes what the champion fails; people label those parts; the champion goes on."""
    made = challenger(ring, gain=0.2)
    for number in range(12):
        ring.parts(1, BRIGHT)
        ring.until(lambda number=number: ring.over or len(ring.kept) > number)
        if not ring.over:
            ring.label(ring.kept[-1], "bright")
    assert ring.until(lambda: ring.over)
    assert ring.report.state == "refused"
    assert "loosened wrongly" in ring.report.words
    assert ring.judge.bundle.version == 1
    assert 2 <= ring.report.wrong <= 12
    with pytest.raises(BundleError, match="was refused in the shadow"):
        ring.shadow.begin(CAMERA, made.path)


def test_one_that_finds_more_is_promoted_by_labels(ring):
    """It fails what the champion sent to a person or passed; labelled defective, it wins."""
    made = challenger(ring, gain=1.45)
    ring.parts(RULE.parts)
    ring.parts(12, MIDDLE)
    assert ring.until(lambda: ring.report.state == "waiting for labels")
    assert ring.until(lambda: len(ring.kept) == 12)
    for name in ring.kept:
        ring.label(name, "bright")
    assert ring.until(lambda: ring.over)
    assert ring.report.state == "promoted"
    assert ring.judge.bundle == made.ref


def test_no_verdict_is_touched_and_none_waits(ring):
    """However slow the challenger: parts are dropped and counted, the champion judges all."""
    made = challenger(ring, gain=1.45)
    judge = ring.shadow._rings[CAMERA].judge
    score = judge.scorer.score
    judge.scorer.score = lambda batch: (time.sleep(0.2), score(batch))[1]
    began = time.monotonic()
    told = [ring.part(MIDDLE) for _ in range(50)]
    assert time.monotonic() - began < 2.0  # 50 of them would take the challenger 10 s
    assert {one.bundle.version for one in told} == {1}
    assert {one.reason for one in told} == {Reason.IN_REVIEW_BAND}
    assert ring.report.dropped >= 50 - ROOM - 12
    assert made.ref.version == 2


def test_a_busy_bench_has_the_processor(ring):
    """While a part waits there, the challenger judges nothing."""
    challenger(ring)
    ring.busy = True
    for _ in range(5):
        ring.part()
        time.sleep(0.05)
    assert ring.until(lambda: ring.report.dropped == 5)
    assert ring.report.parts == 0
    ring.busy = False
    ring.parts(1)
    assert ring.report.parts == 1


def test_a_bout_outlives_the_box(ring):
    """A start goes on with the counts and the challenger that were there."""
    made = challenger(ring)
    ring.parts(20)
    ring.shadow.stop()
    ring.exchange.stop()
    ring.shelf.sweep([CAMERA])
    ring.begin()
    assert ring.report.parts == 20
    assert ring.until(lambda: ring.shadow._rings[CAMERA].judge is not None)
    ring.parts(20)
    assert ring.until(lambda: ring.over)
    assert ring.judge.bundle == made.ref


def test_another_champion_ends_it(ring):
    """What was compared is no longer what judges."""
    challenger(ring)
    ring.exchange.activate(CAMERA, ring.bundle(3).path)
    assert ring.until(lambda: ring.over)
    assert ring.report.state == "stopped"


def test_two_at_once_are_one_too_many(ring):
    """The second is refused while the first is in the shadow; one that was ended makes room."""
    challenger(ring)
    with pytest.raises(BundleError, match="in the shadow"):
        challenger(ring)
    ring.shadow.end(CAMERA)
    assert ring.report.state == "stopped"
    challenger(ring)


@pytest.mark.parametrize("what", ["older", "unsigned", "too many"])
def test_what_could_not_judge_does_not_come_into_the_shadow(ring, what):
    """Older, unsigned, or to be judged on more parts than there may be."""
    bundle = ring.bundle(1 if what == "older" else 2, created_at="2025-01-01T00:00:00Z")
    if what == "unsigned":
        (bundle.path / "manifest.sig").unlink()
    with pytest.raises(BundleError):
        ring.shadow.begin(CAMERA, bundle.path, parts=10_000 if what == "too many" else 0)
    assert ring.report is None


def slow_arm(ring):
    """(held, hold): promotion begins and waits at its trial until `hold` is set."""
    held, hold, arm = threading.Event(), threading.Event(), ring.exchange._arm

    def slowly(camera, path):
        held.set()
        hold.wait(5)
        return arm(camera, path)

    ring.exchange._arm = slowly
    return held, hold


def test_one_that_is_being_promoted_is_not_stopped(ring):
    """Who would is told so, and how to take it back: nobody hears "stopped" of one that judges."""
    made = challenger(ring)
    held, hold = slow_arm(ring)
    ring.parts(RULE.parts)
    assert held.wait(5)
    with pytest.raises(BundleError, match="activated"):
        ring.shadow.end(CAMERA)
    hold.set()
    assert ring.until(lambda: ring.over)
    assert (ring.report.state, ring.judge.bundle) == ("promoted", made.ref)


def test_a_proof_is_not_lost_because_somebody_was_in_the_way(ring):
    """Another bundle was just being tried: the proved one is activated when that is over."""
    made = challenger(ring)
    with ring.exchange._seats[CAMERA].busy:
        ring.parts(RULE.parts)
        time.sleep(1.3)
        assert ring.report.state != "refused"
    assert ring.until(lambda: ring.over)
    assert (ring.report.state, ring.judge.bundle) == ("promoted", made.ref)


def test_nothing_is_written_while_nothing_happens(ring, monkeypatch):
    """A line that stands for a night costs its disk nothing."""
    challenger(ring)
    ring.parts(3)
    noted, note = [], ring.shelf.note
    monkeypatch.setattr(ring.shelf, "note", lambda *told: (noted.append(told), note(*told)))
    monkeypatch.setattr("edge.swap.shadow.LOOK_S", 0.05)
    time.sleep(1.0)
    assert len(noted) <= 1


def test_the_second_of_two_at_once_does_not_replace_the_first(ring):
    """Both found the ring empty; the slower one is told that it isn't."""
    examine, first, later = ring.exchange.examine, ring.bundle(2), ring.bundle(3)

    def meanwhile(camera, path, say):
        found = examine(camera, path, say)
        if path == later.path:
            ring.shadow.begin(camera, first.path)
        return found

    ring.exchange.examine = meanwhile
    with pytest.raises(BundleError, match="in the shadow"):
        ring.shadow.begin(CAMERA, later.path)
    assert ring.report.challenger == first.ref


def test_a_challenger_that_can_not_judge_is_refused_for_good(ring):
    """Written down at once: a box that dies after that doesn't go on with it."""
    challenger(ring)
    ring.shadow._rings[CAMERA].judge.scorer.score = lambda _: 1 / 0
    for number in range(RULE.errors):
        ring.part()
        ring.until(lambda number=number: ring.shadow._rings[CAMERA].bout.record.errors > number)
    assert ring.until(lambda: ring.over)
    assert ring.until(lambda: ring.shelf.bout(CAMERA).state == "refused", 2.0)
