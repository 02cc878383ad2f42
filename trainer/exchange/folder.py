"""A data set's folder read as entries, and entries laid out as a folder that training opens.

OUT/good/1.jpg, OUT/train/good/1.jpg   pictures, copied byte for byte
OUT/masks/good/1.png                   their masks
OUT/parts.csv                          path,part: only where parts are known
OUT/labels.csv                         path,label,by,at,note: who said what, oldest first
"""

import contextlib
import csv
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from export.errors import DatasetError, SampleError
from export.picture import SUFFIXES
from export.sample_folder import RECORDS, SampleFolder
from trainer import masks
from trainer.dataset import FOREIGN_SUFFIXES, Dataset, counted, listing, walk
from trainer.exchange.entry import Entry, Said
from trainer.run import GOOD

PARTS, LABELS = "parts.csv", "labels.csv"
PART_COLUMNS = ("path", "part")
LABEL_COLUMNS = ("path", "label", "by", "at", "note")


def collect(root: Path) -> list[Entry]:
    """Every picture of a data set with what is known of it, by path.

    Raises:
        DatasetError: the folder is no data set, or its tables or masks don't fit.
    """
    found = walk(root)
    pictures = tuple(sorted(found.pictures, key=lambda one: one.path))
    if found.foreign:
        raise DatasetError(
            f"{counted(len(found.foreign), 'picture')} of types that aren't read: "
            f"{listing(found.foreign)}",
            "convert them to PNG, or move them away",
        )
    classes = (GOOD, *sorted({p.label for p in pictures} - {GOOD}))
    masked = masks.find(Dataset(root, "classes", classes, pictures))
    part = {row["path"]: row["part"] for row in _rows(root / PARTS, PART_COLUMNS)}
    said = _said(root)
    return [
        Entry(
            path=one.path,
            label=one.label,
            source=root / one.path,
            half=one.half,
            part=part.get(one.path),
            mask=masked.get(one.path),
            said=tuple(said.get(one.path, ())),
        )
        for one in pictures
    ]


def _said(root: Path) -> dict[str, list[Said]]:
    """Who said what: of labels.csv, and of a box's samples."""
    found: dict[str, list[Said]] = defaultdict(list)
    for row in _rows(root / LABELS, LABEL_COLUMNS):
        found[row["path"]].append(Said(row["label"], row["by"], row["at"], row["note"]))
    if not (root / RECORDS).is_dir():
        return found
    samples = SampleFolder(root)
    try:
        for sample in samples:
            path = samples.picture(sample).relative_to(root).as_posix()
            for label in sample.labels:
                found[path].append(Said(label.label or "", label.by, label.at, label.note))
    except SampleError as error:
        raise DatasetError(error.problem, error.remedy) from error
    return found


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not set(columns) <= set(reader.fieldnames or ()):
                raise DatasetError(
                    f"{str(path)!r} has the columns {listing(list(reader.fieldnames or ()))}",
                    f"its first line must name: {','.join(columns)}",
                )
            return [{name: row[name] or "" for name in columns} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "save it as CSV in UTF-8"
        ) from error


def lay_out(
    entries: Sequence[Entry], out: Path, advance: Callable[[], None] = lambda: None
) -> None:
    """Write a data set; pictures are copied, never changed.

    Raises:
        DatasetError: `out` holds files already, two entries want one place, or the disk refuses.
    """
    refuse_full(out)
    _check_fit(entries)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # The tables first: a set cut short without its parts would look like a whole one.
        _write_tables(entries, out)
        for one in entries:
            copy(one.source, out / one.path)
            keep_mask(one, out)
            advance()
    except OSError as error:
        raise DatasetError(
            f"{error.filename or str(out)!r} can't be written: {error.strerror}",
            "check its rights and the free space",
        ) from error


def _write_tables(entries: Sequence[Entry], out: Path) -> None:
    if any(e.part is not None for e in entries):
        # Training wants the part of every picture: one that isn't known is its own.
        rows = [(e.path, e.part if e.part is not None else e.path) for e in entries]
        write_rows(out / PARTS, PART_COLUMNS, rows)
    said = [(e.path, s.label, s.by, s.at, s.note) for e in entries for s in e.said]
    if said:
        write_rows(out / LABELS, LABEL_COLUMNS, said)


