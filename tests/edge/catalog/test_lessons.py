"""From what people said to what training reads: the newest word wins, and no picture is lost."""

import contextlib
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest

from edge.catalog.lessons import learn
from edge.catalog.overrules import Overrule
from export import durable
from export.errors import DatasetError
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
    expected = {"studio/blue/sub/a b.png", "reject/red/c.png"}
    if not split:
        expected = {"blue/studio/sub/a b.png", "red/reject/c.png"}
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
    assert (first["rating"], first["category"]) == ("0.8", "blue")


def test_no_picture_of_the_training_data_is_written_over(tmp_path):
    """Two pictures of one name, in two folders that are chosen from, are two lessons."""
    data = tmp_path / "data"
    data.mkdir()
    for number, name in enumerate(("spring", "autumn")):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "1.png"), product(seed=number))
        learn({"1.png": Overrule("1.png", "show")}, {"1.png": "red"}, tmp_path / name, data)
    assert len(list((data / "red" / "studio").iterdir())) == 2


def test_copies_in_the_selection_have_one_word(tmp_path):
    """What was said of one copy isn't taken back by silence about the other, run again or not."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (data / "red").mkdir(parents=True)
    for file in (pictures / "a.png", pictures / "b.png", data / "red" / "mine.png"):
        cv2.imwrite(str(file), product())
    said = {"a.png": Overrule("a.png", "reject"), "b.png": Overrule("b.png", "", "blue")}
    assert len(learn(said, {}, pictures, data)) == 1
    (row,) = read_table(data / "ratings.csv").rows
    assert (row["rating"], row["category"]) == ("reject", "blue")
    assert learn(said, {}, pictures, data) == []


def test_what_a_person_wrote_into_the_table_stays(tmp_path):
    """Two rows of a picture count as training counts them; one that waits for its word stays."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (data / "red").mkdir(parents=True)
    cv2.imwrite(str(pictures / "a.png"), product())
    cv2.imwrite(str(data / "red" / "a.png"), product())
    table = "path,rating,category,note\nred/b.png,show,,\nred/b.png,,blue,\nred/c.png,,,later\n"
    (data / "ratings.csv").write_text(table)
    learn({"a.png": Overrule("a.png", "show")}, {}, pictures, data)
    rows = [tuple(row.values()) for row in read_table(data / "ratings.csv").rows]
    assert rows == [
        ("red/b.png", "show", "blue", "", ""),
        ("red/c.png", "", "", "later", ""),
        ("red/a.png", "show", "", "", "rating"),
    ]


@pytest.mark.parametrize("was", ["", "0.25", "=1 2", "10%"])
def test_a_word_taken_back_leaves_what_a_person_had_written(was, tmp_path):
    """However often it changed in between."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (data / "red").mkdir(parents=True)
    cv2.imwrite(str(pictures / "a.png"), product())
    cv2.imwrite(str(data / "red" / "a.png"), product())
    before = f"path,rating\nred/a.png,{was}\n"
    (data / "ratings.csv").write_text(before if was else "path,rating\n")
    for verdict in ("show", "reject", ""):
        learn({"a.png": Overrule("a.png", verdict)}, {}, pictures, data)
    rows = [(r["path"], r["rating"], r["learnt"]) for r in read_table(data / "ratings.csv").rows]
    assert rows == ([("red/a.png", was, "")] if was else [])


def test_two_that_learn_at_once_lose_no_word(tmp_path, monkeypatch):
    """The second waits until the first has written the table."""
    data = tmp_path / "data"
    (data / "red").mkdir(parents=True)
    for number, name in enumerate(("spring", "autumn")):
        (tmp_path / name).mkdir()
        for file in (tmp_path / name / "1.png", data / "red" / f"{name}.png"):
            cv2.imwrite(str(file), product(seed=number))
    write, both = durable.replace, threading.Barrier(2)

    def slow(path, body):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        write(path, body)

    monkeypatch.setattr(durable, "replace", slow)
    word = {"1.png": Overrule("1.png", "show")}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: learn(word, {}, tmp_path / name, data), ("spring", "autumn")))
    assert {row["path"] for row in read_table(data / "ratings.csv").rows} == {
        "red/spring.png",
        "red/autumn.png",
    }


def test_a_copy_that_was_cut_short_is_no_picture(tmp_path, monkeypatch):
    """Killed while it is written, none lies where training would read half of one."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    data.mkdir()
    cv2.imwrite(str(pictures / "a.png"), product())

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    monkeypatch.setattr(shutil, "copystat", killed)  # and none whose copying ended later
    with pytest.raises(KeyboardInterrupt):
        learn({"a.png": Overrule("a.png", "show", "red")}, {}, pictures, data)
    assert not list((data / "red" / "studio").glob("a*"))


def test_a_learnt_copy_keeps_its_folders_and_its_word(tmp_path):
    """Patterns find its product where they found it; a folder's name isn't what was said."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    deep = "/".join(["SKU1" * 30] * 3)
    for folder in ("studio", deep):
        (pictures / folder).mkdir(parents=True)
    data.mkdir()
    cv2.imwrite(str(pictures / "studio" / "a.png"), product())
    cv2.imwrite(str(pictures / deep / "b.png"), product(seed=1))
    names = ("studio/a.png", f"{deep}/b.png")
    learn({name: Overrule(name, "reject", "red") for name in names}, {}, pictures, data)
    found = {p.relative_to(data).as_posix() for p in data.rglob("*.png")}
    assert found == {"red/reject/a.png", f"red/reject/{deep}/b.png"}


def test_a_twin_whose_name_is_no_text_is_told(tmp_path):
    """A table can't name it: its row would fit no picture."""
    pictures, data = tmp_path / "pictures", tmp_path / "data"
    pictures.mkdir()
    (data / "red").mkdir(parents=True)
    cv2.imwrite(str(pictures / "a.png"), product())
    (data / "red" / os.fsdecode(b"caf\xe9.png")).write_bytes((pictures / "a.png").read_bytes())
    with pytest.raises(DatasetError, match="not valid UTF-8"):
        learn({"a.png": Overrule("a.png", "show")}, {}, pictures, data)
    assert not (data / "ratings.csv").exists()


@pytest.mark.parametrize("category", ["train", "reject"])
def test_a_category_that_would_turn_the_training_data_over_is_refused(category, tmp_path):
    """A folder train/ would make all the others a given split's."""
    (tmp_path / "data").mkdir()
    cv2.imwrite(str(tmp_path / "a.png"), product())
    with pytest.raises(DatasetError, match="no category"):
        learn({"a.png": Overrule("a.png", "show", category)}, {}, tmp_path, tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())
