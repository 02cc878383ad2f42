"""A company's product pictures: which category each shows, whether it is shown, and whose it is.

    CATEGORY/…                   pictures of a category
    CATEGORY/studio/…            of them, those that the company shows; reject/…: those it doesn't
    train/CATEGORY, val/CATEGORY a given split; val/ (or test/) is kept as the frozen test
    studio/CATEGORY, reject/CATEGORY, beside these
    ratings.csv                  path,rating: show, reject, or a number from 0 to 1; where it has a
                                 category, that beats the folder's too (edge/catalog/lessons.py)

Pictures of one product or one sender are of one group, and never straddle a split. It reads names.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from export import picture, table
from export.errors import DatasetError
from trainer.dataset import FOREIGN_SUFFIXES, MIN_PICTURES, Dataset, Half, Picture, listing
from trainer.parts import PartRule, exact_twins, name_parts, near_twins, unite
from trainer.storage.mirror import source_of

STUDIO, REJECT, RATINGS = "studio", "reject", "ratings.csv"
FROZEN = ("test", "val", "valid", "validation")
NAMES = ("path", "image", "file")
GROUPS = ("product", "sku", "sender", "sender_id", "group", "part")
ENOUGH = 100  # rejects beside which pictures that nobody rated don't count as rejected
_WORDS = {"show": 1.0, "reject": 0.0}


@dataclass(frozen=True, slots=True)
class Shelf:
    """The pictures with their categories, and what is known of how they are shown.

    Attributes:
        dataset: pictures in the order of their paths, categories as classes.
        ratings: path → 1 for one that the company shows, 0 for one that it doesn't, or between.
        source: where the ratings come from, as PresentationBasis names it; None: no ratings.
        implied: of the ratings, those of pictures that count as rejected since nobody rated them.
        why: the rule by which they count or don't, and the numbers that it goes by.
    """

    dataset: Dataset
    ratings: dict[str, float]
    source: str | None
    implied: frozenset[str] = frozenset()
    why: str = ""


def open_shelf(root: Path, *, resplit: bool = False, skip_unreadable: bool = False) -> Shelf:
    """Read the names below `root`.

    Args:
        root: the folder.
        resplit: pool a given split, and split anew.
        skip_unreadable: leave out pictures of types that can't be read, instead of refusing.

    Raises:
        DatasetError: no such folder, a picture outside any category, too few categories or
            pictures, or a ratings.csv that can't be used.
    """
    if not root.is_dir():
        raise DatasetError(f"{str(root)!r} is not a folder", "give the folder of the pictures")
    files = sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p, root))
    _check_names(root, [p for p in files if p.suffix.lower() in picture.SUFFIXES])
    top = {p.relative_to(root).parts[0] for p in files}
    frozen = next((name for name in FROZEN if name in top), None) if "train" in top else None
    found: list[Picture] = []
    shown: dict[str, float] = {}
    foreign = [p for p in files if p.suffix.lower() in FOREIGN_SUFFIXES]
    for path in files:
        if path.suffix.lower() in picture.SUFFIXES and len(path.relative_to(root).parts) > 1:
            one, rating = _placed(path.relative_to(root), frozen, pooled=resplit or not frozen)
            found.append(one)
            if rating is not None:
                shown[one.path] = rating
    words = read_ratings(root / RATINGS, {one.path for one in found})
    found = [replace(one, label=words.categories.get(one.path, one.label)) for one in found]
    notes = _notes(root, foreign, frozen, resplit=resplit, skip=skip_unreadable)
    if source := source_of(root):
        notes.append(f"a copy of {source}")
    categories = tuple(sorted({one.label for one in found}))
    layout = "given split" if frozen and not resplit else "classes"
    dataset = Dataset(root, layout, categories, tuple(found), tuple(notes))
    _check(dataset)
    return _rated(dataset, shown | words.ratings, "ratings" if words.ratings else "folders")


def _hidden(path: Path, root: Path) -> bool:
    return any(level.startswith(".") for level in path.relative_to(root).parts)


def _check_names(root: Path, files: list[Path]) -> None:
    """Raises DatasetError where a name is no text: no table could name that picture."""
    shown = [os.fsencode(p.relative_to(root)).decode(errors="backslashreplace") for p in files]
    if odd := [name for name, p in zip(shown, files, strict=True) if root / name != p]:
        raise DatasetError(
            f"the names of {len(odd)} files are not valid UTF-8: {listing(odd)}", "rename them"
        )


def _placed(path: Path, frozen: str | None, *, pooled: bool) -> tuple[Picture, float | None]:
    """A picture by where it lies: its category, its half, and whether it is shown."""
    levels = list(path.parts[:-1])
    half: Half | None = None
    if levels[0] == "train" or levels[0] in FROZEN:
        held = levels.pop(0)
        half = None if pooled else "test" if held == frozen else "train"
    elif not pooled:
        half = "train"
    rating = 1.0 if STUDIO in levels else 0.0 if REJECT in levels else None
    levels = [level for level in levels if level not in (STUDIO, REJECT)]
    if not levels:
        raise DatasetError(
            f"{path.as_posix()!r} lies in no category's folder",
            "put it below a folder that is called like its category: CATEGORY/studio/…",
        )
    return Picture(path.as_posix(), levels[0], half), rating


def _notes(
    root: Path, foreign: list[Path], frozen: str | None, *, resplit: bool, skip: bool
) -> list[str]:
    notes: list[str] = []
    if foreign:
        told = listing([p.relative_to(root).as_posix() for p in foreign])
        if not skip:
            raise DatasetError(
                f"{len(foreign)} pictures of types that can't be read: {told}",
                "convert them to JPEG or PNG, or leave them out with --skip-unreadable",
            )
        notes.append(f"{len(foreign)} unreadable pictures left out: {told}")
    if frozen:
        kept = f"the given {frozen}/ is kept as the frozen test"
        notes.append("a given split was pooled and split anew (--resplit)" if resplit else kept)
    return notes


def _check(dataset: Dataset) -> None:
    counts = Counter(one.label for one in dataset.pictures)
    if len(counts) < 2:
        raise DatasetError(
            f"{str(dataset.root)!r} holds pictures of {len(counts)} categories: {sorted(counts)}",
            "make a folder for each category, two at least",
        )
    few = [f"{name} ({count})" for name, count in sorted(counts.items()) if count < MIN_PICTURES]
    if few:
        raise DatasetError(
            f"too few pictures in {listing(few)}: a category needs {MIN_PICTURES} or more",
            "take more pictures, or merge the folder with another category",
        )


def _rated(dataset: Dataset, ratings: dict[str, float], by: str) -> Shelf:
    """The shelf; while rejects are few, pictures that nobody rated count as rejected with them."""
    shown = sum(value >= 0.5 for value in ratings.values())
    rejected = len(ratings) - shown
    if not shown:
        return Shelf(dataset, {}, None)
    unrated = frozenset(one.path for one in dataset.pictures) - ratings.keys()
    enough = min(shown, ENOUGH)
    numbers = f"{shown} shown and {rejected} rejected, and {enough} rejects would be enough"
    if rejected >= enough or (rejected and not unrated):
        source = "ratings" if by == "ratings" else "studio and reject"
        why = f"{len(unrated)} pictures that nobody rated don't count: {numbers}" if unrated else ""
        return Shelf(dataset, ratings, source, why=why)
    why = f"pictures that nobody rated count as rejected: {numbers}"
    all_of_them = ratings | dict.fromkeys(unrated, 0.0)
    return Shelf(dataset, all_of_them, "studio against all others", unrated, why)


@dataclass(frozen=True, slots=True)
class Words:
    """What a ratings.csv says: path → rating, path → category; each picture may have both."""

    ratings: dict[str, float]
    categories: dict[str, str]


def read_ratings(path: Path, known: set[str]) -> Words:
    """What a ratings.csv says; nothing if there is none. Raises DatasetError if it's wrong."""
    if not path.exists():
        return Words({}, {})
    told = table.read(path)
    if not {"path", "rating"} <= set(told.columns):
        raise told.complaint("its first line must name the columns: path,rating")
    found = Words({}, {})
    for number, row in enumerate(told.rows, 2):
        category = row.get("category", "")
        if category:
            found.categories[row["path"]] = category
        if row["rating"].strip() or not category:
            found.ratings[row["path"]] = _rating(row["rating"], f"{str(path)!r}, line {number}")
    if strange := sorted((found.ratings.keys() | found.categories.keys()) - known):
        raise DatasetError(
            f"{str(path)!r} names {len(strange)} pictures that aren't there: {listing(strange)}",
            "paths are relative to the folder of the pictures, with /",
        )
    return found


