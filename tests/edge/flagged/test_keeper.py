import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import structlog

from edge.clock import monotonic_ns, wall_ns
from edge.flagged import pantry as pantry_module
from edge.flagged.choice import Choice
from edge.flagged.keeper import Keeper, KeeperSettings
from edge.flagged.pantry import Pantry, Quota, audit_seed, kind
from edge.flagged.recent import Judged, Recent
from edge.frame import Frame
from edge.health import Health
from export import heat, picture
from export.errors import SampleError
from export.sample import Label, LateResult, Why, sample_id
from export.sample_folder import SampleFolder
from export.verdict import Outcome, Reason, Thresholds
from tests.edge.verdicts import verdict
from tests.export.test_sample_folder import AT, sample

ROOM = Quota(10**9, 0)
LIMITS = Thresholds(pass_below=0.3, fail_above=0.7, novel_above=5.0)
FAILED = {"outcome": Outcome.FAIL, "reason": Reason.ABOVE_FAIL}


@pytest.fixture(autouse=True)
def quiet():
    """Planted failures are not printed."""
    with structlog.testing.capture_logs():
        yield


def judged(seq=1, pixels=None, **more) -> Judged:
    """A frame of camera `cam` and its verdict; a pass unless told otherwise."""
    chance = np.random.default_rng(seq)
    shown = chance.integers(0, 255, (24, 32, 3), np.uint8) if pixels is None else pixels
    return Judged(Frame(shown, "cam", seq, monotonic_ns(), wall_ns()), verdict(7, seq, **more))


@pytest.fixture
def rig(tmp_path):
    """A keeper at work: (keeper, health, folder)."""
    keepers = []

    def make(quota=ROOM, **settings):
        health = Health(("cam",))
        keeper = Keeper(KeeperSettings(tmp_path / "samples", quota, **settings), health)
        keeper.start()
        keepers.append(keeper)
        return keeper, health, SampleFolder(tmp_path / "samples")

    yield make
    for keeper in keepers:
        keeper.stop(2)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (FAILED, (Why.FAIL,)),
        ({"outcome": Outcome.REVIEW, "reason": Reason.IN_REVIEW_BAND}, (Why.REVIEW,)),
        ({"outcome": Outcome.REVIEW, "reason": Reason.NOVEL}, (Why.REVIEW, Why.NOVEL)),
        ({**FAILED, "thresholds": LIMITS, "novelty": 6.0}, (Why.FAIL, Why.NOVEL)),
        ({"outcome": Outcome.REVIEW, "reason": Reason.LATE}, (Why.FAIL,)),
        ({}, ()),
    ],
)
def test_a_reason_makes_a_sample(more, why):
    """Fails, reviews, novel parts, and whatever is fail-safe; a plain pass has none."""
    assert Choice(b"seed", 0.0).why(verdict(7, 1, **more)) == (why, None)


@pytest.mark.parametrize("late", [False, True])
def test_a_word_that_is_said_while_a_reason_is_added_stays(tmp_path, monkeypatch, late):
    """Whenever the label falls between reading the record and writing it: nothing said is lost."""
    pantry = Pantry(tmp_path, ROOM)
    kept, read = sample(), pantry.folder.read
    pantry.add(kept, b"picture")

    def labelled_after(name):
        found = read(name)
        monkeypatch.undo()
        SampleFolder(tmp_path).label(name, Label(label="dent", by="Bo", at=AT))
        return found

    monkeypatch.setattr(pantry.folder, "read", labelled_after)
    if late:
        result = LateResult(outcome=Outcome.FAIL, reason=Reason.ABOVE_FAIL, after_ms=900)
        assert pantry.note_late(kept.id, result)
    else:
        assert pantry.also(kept.id, Why.OPERATOR)
    now = read(kept.id)
    assert [one.label for one in now.labels] == ["dent"]
    assert now.late == result if late else Why.OPERATOR in now.why
    assert pantry.folder.picture(now).exists()


def test_a_sample_keeps_where_its_judge_saw_a_defect(rig):
    """The heatmap goes into the record, to a 255th; a part without one has none."""
    keeper, _, folder = rig()
    hot = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    keeper.offer(replace(judged(1, **FAILED), heatmap=hot))
    keeper.offer(judged(2, **FAILED))
    assert keeper.flush(30)
    one, other = folder
    assert np.abs(heat.of(one.heat) - hot).max() <= 0.5 / 255 + 1e-6
    assert other.heat is None


def test_a_second_opinion_is_a_reason():
    """A pass with which another model disagrees is kept."""
    assert Choice(b"seed", 0.0).why(verdict(7, 1), disagreeing=True) == ((Why.DISAGREEING,), None)


