"""Prints: the chosen pictures of a result, in the formats that a shop takes, under its names."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.catalog.crop import Format, crop, window
from edge.catalog.ledger import Ledger
from edge.catalog.look import Look
from edge.catalog.result import CHOICE, LOOKS, SELECTION
from export import durable, picture, table
from export.errors import DatasetError, LinewardenError, PictureError
from export.file_name import file_name

MADE = ".prints"  # in the folder of prints: their names, a line each
UNFIT = r"[^\w.-]"  # in an address


def chosen(result: Path) -> list[dict[str, str]]:
    """The rows of a result's selection.csv; raises DatasetError if there is none."""
    if not (result / SELECTION).is_file():
        raise DatasetError(
            f"{str(result)!r} holds no result", "run `linewarden catalog select` first"
        )
    return list(table.read(result / SELECTION).rows)


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

    One format goes into `out` itself, several into a folder each. Prints that an earlier call made
    there and this one doesn't are removed; nothing else is.

    Raises:
        DatasetError: there is no result.
        StoreError: pictures were looked at anew since, by another bundle or version.
        PictureError, LinewardenError: a print can't be written.
    """
    rows = chosen(result)
    told = json.loads((result / CHOICE).read_bytes())
    ledger = Ledger(result / LOOKS, told["digest"], keep=True)
    looks = {look.path: look for look in ledger.looks()}
    ledger.close()
    made: list[str] = []
    for row in rows:
        try:
            pixels = picture.read(Path(told["pictures"]) / row["path"], picture.WHITE)
        except PictureError as error:
            yield f"left out: {error.problem}"
            continue
        for to in formats:
            name = f"{to}/{print_name(row)}" if len(formats) > 1 else print_name(row)
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            picture.write(target, crop(pixels, looks[row["path"]], to, margin))
            made.append(name)
            yield f"{target}: {_scale(looks[row['path']], to, margin)}"
    yield from _cleared(out, made)


def _cleared(out: Path, made: Sequence[str]) -> Iterator[str]:
    """Remove the prints of an earlier selection, and write down which are this one's."""
    listed = out / MADE
    try:
        before = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
        for name in sorted(set(before) - set(made)):
            file = out / name
            if file.is_file() and file.resolve().is_relative_to(out.resolve()):
                file.unlink()
                yield f"{file}: removed, it was of an earlier selection"
        out.mkdir(parents=True, exist_ok=True)
        durable.replace(listed, "".join(f"{name}\n" for name in made).encode())
    except OSError as error:
        raise LinewardenError(
            f"{out} can't be cleared of earlier prints: {error.strerror}", "check its rights"
        ) from error


def _scale(look: Look, to: Format, margin: float) -> str:
    enlarged = to.width / window(look, to, margin).width
    return f"enlarged {enlarged:.1f} times: the original is small" if enlarged > 1.05 else "as fine"
