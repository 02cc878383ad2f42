"""Prints: the chosen pictures of a result, in the formats that a shop takes, under its names."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.catalog.crop import Format, crop, window
from edge.catalog.ledger import Ledger
from edge.catalog.look import Look
from edge.catalog.result import CHOICE, LOOKS, SELECTION
from export import picture
from export.errors import DatasetError, PictureError
from export.file_name import file_name

UNFIT = r"[^\w.-]"  # in an address


def chosen(result: Path) -> list[dict[str, str]]:
    """The rows of a result's selection.csv; raises DatasetError if there is none."""
    try:
        with (result / SELECTION).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise DatasetError(
            f"{str(result)!r} holds no result: {error.strerror}",
            "run `linewarden catalog select` first",
        ) from error


def print_name(row: dict[str, str]) -> str:
    """What a chosen picture's print is called: its set, its place."""
    return f"{file_name(row['set'], UNFIT)}-{row['place']}.jpg"


def chosen_names(result: Path) -> dict[str, list[str]]:
    """Set → names of its prints, best first."""
    found: dict[str, list[str]] = {}
    for row in chosen(result):
        found.setdefault(row["set"], []).append(print_name(row))
    return found


def make(result: Path, out: Path, formats: Sequence[Format], margin: float) -> Iterator[str]:
    """Write every chosen picture in every format; tells a line for each.

    One format goes into `out` itself, several into a folder each.

    Raises:
        DatasetError: there is no result.
        PictureError: a print can't be written.
    """
    rows = chosen(result)
    told = json.loads((result / CHOICE).read_bytes())
    ledger = Ledger(result / LOOKS, told["digest"])
    looks = {look.path: look for look in ledger.looks()}
    ledger.close()
    for row in rows:
        try:
            pixels = picture.read(Path(told["pictures"]) / row["path"])
        except PictureError as error:
            yield f"left out: {error.problem}"
            continue
        for to in formats:
            folder = out / str(to) if len(formats) > 1 else out
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / print_name(row)
            picture.write(target, crop(pixels, looks[row["path"]], to, margin))
            yield f"{target}: {_scale(looks[row['path']], to, margin)}"


def _scale(look: Look, to: Format, margin: float) -> str:
    enlarged = to.width / window(look, to, margin).width
    return f"enlarged {enlarged:.1f} times: the original is small" if enlarged > 1.05 else "as fine"