def test_the_audit_draws_at_its_rate_and_by_its_seed():
    """The share asked for, the same again for the same seed, another for another, only passes."""
    parts = [verdict(7, seq) for seq in range(1, 20_001)]
    drawn = [one.seq for one in parts if Choice(b"a", 0.05).why(one)[1]]
    assert abs(len(drawn) - 1000) < 4 * (20_000 * 0.05 * 0.95) ** 0.5
    assert drawn == [one.seq for one in parts if Choice(b"a", 0.05).why(one)[1]]
    other = {one.seq for one in parts if Choice(b"b", 0.05).why(one)[1]}
    assert len(other & set(drawn)) < 120
    assert Choice(b"a", 1.0).why(verdict(7, 1, **FAILED)) == ((Why.FAIL,), None)


def test_the_seed_is_the_boxs_own_and_stays(tmp_path):
    """Made once, secret, and the same after a restart."""
    seed = audit_seed(tmp_path / "a")
    assert audit_seed(tmp_path / "a") == seed != audit_seed(tmp_path / "b")
    assert (tmp_path / "a" / ".audit-seed").stat().st_mode & 0o077 == 0


def test_a_kept_picture_is_what_the_camera_gave(rig):
    """Pixel by pixel, with verdict and reason; passes aren't kept but when drawn."""
    keeper, _, folder = rig(audit_rate=0.0)
    one = judged(3, **FAILED)
    keeper.offer(one)
    keeper.offer(judged(4))
    assert keeper.flush(30)
    (kept,) = folder
    assert (kept.verdict, kept.why) == (one.verdict, (Why.FAIL,))
    assert np.array_equal(picture.read(folder.picture(kept)), one.frame.pixels)
    assert keeper.tally().kept == 1


def test_jpeg_is_smaller(rig):
    """By setting, at quality 95."""
    keeper, _, folder = rig(suffix="jpg")
    smooth = np.full((240, 320, 3), 80, np.uint8)
    keeper.offer(judged(3, smooth, **FAILED))
    assert keeper.flush(30)
    (kept,) = folder
    assert folder.picture(kept).suffix == ".jpg"
    assert np.abs(picture.read(folder.picture(kept)).astype(int) - 80).max() <= 2


def test_the_line_never_waits(rig, monkeypatch):
    """With a disk that hangs, offering takes no time; what finds no room is counted."""
    keeper, health, _ = rig(queue=4)
    gate = threading.Event()
    monkeypatch.setattr(pantry_module.SampleFolder, "add", lambda *_: gate.wait(10))
    started_s = time.monotonic()
    for seq in range(1, 51):
        keeper.offer(judged(seq, **FAILED))
    assert time.monotonic() - started_s < 0.5
    assert 44 <= keeper.tally().dropped <= 46
    assert health.counts("cam").faults["sample_dropped"] == keeper.tally().dropped
    assert "a sample was not kept" in health.standing()[0]
    gate.set()
    assert keeper.flush(30)
    assert health.standing() == ()


def test_a_flood_is_told_once(rig, monkeypatch):
    """While samples come faster than they can be kept, the fault stands; it doesn't come and go."""
    keeper, health, _ = rig(queue=2)
    turn, kept = threading.Semaphore(0), threading.Semaphore(0)

    def slowly(*_):
        turn.acquire()
        kept.release()

    monkeypatch.setattr(pantry_module.SampleFolder, "add", slowly)
    with structlog.testing.capture_logs() as told:
        for seq in range(1, 31):
            keeper.offer(judged(seq, **FAILED))
            if seq > 10 and seq % 2:
                turn.release()
                kept.acquire()
        for _ in range(3):
            turn.release()
        assert keeper.flush(30)
    assert keeper.tally().dropped > 5
    assert [one["event"] for one in told] == ["a sample was not kept"]
    assert health.standing() == ()


def test_a_full_disk_is_a_state(rig, monkeypatch):
    """Counted and told while it lasts, and over when there is room again."""
    keeper, health, folder = rig()
    real, full = pantry_module.bytes_free, [True]
    monkeypatch.setattr(pantry_module, "bytes_free", lambda path: 0 if full[0] else real(path))
    keeper.offer(judged(1, **FAILED))
    assert keeper.flush(30)
    assert "the disk is full" in health.standing()[0]
    full[0] = False
    keeper.offer(judged(2, **FAILED))
    assert keeper.flush(30)
    assert health.standing() == ()
    assert [one.verdict.seq for one in folder] == [2]


def test_a_folder_that_is_gone_comes_back(rig):
    """Somebody deletes it while the box runs: dropped, counted, and the box goes on."""
    keeper, health, folder = rig()
    keeper.offer(judged(1, **FAILED))
    assert keeper.flush(30)
    shutil.rmtree(folder.root)
    keeper.offer(judged(2, **FAILED))
    assert keeper.flush(30)
    assert health.counts("cam").faults == {"sample_dropped": 1}


def test_an_operator_may_press_late(rig):
    """The last part, one by its name or key, one that is kept already; not one long gone."""
    keeper, _, folder = rig(recent=5, audit_rate=0.0)
    keeper.offer(judged(1, **FAILED))
    for seq in range(2, 10):
        keeper.offer(judged(seq))
    assert keeper.flag("cam")
    assert keeper.flag("cam", part="part-7")
    assert keeper.flag("cam", 7, 1)
    assert not keeper.flag("cam", part="part-2")
    assert not keeper.flag("other")
    assert keeper.flush(30)
    found = {one.verdict.seq: one.why for one in folder}
    assert found == {9: (Why.OPERATOR,), 7: (Why.OPERATOR,), 1: (Why.FAIL, Why.OPERATOR)}


