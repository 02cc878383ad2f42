"""Collecting: a box's labelled samples come home, each once, into a folder that training opens.

    DATA/good/ID.png, DATA/scratch/ID.png   pictures, in the folder of the label that stands
    DATA/.records/ID.json                   verdict, reasons and the whole history of labels
    DATA/.unlabelled/ID.png                 what nobody has said anything about, or took back
    DATA/parts.csv                          which physical part each picture shows
    DATA/.collected.json                    from which box

A sample is here whole or not at all, whenever this is killed; what is here is not fetched again. A
record that has grown on the box (another label) grows here.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from export import durable
from export.doorway import SAMPLES, Listed, Listing
from export.errors import BoxError, DatasetError, SampleError
from export.sample import Sample
from export.sample_folder import MAX_RECORD_BYTES, SampleFolder
from trainer.box.wire import Wire
from trainer.exchange.folder import PART_COLUMNS, PARTS
from trainer.progress import Progress
from trainer.run import write_csv

ORIGIN = ".collected.json"
NOT_FOUND = 404
MOST_PICTURE_BYTES = 1 << 30


@dataclass(slots=True)
class Haul:
    """What one collection brought.

    Attributes:
        fetched: samples that are new here.
        grown: samples whose record has changed on the box.
        known: samples that were here already.
        gone: samples that the box gave up while we asked.
        labels: how many pictures of each label there are here now.
    """

    station: str = ""
    fetched: int = 0
    grown: int = 0
    known: int = 0
    gone: int = 0
    labels: Counter[str] = field(default_factory=Counter[str])
    parts: int = 0


def collect(wire: Wire, out: Path, progress: Progress, *, everything: bool = False) -> Haul:
    """Bring a box's samples to `out`.

    Args:
        wire: to its console.
        out: the data set; made if it isn't there.
        progress: told how far it is.
        everything: also samples that nobody has labelled.

    Raises:
        BoxError: the console can't be reached, refuses, or sends what it didn't list.
        DatasetError: `out` is of another box, or holds another picture under a sample's name.
        SampleError: `out` can't be written.
    """
    folder, haul = SampleFolder(out), Haul()
    first = _page(wire, "", everything=everything)
    _claim(out, first.station)
    haul.station = first.station
    folder.make()
    for told in folder.mend():
        progress.say(f"  mended: {told}")
    held = {sample.id: sample for sample in folder if _is_whole(folder, sample)}
    with progress.phase("samples", first.total) as advance:
        for listed in _all(wire, first, everything=everything):
            _bring(wire, folder, held.get(listed.id), listed, haul)
            advance()
    _tell_parts(folder, haul)
    return haul


def _is_whole(folder: SampleFolder, sample: Sample) -> bool:
    """Whether its picture is here too; one that was taken away is fetched again."""
    try:
        return folder.picture(sample).stat().st_size == sample.image.bytes
    except OSError:
        return False


def _page(wire: Wire, after: str, *, everything: bool) -> Listing:
    query = {"after": after} | ({"all": "1"} if everything else {})
    return wire.document(Listing, SAMPLES, **query)


def _all(wire: Wire, page: Listing, *, everything: bool) -> Iterator[Listed]:
    after = ""
    while True:
        for listed in page.samples:
            if listed.id <= after:  # or it would never end
                raise BoxError(
                    f"{wire.url} lists its samples out of order: {listed.id} after {after}",
                    "check that this is a console's address, and that both have the same version",
                )
            after = listed.id
            yield listed
        if not page.more or not page.samples:
            return
        page = _page(wire, after, everything=everything)


def _claim(out: Path, station: str) -> None:
    """One folder holds one box's samples: two boxes' ids may be the same."""
    mark = out / ORIGIN
    try:
        if mark.exists():
            before = str(json.loads(mark.read_bytes())["station"])
            if before != station:
                raise DatasetError(
                    f"{str(out)!r} holds samples of {before}, and this box is {station}",
                    "collect each box into a folder of its own; `linewarden retrain` takes --add "
                    "more than once",
                )
            return
        strange = [] if not out.exists() else [p.name for p in out.iterdir() if p.name != ORIGIN]
        if strange:
            raise DatasetError(
                f"{str(out)!r} holds {strange[0]!r} and was not collected from a box",
                "name a new folder",
            )
        out.mkdir(parents=True, exist_ok=True)
        durable.replace(mark, json.dumps({"station": station}).encode())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{str(mark)!r} can't be used: {error}", "name a new folder") from error


def _bring(
    wire: Wire, folder: SampleFolder, held: Sample | None, listed: Listed, haul: Haul
) -> None:
    if held is not None:
        if held.image.sha256 != listed.sha256:
            raise DatasetError(
                f"sample {listed.id} is another picture here than on the box {haul.station}",
                "the box's record was begun anew: collect into a new folder",
            )
        if held.mark == listed.mark:
            haul.known += 1
            return
    try:
        sample = _record(wire, listed)
        if held is None:
            folder.add(sample, _picture(wire, sample))
            haul.fetched += 1
        else:
            _grow(folder, held, sample)
            haul.grown += 1
    except BoxError as error:
        if error.status != NOT_FOUND:
            raise
        haul.gone += 1


def _record(wire: Wire, listed: Listed) -> Sample:
    path = f"{SAMPLES}/{listed.id.replace('%', '%25')}/record"
    try:
        sample = Sample.model_validate_json(wire.bytes(path, MAX_RECORD_BYTES))
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, told["loc"])) or "the whole"
        raise BoxError(
            f"{wire.url}{path} is no sample that this version understands: {where}: {told['msg']}",
            "use the same version of Linewarden on both",
        ) from error
    if (sample.id, sample.image.sha256) != (listed.id, listed.sha256):
        raise BoxError(f"{wire.url}{path} is not the sample that was listed", "collect again")
    return sample


def _picture(wire: Wire, sample: Sample) -> bytes:
    path = f"{SAMPLES}/{sample.id.replace('%', '%25')}/picture"
    body = wire.bytes(path, min(sample.image.bytes, MOST_PICTURE_BYTES))
    if len(body) != sample.image.bytes or hashlib.sha256(body).hexdigest() != sample.image.sha256:
        raise BoxError(
            f"{wire.url}{path}: the picture is not the one that the box kept: its SHA-256 differs",
            "collect again; if it stays so, the box's disk is failing: linewarden doctor",
        )
    return body


def _grow(folder: SampleFolder, held: Sample, sample: Sample) -> None:
    """Labels are only ever added: a history that is another one is no continuation."""
    if sample.labels[: len(held.labels)] != held.labels:
        raise BoxError(
            f"the history of labels of sample {sample.id} was rewritten on the box",
            "see `linewarden console verify` there; collect into a new folder to take it as it is",
        )
    folder.update(sample)


def _tell_parts(folder: SampleFolder, haul: Haul) -> None:
    rows: list[list[str]] = []
    for sample in folder:
        if sample.label is not None:
            place = folder.picture(sample).relative_to(folder.root).as_posix()
            rows.append([place, sample.physical_part(haul.station)])
            haul.labels[sample.label] += 1
    haul.parts = len({part for _, part in rows})
    fresh = folder.root / f".{PARTS}.part"
    try:
        write_csv(fresh, list(PART_COLUMNS), sorted(rows))
        fresh.replace(folder.root / PARTS)
    except OSError as error:
        raise SampleError(f"{fresh} can't be written: {error.strerror}", "make room") from error
