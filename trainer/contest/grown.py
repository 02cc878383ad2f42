"""A data set that grows: what the champion was trained and tested on, and what has come since.

    DATA/CLASS/…       every picture, hard-linked where that can be
    DATA/parts.csv     which part each shows: as the champion's run told them, and as the box did
    DATA/splits.csv    the split of what is not new: it stays there
    DATA/grown.json    of what it was made

A picture that is here already is not added again. What a box's camera looked at may lie elsewhere
in the frame than where the champion looks (the part moved): such a picture is shifted by that, so
that whoever reads the data set sees what the judge saw.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from export import picture
from export.errors import DatasetError, RunError
from export.preprocess import Pixels, Region
from export.sample import Sample
from export.sample_folder import RECORDS, SampleFolder
from trainer import settled
from trainer.box.collect import ORIGIN
from trainer.dataset import SIDE_FOLDERS
from trainer.exchange.folder import PART_COLUMNS, PARTS, collect
from trainer.history import digest_of
from trainer.run import Run, Split, write_csv

MARK = "grown.json"
_PART = "part "


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A picture to add: its file, class and part, its name, and by how far it is shifted."""

    source: Path
    label: str
    part: str
    name: str
    sha256: str
    region: Region | None = None


@dataclass(slots=True)
class Growth:
    """What came of growing: the folder, and how many pictures of each class were added."""

    root: Path
    added: Counter[str] = field(default_factory=Counter[str])
    known: int = 0
    shifted: int = 0


