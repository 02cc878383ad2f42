"""From a folder to a result: what is chosen, what is refused, and that nothing is done twice."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.catalog import overrules, prints, products
from edge.catalog.choose import choose
from edge.catalog.crop import Format
from edge.catalog.ledger import Ledger
from edge.catalog.model import CatalogModel
from edge.catalog.overrules import Overrule
from edge.catalog.products import Sets
from edge.catalog.rules.house import FOLDER, HouseRules, load
from edge.catalog.selecting import Asked, Share, look, select
from edge.catalog.words import summary
from export.bundle import open_bundle
from export.catalog_bundle import open_catalog
from export.errors import BundleError, ConfigError, DatasetError, LinewardenError, StoreError
from export.picture_header import MAX_PIXELS
from export.progress import Progress
from tests.edge.catalog.conftest import product
from tests.export.small_catalog import catalog_bundle

LINEWARDEN = Path(sys.executable).with_name("linewarden")
QUIET = Progress(None)
OPEN = HouseRules(name="open")


def rows(path):
    """A table's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_category_gets_its_best_and_every_picture_a_reason(model, shop, tmp_path):
    """Chosen, left and unusable files add up to the folder; every one of them says why."""
    out = tmp_path / "result"
    done = select(Asked(shop, out, OPEN, per_set=2), model, QUIET)
    found, images = rows(out / "selection.csv"), rows(out / "images.csv")
    assert {(r["set"], r["place"]) for r in found} == {
        ("red", "1"), ("red", "2"), ("blue", "1"), ("blue", "2"),
    }  # fmt: skip
    assert len(images) == 7
    assert all(row["reason"] for row in images)
    assert [path for path, _ in done.unusable] == ["broken.jpg"]
    assert "broken.jpg" in (out / "unusable.csv").read_text()
    links = sorted(p.relative_to(out).as_posix() for p in (out / "chosen").rglob("*.png"))
    assert len(links) == 4
    assert all((out / link).is_symlink() for link in links)
    assert json.loads((out / "choice.json").read_text())["looked_at"] == 7


def test_a_second_run_looks_at_nothing_again_and_says_the_same(model, shop, tmp_path):
    """What was looked at is kept; a new picture joins, a removed one leaves."""
    asked = Asked(shop, tmp_path / "result", OPEN, per_set=2)
    first = select(asked, model, QUIET)
    before = (asked.out / "images.csv").read_bytes()
    assert select(asked, model, QUIET).looked == 0
    assert (asked.out / "images.csv").read_bytes() == before
    cv2.imwrite(str(shop / "red-9.png"), product((60, 60, 220), seed=99))
    (shop / "blue-0.png").unlink()
    again = select(asked, model, QUIET)
    assert again.looked == 1
    assert len(again.choices) == len(first.choices)


def test_of_near_duplicates_one_is_chosen_and_the_others_say_which(model, tmp_path):
    """A lighter copy shows the same: it never stands beside its original."""
    folder = tmp_path / "shop"
    folder.mkdir()
    pixels = product((60, 60, 210))
    cv2.imwrite(str(folder / "a.png"), pixels)
    cv2.imwrite(str(folder / "b.jpg"), np.clip(pixels * 0.95 + 5, 0, 255).astype(np.uint8))
    select(Asked(folder, tmp_path / "out", OPEN), model, QUIET)
    images = {row["path"]: row for row in rows(tmp_path / "out" / "images.csv")}
    chosen = [path for path, row in images.items() if row["place"]]
    assert len(chosen) == 1
    left = ({"a.png", "b.jpg"} - set(chosen)).pop()
    assert f"shows the same as {chosen[0]}" in images[left]["reason"]