def _rating(cell: str, where: str) -> float:
    said = cell.strip().lower()
    try:
        value = _WORDS[said] if said in _WORDS else float(said)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise DatasetError(
            f"{where}: rating {cell!r}", "write show, reject, or a number from 0 to 1"
        )
    return value


def contradictions(shelf: Shelf, paths: list[str], digests: list[str]) -> list[str]:
    """Paths of pictures whose bytes are said to be shown and to be rejected, in order.

    Args:
        shelf: what is said.
        paths: of N pictures.
        digests: SHA-256 of each.
    """
    said: dict[str, dict[str, float]] = {}
    for path, digest in zip(paths, digests, strict=True):
        if path in shelf.ratings and path not in shelf.implied:
            said.setdefault(digest, {})[path] = shelf.ratings[path]
    return sorted(
        path for found in said.values() if len({v >= 0.5 for v in found.values()}) > 1
        for path in found
    )  # fmt: skip


def ratings_by_bytes(shelf: Shelf, paths: list[str], digests: list[str]) -> dict[str, float]:
    """Path → rating; a copy of a rated picture is rated as that is, not as one of the others."""
    said = {
        digest: shelf.ratings[path]
        for path, digest in zip(paths, digests, strict=True)
        if path in shelf.ratings and path not in shelf.implied
    }
    return shelf.ratings | {
        path: said[digest]
        for path, digest in zip(paths, digests, strict=True)
        if path in shelf.implied and digest in said
    }


