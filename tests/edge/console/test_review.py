import csv
import os

import pytest

from edge.console.accounts.book import Refused
from edge.console.accounts.roles import Role
from edge.console.desk import Desk
from edge.console.review import labels
from edge.console.review.agreement import agreement
from edge.console.review.labels import Saying
from edge.console.review.outgoing import copy
from edge.console.review.queue import Reader, value, waiting
from edge.console.review.standing import Due, Pair, due, pair
from edge.console.shelf import Shelf
from edge.console.web.live import drawer
from export.audit import escape_rate
from export.sample import Step, Why, Window
from export.sample_folder import RECORDS
from tests.edge.console.plant import DOUBTED, FAILED, NOVEL, Plant

BO, CY = Reader("Bo", Role.OPERATOR), Reader("Cy", Role.OPERATOR)
ED = Reader("Ed", Role.ENGINEER)
EVERY, NONE = 1.0, 0.0


@pytest.fixture
def plant(tmp_path):
    """Six kept pictures: a sure fail, a doubt, a novel part, a late one, two audited passes."""
    made = Plant(tmp_path)
    told = made.record(
        ("top", FAILED), ("top", DOUBTED), ("top", NOVEL),
        ("top", {"outcome": "fail", "reason": "no_result_before_the_deadline", "score": None}),
        ("top", {"score": 0.01}), ("top", {"score": 0.29}),
    )  # fmt: skip
    made.names = [
        made.keep(told[0], Why.FAIL),
        made.keep(told[1], Why.REVIEW),
        made.keep(told[2], Why.REVIEW, Why.NOVEL),
        made.keep(told[3], Why.FAIL),
        made.keep(told[4], Why.AUDIT, rate=0.01),
        made.keep(told[5], Why.AUDIT, rate=0.01),
    ]
    return made


def say(plant, at, who, label, share=NONE, **more):
    """`who` labels sample number `at`."""
    name = plant.names[at]
    seen = more.pop("seen", len(plant.samples.read(name).labels))
    return labels.say(plant.samples, name, who, Saying(label, seen=seen, **more), share)


def queue(plant, who, share=NONE):
    """Numbers of the samples that wait for `who`, in order, and for what."""
    tasks = waiting(plant.samples, who, share)
    return [(plant.names.index(one.sample.id), one.due) for one in tasks]


def test_the_most_valuable_comes_first(plant):
    """Novel, then uncertain, then the audit (oldest first), then sure fails, blind ones last."""
    assert [at for at, _ in queue(plant, BO)] == [2, 1, 4, 5, 0, 3]
    read = plant.samples.read
    assert value(read(plant.names[1])) > value(read(plant.names[0]))
    disagreeing = read(plant.names[0]).model_copy(update={"why": (Why.FAIL, Why.DISAGREEING)})
    assert value(disagreeing) > value(read(plant.names[2]))


def test_a_label_keeps_who_when_and_where(plant):
    """It goes into the sample's own history, and the picture into its class's folder."""
    box = Window(x=0.1, y=0.2, width=0.3, height=0.4)
    after = say(plant, 0, BO, "scratch", box=box, note="near the hole")
    kept = plant.samples.read(plant.names[0])
    assert kept == after
    (label,) = kept.labels
    assert (label.label, label.by, label.box, label.note) == ("scratch", "Bo", box, "near the hole")
    assert label.at.startswith("20")
    assert plant.samples.picture(kept).parent.name == "scratch"
    assert plant.samples.picture(kept).exists()


def test_undo_takes_ones_own_last_step_back(plant):
    """To what it was before, in the folder too; nobody undoes another's."""
    say(plant, 0, BO, "scratch")
    again = say(plant, 0, BO, "dent")
    assert again.label == "dent"
    back = labels.undo(plant.samples, again, BO)
    assert back.label == "scratch"
    assert plant.samples.picture(back).parent.name == "scratch"
    with pytest.raises(Refused, match="nothing of yours"):
        labels.undo(plant.samples, back, CY)
    back = labels.undo(plant.samples, back, BO)
    assert back.label is None
    assert due(back, NONE) is Due.FIRST
    assert len(back.labels) == 4
    with pytest.raises(Refused, match="nothing of yours"):
        labels.undo(plant.samples, back, BO)


def test_the_one_to_undo_is_the_last_one_spoken_about(plant):
    """Of several, the latest."""
    for at in (0, 1):
        say(plant, at, BO, "scratch")
    assert labels.last_of(list(plant.samples), BO).id == plant.names[1]
    assert labels.last_of(list(plant.samples), CY) is None


def test_unsure_goes_to_an_engineer(plant):
    """It counts as nothing until an engineer decides; operators aren't asked again."""
    sample = say(plant, 0, BO, None)
    assert sample.label is None
    assert (0, Due.DECISION) not in queue(plant, CY)
    assert queue(plant, ED)[0] == (0, Due.DECISION)
    with pytest.raises(Refused, match="engineer"):
        say(plant, 0, CY, "good")
    assert say(plant, 0, ED, "good").label == "good"
    assert plant.samples.read(plant.names[0]).labels[-1].step is Step.DECISION