def test_a_picture_of_nothing_known_is_none_of_ours(model, tmp_path):
    """Novelty beyond the bundle's threshold refuses a picture, and says so."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), product((2, 2, 4), seed=number, background=3))
    done = select(Asked(folder, tmp_path / "out", load("plain")), model, QUIET)
    assert all("none of ours" in one.reason for one in done.choices)
    assert not any(one.place for one in done.choices)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": {"min_width": 1000}}, "too small"),
        ({"image": {"aspect": [2.0, 3.0]}}, "width over height"),
        ({"image": {"max_bytes": 10}}, "the file has"),
        ({"image": {"max_megapixels": 0.01}}, "too large"),
        ({"background": {"kind": "white", "min_whiteness": 0.99}}, "not white"),
        ({"subject": {"min_share": 0.9}}, "the subject takes"),
        ({"choice": {"min_presentation": 0.999}}, "presentation"),
        ({"choice": {"min_confidence": 1.0}}, "the category is unsure"),
    ],
)
def test_a_house_rule_refuses_in_its_own_words(changes, words, model, shop, tmp_path):
    """Each rule names what was found and what is asked for."""
    rules = HouseRules.model_validate({"name": "strict", **changes})
    done = select(Asked(shop, tmp_path / "out", rules), model, QUIET)
    assert all(one.refused for one in done.choices)
    assert all(words in one.reason for one in done.choices)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.toml")))
def test_ready_rules_can_be_read(name):
    """Every rule file that comes along is valid and bears its own name."""
    assert load(name).name == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'x'\n[image]\nmin_widht = 3\n", "did you mean 'min_width'"),
        ("name = 'x'\n[background]\nkind = 'pink'\n", "kind"),
        ("name = ", "is not TOML"),
    ],
)
def test_wrong_rules_are_refused_by_their_key(text, words, tmp_path):
    """A typo in the rules names the key, and the right one."""
    path = tmp_path / "house.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load(str(path))


def test_products_come_from_names_tables_or_likeness(model, shop, tmp_path):
    """A set for each SKU; a picture without one is told so, and chosen for none."""
    asked = Asked(shop, tmp_path / "a", OPEN, 1, Sets(regex=r"^(red-\d)"))
    done = select(asked, model, QUIET)
    assert {one.set for one in done.choices if one.place} == {f"red-{n}" for n in range(4)}
    nameless = [one for one in done.choices if not one.set]
    assert {one.reason for one in nameless} == {"no product is named for it"}
    table = tmp_path / "skus.csv"
    table.write_text("path,sku\nred-0.png,A1\nred-1.png,A1\n")
    listed = select(Asked(shop, tmp_path / "b", OPEN, 3, Sets(table=table)), model, QUIET)
    assert [one.set for one in listed.choices if one.place] == ["A1", "A1"]
    alike = select(Asked(shop, tmp_path / "c", OPEN, 1, Sets(similar=True)), model, QUIET)
    assert {one.set.split()[0] for one in alike.choices} == {"red", "blue"}


def test_products_come_from_a_shops_list(tmp_path):
    """By the file's name in its address; pictures that it lacks, and that lack, are told."""
    file = tmp_path / "list.csv"
    file.write_text("Handle,Image Src\nmug,https://s/a%20b.jpg?v=1\ncup,https://s/c.jpg\n")
    paths = ["spring/a b.jpg", "spring/d.jpg"]
    assert products.read_table(file, paths) == {"spring/a b.jpg": "mug", "c.jpg": "cup"}
    gone, lacking = products.check(Sets(table=file), paths)
    assert gone.endswith("names no picture with: c.jpg")
    assert lacking.endswith("lacks: spring/d.jpg")


def test_a_person_beats_the_rules_and_the_model(model, shop, tmp_path):
    """Shown though refused, rejected though the best, moved to another category."""
    asked = Asked(shop, tmp_path / "out", OPEN, per_set=1)
    best = next(o for o in select(asked, model, QUIET).choices if o.place and o.set == "red")
    file = asked.out / overrules.FILE
    overrules.add(file, Overrule(best.look.path, "reject"))
    overrules.add(file, Overrule("blue-1.png", "show", "red"))
    done = {one.look.path: one for one in select(asked, model, QUIET).choices}
    assert done[best.look.path].reason == "rejected by a person"
    assert done["blue-1.png"].place == 1
    assert done["blue-1.png"].set == "red"
    assert "a person said so" in done["blue-1.png"].reason


