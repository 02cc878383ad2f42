"""A company's pictures: what lies where means what, and what is unclear is refused."""

import os
from dataclasses import replace

import cv2
import numpy as np
import pytest

from export.errors import DatasetError
from trainer.catalog.shelf import (
    contradictions,
    open_shelf,
    ratings_by_bytes,
    read_groups,
)


def put(root, *paths):
    """Small pictures at these paths."""
    for number, path in enumerate(paths):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (48, 48, 3)).astype(np.uint8)
        cv2.imwrite(str(file), pixels)


def test_a_studio_and_a_reject_folder_rate_their_pictures(tmp_path):
    """CATEGORY/studio is shown, CATEGORY/reject isn't; of the others nothing is known."""
    put(tmp_path, "a/studio/1.png", "a/reject/2.png", "a/3.png", "b/1.png", "b/2.png")
    shelf = open_shelf(tmp_path)
    assert shelf.dataset.classes == ("a", "b")
    assert shelf.ratings == {"a/studio/1.png": 1.0, "a/reject/2.png": 0.0}
    assert shelf.source == "studio and reject"


def test_without_rejects_all_that_is_not_shown_counts_as_rejected(tmp_path):
    """And it says so; a val/ beside train/ is the frozen test."""
    put(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/2.png", "val/b/2.png", "studio/a/3.png")
    shelf = open_shelf(tmp_path)
    assert shelf.ratings["studio/a/3.png"] == 1.0
    assert shelf.ratings["train/b/1.png"] == 0.0
    assert "count as rejected" in shelf.why
    halves = {one.path: one.half for one in shelf.dataset.pictures}
    assert halves["val/a/2.png"] == "test"
    assert halves["studio/a/3.png"] == halves["train/a/1.png"] == "train"
    assert all(one.half is None for one in open_shelf(tmp_path, resplit=True).dataset.pictures)


def test_a_table_of_ratings_beats_the_folders(tmp_path):
    """Words or numbers from 0 to 1."""
    put(tmp_path, "a/studio/1.png", "a/2.png", "b/1.png", "b/2.png")
    (tmp_path / "ratings.csv").write_text("path,rating\na/studio/1.png,reject\nb/1.png,0.9\n")
    shelf = open_shelf(tmp_path)
    assert shelf.ratings == {"a/studio/1.png": 0.0, "b/1.png": 0.9}
    assert shelf.source == "ratings"


def test_one_reject_does_not_do_away_with_the_others(tmp_path):
    """While rejects are fewer than what is shown, all that nobody rated counts with them."""
    put(tmp_path, *(f"a/studio/{n}.png" for n in range(3)), "b/1.png", "b/2.png", "b/reject/3.png")
    shelf = open_shelf(tmp_path)
    assert shelf.ratings["b/1.png"] == shelf.ratings["b/reject/3.png"] == 0.0
    assert shelf.implied == {"b/1.png", "b/2.png"}
    assert shelf.source == "studio against all others"
    assert "3 shown and 1 rejected, and 3 rejects would be enough" in shelf.why
    put(tmp_path, "b/reject/4.png", "b/reject/5.png")
    enough = open_shelf(tmp_path)
    assert "b/1.png" not in enough.ratings
    assert enough.source == "studio and reject"
    assert "don't count" in enough.why


def test_the_same_bytes_are_never_shown_and_rejected(tmp_path):
    """A copy that nobody rated is as its other; two words that differ are told with both paths."""
    put(tmp_path, "a/studio/1.png", "a/2.png", "b/1.png", "b/reject/2.png")
    shelf = open_shelf(tmp_path)
    paths = sorted(shelf.dataset.pictures, key=lambda one: one.path)
    names = [one.path for one in paths]
    assert names == ["a/2.png", "a/studio/1.png", "b/1.png", "b/reject/2.png"]
    assert contradictions(shelf, names, ["x", "x", "y", "z"]) == []
    assert contradictions(shelf, names, ["y", "x", "z", "x"]) == [
        "a/studio/1.png",
        "b/reject/2.png",
    ]
    few = replace(shelf, ratings=shelf.ratings | {"a/2.png": 0.0}, implied=frozenset({"a/2.png"}))
    assert ratings_by_bytes(few, names, ["x", "x", "y", "z"])["a/2.png"] == 1.0


def test_a_category_in_the_table_beats_the_folder(tmp_path):
    """With or without a rating; Excel's mark before the first column is no part of its name."""
    put(tmp_path, "a/1.png", "a/2.png", "b/studio/1.png", "b/2.png", "b/3.png")
    table = "path,rating,category\nb/3.png,,a\nb/2.png,reject,b\n"
    (tmp_path / "ratings.csv").write_text(table, encoding="utf-8-sig")
    shelf = open_shelf(tmp_path)
    assert {one.path: one.label for one in shelf.dataset.pictures}["b/3.png"] == "a"
    assert shelf.ratings == {"b/studio/1.png": 1.0, "b/2.png": 0.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,rating\na/1.png,5\n", "line 2: rating '5'"),
        ("path,rating\nz.png,1\n", "aren't there"),
        ("file,stars\na/1.png,1\n", "has the columns"),
    ],
)
def test_a_wrong_table_of_ratings_is_refused(text, words, tmp_path):
    """The error names the line and the value."""
    put(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (tmp_path / "ratings.csv").write_text(text)
    with pytest.raises(DatasetError, match=words):
        open_shelf(tmp_path)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["a/1.png", "a/2.png"], "1 categories"),
        (["a/1.png", "b/1.png", "b/2.png"], "too few pictures"),
        (["studio/1.png", "a/1.png", "a/2.png"], "lies in no category"),
    ],
)
def test_a_folder_that_says_too_little_is_refused(paths, words, tmp_path):
    """One category, a category of one picture, a picture of no category."""
    put(tmp_path, *paths)
    with pytest.raises(DatasetError, match=words):
        open_shelf(tmp_path)