def grow(run: Run, old: Path, adds: Sequence[Path], out: Path) -> Growth:
    """Make `out` of a run's data and what is added; an `out` of the very same is left as it is.

    Args:
        run: the champion's.
        old: where its pictures lie.
        adds: collected samples, or data sets.
        out: the folder to make.

    Raises:
        RunError: a picture of the run is missing or has changed.
        DatasetError: something that is added can't be, or `out` holds something else.
    """
    before = {row.sha256 for row in run.split()}
    newcomers = [one for add in adds for one in _of(add)]
    growth = Growth(out)
    fresh = list(_fresh(newcomers, before, growth))
    if not fresh:
        raise DatasetError(
            f"all {len(newcomers)} pictures in {', '.join(map(str, adds))} were there already",
            "add what has been labelled since: linewarden collect",
        )
    mark = _mark(run, fresh)
    if out.exists():
        _same(out, mark)
    partial = out.with_name(f".{out.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _fill(run, old, fresh, partial, growth)
        (partial / MARK).write_text(mark, encoding="utf-8")
        if out.exists():
            shutil.rmtree(partial)
        else:
            partial.rename(out)
    except OSError as error:
        raise DatasetError(
            f"{str(out)!r} can't be written: {error.strerror}", "check its rights and the space"
        ) from error
    return growth


def _of(add: Path) -> Iterator[Newcomer]:
    """What a folder holds: a box's samples, with their parts, or a data set."""
    if not (add / RECORDS).is_dir():
        for one in collect(add):
            sha = digest_of(one.source)
            part = one.part or f"{add.name}/{one.path}"
            yield Newcomer(one.source, one.label, part, f"{sha[:12]}-{one.source.name}", sha)
        return
    try:
        station = str(json.loads((add / ORIGIN).read_bytes())["station"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{str(add)!r} says not from which box it is ({ORIGIN})",
            "bring it with `linewarden collect`",
        ) from error
    folder = SampleFolder(add)
    box = hashlib.sha256(station.encode()).hexdigest()[:6]
    for sample in folder:
        if sample.label is not None:
            yield _sampled(folder, sample, station, box)


def _sampled(folder: SampleFolder, sample: Sample, station: str, box: str) -> Newcomer:
    where = sample.region
    return Newcomer(
        folder.picture(sample), sample.label or "", sample.physical_part(station),
        f"{box}-{sample.id}.{sample.image.suffix}", sample.image.sha256,
        where and Region(where.x, where.y, where.width, where.height),
    )  # fmt: skip


def _fresh(newcomers: Sequence[Newcomer], before: set[str], growth: Growth) -> Iterator[Newcomer]:
    seen: dict[str, Newcomer] = {}
    for one in newcomers:
        if one.sha256 in before:
            growth.known += 1
        elif (twin := seen.get(one.sha256)) is None:
            seen[one.sha256] = one
            yield one
        elif twin.label != one.label:
            raise DatasetError(
                f"{one.source} and {twin.source} are the same picture, labelled {one.label!r} and "
                f"{twin.label!r}",
                "let an engineer decide, and collect again",
            )
        else:
            growth.known += 1


def _fill(run: Run, old: Path, fresh: Sequence[Newcomer], out: Path, growth: Growth) -> None:
    parts: list[list[str]] = []
    splits: dict[str, Split] = {}
    names = {PurePosixPath(row.path).stem for row in run.split()}
    for row in run.split():
        place = _old_place(row.path, row.label)
        _link(old / row.path, out / place, row.sha256)
        parts.append([place, row.part.removeprefix(_PART)])
        splits[place] = row.split
    for one in fresh:
        if PurePosixPath(one.name).stem in names:  # shifted when it was added: other bytes
            growth.known += 1
            continue
        place = _put(one, run, out, growth)
        parts.append([place, one.part])
        growth.added[one.label] += 1
    _carry_masks(run, old, out)
    write_csv(out / PARTS, list(PART_COLUMNS), sorted(parts))
    settled.write(out, splits)


def _carry_masks(run: Run, old: Path, out: Path) -> None:
    if not any((old / name).is_dir() for name in SIDE_FOLDERS):
        return
    label = {row.path: row.label for row in run.split()}
    for one in collect(old):
        if one.path in label and isinstance(one.mask, Path):
            place = PurePosixPath("masks", _old_place(one.path, label[one.path]))
            _link(one.mask, out / place.with_suffix(one.mask.suffix), "")


def _old_place(path: str, label: str) -> str:
    """CLASS/rest: halves and other names of the good class give way to the class's own name."""
    first, *rest = PurePosixPath(path).parts
    if first in ("train", "test") and len(rest) > 1:
        rest = [first, *rest[1:]]
    return PurePosixPath(label, *rest).as_posix()


def _link(source: Path, place: Path, sha256: str) -> None:
    if not source.is_file() or (sha256 and digest_of(source) != sha256):
        raise RunError(
            f"{source} is missing or has changed since the champion was trained",
            "put the picture back, or say where they lie now: --data",
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, place)
    except OSError:  # another disk
        shutil.copyfile(source, place)


def _put(one: Newcomer, run: Run, out: Path, growth: Growth) -> str:
    looked = run.record.input.to_input().region
    place = f"{one.label}/{one.name}"
    shift = _shift(one, looked)
    if shift == (0.0, 0.0):
        _link(one.source, out / place, "")
        return place
    pixels = shifted(picture.read(one.source), shift)
    place = f"{one.label}/{PurePosixPath(one.name).stem}.png"
    (out / place).parent.mkdir(parents=True, exist_ok=True)
    picture.write(out / place, pixels)
    growth.shifted += 1
    return place


def _shift(one: Newcomer, looked: Region) -> tuple[float, float]:
    """By which fractions of width and height the judge looked elsewhere than the champion does."""
    if one.region is None:
        return 0.0, 0.0
    apart = max(abs(one.region.width - looked.width), abs(one.region.height - looked.height))
    if apart > 1e-6:
        raise DatasetError(
            f"{one.source}: its judge looked at a region of {one.region.width:.3f} by "
            f"{one.region.height:.3f} of the frame, the champion at {looked.width:.3f} by "
            f"{looked.height:.3f}",
            "add samples of the champion's own camera, or train anew with --region",
        )
    return one.region.x - looked.x, one.region.y - looked.y


def shifted(pixels: Pixels, by: tuple[float, float]) -> Pixels:
    """The picture moved left and up by these fractions of its size; its edges are repeated."""
    rows, columns = pixels.shape[:2]
    across, down = round(by[0] * columns), round(by[1] * rows)
    wide = cv2.copyMakeBorder(
        pixels, max(0, -down), max(0, down), max(0, -across), max(0, across), cv2.BORDER_REPLICATE
    )
    top, left = max(0, down), max(0, across)
    return np.ascontiguousarray(np.asarray(wide, np.uint8)[top : top + rows, left : left + columns])


def _mark(run: Run, fresh: Sequence[Newcomer]) -> str:
    told = sorted((one.sha256, one.label, one.part) for one in fresh)
    body = json.dumps([run.record.data.fingerprint, told])
    return json.dumps({"made_of": hashlib.sha256(body.encode()).hexdigest()}) + "\n"


def _same(out: Path, mark: str) -> None:
    try:
        known = (out / MARK).read_text(encoding="utf-8")
    except OSError:
        known = ""
    if known != mark:
        raise DatasetError(
            f"{str(out)!r} holds something else already", "give another --out, or remove it"
        )
