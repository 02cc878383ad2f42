import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from export import sample_folder
from export.errors import SampleError
from export.picture import SUFFIXES
from export.sample import Audit, Image, Label, Sample, Why, sample_id
from export.sample_folder import SampleFolder
from export.verdict import Outcome
from tests.edge.verdicts import verdict
from trainer.dataset import open_dataset

PICTURE = b"\x89PNG and the rest"
AT = "2026-01-02T03:04:05Z"


def sample(seq=1, why=(Why.FAIL,), picture=PICTURE, **more) -> Sample:
    """A sample of camera `cam`."""
    image = Image(
        suffix="png",
        sha256=hashlib.sha256(picture).hexdigest(),
        bytes=len(picture),
        width=8,
        height=8,
    )
    fields = {"verdict": verdict(7, seq, outcome=Outcome.FAIL), "audit": None} | more
    return Sample(id=sample_id("cam", 7, seq), kept_at=AT, why=why, image=image, **fields)


def said(label):
    """Somebody's word."""
    return Label(label=label, by="ann", at=AT)


@pytest.fixture
def folder(tmp_path):
    """An empty folder of samples."""
    made = SampleFolder(tmp_path / "samples")
    made.make()
    return made


def test_a_sample_comes_back_as_it_went(folder):
    """Record and picture, with everything in them."""
    kept = sample(audit=Audit(rate=0.1), why=(Why.AUDIT, Why.OPERATOR))
    folder.add(kept, PICTURE)
    assert list(folder) == [kept]
    assert folder.picture(kept).read_bytes() == PICTURE


def test_a_label_makes_it_part_of_a_training_set(folder):
    """Labelled pictures stand in class folders, as a trainer takes them; others are hidden."""
    for seq in range(1, 8):
        folder.add(sample(seq), PICTURE)
    for seq in (1, 2, 3):
        folder.label(sample_id("cam", 7, seq), said("good"))
    for seq in (4, 5):
        folder.label(sample_id("cam", 7, seq), said("scratch"))
    found = open_dataset(folder.root)
    assert found.classes == ("good", "scratch")
    assert len(found.pictures) == 5
    assert found.notes == ()


def test_the_history_of_labels_is_kept(folder):
    """A changed mind moves the picture; taking it back hides it; no word is lost."""
    folder.add(sample(), PICTURE)
    name = sample_id("cam", 7, 1)
    for word in ("good", "dent", None):
        folder.label(name, said(word))
    (kept,) = folder
    assert [one.label for one in kept.labels] == ["good", "dent", None]
    assert kept.label is None
    assert folder.picture(kept).exists()
    assert not (folder.root / "good").exists()


def test_what_was_labelled_is_not_removed(folder):
    """Not even when the last word was taken back."""
    for seq in (1, 2):
        folder.add(sample(seq), PICTURE)
    folder.label(sample_id("cam", 7, 1), said("good"))
    assert not folder.remove(sample_id("cam", 7, 1))
    assert folder.remove(sample_id("cam", 7, 2))
    assert [one.verdict.seq for one in folder] == [1]


@pytest.mark.parametrize("word", ["", ".hidden", "a/b", "train", "Ground_Truth", "x" * 65])
def test_a_label_that_is_no_class_is_refused(word):
    """A trainer would read those folders as something else, or the disk as a path."""
    with pytest.raises(ValidationError):
        said(word)


def test_a_record_that_is_none_is_told(folder):
    """Where it lies and which field is wrong; it doesn't hide the others."""
    folder.add(sample(), PICTURE)
    bad = folder.root / ".records" / "bad-1-1.json"
    bad.write_text('{"id": "bad-1-1"}')
    with pytest.raises(SampleError, match=r"bad-1-1.json is not a sample: kept_at"):
        folder.read("bad-1-1")
    assert len(list(folder)) == 1


class PowerCutError(Exception):
    """The lights go out."""


def test_a_power_cut_at_any_point_leaves_a_whole_folder(tmp_path, monkeypatch):
    """Adding, labelling and removing, cut at each step in turn: every record has its picture."""
    steps, left = ["open", "fsync", "replace", "rename", "unlink"], [0]

    def perhaps(real):
        def act(*args, **more):
            left[0] -= 1
            if left[0] == 0:
                raise PowerCutError
            return real(*args, **more)

        return act

    for step in steps:
        for owner in (sample_folder.Path, sample_folder.os):
            if hasattr(owner, step):
                monkeypatch.setattr(owner, step, perhaps(getattr(owner, step)))
    cuts = 0
    for moment in range(1, 60):
        folder = SampleFolder(tmp_path / str(moment))
        folder.make()
        left[0] = moment
        try:
            work(folder)
        except PowerCutError:
            cuts += 1
        left[0] = -1
        folder.mend()
        for kept in folder:
            assert folder.picture(kept).read_bytes() == PICTURE
        pictures = [path for path in folder.root.rglob("*") if path.suffix in SUFFIXES]
        assert len(pictures) == len(folder.ids())
        assert not list(folder.root.rglob("*.part"))
    assert cuts > 20


def work(folder):
    """Add three, label two, remove one."""
    for seq in (1, 2, 3):
        folder.add(sample(seq), PICTURE)
    folder.label(sample_id("cam", 7, 1), said("good"))
    folder.label(sample_id("cam", 7, 1), said("dent"))
    folder.remove(sample_id("cam", 7, 2))


@given(st.text(min_size=1, max_size=64), st.integers(0, 2**53 - 1), st.integers(1, 2**53 - 1))
def test_every_key_is_a_file_name(camera, epoch, seq):
    """Any camera's name gives one that is short, visible, and allowed by the record."""
    name = sample_id(camera.replace("\ud800", "?").encode(errors="replace").decode(), epoch, seq)
    assert len(name) <= 200
    assert not name.startswith(".")
    assert "/" not in name
    assert Sample.model_validate({**sample().model_dump(), "id": name}).id == name


def test_different_keys_have_different_names():
    """No two cameras' parts share a file."""
    chance = random.Random(3)
    cameras = {"".join(chance.choices("ab.-%/ é1", k=chance.randint(1, 6))) for _ in range(3000)}
    keys = {(camera, epoch, seq) for camera in cameras for epoch in (1, 11) for seq in (1, 11)}
    assert len({sample_id(*key) for key in keys}) == len(keys)


def test_a_history_that_could_not_be_read_again_is_not_written(folder, monkeypatch):
    """The word that would be too much is refused; what was said before stays readable."""
    kept = sample()
    folder.add(kept, PICTURE)
    note = Label(label="dent", by="ann", at=AT, note="\N{GRINNING FACE}" * 1000)
    size = len(kept.model_dump_json(indent=1).encode())
    monkeypatch.setattr(sample_folder, "MAX_RECORD_BYTES", size + 10_000)
    folder.label(kept.id, note)
    folder.label(kept.id, note)
    with pytest.raises(SampleError, match="history is full"):
        folder.label(kept.id, note)
    assert len(folder.read(kept.id).labels) == 2
