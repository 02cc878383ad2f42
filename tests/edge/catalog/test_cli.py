"""The commands as a person calls them."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge.catalog.feeds import products, read

LINEWARDEN = Path(sys.executable).with_name("linewarden")


def call(*words):
    """A finished `linewarden catalog …`."""
    command = [str(word) for word in (LINEWARDEN, "catalog", *words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def result(bundle, key, shop, tmp_path):
    """A result chosen by product."""
    done = call(
        "select", bundle, shop, "--out", tmp_path / "result", "--key", key[1],
        "--sku-regex", r"^(\w+)-", "--per-category", 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 of 7 pictures chosen for 2 products" in done.stdout
    assert "1 could not be used" in done.stdout
    return tmp_path / "result"


@pytest.mark.journey
def test_from_photos_to_a_shops_list(result, tmp_path):
    """Chosen, cropped to two formats, put into a list; every print has its size and its product."""
    done = call("crop", result, "--size", "300x300", "--size", "200x320", "--out", tmp_path / "p")
    assert done.returncode == 0, done.stderr
    prints = sorted((tmp_path / "p" / "200x320").glob("*.jpg"))
    assert [p.name for p in prints] == ["blue-1.jpg", "blue-2.jpg", "red-1.jpg", "red-2.jpg"]
    assert all(cv2.imread(str(p)).shape == (320, 200, 3) for p in prints)
    old, new = tmp_path / "list.csv", tmp_path / "new.csv"
    old.write_text("Handle,Title,Image Src\nred,Red,https://x/o.jpg\nhat,Hat,https://x/h.jpg\n")
    done = call("feed", result, old, "--base-url", "https://n/img", "--out", new)
    assert "1 products with new pictures" in done.stdout
    assert "1 products of the result are in no row: blue" in done.stdout
    same = call("feed", result, new, "--base-url", "https://n/img", "--out", new)
    assert (same.returncode, "is the list itself" in same.stderr) == (2, True)
    found = products(read(new))
    assert found == {"red-1.jpg": "red", "red-2.jpg": "red", "h.jpg": "hat"}


def test_what_people_said_becomes_training_data_by_command(result, tmp_path):
    """`learn` copies by the saved table, and says where to."""
    (tmp_path / "data").mkdir()
    (tmp_path / "said.csv").write_text("path,verdict,category\nred-0.png,reject,\n")
    done = call("learn", result, tmp_path / "data", "--overrules", tmp_path / "said.csv")
    assert "1 pictures to learn from" in done.stdout
    assert (tmp_path / "data" / "red" / "reject" / "red-0.png").is_file()
    done = call("learn", result, tmp_path / "data", "--overrules", tmp_path / "gone.csv")
    assert (done.returncode, "there is no file" in done.stderr) == (2, True)


def test_json_is_json_alone(bundle, key, shop, tmp_path):
    """For programs: nothing but the chosen pictures."""
    done = call("select", bundle, shop, "--out", tmp_path / "r", "--key", key[1], "--json")
    told = json.loads(done.stdout)
    assert {one["set"] for one in told["chosen"]} == {"red", "blue"}
    assert done.stderr == ""
    with (tmp_path / "r" / "selection.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(told["chosen"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["select", "nowhere", "photos", "--out", "r"], "signing.pub"),
        (["learn", "nowhere", "data"], "holds no result"),
        (["sheet", "nowhere"], "sheet.html"),
        (["crop", "nowhere", "--size", "wide", "--out", "x"], "is no size"),
        (["rules", "pink"], "no house rules 'pink'"),
    ],
)
def test_a_wrong_word_ends_with_exit_code_two_and_one_sentence(words, said, tmp_path):
    """No trace: what is wrong, and what to do."""
    command = [str(LINEWARDEN), "catalog", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
