"""From what people said to what training reads: the newest word wins, and no picture is lost."""

import cv2
import pytest

from edge.catalog.lessons import learn
from edge.catalog.overrules import Overrule
from export.table import read as read_table
from tests.edge.catalog.conftest import product


@pytest.mark.parametrize("split", [False, True])
def test_overrules_become_training_examples(split, tmp_path):
    """A word lands where training reads it: studio/ or reject/ of the right category."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    (pictures / "sub").mkdir(parents=True)
    (data / ("train" if split else "red")).mkdir(parents=True)
    cv2.imwrite(str(pictures / "sub" / "a b.png"), product())
    cv2.imwrite(str(pictures / "c.png"), product(seed=1))
    said = {
        "sub/a b.png": Overrule("sub/a b.png", "show", "blue"),
        "c.png": Overrule("c.png", "reject"),
    }
    learn(said, {"c.png": "red", "sub/a b.png": "red"}, pictures, data)
    found = {p.relative_to(data).as_posix() for p in data.rglob("*.png")}
    expected = {"studio/blue/sub__a b.png", "reject/red/c.png"}
    if not split:
        expected = {"blue/studio/sub__a b.png", "red/reject/c.png"}
    assert found == expected


def test_the_newest_word_on_a_picture_wins_and_no_picture_is_moved(tmp_path):
    """Of a picture that training has already, in whatever folder, the word goes into the table."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (data / "train" / "red").mkdir(parents=True)
    cv2.imwrite(str(pictures / "a.png"), product())
    cv2.imwrite(str(data / "train" / "red" / "mine.png"), product())
    cv2.imwrite(str(pictures / "new.png"), product(seed=1))
    (data / "ratings.csv").write_text("path,rating,note\ntrain/red/mine.png,0.8,nice\n")
    told = {"a.png": "red", "new.png": "red"}
    for verdict in ("show", "reject"):
        said = {name: Overrule(name, verdict) for name in ("a.png", "new.png")}
        learn(said, told, pictures, data)
    again = learn(said, told, pictures, data)
    table = read_table(data / "ratings.csv").rows
    found = {row["path"]: (row["rating"], row["note"]) for row in table}
    assert found == {
        "train/red/mine.png": ("reject", "nice"),
        "studio/red/new.png": ("reject", ""),
    }
    assert again == []
    assert {p.relative_to(data).as_posix() for p in data.rglob("*.png")} == set(found)
    learn({"a.png": Overrule("a.png", "", "blue")}, told, pictures, data)
    (first, _) = read_table(data / "ratings.csv").rows
    assert (first["rating"], first["category"]) == ("", "blue")


def test_no_picture_of_the_training_data_is_written_over(tmp_path):
    """Two pictures of one name, in two folders that are chosen from, are two lessons."""
    data = tmp_path / "data"
    data.mkdir()
    for number, name in enumerate(("spring", "autumn")):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "1.png"), product(seed=number))
        learn({"1.png": Overrule("1.png", "show")}, {"1.png": "red"}, tmp_path / name, data)
    assert len(list((data / "red" / "studio").iterdir())) == 2
