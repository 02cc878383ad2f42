import shutil
import threading
import time

import numpy as np
import pytest
import structlog

from edge.alarm import Alarms
from edge.inspection.armed import prove
from edge.inspection.inspector import Inspector
from edge.inspection.session import OnnxScorer
from edge.swap.exchange import ROLLED_BACK, Exchange, Seat
from edge.swap.probation import Probation, Terms
from edge.swap.shelf import Shelf
from edge.swap.standing import Standing, standing
from export.bundle import open_bundle
from export.errors import BundleError, LinewardenError, SignatureError, StoreError
from export.signature import load_or_make
from export.verdict import Outcome, Reason
from tests.edge.verdicts import verdict
from tests.export.small_bundle import small_bundle
from tests.export.variant_bundle import variant_bundle

CAMERA = "top"
SHORT = Terms(parts=10, errors=3, window=5, golden_s=0.2, least_s=0.0)


@pytest.fixture(autouse=True)
def quiet():
    """Planted failures are not printed."""
    with structlog.testing.capture_logs():
        yield


class Plant:
    """One camera whose bundle can be exchanged; `judge` is who judges its next part."""

    def __init__(self, folder):
        self.folder, self.alarms, self.seq, self.variant = folder, Alarms(), 0, "fp32"
        self.key = load_or_make(folder / "signing.key")[0]
        self.keys = [self.key.public]
        self.shelf = Shelf(folder / "shelf", self.keys)
        self.configured = self.bundle(1).path
        self.begun = []
        self.begin()

    def begin(self):
        """As a start of the box does."""
        begun = standing(self.shelf, CAMERA, self.configured)
        self.judge = self.armed(CAMERA, begun.path)
        self.exchange = Exchange(
            self.shelf, self.keys, self.armed, self.install, self.alarms, terms=SHORT
        )
        self.exchange.seat(CAMERA, Seat(self.configured, 5000.0, self.judge), begun)
        self.exchange.start()
        self.begun.append(self.exchange)

    def bundle(self, version, key=None, **more):
        """A new one."""
        return small_bundle(
            self.folder / f"v{version}-{time.monotonic_ns()}", key or self.key,
            version=version, **more,
        )  # fmt: skip

    def armed(self, _camera, path):
        """Without the child, which has its own tests."""
        bundle = open_bundle(path, self.keys).as_variant(self.variant)
        scorer = OnnxScorer(bundle.model_path)
        prove(bundle, scorer)
        return Inspector(
            scorer, bundle.input, bundle.thresholds, bundle.manifest.classes, bundle.ref
        )

    def install(self, _camera, inspector):
        self.judge = inspector

    def part(self, **more):
        """The judge judges one; fields of its verdict may be planted."""
        self.seq += 1
        found = self.judge.judge(np.full((32, 48, 3), 20, np.uint8))
        told = {"outcome": found.outcome, "reason": found.reason, "bundle": found.bundle}
        self.exchange.judged(verdict(1, self.seq, CAMERA, **(told | more)))

    def until(self, condition, timeout_s=10.0):
        """Whether it came true in time."""
        end = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end:
            time.sleep(0.02)
        return condition()


@pytest.fixture
def plant(tmp_path):
    """A plant, stopped afterwards, and whatever was taken for killed with it."""
    made = Plant(tmp_path)
    yield made
    for exchange in made.begun:
        exchange.stop()


FAILED = {"outcome": Outcome.FAIL, "reason": Reason.NOT_FINITE}


def test_the_next_part_is_judged_by_the_new_bundle(plant):
    """And after its probation it stays, over restarts too."""
    new, said = plant.bundle(2), []
    assert plant.exchange.activate(CAMERA, new.path, said.append) == new.ref
    assert plant.judge.bundle == new.ref
    assert any("signed by trusted key" in one for one in said)
    for _ in range(SHORT.parts):
        plant.part()
    assert plant.until(lambda: not plant.exchange.progress(CAMERA))
    plant.exchange.stop()
    plant.begin()
    assert plant.judge.bundle == new.ref
    assert plant.alarms.standing() == ()


def test_a_bundle_that_errs_is_taken_back(plant):
    """By itself, with an alarm that says why; it can't be activated again."""
    old, new = plant.judge.bundle, plant.bundle(2)
    plant.exchange.activate(CAMERA, new.path)
    for _ in range(SHORT.errors):
        plant.part(**FAILED)
    assert plant.until(lambda: plant.judge.bundle == old)
    assert plant.until(plant.alarms.standing)
    (alarm,) = plant.alarms.standing()
    assert (alarm.source, alarm.name) == (CAMERA, ROLLED_BACK)
    assert "model_output_not_finite" in alarm.detail
    with pytest.raises(BundleError, match="taken back"):
        plant.exchange.activate(CAMERA, new.path)