def test_what_an_engineer_decided_no_operator_undecides(plant):
    """Neither by another label nor by doubting; another engineer may."""
    say(plant, 0, BO, None)
    say(plant, 0, ED, "dent")
    for label in ("good", None):
        with pytest.raises(Refused, match="engineer"):
            say(plant, 0, BO, label)
    assert plant.samples.read(plant.names[0]).label == "dent"
    assert say(plant, 0, ED, "good").label == "good"


def test_a_second_reader_is_another_person_who_agrees(plant):
    """Never the first; what both say counts, and the pair is told."""
    say(plant, 0, BO, "scratch", EVERY)
    assert (0, Due.SECOND) not in queue(plant, BO, EVERY)
    assert (0, Due.SECOND) in queue(plant, CY, EVERY)
    assert (0, Due.SECOND) not in queue(plant, CY, NONE)
    sample = say(plant, 0, CY, "scratch", EVERY)
    assert sample.label == "scratch"
    assert pair(sample) == Pair("scratch", "scratch")
    assert due(sample, EVERY) is Due.NOTHING


def test_two_who_disagree_are_not_trained_on_until_somebody_decides(plant):
    """The label is in doubt; an engineer's word settles it."""
    say(plant, 0, BO, "scratch", EVERY)
    sample = say(plant, 0, CY, "good", EVERY)
    assert sample.label is None
    assert plant.samples.picture(sample).parent.name == ".unlabelled"
    assert pair(sample) == Pair("scratch", "good")
    assert queue(plant, ED, EVERY)[0] == (0, Due.DECISION)
    settled = say(plant, 0, ED, "scratch", EVERY)
    assert settled.label == "scratch"
    assert pair(settled) == Pair("scratch", "good")


def test_a_word_on_what_changed_meanwhile_is_refused(plant):
    """Two who look at the same picture at once: the second is told."""
    say(plant, 0, BO, "scratch")
    with pytest.raises(Refused, match="meanwhile"):
        say(plant, 0, CY, "good", seen=0)
    assert plant.samples.read(plant.names[0]).label == "scratch"


@pytest.mark.parametrize("label", ["../up", "train", ".hidden", "a/b", "ä", "", "x" * 65, "a\nb"])
def test_what_can_be_no_folder_is_no_label(plant, label):
    """A label names a folder that a trainer reads."""
    with pytest.raises(Refused):
        say(plant, 0, BO, label)
    assert not plant.samples.read(plant.names[0]).labels


def test_kappa_is_agreement_beyond_chance():
    """Cohen's own example: 3 of 4 alike with even margins is one half; none is nothing."""
    pairs = [Pair("a", "a")] * 30 + [Pair("b", "b")] * 30 + [Pair("a", "b"), Pair("b", "a")] * 10
    told = agreement(pairs)
    assert (told.pairs, told.agreed) == (80, 60)
    assert told.kappa == pytest.approx(0.5)
    assert told.low < 0.5 < told.high
    assert agreement([]).kappa is None
    assert agreement([Pair("a", "a")] * 9).kappa is None
    assert agreement([Pair("a", "b"), Pair("b", "a")]).kappa == pytest.approx(-1.0)
    assert agreement(pairs[:5]).few


def test_labels_of_the_audit_make_the_escape_rate(plant):
    """What people say in review is what the rate stands on."""
    say(plant, 4, BO, "good")
    say(plant, 5, BO, "scratch")
    told = escape_rate(plant.samples)
    assert (told.reviewed, told.found, told.rate) == (2, 1, 0.5)


def test_the_labels_offered_are_the_models_and_the_peoples(plant):
    """Good first, then the others by name."""
    say(plant, 0, BO, "burr")
    assert labels.names(list(plant.samples)) == ["good", "burr", "dent", "scratch"]


def test_labelled_samples_are_copied_as_a_data_set(plant, tmp_path):
    """A folder for each label; a changed label moves its picture; unlabelled ones stay."""
    box = Window(x=0.1, y=0.2, width=0.3, height=0.4)
    say(plant, 0, BO, "scratch", box=box)
    say(plant, 4, BO, "good")
    out = tmp_path / "photos"
    assert copy(plant.samples, out) == {"scratch": 1, "good": 1}
    say(plant, 0, ED, "dent")
    assert copy(plant.samples, out) == {"dent": 1, "good": 1}
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))
    assert found == [f"dent/{plant.names[0]}.png", f"good/{plant.names[4]}.png",
                     f"masks/dent/{plant.names[0]}.png"]  # fmt: skip
    with (out / "labels.csv").open() as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert rows[found[0]]["by"] == "Ed"
    assert rows[found[0]]["box_width"] == "0.3"


