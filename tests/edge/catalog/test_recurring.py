"""Marks that recur: found where they lie, on nothing else, whatever the order."""

import csv

import cv2
import numpy as np
import pytest

from edge.catalog.ledger import Entry, Ledger
from edge.catalog.look import measured
from edge.catalog.recurring import LEAST, recurring
from edge.catalog.relief import packed, relief, unpacked
from edge.catalog.rules.house import HouseRules
from edge.catalog.selecting import Asked, select
from export.progress import Progress
from tests.edge.catalog.test_measures import look_of

SIDE = 200


def photo(seed):
    """A cluttered picture with edges of every kind."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (14, 14, 3)).astype(np.uint8)
    pixels = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y, wide, high = (int(v) for v in random.integers(5, SIDE - 40, 4))
        colour = tuple(int(v) for v in random.integers(0, 256, 3))
        cv2.rectangle(pixels, (x, y), (x + wide // 4, y + high // 4), colour, -1)
    return pixels


def signed(pixels, opacity=0.5):
    """The same with a photographer's name across."""
    over = pixels.copy()
    cv2.putText(over, "FOTO LUND", (22, 108), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (250,) * 3, 3)
    return cv2.addWeighted(over, opacity, pixels, 1 - opacity, 0)


@pytest.fixture(scope="module")
def plain(model):
    """Path → look and relief of thirty photos."""
    return {f"{n:02d}.png": taken(photo(n), f"{n:02d}.png", model) for n in range(30)}


def taken(pixels, path, model):
    """A picture's look and relief."""
    return look_of(pixels, model, path), relief(pixels)


def told(there, order=None):
    """What is found in a folder whose looks come in some order."""
    looks = [there[path][0] for path in order or sorted(there)]
    return recurring(looks, lambda paths: ((path, there[path][1]) for path in paths))


@pytest.mark.parametrize("count", [30, 12])
def test_a_mark_is_found_on_those_that_bear_it_alone(count, plain, model):
    """On all or on some: nine in ten of its bearers, nobody else, and all say how many they are."""
    bearers = [f"{n:02d}.png" for n in range(count)]
    there = plain | {p: taken(signed(photo(int(p[:2]))), p, model) for p in bearers}
    found = told(there)
    assert set(found) <= set(bearers)
    assert len(found) >= 0.9 * count
    assert set(found.values()) == {len(found)}


def test_where_nothing_recurs_nothing_is_found(plain):
    """Thirty different photos bear no mark."""
    assert told(plain) == {}


def test_one_picture_with_a_mark_is_not_enough(plain, model):
    """A mark that is on fewer than the least stays unseen: it could be the product's print."""
    for count in (1, LEAST - 1):
        paths = [f"{n:02d}.png" for n in range(count)]
        there = plain | {p: taken(signed(photo(int(p[:2]))), p, model) for p in paths}
        assert told(there) == {}


def test_copies_of_one_picture_make_no_mark(plain, model):
    """What looks alike counts once: the print of one package that was saved ten times isn't one."""
    copies = {}
    for number in range(10):
        lighter = np.clip(photo(0) * (1 - 0.01 * number), 0, 255).astype(np.uint8)
        copies[f"copy-{number}.png"] = taken(lighter, f"copy-{number}.png", model)
    assert told(copies) == {}
    assert told(plain | copies) == {}


def test_the_order_of_coming_says_nothing(plain, model):
    """Looks in any order give the same answer."""
    paths = [f"{n:02d}.png" for n in range(20)]
    there = plain | {p: taken(signed(photo(int(p[:2]))), p, model) for p in paths}
    order = [str(p) for p in np.random.default_rng(0).permutation(sorted(there))]
    assert told(there, order) == told(there)


def test_a_relief_survives_packing_and_the_ledger(model, tmp_path):
    """What comes back is what went in; of a forgotten file nothing is left."""
    one = relief(photo(1))
    assert (unpacked(packed(one)) == one).all()
    assert set(np.unique(one)) <= {-1, 0, 1}
    ledger = Ledger(tmp_path / "looks.db", "x")
    _, data = cv2.imencode(".png", photo(1))
    seen, _ = measured(data.tobytes(), "a.png", model.bundle)
    ledger.write([Entry("a.png", 1, 1, look=look_of(photo(1), model, "a.png"), relief=seen.relief)])
    assert [(path, (found == one).all()) for path, found in ledger.reliefs(["a.png", "b.png"])] == [
        ("a.png", True)
    ]
    ledger.forget(["a.png"])
    assert list(ledger.reliefs(["a.png"])) == []
    ledger.close()


def test_a_choice_says_that_a_mark_recurs(model, tmp_path):
    """In the result: the finding, and in words how many pictures bear it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:02d}.png"), signed(photo(number), 0.7))
    select(Asked(folder, tmp_path / "out", HouseRules(name="open")), model, Progress(None))
    with (tmp_path / "out" / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    marked = [row for row in rows if "marked" in row["findings"]]
    assert len(marked) >= 10
    assert {row["recurs"] for row in marked} == {str(len(marked))}
    assert any("at the same place in" in row["reason"] for row in marked)