def test_what_the_tables_get_wrong_is_said_before_anything_is_looked_at(model, shop, tmp_path):
    """A pattern or a table that fits no picture, overrules not readable: no ledger is made."""
    out, table = tmp_path / "out", tmp_path / "skus.csv"
    table.write_text("path,sku\nshop/red-0.png,A1\n")
    for sets, said in (
        (Sets(regex="^(X+)_"), "such as 'blue-0.png'"),
        (Sets(regex="(", table=None), "regex"),
        (Sets(table=table), "names none of 8 pictures"),
        (Sets(table=tmp_path / "gone.csv"), "No such file"),
    ):
        with pytest.raises(DatasetError, match=re.escape(said)):
            select(Asked(shop, out, OPEN, sets=sets), model, QUIET)
    out.mkdir()
    (out / overrules.FILE).write_text("path;verdict\nred-0.png;show\n")
    with pytest.raises(DatasetError, match="semicolons"):
        select(Asked(shop, out, OPEN), model, QUIET)
    assert [one.name for one in out.iterdir()] == [overrules.FILE]


def test_what_fits_only_partly_is_said_with_the_result(model, shop, tmp_path):
    """Rows without a picture, pictures without a row, a category that nobody knows."""
    out, table = tmp_path / "out", tmp_path / "skus.csv"
    table.write_text("path,sku\nred-0.png,A1\nred-99.png,A1\n")
    out.mkdir()
    overrules.add(out / overrules.FILE, Overrule("red-1.png", "show", "rde"))
    asked = Asked(shop, out, OPEN, sets=Sets(table=table))
    done = select(asked, model, QUIET)
    told = "\n".join(summary(asked, done))
    for said in ("names no picture with: red-99.png", "lacks: blue-0.png", "'rde' (1)"):
        assert said in told


def test_a_dead_link_and_a_name_that_is_no_text_are_listed(model, shop, tmp_path):
    """Neither ends the choice among the others, then or the second time."""
    (shop / "dead.jpg").symlink_to("nowhere.jpg")
    (shop / "broken.jpg").rename(shop / os.fsdecode(b"caf\xe9.jpg"))
    for looked in (9, 0):
        done = select(Asked(shop, tmp_path / "out", OPEN), model, QUIET)
        assert done.looked == looked
        assert len(done.choices) == 7
        problems = dict(done.unusable)
        assert set(problems) == {"dead.jpg", "caf\\xe9.jpg"}
        assert "not UTF-8" in problems["caf\\xe9.jpg"]
    assert "caf\\xe9.jpg" in (tmp_path / "out" / "unusable.csv").read_text()


def test_a_result_among_the_pictures_is_none_of_them(model, shop, tmp_path, monkeypatch):
    """However the two folders are written: its thumbnails and copies are no new pictures."""
    monkeypatch.chdir(tmp_path)
    asked = Asked(Path("shop"), shop / "out", OPEN, 1, copies=True)
    select(asked, model, QUIET)
    again = select(asked, model, QUIET)
    assert (again.looked, len(again.choices)) == (0, 7)


def test_folders_whose_names_are_no_text_are_no_hindrance(model, shop, tmp_path):
    """Neither that of the pictures nor that of the result; the next command finds both."""
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    shop.rename(odd / "shop")
    select(Asked(odd / "shop", odd / "out", OPEN, 1), model, QUIET)
    said = list(prints.make(odd / "out", tmp_path / "prints", [Format(64, 64)], 0.06))
    assert not any("left out" in line for line in said)


