"""What people said about a choice, brought to where training reads it; the newest word wins.

A picture that the training data has already, byte for byte, is not copied again: the word about it
goes into DATA/ratings.csv, which beats the folders (trainer/catalog/shelf.py). No picture is moved
or removed.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote

from edge.catalog.overrules import Overrule
from export import durable, picture, table
from export.errors import DatasetError, LinewardenError

RATINGS = "ratings.csv"
NEEDED = ("path", "rating")
_MEANT = frozenset({"studio", "reject"})  # folders that say how a picture is shown
_SPLIT = frozenset({"train", "test", "val", "valid", "validation"})


@dataclass(frozen=True, slots=True)
class Lesson:
    """A picture that became a training example: where from, where it lies, and what was said.

    Attributes:
        source: among those that were chosen from.
        target: in the training data.
        words: what is said of it there, for people.
    """

    source: Path
    target: Path
    words: str


def learn(
    overrules: Mapping[str, Overrule], told: Mapping[str, str], pictures: Path, data: Path
) -> list[Lesson]:
    """Bring what was said of pictures into the training data.

    Args:
        overrules: what people said.
        told: path → the category that the model told.
        pictures: the folder that was chosen from.
        data: the folder that training reads: CATEGORY/studio and CATEGORY/reject, or, if it has
            train/, studio/CATEGORY and reject/CATEGORY.

    Raises:
        DatasetError: no such folder, or a picture was never looked at.
        LinewardenError: a picture is gone, and nothing was written; or one can't be copied.
    """
    if not data.is_dir():
        raise DatasetError(f"{str(data)!r} is not a folder", "give the folder that training reads")
    sources = {path: _content(pictures / path) for path in overrules}
    with durable.alone(data):
        return _learn(_united(overrules, sources), sources, told, pictures, data)


def _united(
    overrules: Mapping[str, Overrule], sources: Mapping[str, tuple[int, str]]
) -> list[Overrule]:
    """One word for the same bytes, however many files hold them: what was said last of each."""
    found: dict[tuple[int, str], Overrule] = {}
    for path, one in overrules.items():
        before = found.pop(sources[path], one)
        found[sources[path]] = replace(
            one, verdict=one.verdict or before.verdict, category=one.category or before.category
        )
    return list(found.values())


def _learn(
    words: Iterable[Overrule],
    sources: Mapping[str, tuple[int, str]],
    told: Mapping[str, str],
    pictures: Path,
    data: Path,
) -> list[Lesson]:
    there = _twins(data, sources.values())
    ratings = _Ratings(data / RATINGS)
    lessons: list[Lesson] = []
    for one in words:
        path = one.path
        size, digest = sources[path]
        twins = there.get((size, digest), [])
        for twin in twins:
            said = ratings.say(twin.relative_to(data).as_posix(), one)
            lessons += [Lesson(pictures / path, twin, said)] if said else []
        if not twins and (one.verdict or one.category):
            target = _place(data, one, told, digest)
            _copy(pictures / path, target)
            lessons.append(Lesson(pictures / path, target, "copied"))
    ratings.save()
    return lessons


def _content(file: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            return opened.tell(), digest
    except OSError as error:
        raise LinewardenError(
            f"{str(file)!r} can't be read: {error.strerror}",
            "put it back, or take its line out of the overrules",
        ) from error


def _twins(data: Path, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], list[Path]]:
    """Where in the training data the same bytes lie already; only files of a size are read."""
    them = set(wanted)
    sizes = {size for size, _ in them}
    found: dict[tuple[int, str], list[Path]] = {}
    for file in _files(data):
        if file.stat().st_size in sizes and (content := _content(file)) in them:
            found.setdefault(content, []).append(file)
    odd = [file for one in found.values() for file in one if not _is_text(file.relative_to(data))]
    if odd:
        raise DatasetError(f"the name of {str(odd[0])!a} is not valid UTF-8", "rename it")
    return found


def _is_text(path: Path) -> bool:
    return os.fsencode(path).decode(errors="ignore") == str(path)


def _files(data: Path) -> Iterator[Path]:
    for file in sorted(data.rglob("*")):
        hidden = any(level.startswith(".") for level in file.relative_to(data).parts)
        if not hidden and file.suffix.lower() in picture.SUFFIXES and file.is_file():
            yield file


def _place(data: Path, one: Overrule, told: Mapping[str, str], digest: str) -> Path:
    """Where a picture goes that the training data lacks; no other is written over."""
    category = one.category or told.get(one.path, "")
    if not category:
        raise DatasetError(f"{one.path!r} was never looked at", "run `catalog select` again")
    if category in _MEANT | _SPLIT:
        raise DatasetError(
            f"{one.path!r}: a folder {category!r} is no category to training", "name another"
        )
    split = (data / "train").is_dir()
    kind = {"show": "studio", "reject": "reject", "": "train" if split else ""}[one.verdict]
    folder = data / kind / category if split else data / category / kind
    *levels, name = one.path.split("/")  # kept, since patterns find the product in them
    target = folder.joinpath(*(level for level in levels if level not in _MEANT), name)
    return target.with_stem(f"{target.stem}-{digest[:8]}") if target.exists() else target


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(target, source.read_bytes())
    except OSError as error:
        raise LinewardenError(
            f"{str(source)!r} can't be copied to {str(target)!r}: {error.strerror}",
            "check both folders",
        ) from error


class _Ratings:
    """A ratings.csv with its rows as they are, but for those of which something is said.

    `learnt` names the cells that stand there by a click, each with what a person had written
    there: `rating=0.8`. Only these are taken back with it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._changed = path, False
        self._columns: tuple[str, ...] = NEEDED
        self._rows: dict[str, dict[str, str]] = {}
        if not path.exists():
            return
        told = table.read(path)
        if not set(NEEDED) <= set(told.columns):
            raise told.complaint("its first line must name the columns: path,rating")
        self._columns = told.columns
        for row in told.rows:  # of several for a picture training takes what the last ones say
            merged = self._rows.setdefault(row["path"], row)
            merged |= {name: cell for name, cell in row.items() if cell}

    def say(self, path: str, one: Overrule) -> str:
        """Write a word down: a rating, a category, or that an earlier one is taken back."""
        before = self._rows.get(path, {"path": path, "rating": ""})
        marks = (mark.partition("=") for mark in before.get("learnt", "").split())
        row, learnt = dict(before), {name: unquote(was) for name, _, was in marks}
        for name, said in (("rating", one.verdict), ("category", one.category)):
            if said and said != before.get(name, ""):
                row[name] = said
                learnt.setdefault(name, before.get(name, ""))
            elif not said and name in learnt:
                row[name] = learnt.pop(name)
        if row == before:
            return ""
        self._changed = True
        marked = (name + (was and f"={quote(was, '')}") for name, was in sorted(learnt.items()))
        self._rows[path] = row | {"learnt": " ".join(marked)}
        if not any(cell for name, cell in row.items() if name not in ("path", "learnt")):
            del self._rows[path]
        told = " ".join(filter(None, (row["rating"], row.get("category", ""))))
        return f"{RATINGS}: {told or 'as its folder says'}"

    def save(self) -> None:
        """Write the file, if anything was said."""
        if not self._changed:
            return
        columns = list(dict.fromkeys((*self._columns, "category", "learnt")))
        rows = [[row.get(name, "") for name in columns] for row in self._rows.values()]
        try:
            durable.replace(self._path, table.written(columns, rows))
        except OSError as error:
            raise LinewardenError(
                f"{str(self._path)!r} can't be written: {error.strerror}", "check the folder"
            ) from error
