"""Laws of the folder of prints: it holds the selection's, and whatever else a person put there."""

import json

import pytest

from edge.catalog import overrules, prints
from edge.catalog.crop import Format
from edge.catalog.ledger import Ledger
from edge.catalog.overrules import Overrule
from edge.catalog.rules.house import HouseRules
from edge.catalog.selecting import Asked, select
from export.errors import StoreError
from export.progress import Progress

SQUARE, TALL = Format(64, 64), Format(64, 96)


@pytest.mark.parametrize("formats", [[SQUARE], [SQUARE, TALL]])
def test_prints_of_an_earlier_selection_go_and_a_persons_files_stay(model, shop, tmp_path, formats):
    """Blue has nothing to show any more: its print would be uploaded in vain."""
    asked, out = Asked(shop, tmp_path / "out", HouseRules(name="open"), 1), tmp_path / "prints"
    select(asked, model, Progress(None))
    list(prints.make(asked.out, out, formats, 0.06))
    (out / "mine.jpg").write_bytes(b"mine")
    for number in range(3):
        overrules.add(asked.out / overrules.FILE, Overrule(f"blue-{number}.png", "reject"))
    select(asked, model, Progress(None))
    said = list(prints.make(asked.out, out, formats, 0.06))
    assert sum("earlier selection" in line for line in said) == len(formats)
    assert {file.name for file in out.rglob("*.jpg")} == {"red-1.jpg", "mine.jpg"}


def test_a_file_that_is_called_like_a_formula_is_none_in_a_table_and_still_found(
    model, shop, tmp_path
):
    """Guarded where a spreadsheet reads it, whole where the next command does."""
    (shop / "red-0.png").rename(shop / "=cmd|1!A1.png")
    asked = Asked(shop, tmp_path / "out", HouseRules(name="open"), 4)
    select(asked, model, Progress(None))
    assert ",'=cmd|1!A1.png," in (asked.out / "selection.csv").read_text()
    assert "\n=cmd" not in (asked.out / "images.csv").read_text()
    said = list(prints.make(asked.out, tmp_path / "prints", [SQUARE], 0.06))
    assert len(said) == 7
    assert not any("left out" in line for line in said)


def test_prints_of_looks_by_another_bundle_are_refused_and_the_looks_stay(model, shop, tmp_path):
    """A selection by a new bundle that was killed before it chose goes on where it was."""
    asked = Asked(shop, tmp_path / "out", HouseRules(name="open"), 1)
    select(asked, model, Progress(None))
    choice = asked.out / "choice.json"
    choice.write_text(json.dumps(json.loads(choice.read_bytes()) | {"digest": "0" * 64}))
    with pytest.raises(StoreError, match=r"(.|\n)*select` again"):
        list(prints.make(asked.out, tmp_path / "prints", [SQUARE], 0.06))
    ledger = Ledger(asked.out / "looks.db", model.bundle.digest)
    assert len(list(ledger.looks())) == 7
    ledger.close()
