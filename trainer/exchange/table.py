"""CSV: one line for each label, the last one of a picture counts; pictures and masks as files.

    labels.csv      path,label,split,part,mask,by,at,note
    images/…        the pictures, masks/… their masks

Only path and label must be there.
"""

import csv
from collections.abc import Callable
from pathlib import Path

from export.errors import DatasetError
from trainer.dataset import listing
from trainer.exchange.entry import Entry, Said, below, half_of, place
from trainer.exchange.folder import copy, keep_mask, refuse_full, write_rows

FILE = "labels.csv"
COLUMNS = ("path", "label", "split", "part", "mask", "by", "at", "note")


def write(entries: list[Entry], out: Path, advance: Callable[[], None]) -> None:
    """Write a folder that a spreadsheet can open."""
    refuse_full(out)
    rows: list[tuple[str, ...]] = []
    for one in entries:
        copy(one.source, out / "images" / one.path)
        fixed = (one.half or "", "" if one.part is None else one.part, keep_mask(one, out))
        rows += [(one.path, s.label, *fixed, s.by, s.at, s.note) for s in one.said]
        if not one.said or one.said[-1].label != one.label:
            rows.append((one.path, one.label, *fixed, "", "", ""))
        advance()
    write_rows(out / FILE, COLUMNS, rows)


def read(source: Path, pictures: Path | None) -> list[Entry]:
    """Read such a folder, or a CSV file whose paths are below `pictures` or its own folder."""
    path = source / FILE if source.is_dir() else source
    root = pictures or (
        path.parent / "images" if (path.parent / "images").is_dir() else path.parent
    )
    found: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        found.setdefault(row["path"], []).append(row)
    return [_entry(name, rows, root, path.parent) for name, rows in found.items()]


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or ())
            if not {"path", "label"} <= set(names):
                raise DatasetError(
                    f"{str(path)!r} has the columns {listing(names)}",
                    "its first line must name path and label, and may name "
                    f"{', '.join(COLUMNS[2:])}",
                )
            return [{name: row.get(name) or "" for name in COLUMNS} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "save it as CSV in UTF-8"
        ) from error


def _entry(name: str, rows: list[dict[str, str]], root: Path, beside: Path) -> Entry:
    last = rows[-1]
    half = half_of(last["split"])
    said = tuple(
        Said(row["label"], row["by"], row["at"], row["note"])
        for row in rows
        if len(rows) > 1 or row["by"] or row["at"] or row["note"]
    )
    return Entry(
        path=place(name, last["label"], half),
        label=last["label"],
        source=below(root, name),
        half=half,
        part=last["part"] or None,
        mask=below(beside, last["mask"]) if last["mask"] else None,
        said=said,
    )