def test_a_late_result_is_noted_on_the_sample(rig):
    """Beside the verdict that went out, which stays as it was."""
    keeper, _, folder = rig()
    late = judged(1, outcome=Outcome.FAIL, reason=Reason.LATE)
    keeper.offer(late)
    found = LateResult(outcome=Outcome.PASS, reason=Reason.BELOW_PASS, score=0.1, after_ms=90)
    keeper.late(late.verdict, found)
    assert keeper.flush(30)
    (kept,) = folder
    assert (kept.verdict, kept.late) == (late.verdict, found)


def test_recent_finds_the_newest_first():
    """By camera, seq and part; what is older than its room is forgotten."""
    recent = Recent(3)
    for seq in range(1, 6):
        recent.remember(judged(seq))
    assert recent.find("cam").verdict.seq == 5
    assert recent.find("cam", seq=3).verdict.seq == 3
    assert recent.find("cam", seq=2) is None
    assert recent.find("cam", part="part-4").verdict.seq == 4


SIZE = 1000


def fill(pantry, whys, start=1):
    """Add samples of SIZE bytes, one for each reason."""
    for seq, why in enumerate(whys, start):
        body = bytes(SIZE)
        pantry.add(sample(seq, (why,), body, verdict=verdict(7, seq, **FAILED)), body)


def held(pantry):
    """How many of each reason are kept."""
    told = {}
    for one in pantry.folder:
        told[one.why[0]] = told.get(one.why[0], 0) + 1
    return told


def test_a_flood_of_one_kind_leaves_the_others_their_share(tmp_path):
    """A thousand fails push out fails, never the audit or what an operator pressed."""
    pantry = Pantry(tmp_path, Quota(20 * SIZE, 0))
    fill(pantry, [Why.OPERATOR] * 3 + [Why.AUDIT] * 4 + [Why.FAIL] * 60)
    assert held(pantry) == {Why.OPERATOR: 3, Why.AUDIT: 4, Why.FAIL: 13}
    assert pantry.used_bytes == 20 * SIZE
    assert pantry.evicted == 47
    assert max(one.verdict.seq for one in pantry.folder) == 67


def test_shares_follow_the_weights(tmp_path):
    """Where every kind wants all, each has what its weight gives it, and the newest of its own."""
    pantry = Pantry(tmp_path, Quota(18 * SIZE, 0))
    fill(pantry, [Why.OPERATOR, Why.AUDIT, Why.FAIL] * 20)
    assert held(pantry) == {Why.OPERATOR: 8, Why.AUDIT: 6, Why.FAIL: 4}


def test_fails_that_nobody_judged_give_way_first(tmp_path):
    """A picture that came too late teaches least."""
    late = sample(1, (Why.FAIL,), verdict=verdict(7, 1, outcome=Outcome.FAIL, reason=Reason.LATE))
    assert kind(late) == "fail-safe"
    assert kind(sample(2, (Why.FAIL, Why.NOVEL))) == "novel"


def test_labelled_samples_never_give_way(tmp_path):
    """Even one that was labelled by another process, when the box thinks it may go."""
    pantry = Pantry(tmp_path, Quota(5 * SIZE, 0))
    fill(pantry, [Why.FAIL] * 5)
    for seq in range(1, 6):
        pantry.folder.label(sample_id("cam", 7, seq), Label(label="good", by="ann", at=AT))
    with pytest.raises(SampleError, match="none may give way"):
        fill(pantry, [Why.FAIL], 6)
    assert len(pantry.folder.ids()) == 5
    assert pantry.used_bytes == 5 * SIZE


def test_a_restart_counts_what_is_there(tmp_path):
    """Quota and eviction go on where they were."""
    fill(Pantry(tmp_path, Quota(10 * SIZE, 0)), [Why.FAIL] * 10)
    again = Pantry(tmp_path, Quota(10 * SIZE, 0))
    fill(again, [Why.FAIL] * 3, 11)
    assert again.used_bytes == 10 * SIZE
    assert sorted(one.verdict.seq for one in again.folder) == list(range(4, 14))


def test_heatmaps_count_against_the_quota(rig):
    """A record may be as large as its picture: both are what the samples take."""
    quota = Quota(200_000, 0)
    keeper, _, folder = rig(quota)
    for seq in range(1, 9):
        one = judged(seq, **FAILED)
        keeper.offer(replace(one, heatmap=np.full((128, 128), 0.5)))
    assert keeper.flush(5)
    records = sum(path.stat().st_size for path in (folder.root / ".records").iterdir())
    assert records < 200_000 < 8 * 2 * 128 * 128
    assert keeper.tally().bytes <= quota.bytes
