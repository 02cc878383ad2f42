"""trainer/dataset.py: three layouts are understood, and what can't be used is named."""

import pytest

from export.errors import DatasetError
from trainer.dataset import open_dataset


def fill(root, *names, each=4):
    """Put `each` empty picture files into every folder; names are read, not pixels."""
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            (root / name / f"{number}.png").touch()
    return root


def test_class_folders(tmp_path):
    """One folder per class; good comes first, the rest in order of letters."""
    dataset = open_dataset(fill(tmp_path, "scratch", "good", "dent"))
    assert dataset.layout == "classes"
    assert dataset.classes == ("good", "dent", "scratch")
    assert [p.path for p in dataset.pictures][:2] == ["dent/0.png", "dent/1.png"]


def test_a_given_split_keeps_its_test(tmp_path):
    """train/ and test/ with two classes each: the test is frozen, unless pooled on request."""
    fill(tmp_path, "train/good", "train/dent", "test/good", "test/dent")
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "given split"
    assert {p.half for p in dataset.pictures} == {"train", "test"}
    pooled = open_dataset(tmp_path, resplit=True)
    assert {p.half for p in pooled.pictures} == {None}
    assert any("--resplit" in note for note in pooled.notes)
    assert not any("frozen" in note for note in pooled.notes)
    looked_at = open_dataset(tmp_path, resplit=True, examining=True)
    assert any("looked at together" in note for note in looked_at.notes)


def test_mvtec_is_pooled_and_said_so(tmp_path):
    """A train/ of good parts only is MVTec AD's layout: pooled, masks no class, with a note."""
    fill(tmp_path, "train/good", "test/good", "test/hole", "ground_truth/hole")
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "mvtec"
    assert dataset.classes == ("good", "hole")
    assert len(dataset.pictures) == 12
    assert any("pooled and split anew" in note for note in dataset.notes)
    assert "ground_truth/: 4 files, not a class" in dataset.notes


def test_strays_are_ignored_and_counted(tmp_path):
    """Masks, a README, a contact sheet and notes among pictures are no classes, and are told.

    Tables that are read elsewhere are no strays, but only where they are read.
    """
    fill(tmp_path, "good", "dent", "masks/dent")
    for name in ("parts.csv", "splits.csv", "grown.json"):
        (tmp_path / name).touch()
    (tmp_path / "dent/parts.csv").touch()
    for name in ("README.md", "contact.jpg", "dent/notes.txt", ".hidden", "dent/.hidden.png"):
        (tmp_path / name).touch()
    dataset = open_dataset(tmp_path)
    assert len(dataset.pictures) == 8
    assert dataset.notes == (
        "masks/: 4 files, not a class",
        "4 other files ignored: 'README.md', 'contact.jpg', 'dent/notes.txt', 'dent/parts.csv'",
    )


@pytest.mark.parametrize("name", ["ok", "OK", "Good"])
def test_good_by_other_names(tmp_path, name):
    """Good and ok, in any case of letters, are the good class and become `good`."""
    assert open_dataset(fill(tmp_path, name, "dent")).classes == ("good", "dent")


def test_good_named_by_the_person(tmp_path):
    """--good NAME says which; a name that isn't there is refused."""
    fill(tmp_path, "intact", "dent")
    assert open_dataset(tmp_path, good="intact").classes == ("good", "dent")
    with pytest.raises(DatasetError, match="only 'dent', 'intact'"):
        open_dataset(tmp_path, good="whole")
    with pytest.raises(DatasetError, match="no one class of good parts") as caught:
        open_dataset(tmp_path)
    assert "--good NAME" in caught.value.remedy


def test_two_good_classes_are_refused(tmp_path):
    """good/ beside ok/ needs a person's word."""
    with pytest.raises(DatasetError, match="several: 'good', 'ok'"):
        open_dataset(fill(tmp_path, "good", "ok", "dent"))


def test_strange_names_work(tmp_path):
    """Spaces, umlauts and line breaks in names are names."""
    fill(tmp_path, "good", "Kratzer groß", "a\nb")
    (tmp_path / "good" / "two words\n.png").touch()
    assert open_dataset(tmp_path).classes == ("good", "Kratzer groß", "a\nb")


def test_empty_and_lonely_classes_are_named(tmp_path):
    """A class without pictures, or with one, can't be split."""
    fill(tmp_path, "good", "dent")
    (tmp_path / "hole").mkdir()
    with pytest.raises(DatasetError, match="no JPEG, PNG or BMP picture in 'hole'"):
        open_dataset(tmp_path)
    fill(tmp_path, "hole", each=1)
    with pytest.raises(DatasetError, match=r"too few.*'hole \(1\)'.*2 or more"):
        open_dataset(tmp_path)


def test_foreign_pictures_are_refused_or_left_out(tmp_path):
    """TIFF files aren't dropped in silence: refused, or left out on request and noted."""
    fill(tmp_path, "good", "dent")
    (tmp_path / "dent" / "x.tif").touch()
    with pytest.raises(DatasetError, match=r"x\.tif"):
        open_dataset(tmp_path)
    assert "1 unreadable picture left" in open_dataset(tmp_path, skip_unreadable=True).notes[0]


def test_a_test_class_that_train_lacks(tmp_path):
    """What is never learnt can't be examined."""
    fill(tmp_path, "train/good", "train/dent", "test/good", "test/hole")
    with pytest.raises(DatasetError, match="'hole', which train/ lacks"):
        open_dataset(tmp_path)


def test_neither_layout(tmp_path):
    """Class folders beside train/ and test/ are ambiguous; a missing folder is named."""
    fill(tmp_path, "train/good", "train/dent", "test/good", "good")
    with pytest.raises(DatasetError, match="neither"):
        open_dataset(tmp_path)
    with pytest.raises(DatasetError, match="is not a folder"):
        open_dataset(tmp_path / "nowhere")
    (tmp_path / "void").mkdir()
    with pytest.raises(DatasetError, match="no class folders"):
        open_dataset(tmp_path / "void")


def test_a_catalog_is_called_by_its_name(tmp_path):
    """Product pictures are refused with what they are and what to give; a val/ alone is none."""
    fill(tmp_path / "shop", *(f"{top}/milk" for top in ("train", "val", "studio", "reject")))
    with pytest.raises(DatasetError, match="product pictures lie for a catalog") as caught:
        open_dataset(tmp_path / "shop")
    assert str(tmp_path / "shop" / "train") in caught.value.remedy
    assert "--task catalog" in caught.value.remedy
    fill(tmp_path / "plain", *(f"{top}/good" for top in ("train", "val", "test")))
    with pytest.raises(DatasetError, match="neither") as caught:
        open_dataset(tmp_path / "plain")
    assert "move val/ into train/" in caught.value.remedy


def test_an_examination_needs_no_second_class(tmp_path):
    """To examine a run, defects alone or one picture will do."""
    dataset = open_dataset(fill(tmp_path, "dent", each=1), examining=True)
    assert [p.label for p in dataset.pictures] == ["dent"]