def test_a_bundle_that_breaks_deadlines_is_taken_back(plant):
    """Its late parts carry no bundle, since no model answered; they count against it."""
    old = plant.judge.bundle
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    for _ in range(SHORT.errors):
        plant.part(outcome=Outcome.FAIL, reason=Reason.LATE, bundle=None)
    assert plant.until(lambda: plant.judge.bundle == old)


def test_a_bundle_that_drifts_from_its_golden_answers_is_taken_back(plant):
    """They are judged again beside the line, though every part seems well."""
    old = plant.judge.bundle
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    scorer = plant.judge.scorer
    score = scorer.score
    scorer.score = lambda batch: score(batch // 2)
    assert plant.until(lambda: plant.judge.bundle == old)
    assert plant.until(plant.alarms.standing)
    assert "golden" in plant.alarms.standing()[0].detail


def test_a_variant_is_held_to_its_own_golden_answers(plant):
    """INT8 answers otherwise than FP32, and within its own tolerance: that is no drift."""
    both = variant_bundle(plant.folder / "both", plant.key, gain=1.5, known=1.5, version=2)
    old = plant.judge.bundle
    plant.variant = "int8"
    plant.exchange.activate(CAMERA, both.path)
    assert plant.judge.bundle.variant == "int8"
    assert not plant.until(lambda: plant.judge.bundle == old, timeout_s=5 * SHORT.golden_s)
    assert plant.alarms.standing() == ()


def test_the_old_bundles_parts_are_not_held_against_the_new(plant):
    """Those that were waiting when it was exchanged."""
    old, new = plant.judge.bundle, plant.bundle(2)
    plant.exchange.activate(CAMERA, new.path)
    for _ in range(3 * SHORT.errors):
        plant.part(bundle=old, **FAILED)
    time.sleep(0.3)
    assert plant.judge.bundle == new.ref


@pytest.mark.parametrize("what", ["older", "the same", "stranger", "changed", "extra", "slow"])
def test_what_may_not_judge_is_refused(plant, what):
    """Older, the same, signed by a stranger, changed, with an extra file, or too slow."""
    stranger = load_or_make(plant.folder / "stranger.key")[0]
    bundle = {
        "older": lambda: plant.bundle(1, created_at="2025-01-01T00:00:00Z"),
        "the same": lambda: open_bundle(plant.configured, plant.keys),
        "stranger": lambda: plant.bundle(2, key=stranger),
    }.get(what, lambda: plant.bundle(2))()
    if what == "changed":
        (bundle.path / "golden" / "00.png").write_bytes(b"no picture")
    if what == "extra":
        (bundle.path / "more.txt").write_text("more")
    if what == "slow":
        plant.exchange._seats[CAMERA].deadline_ms = 1e-6
    old = plant.judge.bundle
    with pytest.raises((BundleError, SignatureError)):
        plant.exchange.activate(CAMERA, bundle.path)
    assert plant.judge.bundle == old
    assert plant.shelf.chosen(CAMERA) is None


def test_a_bundle_on_probation_is_not_exchanged(plant):
    """One thing at a time; taking it back is always possible, and needs no proof."""
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    with pytest.raises(BundleError, match="on probation"):
        plant.exchange.activate(CAMERA, plant.bundle(3).path)
    plant.exchange.rollback(CAMERA)
    assert plant.judge.bundle.version == 1
    with pytest.raises(BundleError, match="before"):
        plant.exchange.rollback(CAMERA)


def test_two_who_ask_at_once_do_not_meet(plant):
    """The second is told so, and nothing is half done."""
    hold, held = threading.Event(), threading.Event()
    arm = plant.exchange._arm

    def slowly(camera, path):
        held.set()
        hold.wait(5)
        return arm(camera, path)

    plant.exchange._arm = slowly
    first = threading.Thread(target=plant.exchange.activate, args=(CAMERA, plant.bundle(2).path))
    first.start()
    assert held.wait(5)
    with pytest.raises(BundleError, match="being exchanged"):
        plant.exchange.activate(CAMERA, plant.bundle(3).path)
    hold.set()
    first.join()
    assert plant.judge.bundle.version == 2


def test_a_probation_outlives_a_clean_stop_but_not_a_death(plant):
    """Stopped: it goes on. Killed: the bundle before judges again."""
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    plant.exchange.stop()
    plant.begin()
    assert (plant.judge.bundle.version, plant.exchange.progress(CAMERA)) == (2, "0 of 10 parts")
    plant.begin()  # as after kill -9: nothing was stopped
    assert plant.judge.bundle.version == 1
    assert [one.name for one in plant.alarms.standing()] == [ROLLED_BACK]


def test_errors_count_only_within_the_window():
    """Two in five hundred parts are no reason; three in a row are."""
    probation = Probation("d" * 8, Terms(parts=1000, errors=3, window=20))
    ours = {"bundle": {"name": "x", "version": 1, "digest": "d" * 8}}
    for seq in range(1, 500):
        bad = FAILED if seq % 15 == 0 else {}
        probation.judged(verdict(1, seq, **ours, **bad))
    assert not probation.failed
    assert not probation.proved
    for seq in range(500, 503):
        probation.judged(verdict(1, seq, **ours, **FAILED))
    assert "3 of its newest 20 parts" in probation.failed


def test_a_bad_frame_is_not_the_bundles_fault():
    """Nor is a full queue; a record without a bundle that isn't late says nothing of it."""
    probation = Probation("d" * 8, Terms(parts=10, errors=1, window=5))
    for seq, reason in enumerate((Reason.BAD_FRAME, Reason.OVERLOAD), 1):
        probation.judged(verdict(1, seq, outcome=Outcome.FAIL, reason=reason, bundle=None))
    assert (probation.failed, probation.parts) == ("", 0)


def test_a_standing_that_changed_is_no_alarm_unless_it_went_back(plant):
    """Settings that name another bundle are what somebody wanted."""
    plant.exchange.seat("b", Seat(plant.configured, 1.0, plant.judge), Standing(plant.configured))
    assert plant.alarms.standing() == ()


def test_a_bundle_is_not_blamed_for_another_cameras(plant):
    """Settings that name two, one of them spoilt: both stay, and the good one may come again."""
    begun = standing(plant.shelf, "side", plant.configured)
    plant.exchange.seat("side", Seat(plant.configured, 5000.0, plant.judge), begun)
    good, bad = plant.bundle(2), plant.bundle(3)
    (bad.path / "model.onnx").write_bytes(b"x")
    with pytest.raises(BundleError):
        plant.exchange.activate_all({CAMERA: good.path, "side": bad.path})
    assert plant.judge.bundle.version == 1
    mended = plant.bundle(3)
    plant.exchange.activate_all({CAMERA: good.path, "side": mended.path})
    assert plant.exchange.active(CAMERA).version == 2


def test_the_bundle_of_new_settings_is_on_probation_over_a_death_too(plant):
    """The settings that name it hold at the next start as well: it is taken back for good."""
    new = plant.bundle(2)
    plant.exchange.activate_all({CAMERA: new.path})
    plant.configured = new.path
    plant.begin()  # as after kill -9
    assert plant.judge.bundle.version == 1
    assert [one.name for one in plant.alarms.standing()] == [ROLLED_BACK]
    plant.begin()
    assert plant.judge.bundle.version == 1


def test_settings_may_name_what_judges_already(plant):
    """Activated first, then written into the settings: nothing is exchanged, nothing forgotten."""
    new = plant.bundle(2)
    plant.exchange.activate(CAMERA, new.path)
    plant.exchange.activate_all({CAMERA: new.path})
    assert (plant.judge.bundle, plant.shelf.chosen(CAMERA).configured) == (new.ref, str(new.path))
    (new.path / "model.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        plant.exchange.activate_all({CAMERA: new.path})


def test_there_is_always_a_way_back(plant):
    """Where the bundle that judges was written over, another is not activated."""
    shutil.rmtree(plant.configured)
    small_bundle(plant.configured, plant.key, version=2)
    with pytest.raises(BundleError, match="way back"):
        plant.exchange.activate(CAMERA, plant.configured)
    assert (plant.judge.bundle.version, plant.shelf.chosen(CAMERA)) == (1, None)


@pytest.mark.parametrize("what", ["no bundle before", "no room"])
def test_one_that_can_not_be_taken_back_is_an_alarm(plant, monkeypatch, what):
    """It must go and stays, or will come again at the next start: somebody must know."""
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    if what == "no room":
        refused = StoreError("no room")
        monkeypatch.setattr(plant.shelf, "choose", lambda *_: (_ for _ in ()).throw(refused))
    else:
        plant.exchange._seats[CAMERA].before = None
        shutil.rmtree(plant.shelf.slot(plant.shelf.chosen(CAMERA).before.digest))
    for _ in range(SHORT.errors):
        plant.part(**FAILED)
    assert plant.until(plant.alarms.standing, 2.0)
    assert "model_output_not_finite" in plant.alarms.standing()[0].detail
    assert plant.judge.bundle.version == (1 if what == "no room" else 2)


def test_what_is_activated_while_the_box_stops_is_not_blamed_for_it(plant):
    """Its trial ends when the box has stopped: then it doesn't judge, and may come again."""
    hold, held, said = threading.Event(), threading.Event(), []
    arm, new = plant.exchange._arm, plant.bundle(2)

    def slowly(camera, path):
        held.set()
        hold.wait(5)
        return arm(camera, path)

    def activate():
        try:
            plant.exchange.activate(CAMERA, new.path)
        except BundleError as error:
            said.append(error.problem)

    plant.exchange._arm = slowly
    asked = threading.Thread(target=activate)
    asked.start()
    assert held.wait(5)
    plant.exchange.stop()
    hold.set()
    asked.join()
    plant.begin()
    assert plant.judge.bundle.version == 1
    assert "stopped" in said[0]
    plant.exchange.activate(CAMERA, new.path)


def test_a_full_disk_keeps_no_box_from_stopping(plant, monkeypatch):
    """What comes after the bundles, parts that wait and the record, comes all the same."""
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    refused = StoreError("no room")
    monkeypatch.setattr(plant.shelf, "choose", lambda *_: (_ for _ in ()).throw(refused))
    plant.exchange.stop()


def test_a_start_that_fails_is_no_death(plant):
    """A box that never came to judge has not died over its bundle, which goes on where it was."""
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    plant.exchange.stop()
    standing(plant.shelf, CAMERA, plant.configured)  # then a device can't be had, say
    plant.begin()
    assert plant.judge.bundle.version == 2
    plant.begin()  # as after kill -9
    assert plant.judge.bundle.version == 1


def test_every_camera_is_taken_back_though_one_can_not_be(plant, monkeypatch):
    """Settings that are refused are not half taken over."""
    judges = {CAMERA: plant.judge, "side": plant.judge, "under": plant.judge}
    for camera in ("side", "under"):
        begun = standing(plant.shelf, camera, plant.configured)
        plant.exchange.seat(camera, Seat(plant.configured, 5000.0, plant.judge), begun)
    monkeypatch.setattr(plant.exchange, "_install", judges.__setitem__)
    choose, written = plant.shelf.choose, []

    def full(camera, chosen):
        written.append(camera)
        if len(written) > 2:
            raise StoreError("no room")
        choose(camera, chosen)

    monkeypatch.setattr(plant.shelf, "choose", full)
    with pytest.raises(StoreError, match="no room"):
        plant.exchange.activate_all(dict.fromkeys(judges, plant.bundle(2).path))
    assert {camera: one.bundle.version for camera, one in judges.items()} == dict.fromkeys(
        judges, 1
    )


def test_two_cameras_may_have_one_bundle_at_once(plant):
    """Both copies go to one place on the shelf."""
    new, failed = plant.bundle(2), []

    def admit():
        try:
            plant.shelf.admit(new)
        except LinewardenError as error:
            failed.append(error)

    for _ in range(10):
        both = [threading.Thread(target=admit) for _ in range(3)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        shutil.rmtree(plant.shelf.slot(new.digest))
    assert failed == []


def test_a_bundle_that_grew_slow_is_not_waited_for(plant, monkeypatch):
    """Its golden samples take long as well: once it has failed, the rest of them tell nothing."""
    proved, old = threading.Event(), plant.judge.bundle

    def slowly(_bundle, scorer):
        for _ in range(20):
            proved.set()
            scorer.score(np.zeros((1, 16, 24, 3), np.uint8))
            time.sleep(0.2)

    monkeypatch.setattr("edge.swap.exchange.prove", slowly)
    plant.exchange.activate(CAMERA, plant.bundle(2).path)
    assert proved.wait(5)
    for _ in range(SHORT.errors):
        plant.part(outcome=Outcome.FAIL, reason=Reason.LATE, bundle=None)
    assert plant.until(lambda: plant.judge.bundle == old, 2.0)