def group(dataset: Dataset, rule: PartRule, digests: list[str], hashes) -> list[str]:  # noqa: ANN001
    """The product or sender of each picture: by a table or a pattern, and twins united.

    Args:
        dataset: the pictures, N of them.
        rule: its table is any CSV with a column for the picture and one for the group.
        digests: SHA-256 of each file.
        hashes: (N,256) bits of each perceptual hash.

    Raises:
        DatasetError: the table lacks a picture or a column, or the pattern doesn't fit.
    """
    if rule.table is not None:
        given = read_groups(rule.table, [one.path for one in dataset.pictures])
        named = [given[one.path] for one in dataset.pictures]
    else:
        named = name_parts(dataset.pictures, rule)
    united = unite(named, exact_twins(digests))
    return unite(united, near_twins(hashes)) if rule.near else united


def read_groups(path: Path, paths: list[str]) -> dict[str, str]:
    """Path → product or sender, by a CSV file; raises DatasetError if it can't tell."""
    told = table.read(path)
    name = next((one for one in NAMES if one in told.columns), None)
    groups = next((one for one in GROUPS if one in told.columns), None)
    if name is None or groups is None:
        raise told.complaint(
            f"one must be called {' or '.join(NAMES)}, another {' or '.join(GROUPS)}"
        )
    given = {row[name]: f"{groups} {row[groups]}" for row in told.rows}
    if lacking := sorted(set(paths) - set(given)):
        raise DatasetError(
            f"{str(path)!r} lacks {len(lacking)} pictures: {listing(lacking)}",
            "say of every picture which product or sender it is of",
        )
    return given