def test_what_was_taken_back_is_copied_no_more(plant, tmp_path):
    """A box goes with its undone label, and a picture with its last label, from the copy too."""
    box, out = Window(x=0.1, y=0.2, width=0.3, height=0.4), tmp_path / "photos"
    boxed = say(plant, 0, BO, "scratch", box=box)
    other = say(plant, 1, BO, "dent", box=box)
    assert copy(plant.samples, out) == {"scratch": 1, "dent": 1}
    labels.undo(plant.samples, boxed, BO)
    say(plant, 0, BO, "dent")
    labels.undo(plant.samples, other, BO)
    assert copy(plant.samples, out) == {"dent": 1}
    found = [path.relative_to(out).as_posix() for path in out.rglob("*.png")]
    assert found == [f"dent/{plant.names[0]}.png"]
    say(plant, 0, BO, "dent", box=box)
    say(plant, 0, BO, "good")
    copy(plant.samples, out)
    assert not list((out / "masks").rglob("*.png"))


def test_what_is_said_within_one_tick_of_the_disks_clock_is_seen(plant, monkeypatch):
    """A folder's time stands still for some milliseconds: two labels may bear the same one."""
    shelf, records = Shelf(plant.samples.root), plant.samples.root / RECORDS
    shelf.look()
    at_ns = records.stat().st_mtime_ns
    monkeypatch.setattr("edge.clock.wall_ns", lambda: at_ns + 1_000_000)
    for label in ("dent", "scratch"):
        sample = plant.samples.read(plant.names[0])
        labels.say(plant.samples, sample.id, BO, Saying(label, seen=len(sample.labels)), NONE)
        for path in (records / f"{sample.id}.json", records):
            os.utime(path, ns=(at_ns, at_ns))
        shelf.look()
        assert shelf.get(sample.id).label == label


def test_review_by_its_pages(plant):
    """Label, undo, skip, unsure, second reading: each form does what it says, and is logged."""
    with plant.open() as console:
        first = console.get("/review", Role.OPERATOR).text
        assert plant.names[2] in first
        assert 'data-key="1"' in first
        form = {"sample": plant.names[2], "label": "dent", "seen": "0", "box": "0.1,0.1,0.5,0.5"}
        assert console.post("/review", form, Role.OPERATOR).status_code == 303
        kept = plant.samples.read(plant.names[2])
        assert kept.label == "dent"
        assert kept.labels[0].box == Window(x=0.1, y=0.1, width=0.5, height=0.5)
        again = console.post("/review", form, Role.ENGINEER)
        assert again.status_code == 409
        assert "meanwhile" in again.text
        undone = console.post("/review/undo", {}, Role.OPERATOR)
        assert undone.headers["location"].endswith(plant.names[2])
        assert plant.samples.read(plant.names[2]).label is None
        unsure = {"sample": plant.names[2], "unsure": "1", "seen": "2"}
        assert console.post("/review", unsure, Role.OPERATOR).status_code == 303
        assert "engineer" in console.get(f"/review?sample={plant.names[2]}", Role.ENGINEER).text
        gone = console.post("/review", {"sample": "../x", "label": "good"}, Role.OPERATOR)
        assert gone.status_code == 409
        for box in ("1,2,3", "0.9,0,0.5,0.5", "nan,0,1,1", "a,b,c,d", ""):
            name = plant.names[1]
            seen = str(len(plant.samples.read(name).labels))
            form = {"sample": name, "label": "dent", "seen": seen, "box": box}
            assert console.post("/review", form, Role.ADMIN).status_code == 303
            assert plant.samples.read(name).labels[-1].box is None
        what = [one.what for one in console.desk.book.log()]
        assert {"label", "label undone"} <= set(what)


def test_a_second_reader_does_not_see_the_first_ones_word(plant):
    """Blind, or it is no second reading."""
    say(plant, 0, BO, "scratch", EVERY, note="surely a scratch")
    with plant.open() as console:
        page = console.get(f"/review?sample={plant.names[0]}", Role.OPERATOR).text
    assert "Second reading" in page
    assert "surely" not in page
    assert ">Bo<" not in page


def test_what_is_labelled_is_pinned_in_the_store(plant):
    """A verdict that somebody spoke about outlives the quota."""
    with plant.open() as console:
        form = {"sample": plant.names[0], "label": "dent", "seen": "0"}
        console.post("/review", form, Role.OPERATOR)
        rows = []
        while not rows:
            with console.desk.readers.lend() as db:
                rows = db.execute("SELECT camera, seq FROM pinned").fetchall()
    assert rows == [("top", 1)]


def test_labels_are_pinned_before_the_store_forgets_anything(plant, monkeypatch):
    """Also those that were given while the console was off."""
    say(plant, 0, BO, "dent")
    desk = Desk(plant.appliance, drawer)
    pinned = []
    monkeypatch.setattr(desk.feeder, "start", lambda: pinned.extend(desk.feeder._pins))
    monkeypatch.setattr(desk.shelf, "start", lambda: None)
    monkeypatch.setattr(desk.hub, "start", lambda: None)
    desk.start()
    assert pinned == [plant.samples.read(plant.names[0]).verdict.key]
    desk.stop()
