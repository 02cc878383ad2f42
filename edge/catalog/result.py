"""The folder of a result: tables, the chosen pictures, and the words of a choice.

RESULT/selection.csv   the chosen pictures: set, place, path, category, presentation, reason
RESULT/images.csv      every picture: what is known of it, what became of it, and why
RESULT/unusable.csv    files that could not be used, and why
RESULT/chosen/SET/     links to the chosen pictures, or copies of them, best first
RESULT/sheet.html      the contact sheet (edge/catalog/sheet.py), with thumbs/
RESULT/overrules.csv   what people said about it (edge/catalog/overrules.py)
RESULT/choice.json     how it was chosen
RESULT/looks.db        the ledger (edge/catalog/ledger.py)
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.catalog.choose import Choice
from export import durable, table
from export.errors import LinewardenError
from export.file_name import file_name

SELECTION, IMAGES, UNUSABLE, CHOICE = "selection.csv", "images.csv", "unusable.csv", "choice.json"
MOST_NAME = 240  # bytes; Linux bears 255
CHOSEN, LOOKS, SHEET = "chosen", "looks.db", "sheet.html"
MEASURED = (
    "confidence", "second", "second_confidence", "presentation", "novelty", "ours", "width",
    "height", "bytes", "sharpness", "bright", "burnt", "noise", "blocking", "clear", "share",
    "uniform", "whiteness", "marks", "lost", "recurs", "sha256",
)  # fmt: skip


def write(
    result: Path,
    choices: Sequence[Choice],
    unusable: Sequence[tuple[str, str]],
    told: dict[str, Any],
) -> None:
    """Write the tables, each whole or not at all; raises LinewardenError if they can't be."""
    chosen = [one for one in choices if one.place]
    head = ("set", "place", "path", "category", "presentation", "reason")
    rows = [
        [o.set, o.place, o.look.path, o.category, o.look.presentation, o.reason] for o in chosen
    ]
    try:
        result.mkdir(parents=True, exist_ok=True)
        durable.replace(result / SELECTION, table.written(head, rows))
        durable.replace(result / IMAGES, table.written(*_images(choices)))
        durable.replace(result / UNUSABLE, table.written(("path", "problem"), unusable))
        durable.replace(result / CHOICE, json.dumps(told, indent=1).encode())
    except OSError as error:
        raise LinewardenError(
            f"the result {result} can't be written: {error.strerror}", "check the folder and space"
        ) from error


def _images(choices: Sequence[Choice]) -> tuple[tuple[str, ...], list[list[object]]]:
    head = ("path", "set", "category", "place", "fitness", "same_as", "findings", "reason")
    rows: list[list[object]] = []
    for one in sorted(choices, key=lambda c: c.look.path):
        kinds = " ".join(found.kind for found in one.findings)
        twin = one.twin if one.twin != one.look.path else ""
        rows.append(
            [
                one.look.path, one.set, one.category, one.place or "", one.fitness, twin, kinds,
                one.reason, *(getattr(one.look, name) for name in MEASURED),
            ]
        )  # fmt: skip
    return (*head, *MEASURED), rows


def lay_out(result: Path, pictures: Path, choices: Sequence[Choice], *, copies: bool) -> int:
    """Put the chosen pictures into RESULT/chosen, replacing what lay there; returns how many.

    Raises:
        LinewardenError: a picture or the folder can't be used.
    """
    folder, fresh = result / CHOSEN, result / f".{CHOSEN}.part"
    shutil.rmtree(fresh, ignore_errors=True)
    chosen = [one for one in choices if one.place]
    try:
        fresh.mkdir(parents=True)
        for one in chosen:
            source = (pictures / one.look.path).absolute()
            target = fresh / file_name(one.set) / f"{one.place}-{_ending(source.name)}"
            target.parent.mkdir(exist_ok=True)
            if copies:
                shutil.copy2(source, target)
            else:
                target.symlink_to(source)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    except OSError as error:
        raise LinewardenError(
            f"the chosen pictures can't be put into {folder}: {error}", "check the folder and space"
        ) from error
    return len(chosen)


def _ending(name: str) -> str:
    """The end of a file's name: with a place before it, the whole may be longer than a name is."""
    return os.fsdecode(os.fsencode(name)[-MOST_NAME:])