def test_a_cut_out_product_stands_on_white(model, shop, tmp_path):
    """PNG with transparency is what shops have: looked at, shown and printed as on white."""
    opaque = cv2.imread(str(shop / "red-0.png"))
    clear = np.where((opaque == 235).all(2), 0, 255).astype(np.uint8)
    (shop / "red-0.png").unlink()
    cv2.imwrite(str(shop / "cut.png"), np.dstack([opaque, clear]))
    asked = Asked(shop, tmp_path / "out", OPEN, 4)
    done = {one.look.path: one for one in select(asked, model, QUIET).choices}
    assert done["cut.png"].look.whiteness > 0.99 > done["red-1.png"].look.whiteness
    list(prints.make(asked.out, tmp_path / "prints", [Format(64, 64)], 0.06))
    name = next(row for row in prints.chosen(asked.out) if row["path"] == "cut.png")
    printed = cv2.imread(str(tmp_path / "prints" / prints.print_name(name)))
    assert printed[0].mean() > 245


def test_an_aspect_that_nothing_can_have_is_refused(tmp_path):
    """The lower end comes first, and neither is nothing."""
    for aspect in ("[2.0, 1.0]", "[-1, 2]"):
        (tmp_path / "h.toml").write_text(f'name = "x"\n[image]\naspect = {aspect}\n')
        with pytest.raises(ConfigError, match="aspect"):
            load(str(tmp_path / "h.toml"))


def test_the_marketplace_allows_no_more_than_can_be_read():
    """A picture that the rules let pass is one that can be opened."""
    assert load("marketplace").image.max_megapixels * 1e6 <= MAX_PIXELS


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.png", ""])
def test_an_overrule_outside_the_folder_is_refused(path):
    """Nobody can make training copy a file from elsewhere."""
    with pytest.raises(ValueError, match="does not lie below"):
        Overrule(path, "show")


def test_words_from_two_places_at_once_are_all_kept(tmp_path):
    """Two sheets of a result, or one and a script; a folder that takes none is told."""
    file = tmp_path / overrules.FILE

    def say(name):
        for number in range(10):
            overrules.add(file, Overrule(f"{name}-{number}.png", "show"))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(say, "ab"))
    assert len(overrules.read(file)) == 20
    (tmp_path / f".{overrules.FILE}.part").mkdir()
    with pytest.raises(LinewardenError, match="can't be written"):
        overrules.add(file, Overrule("c.png", "show"))
    with pytest.raises(ValueError, match="folder's name"):
        Overrule("c.png", "show", "red\0")


def test_the_choice_is_the_same_in_any_order(model, shop, tmp_path):
    """Looks that come in another order give the same choice, word for word."""
    done = select(Asked(shop, tmp_path / "out", OPEN), model, QUIET)
    looks = [one.look for one in done.choices]
    forwards, backwards = choose(looks, OPEN, 2), choose(looks[::-1], OPEN, 2)
    assert forwards == backwards