def _check_fit(entries: Sequence[Entry]) -> None:
    """Refuse entries that together are no data set; raises DatasetError."""
    if twice := _repeated(one.path for one in entries):
        raise DatasetError(
            f"several pictures would lie at {listing(twice)}",
            "give them different names where they come from",
        )
    if twice := _repeated(str(one.source) for one in entries):
        raise DatasetError(
            f"the labels name {listing(twice)} more than once", "name each picture once"
        )
    suffixes = SUFFIXES | FOREIGN_SUFFIXES
    odd = [one.path for one in entries if Path(one.path).suffix.lower() not in suffixes]
    if odd:
        raise DatasetError(
            f"{listing(odd)} can't be told for a picture by its name",
            "name pictures .jpg, .png or .bmp, or leave the line out",
        )
    _check_labels(entries)
    _check_masks(entries)
    if {one.half for one in entries} not in ({None}, {"train", "test"}):
        raise DatasetError(
            "some pictures have a split and some haven't, or all are of one split",
            "put each into train or test, with pictures in both, or name no split at all",
        )


def _check_labels(entries: Sequence[Entry]) -> None:
    odd = sorted(
        {e.label for e in entries if e.label != e.label.strip() or not e.label.isprintable()}
    )
    if odd:
        raise DatasetError(
            f"the class {odd[0]!r} has blanks around it or letters that can't be seen",
            "write it as the others of its class are written",
        )


def _check_masks(entries: Sequence[Entry]) -> None:
    """Refuse a mask that could be of two pictures: a.png and a.jpg of one folder."""
    shared = set(_repeated(str(PurePosixPath(one.path).with_suffix("")) for one in entries))
    unclear = [
        one.path
        for one in entries
        if one.mask is not None and str(PurePosixPath(one.path).with_suffix("")) in shared
    ]
    if unclear:
        raise DatasetError(
            f"the mask of {listing(unclear)} could be that of a picture of the same name",
            "give pictures names that differ by more than .jpg and .png",
        )


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


@contextlib.contextmanager
def filling(out: Path) -> Iterator[None]:
    """Whatever fails inside leaves `out` as empty as it was, so that the same command goes again.

    Raises:
        DatasetError: it holds files already.
    """
    refuse_full(out)
    there = out.exists()
    try:
        yield
    except BaseException:
        for path in out.iterdir() if out.exists() else ():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if out.exists() and not there:
            out.rmdir()
        raise


def refuse_full(out: Path) -> None:
    """Refuse a folder that holds something; raises DatasetError."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{str(out)!r} already holds files", "give another --out")


def copy(source: Path, target: Path) -> None:
    """Copy a picture, making its folders; raises DatasetError if it isn't there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DatasetError(
            f"the picture {str(source)!r} isn't there",
            "put the pictures where the labels say, or give their folder with --pictures",
        ) from error


def keep_mask(one: Entry, out: Path) -> str:
    """Put an entry's mask below `out`; returns its path there, empty where there is none.

    A file is copied byte for byte, since its grey values may mean something to whoever drew it.

    Raises:
        PictureError: the mask's file can't be read as a picture.
    """
    if (marked := one.marked()) is None:
        return ""
    own = one.mask.suffix if isinstance(one.mask, Path) else ""
    suffix = own if own.lower() in SUFFIXES else ".png"
    path = PurePosixPath("masks", one.path).with_suffix(suffix).as_posix()
    if isinstance(one.mask, Path):
        copy(one.mask, out / path)
    else:
        write_mask(out / path, marked)
    return path


def write_mask(target: Path, mask: np.ndarray) -> None:
    """Write a mask (H,W) bool as PNG, 255 where marked."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _done, data = cv2.imencode(".png", np.where(mask, 255, 0).astype(np.uint8))
    target.write_bytes(data.tobytes())


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Write a table as CSV with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
