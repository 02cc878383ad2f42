"""A folder of labelled pictures: what it holds, which classes, and what was left aside and why.

Three layouts are understood: one folder per class (`good/`, `scratch/`…); a given split
(`train/good`, `test/scratch`…), whose test is kept as the frozen test; and MVTec AD's, whose
`train/` holds only good parts, so that both halves are pooled and split anew. It reads names,
not pixels.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from export import picture
from export.errors import DatasetError
from trainer.run import GOOD
from trainer.storage.mirror import source_of

GOOD_NAMES = ("good", "ok")
SIDE_FOLDERS = frozenset({"masks", "mask", "ground_truth"})
FOREIGN_SUFFIXES = frozenset(
    {".tif", ".tiff", ".webp", ".gif", ".heic", ".heif", ".avif", ".jp2", ".pgm", ".ppm", ".dng"}
)
# Tables at the root that are read elsewhere: trainer/parts.py, settled.py, contest/grown.py.
_TABLES = frozenset({"parts.csv", "splits.csv", "grown.json"})
# Beside train/ these are a catalog's (docs/catalog.md).
_SHOP = frozenset({"studio", "reject"})
_OF_VAL = "; move val/ into train/, since validation is dealt anew, or give train/ alone"
MIN_PICTURES = 2
SHOWN = 10

Layout = Literal["classes", "given split", "mvtec"]
Half = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture: its path below the root with `/`, its class, and its given half."""

    path: str
    label: str
    half: Half | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled pictures in order of their paths; `classes` begins with `good`, if there is one."""

    root: Path
    layout: Layout
    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Walk:
    """What the folders hold, before anything is refused; all paths are below the root.

    Attributes:
        pictures: files with a picture's suffix, each under its class folder's own name.
        halves: the given train/ and test/, if there are any.
        others: files that are no pictures.
        foreign: pictures of types that can't be read.
        empty: class folders without a picture.
        sides: folders that are no class (masks), with the number of their files.
    """

    pictures: list[Picture] = field(default_factory=list[Picture])
    halves: set[str] = field(default_factory=set[str])
    others: list[str] = field(default_factory=list[str])
    foreign: list[str] = field(default_factory=list[str])
    empty: list[str] = field(default_factory=list[str])
    sides: Counter[str] = field(default_factory=Counter[str])


def open_dataset(
    root: Path,
    *,
    good: str | None = None,
    skip_unreadable: bool = False,
    resplit: bool = False,
    examining: bool = False,
    types: bool = False,
) -> Dataset:
    """Read the names in `root`.

    Args:
        root: the folder.
        good: the good class's folder; by default `good` or `ok`, in any case of letters.
        skip_unreadable: leave out pictures of types that can't be read, instead of refusing.
        resplit: pool a given train/ and test/ and split anew.
        examining: nothing is to be split: one picture of a class will do, and so will good
            parts alone or defects alone.
        types: every class is a type of defect, and none is good.

    Raises:
        DatasetError: no such folder, no good class, an empty class, too few pictures of one.
    """
    found = walk(root)
    if found.empty:
        raise DatasetError(
            f"no JPEG, PNG or BMP picture in {listing(found.empty)} below {str(root)!r}",
            "put pictures there, or remove the folder",
        )
    layout, pictures, notes = _layout(found)
    if resplit and layout == "given split":
        layout, pictures = "classes", [Picture(p.path, p.label) for p in pictures]
        how = "are looked at together" if examining else "were pooled and split anew (--resplit)"
        notes = [f"train/ and test/ {how}"]
    labels = {p.label for p in pictures}
    if types:
        _check_types(root, labels, good)
        classes = tuple(sorted(labels))
    else:
        good_name = good_folder(root, labels, good, needed=not examining)
        pictures = [Picture(p.path, named(p.label, good_name), p.half) for p in pictures]
        classes = (GOOD, *sorted({p.label for p in pictures} - {GOOD}))
    notes += _told(found, skip_unreadable)
    if source := source_of(root):
        notes.append(f"a copy of {source}")
    dataset = Dataset(
        root, layout, classes, tuple(sorted(pictures, key=lambda p: p.path)), tuple(notes)
    )
    if not examining:
        _check_counts(dataset)
    return dataset


def walk(root: Path) -> Walk:
    """Every file below `root`, told apart by its name and folder.

    Raises:
        DatasetError: no such folder, no class folders, or class folders beside train/ or test/.
    """
    if not root.is_dir():
        raise DatasetError(
            f"{str(root)!r} is not a folder", "give a folder that has one folder per class in it"
        )
    found = Walk()
    folders = _subfolders(root, "", found)
    found.halves = {name for name in ("train", "test") if name in folders}
    if not found.halves:
        _classes(root, folders, None, found)
        return found
    if "train" in folders and not _SHOP.isdisjoint(folders):
        raise DatasetError(
            f"{str(root)!r} holds {listing(sorted(folders))}: that is how product pictures lie for "
            "a catalog, by category and by which of them are shown",
            f"give one of its folders, such as {str(root / 'train')!r}; all of it together is for "
            "`linewarden train --task catalog`",
        )
    if set(folders) != {"train", "test"}:
        raise DatasetError(
            f"{str(root)!r} holds {listing(sorted(folders))}: neither one folder per class nor "
            "just train/ and test/",
            "keep class folders, or train/ and test/ with class folders in both"
            + _OF_VAL * ("val" in folders),
        )
    halves: tuple[Half, Half] = ("train", "test")
    for half in halves:
        _classes(root, _subfolders(root, half, found), half, found)
    return found


def listing(items: list[str]) -> str:
    """The first ten of `items`, quoted, and how many more."""
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(repr(item) for item in items[:SHOWN]) + more


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 picture`, `3 pictures`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def without(dataset: Dataset, paths: set[str], note: str) -> Dataset:
    """The data set less the pictures in `paths`, with a note; raises DatasetError as opening does.

    Its classes stay: a class that lost all its pictures is an error, not a smaller model.
    """
    kept = tuple(p for p in dataset.pictures if p.path not in paths)
    smaller = Dataset(dataset.root, dataset.layout, dataset.classes, kept, (*dataset.notes, note))
    _check_counts(smaller)
    return smaller


def _subfolders(root: Path, inside: str, found: Walk) -> list[str]:
    names: list[str] = []
    for entry in sorted((root / inside).iterdir()):
        if entry.name.startswith("."):
            continue
        _check_name(entry)
        if not inside and entry.name in _TABLES:
            continue
        if not entry.is_dir():
            found.others.append(entry.relative_to(root).as_posix())
        elif entry.name.lower() in SIDE_FOLDERS:
            found.sides[entry.name] += sum(1 for path in entry.rglob("*") if path.is_file())
        else:
            names.append(entry.name)
    return names


def _check_name(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(f"the name of {str(path)!a} is not valid UTF-8", "rename it") from error


def _classes(root: Path, names: list[str], half: Half | None, found: Walk) -> None:
    if not names:
        raise DatasetError(
            f"{str(root / (half or ''))!r} has no class folders",
            "put the pictures of each class into a folder of its own: good/, scratch/, …",
        )
    for name in names:
        inside = f"{half}/{name}" if half else name
        before = len(found.pictures)
        for path in sorted((root / inside).rglob("*")):
            _sort_in(root, path, Picture(path.relative_to(root).as_posix(), name, half), found)
        if len(found.pictures) == before:
            found.empty.append(inside)


def _sort_in(root: Path, path: Path, one: Picture, found: Walk) -> None:
    levels = path.relative_to(root).parts
    if path.is_dir() or any(level.startswith(".") for level in levels):
        return
    _check_name(path)
    suffix = path.suffix.lower()
    if suffix in picture.SUFFIXES:
        found.pictures.append(one)
    elif suffix in FOREIGN_SUFFIXES:
        found.foreign.append(one.path)
    else:
        found.others.append(one.path)


def _layout(found: Walk) -> tuple[Layout, list[Picture], list[str]]:
    if not found.halves:
        return "classes", found.pictures, []
    trained, tested = (
        {p.label for p in found.pictures if p.half == half} for half in ("train", "test")
    )
    if len(trained) == 1:
        note = (
            "train/ holds only good parts (MVTec AD's layout): a classifier needs defects to "
            "learn from, so train/ and test/ were pooled and split anew; figures don't compare "
            "with that benchmark's"
        )
        return "mvtec", [Picture(p.path, p.label) for p in found.pictures], [note]
    if unknown := sorted(tested - trained):
        raise DatasetError(
            f"test/ has {listing(unknown)}, which train/ lacks",
            "put some of these pictures into train/, or split anew with --resplit",
        )
    return "given split", found.pictures, ["the given test/ is kept as the frozen test"]


def good_folder(root: Path, labels: set[str], asked: str | None, *, needed: bool) -> str:
    """The good parts' folder among `labels`; raises DatasetError if it isn't there or unclear."""
    if asked is not None:
        if asked not in labels:
            raise DatasetError(
                f"--good {asked!r}: {str(root)!r} has only {listing(sorted(labels))}",
                "name one of them",
            )
        if asked != GOOD and GOOD in labels:
            raise DatasetError(
                f"--good {asked!r}, but {str(root)!r} also has a class {GOOD!r}",
                "rename one of the two folders",
            )
        return asked
    found = sorted(label for label in labels if label.lower() in GOOD_NAMES)
    if not found and not needed:
        return GOOD
    if len(found) != 1:
        what = f"several: {listing(found)}" if found else f"only {listing(sorted(labels))}"
        raise DatasetError(
            f"{str(root)!r} has no one class of good parts, {what}",
            "the good class is the folder named good, ok or OK; or say which: --good NAME; "
            "if there are no good parts, --task types tells the types apart",
        )
    return found[0]


def _check_types(root: Path, labels: set[str], asked: str | None) -> None:
    good = {label for label in labels if label.lower() in GOOD_NAMES} | (
        {asked} if asked else set()
    )
    if good:
        raise DatasetError(
            f"--task types tells types of defect apart, but {listing(sorted(good))} is called good",
            "leave --task types out to judge good against defective, or move that folder away",
        )
    if len(labels) < 2:
        raise DatasetError(
            f"{str(root)!r} holds one type only, {listing(sorted(labels))}",
            "add a folder of pictures for each type of defect",
        )


def named(name: str, good: str) -> str:
    """A class by its name everywhere else: the good one is called good."""
    return GOOD if name == good else name


def _told(aside: Walk, skip_unreadable: bool) -> list[str]:
    if aside.foreign and not skip_unreadable:
        raise DatasetError(
            f"{counted(len(aside.foreign), 'picture')} of types that can't be read: "
            f"{listing(aside.foreign)}",
            "convert them to PNG, or leave them out with --skip-unreadable",
        )
    notes = [
        f"{name}/: {counted(count, 'file')}, not a class" for name, count in aside.sides.items()
    ]
    if aside.others:
        notes.append(f"{counted(len(aside.others), 'other file')} ignored: {listing(aside.others)}")
    if aside.foreign:
        left = counted(len(aside.foreign), "unreadable picture")
        notes.append(f"{left} left out: {listing(aside.foreign)}")
    return notes


def _check_counts(dataset: Dataset) -> None:
    counts = Counter(p.label for p in dataset.pictures)
    if len(dataset.classes) < 2:
        raise DatasetError(
            f"{str(dataset.root)!r} holds only good parts",
            "add a folder of pictures for each kind of defect",
        )
    few = [f"{name} ({counts[name]})" for name in dataset.classes if counts[name] < MIN_PICTURES]
    if few:
        raise DatasetError(
            f"too few pictures to split in {listing(few)}: each class needs {MIN_PICTURES} or more",
            "take more pictures, or merge the folder with another kind of defect",
        )