@pytest.mark.journey
def test_killed_and_started_again_it_comes_to_the_same(bundle, key, tmp_path):
    """Kill -9 in the middle: the second start goes on, and its result is that of a run in peace."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for number in range(48):
        colour = [(60, 60, 210), (210, 60, 60), (60, 200, 60)][number % 3]
        cv2.imwrite(str(folder / f"{number:03d}.png"), product(colour, seed=number, side=360))

    def command(out):
        return [LINEWARDEN, "catalog", "select", bundle, folder, "--out", out, "--key", key[1]]

    out, peace = tmp_path / "killed", tmp_path / "peace"
    process = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    known, end = 0, time.monotonic() + 60
    while known < 8 and time.monotonic() < end:
        time.sleep(0.01)
        if (out / "looks.db").exists() and process.poll() is None:
            known = _count(out / "looks.db")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = _count(out / "looks.db")
    assert 8 <= kept < 48
    done = subprocess.run(command(out), capture_output=True, text=True, check=True)
    assert f"looking: {48 - kept} in" in done.stderr
    subprocess.run(command(peace), capture_output=True, check=True)
    for name in ("images.csv", "selection.csv"):
        assert (out / name).read_bytes() == (peace / name).read_bytes()


def _count(path):
    import sqlite3

    try:
        base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        count = base.execute("SELECT count(*) FROM looks").fetchone()[0]
        base.close()
    except sqlite3.Error:
        return 0
    return count


def test_two_workers_come_to_what_one_does(bundle, key, shop, tmp_path):
    """Each looks at its share in a process of its own; the choice is that of one, byte for byte."""
    words = [bundle, shop, "--key", key[1], "--out"]
    workers = [
        subprocess.Popen(
            [LINEWARDEN, "catalog", "look", *words, tmp_path / "two", "--share", f"{n}/2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for n in (1, 2)
    ]  # fmt: skip
    assert [worker.wait(60) for worker in workers] == [0, 0]
    asked = Asked(shop, tmp_path / "two", OPEN)
    model = CatalogModel(bundle, [key[0].public])
    assert select(asked, model, QUIET).looked == 0
    select(Asked(shop, tmp_path / "one", OPEN), model, QUIET)
    for name in ("images.csv", "selection.csv", "unusable.csv"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_a_picture_changed_after_the_shares_is_looked_at_once(model, shop, tmp_path):
    """A share's older look doesn't come back with every selection."""
    asked = Asked(shop, tmp_path / "out", OPEN, 1)
    ledger, _ = look(replace(asked, share=Share(1, 1)), model, QUIET)
    ledger.close()
    assert select(asked, model, QUIET).looked == 0
    cv2.imwrite(str(shop / "red-0.png"), product(seed=99))
    assert [select(asked, model, QUIET).looked for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "a/b"])
def test_a_share_that_is_none_is_refused(text):
    """The error names it."""
    with pytest.raises(ConfigError, match="is no share"):
        Share.parse(text)


def test_looks_by_another_bundle_are_forgotten(tmp_path):
    """Another model, other answers: what the old one said isn't mixed in."""
    Ledger(tmp_path / "looks.db", "one").close()
    ledger = Ledger(tmp_path / "looks.db", "two")
    assert ledger.known() == {}
    ledger.close()


def test_a_ledger_that_is_none_is_refused(tmp_path):
    """A broken file is named, and nothing is overwritten."""
    path = tmp_path / "looks.db"
    path.write_bytes(b"not a database at all, but long enough to look like one" * 20)
    with pytest.raises(StoreError, match=r"looks\.db"):
        Ledger(path, "one")


def test_an_empty_folder_and_no_folder_are_refused(model, tmp_path):
    """The error names the folder; no result appears."""
    with pytest.raises(DatasetError, match="is not a folder"):
        select(Asked(tmp_path / "none", tmp_path / "out", OPEN), model, QUIET)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no picture"):
        select(Asked(tmp_path / "empty", tmp_path / "out", OPEN), model, QUIET)
    assert not (tmp_path / "out").exists()


def test_bundles_of_the_two_kinds_are_not_taken_for_each_other(bundle, key):
    """A catalog bundle judges no part, and says what it is for."""
    with pytest.raises(BundleError, match="chooses product pictures"):
        open_bundle(bundle, [key[0].public])
    assert open_catalog(bundle, [key[0].public]).manifest.kind == "catalog"


def test_a_bundle_that_answers_otherwise_here_is_refused(key, tmp_path):
    """A golden sample with another known answer stops the bundle before any picture."""
    catalog_bundle(tmp_path / "wrong", key[0], golden_presentation=0.2)
    with pytest.raises(BundleError, match="answered otherwise here"):
        CatalogModel(tmp_path / "wrong", [key[0].public])


def test_a_changed_byte_is_refused(key, tmp_path):
    """As with every bundle: one byte, and nothing runs."""
    catalog_bundle(tmp_path / "b", key[0])
    path = tmp_path / "b" / "model.onnx"
    body = bytearray(path.read_bytes())
    body[-3] ^= 1
    path.write_bytes(bytes(body))
    with pytest.raises(BundleError, match="not the file that was signed"):
        open_catalog(tmp_path / "b", [key[0].public])
