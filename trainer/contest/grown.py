"""A data set that grows: what the champion was trained and tested on, and what has come since.

    DATA/CLASS/…       every picture, hard-linked where that can be
    DATA/parts.csv     which part each shows: as the champion's run told them, and as the box did
    DATA/splits.csv    the split of what is not new: it stays there
    DATA/grown.json    of what it was made

A picture that is here already is not added again; but if people have said otherwise of it since, it
gets that label where it is, in its split, and one whose label was taken back is left out. What a
box's camera looked at may lie elsewhere in the frame than where the champion looks (the part
moved): such a picture is shifted by that, so that whoever reads the data set sees what the judge
saw.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from trainer.run import Run, SplitRow, write_csv

MARK = "grown.json"
_PART = "part "


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A picture to add: its file, class and part, its name, and where its judge looked.

    Attributes:
        label: its class; "" if people took it back.
        collected: whether it is a box's, whose label is people's newest word.
    """

    source: Path
    label: str
    part: str
    name: str
    sha256: str
    region: Region | None = None
    collected: bool = False


@dataclass(slots=True)
class Growth:
    """What came of growing: the folder, and how many pictures of each class were added.

    Attributes:
        known: were there already.
        corrected: of these, have another label now.
        withdrawn: of these, have none any more.
    """

    root: Path
    added: Counter[str] = field(default_factory=Counter[str])
    known: int = 0
    shifted: int = 0
    corrected: int = 0
    withdrawn: int = 0

    @property
    def words(self) -> str:
        """What came of it, for people."""
        told = ", ".join(f"{n} {label}" for label, n in sorted(self.added.items())) or "nothing"
        words = f"added {told}; {self.known} were there already"
        if self.corrected or self.withdrawn:
            words += f", {self.corrected} have another label now, {self.withdrawn} none"
        return words


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
    newcomers = [one for add in adds for one in _of(add)]
    growth, said = Growth(out), _Said(run)
    fresh = list(_fresh(newcomers, said, growth))
    if not fresh and not said.otherwise:
        raise DatasetError(
            f"all {len(newcomers)} pictures in {', '.join(map(str, adds))} were there already",
            "add what has been labelled since: linewarden collect",
        )
    mark = _mark(run, fresh, said.otherwise)
    if out.exists():
        _same(out, mark)
    partial = out.with_name(f".{out.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        kept = _keep(run, old, said.otherwise, partial, growth)
        _add(run, fresh, kept, partial, growth)
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
    for name in folder.ids():
        sample = folder.read(name)  # one that can't be read may hold a label: it is not passed over
        if sample.labels:
            yield _sampled(folder, sample, station, box)


def _sampled(folder: SampleFolder, sample: Sample, station: str, box: str) -> Newcomer:
    where = sample.region
    return Newcomer(
        folder.picture(sample), sample.label or "", sample.physical_part(station),
        f"{box}-{sample.id}.{sample.image.suffix}", sample.image.sha256,
        where and Region(where.x, where.y, where.width, where.height), collected=True,
    )  # fmt: skip


class _Said:
    """What is said now of the pictures that the run has.

    Attributes:
        otherwise: the label of each, by path, of which a box's people say something else; "" where
            they took it back.
    """

    def __init__(self, run: Run) -> None:
        rows = run.split()
        self.otherwise: dict[str, str] = {}
        self._looked = run.record.input.to_input().region
        self._by_digest = {row.sha256: row for row in rows}
        self._by_name = {PurePosixPath(row.path).stem: row for row in rows}
        self._heard: dict[str, Newcomer] = {}

    def knows(self, one: Newcomer) -> bool:
        """Whether the run has this picture; what is said of it now is noted.

        Raises:
            DatasetError: two say different things of it, or a data set says other than the run.
        """
        row = self._by_digest.get(one.sha256)
        if row is None and _shift(one, self._looked) != (0.0, 0.0):
            row = self._by_name.get(PurePosixPath(one.name).stem)  # other bytes: it was shifted
        if row is None:
            return False
        heard = self._heard.setdefault(row.path, one)
        if heard.label != one.label:
            raise _two_labels(one, str(heard.source), heard.label)
        if one.label != row.label:
            if not one.collected:
                raise _two_labels(one, row.path, row.label)
            self.otherwise[row.path] = one.label
        return True


def _two_labels(one: Newcomer, other: str, label: str) -> DatasetError:
    return DatasetError(
        f"{one.source} and {other} are the same picture, labelled {one.label!r} and {label!r}",
        "let an engineer decide, and collect again",
    )


def _fresh(newcomers: Sequence[Newcomer], said: _Said, growth: Growth) -> Iterator[Newcomer]:
    seen: dict[str, Newcomer] = {}
    for one in newcomers:
        if said.knows(one):
            growth.known += 1
        elif not one.label:
            continue  # taken back before anything learnt it
        elif (twin := seen.get(one.sha256)) is None:
            seen[one.sha256] = one
            yield one
        elif twin.label != one.label:
            raise _two_labels(one, str(twin.source), twin.label)
        else:
            growth.known += 1


def _keep(
    run: Run, old: Path, otherwise: Mapping[str, str], out: Path, growth: Growth
) -> dict[str, SplitRow]:
    """Lay out what the run has, under the labels of now; returns what is at each place."""
    kept: dict[str, SplitRow] = {}
    for row in sorted(run.split(), key=lambda row: row.path in otherwise):
        label = otherwise.get(row.path, row.label)
        growth.withdrawn += not label
        if label:
            growth.corrected += label != row.label
            place = _free(out, _old_place(row.path, label), row.sha256)
            _link(old / row.path, out / place, row.sha256)
            kept[place] = row
    _carry_masks(run, old, out, otherwise)
    return kept


def _add(
    run: Run, fresh: Sequence[Newcomer], kept: Mapping[str, SplitRow], out: Path, growth: Growth
) -> None:
    """Lay out what is new, and write which part each picture shows and what is settled."""
    parts = [[place, row.part.removeprefix(_PART)] for place, row in kept.items()]
    for one in fresh:
        parts.append([_put(one, run, out, growth), one.part])
        growth.added[one.label] += 1
    write_csv(out / PARTS, list(PART_COLUMNS), sorted(parts))
    settled.write(out, {place: row.split for place, row in kept.items()})


def _free(out: Path, place: str, sha256: str) -> str:
    """The place, or one beside it if another picture of that name has it."""
    if not (out / place).exists():
        return place
    path = PurePosixPath(place)
    return path.with_name(f"{sha256[:12]}-{path.name}").as_posix()


def _carry_masks(run: Run, old: Path, out: Path, otherwise: Mapping[str, str]) -> None:
    """A mask is of the defect that it was drawn for: it doesn't go with another label."""
    if not any((old / name).is_dir() for name in SIDE_FOLDERS):
        return
    label = {row.path: row.label for row in run.split() if row.path not in otherwise}
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
    except FileExistsError:
        raise  # copying would write into another picture, wherever that is linked from
    except OSError:  # another disk
        shutil.copyfile(source, place)


def _put(one: Newcomer, run: Run, out: Path, growth: Growth) -> str:
    looked = run.record.input.to_input().region
    if not one.source.is_file() or digest_of(one.source) != one.sha256:
        raise DatasetError(
            f"{one.source} is missing, or is not the picture that was collected",
            "remove it, if it is there, and bring it again: linewarden collect",
        )
    place = _free(out, f"{one.label}/{one.name}", one.sha256)
    shift = _shift(one, looked)
    if shift == (0.0, 0.0):
        _link(one.source, out / place, "")
        return place
    pixels = shifted(picture.read(one.source), shift)
    place = f"{one.label}/{PurePosixPath(one.name).stem}.png"
    place = _free(out, place, one.sha256)
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


def _mark(run: Run, fresh: Sequence[Newcomer], otherwise: Mapping[str, str]) -> str:
    told = sorted((one.sha256, one.label, one.part) for one in fresh)
    more = [sorted(otherwise.items())] if otherwise else []
    body = json.dumps([run.record.data.fingerprint, told, *more])
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
