"""The quarantine: pictures moved aside, never deleted, with a journal that can be undone.

    DATA.quarantine/001/journal.jsonl   one line for each file, written before it is moved
    DATA.quarantine/001/good/7.jpg      the file, under its path in the data set

A file stands either in the data set or in the quarantine, whenever the power goes. It knows nothing
of why something is moved.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export import stamp
from export.errors import DatasetError

JOURNAL, UNDONE, PARTS = "journal.jsonl", "undone.jsonl", "parts.csv"


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved, and where it lies now."""

    folder: Path
    files: int


def beside(root: Path) -> Path:
    """The quarantine of a data set: a folder beside it."""
    root = root.resolve()
    return root.with_name(f"{root.name}.quarantine")


def move(root: Path, why: Mapping[str, str], masks: Mapping[str, Path]) -> Moved:
    """Move pictures aside, with their masks and their lines of parts.csv.

    Args:
        root: the data set.
        why: path below the root to the reason.
        masks: masks by their picture's path.

    Raises:
        DatasetError: a file can't be moved; what was moved before stays in the journal.
    """
    place = beside(root)
    with _told(place):
        place.mkdir(exist_ok=True)
        _check_one_disk(root, place)
        numbers = [int(path.name) for path in place.iterdir() if path.name.isdecimal()]
        folder = place / f"{1 + max(numbers, default=0):03d}"
        folder.mkdir()
    wanted = dict(why)
    for path, reason in why.items():
        if path in masks:
            mask = masks[path].relative_to(root).as_posix()
            wanted[mask] = f"the mask of {path}: {reason}"
    for path, reason in wanted.items():
        _move_one(root, folder, path, reason)
    if (root / PARTS).exists():
        _thin_out(root, folder, set(why))
    return Moved(folder, len(wanted))


def _check_one_disk(root: Path, place: Path) -> None:
    if root.stat().st_dev != place.stat().st_dev:
        with contextlib.suppress(OSError):  # it holds earlier rounds
            place.rmdir()
        raise DatasetError(
            f"{str(place)!r} lies on another disk than the pictures: nothing was moved",
            "keep the data set in a folder on its disk, not at the disk's own top",
        )


def undo(root: Path) -> Moved:
    """Move the latest round back; raises DatasetError if there is none or a place is taken."""
    place = beside(root)
    with _told(place):
        rounds = sorted(_rounds(place)) if place.exists() else []
    if not rounds:
        raise DatasetError(
            f"{str(place)!r} holds nothing to undo", "only `data check --apply` moves files"
        )
    folder = rounds[-1][1]
    lines = _lines(folder / JOURNAL)
    for line in lines:
        _check_free(root, folder, line)
    with _told(folder):
        for line in reversed(lines):
            _move_back(root, folder, line)
        (folder / JOURNAL).rename(folder / UNDONE)
        _prune(folder)
    return Moved(folder, len(lines))


def _rounds(place: Path) -> list[tuple[int, Path]]:
    """Rounds that aren't undone, by number; undone ones, and such as moved nothing, keep theirs."""
    return [
        (int(path.name), path)
        for path in place.iterdir()
        if path.name.isdecimal() and (path / JOURNAL).exists()
    ]


def _move_one(root: Path, folder: Path, path: str, reason: str) -> None:
    source, target = root / path, folder / path
    with _told(source):
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        _note(folder, {"path": path, "why": reason, "sha256": digest, "at": stamp.now()})
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)


def _thin_out(root: Path, folder: Path, gone: set[str]) -> None:
    """Take the lines of moved pictures out of parts.csv, and keep the whole file aside."""
    source = root / PARTS
    with _told(source):
        before = source.read_bytes()
        rows = _table(before)
        column = rows[0].index("path") if rows and "path" in rows[0] else None
        if column is None:
            return
        kept = [rows[0], *(row for row in rows[1:] if row and gone.isdisjoint(row[column:][:1]))]
        text = io.StringIO(newline="")
        csv.writer(text).writerows(kept)
        after = text.getvalue().encode()
        (folder / PARTS).write_bytes(before)
        digests = {"sha256": _sha(before), "left": _sha(after)}
        _note(
            folder, {"path": PARTS, "why": "lines of moved pictures", "at": stamp.now(), **digests}
        )
        fresh = source.with_name(f".{PARTS}.part")
        fresh.write_bytes(after)
        fresh.replace(source)


def _table(data: bytes) -> list[list[str]]:
    """The rows of a CSV; none where it can't be read, which is for somebody else to say."""
    try:
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return []


def _check_free(root: Path, folder: Path, line: dict[str, Any]) -> None:
    there = root / line["path"]
    if not (folder / line["path"]).exists() or not there.exists():
        return
    if "left" in line and _sha(there.read_bytes()) in {line["left"], line["sha256"]}:
        return
    raise DatasetError(
        f"{str(there)!r} is there again, or has changed, since it was moved aside",
        f"decide between it and {str(folder / line['path'])!r}, and remove one of them",
    )


def _move_back(root: Path, folder: Path, line: dict[str, Any]) -> None:
    source, target = folder / line["path"], root / line["path"]
    if source.exists():  # else the power went between journal and move: it never left
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _prune(folder: Path) -> None:
    """Remove emptied folders, deepest first."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            with contextlib.suppress(OSError):  # something else is in it
                path.rmdir()


def _note(folder: Path, line: dict[str, Any]) -> None:
    with (folder / JOURNAL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _lines(path: Path) -> list[dict[str, Any]]:
    with _told(path):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        # A last line that breaks off was being written when the power went: nothing was moved yet.
        return [json.loads(line) for line in text.split("\n")[:-1]]
    except ValueError as error:
        raise DatasetError(
            f"{str(path)!r} has a line that can't be read: {error}", "mend or remove that line"
        ) from error


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _told(path: Path):  # noqa: ANN202 - a context
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"{error.filename or str(path)!r} can't be moved or written: {error.strerror}",
            "check its rights and the free space",
        ) from error
