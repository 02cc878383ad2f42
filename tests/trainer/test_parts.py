"""trainer/parts.py: pictures of one part are found by table, name, number or likeness."""

import cv2
import numpy as np
import pytest

from export.errors import DatasetError
from trainer import album
from trainer.dataset import Picture
from trainer.parts import PartRule, conflicts, exact_twins, name_parts, near_twins, unite


def pictures(*paths):
    """Good pictures under these paths."""
    return [Picture(path, "good") for path in paths]


def test_without_a_rule_each_picture_is_a_part():
    """Nothing said, nothing united."""
    assert name_parts(pictures("good/1.png", "good/2.png"), PartRule()) == [
        "good/1.png",
        "good/2.png",
    ]


def test_regex_names_the_part():
    """The first group is the part, across classes."""
    found = name_parts(pictures("a/t7_x.png", "b/t7_y.png", "b/t8.png"), PartRule(regex=r"t(\d+)"))
    assert found == ["part 7", "part 7", "part 8"]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (PartRule(regex="("), "missing"),
        (PartRule(regex="t"), "no group"),
        (PartRule(regex=r"x(\d+)"), "no part in 1 path: 'good/t1.png'"),
    ],
)
def test_a_wrong_regex_is_explained(rule, problem):
    """A pattern that can't work names its fault, never falls back."""
    with pytest.raises(DatasetError, match=problem):
        name_parts(pictures("good/t1.png"), rule)


def test_runs_chain_neighbouring_numbers():
    """100, 110, 120 chain at a gap of 10; 131 begins another part."""
    paths = [f"good/exp1_num_{n}.jpg" for n in (120, 100, 131, 110)]
    assert name_parts(pictures(*paths), PartRule(runs=10)) == [
        "run 100",
        "run 100",
        "run 131",
        "run 100",
    ]


def test_runs_need_numbers():
    """A name without a number is refused by name."""
    with pytest.raises(DatasetError, match=r"good/x\.png"):
        name_parts(pictures("good/x.png", "good/1.png"), PartRule(runs=3))


def test_table(tmp_path):
    """parts.csv names every picture's part; a gap or a stranger in it is refused."""
    table = tmp_path / "parts.csv"
    found = pictures("good/1.png", "good/2.png")
    table.write_text("path,part\ngood/1.png,A\ngood/2.png,A\n")
    assert name_parts(found, PartRule(table)) == ["part A", "part A"]
    table.write_text("path,part\ngood/1.png,A\n")
    with pytest.raises(DatasetError, match=r"lacks 1 picture: 'good/2\.png'"):
        name_parts(found, PartRule(table))
    table.write_text("path,part\ngood/1.png,A\ngood/2.png,A\ngood/3.png,A\n")
    with pytest.raises(DatasetError, match="1 picture that can't be found"):
        name_parts(found, PartRule(table))
    table.write_text("file,part\n")
    with pytest.raises(DatasetError, match="columns"):
        name_parts(found, PartRule(table))


def test_likeness_unites_transitively():
    """A twin of a twin is of the same part, and the least name stays."""
    assert unite(["c", "b", "a", "d"], [(0, 1), (1, 2)]) == ["a", "a", "a", "d"]
    assert exact_twins(["x", "y", "x", "x"]) == [(0, 2), (0, 3)]


def test_conflicts_are_twins_in_two_classes():
    """The same bytes under two classes are a conflict, under one a duplicate."""
    found = [Picture("good/1", "good"), Picture("dent/1", "dent"), Picture("good/2", "good")]
    assert conflicts(found, [(0, 1)]) == ["dent/1", "good/1"]
    assert conflicts(found, [(0, 2)]) == []


def test_saved_again_is_a_near_twin_and_another_scene_is_not():
    """JPEG, half size: the same picture; another scene: not."""
    rng = np.random.default_rng(0)
    scenes = [
        cv2.resize(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8), (500, 400)) for _ in range(3)
    ]
    again = cv2.imdecode(cv2.imencode(".jpg", scenes[0], [1, 60])[1], cv2.IMREAD_COLOR)
    half = cv2.resize(scenes[1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    hashes = np.stack([album.perceptual(p) for p in (*scenes, again, half)])
    assert near_twins(hashes) == [(0, 3), (1, 4)]


def test_near_twins_are_all_pairs_within_the_distance():
    """The blockwise search finds what a plain loop finds."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2, (600, 16), dtype=np.uint8)
    expected = [
        (i, j)
        for i in range(600)
        for j in np.flatnonzero((hashes[i] != hashes).sum(1) <= 2).tolist()
        if i < j
    ]
    assert sorted(near_twins(hashes, 2)) == expected