def test_pictures_that_cannot_be_read_are_refused_or_left_out(tmp_path):
    """WebP isn't read: by default that is an error, with --skip-unreadable a note."""
    put(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (tmp_path / "a" / "3.webp").write_bytes(b"RIFF")
    with pytest.raises(DatasetError, match=r"3\.webp"):
        open_shelf(tmp_path)
    assert len(open_shelf(tmp_path, skip_unreadable=True).dataset.pictures) == 4


def test_a_name_that_is_no_text_is_refused_before_anything_is_learnt(tmp_path):
    """No table could name it; the error shows its odd byte."""
    put(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (tmp_path / "b").rename(tmp_path / os.fsdecode(b"caf\xe9"))
    with pytest.raises(DatasetError, match=r"2 files are not valid UTF-8: (.|\n)*caf.+xe9/1\.png"):
        open_shelf(tmp_path)


def test_a_table_names_the_sender_of_every_picture(tmp_path):
    """Any CSV with a column for picture and group; a picture that it lacks is an error."""
    table = tmp_path / "senders.csv"
    table.write_text("image,sender_id,label\na/1.png,7,A\na/2.png,8,A\n")
    assert read_groups(table, ["a/1.png"]) == {"a/1.png": "sender_id 7", "a/2.png": "sender_id 8"}
    with pytest.raises(DatasetError, match="lacks 1 pictures"):
        read_groups(table, ["a/9.png"])
    table.write_text("image,product\na/1.png,7\n", encoding="utf-8-sig")
    assert read_groups(table, ["a/1.png"]) == {"a/1.png": "product 7"}
    table.write_text("image;product\na/1.png;7\n")
    with pytest.raises(DatasetError, match="semicolons"):
        read_groups(table, ["a/1.png"])
    table.write_text("image,colour\na/1.png,red\n")
    with pytest.raises(DatasetError, match="has the columns"):
        read_groups(table, ["a/1.png"])
