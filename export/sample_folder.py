"""A folder of samples, which is a training set as it stands: one sub-folder for each class.

    good/ID.png  scratch/ID.png   pictures with a label
    .unlabelled/ID.png            pictures nobody has spoken about: hidden, so no trainer reads them
    .records/ID.json              what is known of each (export/sample.py)

Whatever moment the power goes, `mend` makes it whole: a record is written after its picture and
removed before it, each under another name first. One box adds and removes; any process may label.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from pydantic import ValidationError

from export import durable
from export.durable import PART
from export.errors import SampleError
from export.sample import Label, Sample

RECORDS, UNLABELLED, LOCK = ".records", ".unlabelled", ".lock"
MAX_RECORD_BYTES = 1 << 20


class SampleFolder:
    """Samples below `root`.

    Raises:
        SampleError: from every method, when the disk refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._records, self._unlabelled = root / RECORDS, root / UNLABELLED

    def make(self) -> None:
        """Make the folders, if they aren't there."""
        with _told(self.root, "made"):
            for folder in (self._records, self._unlabelled):
                folder.mkdir(parents=True, exist_ok=True)

    def ids(self) -> list[str]:
        """Every sample's id, oldest record first."""
        with _told(self._records, "read"):
            found = [(e.stat().st_mtime_ns, e.name) for e in os.scandir(self._records)]
        return [name.removesuffix(".json") for _, name in sorted(found) if name.endswith(".json")]

    def __iter__(self) -> Iterator[Sample]:
        """Every sample that can be read, oldest record first."""
        for name in self.ids():
            with contextlib.suppress(SampleError):
                yield self.read(name)

    def read(self, name: str) -> Sample:
        """One sample; raises SampleError if there is none, or it isn't one."""
        path = self._records / f"{name}.json"
        with _told(path, "read"), path.open("rb") as file:
            body = file.read(MAX_RECORD_BYTES + 1)
        try:
            sample = Sample.model_validate_json(body)
        except ValidationError as error:
            told = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, told["loc"])) or "the whole"
            raise SampleError(f"{path} is not a sample: {where}: {told['msg']}") from error
        if sample.id != name:
            raise SampleError(f"{path} says that it is {sample.id!r}")
        return sample

    def edition(self, name: str) -> tuple[int, int, int]:
        """Changes when a sample's record is written anew; raises SampleError if there is none.

        Its file, size and time: the time alone stands still for some milliseconds.
        """
        path = self._records / f"{name}.json"
        with _told(path, "read"):
            found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def picture(self, sample: Sample) -> Path:
        """Where the sample's picture belongs."""
        folder = self._unlabelled if sample.label is None else self.root / sample.label
        return folder / f"{sample.id}.{sample.image.suffix}"

    def add(self, sample: Sample, picture: bytes) -> None:
        """Write picture and record; both are on the disk when this returns."""
        place = self.picture(sample)
        try:
            _write(place, picture)
            self._note(sample)
        except SampleError:
            with contextlib.suppress(OSError):
                place.unlink(missing_ok=True)
            raise

    def update(self, sample: Sample) -> None:
        """Write a sample's record anew; its picture follows its label.

        Whatever was said of it meanwhile is lost: only for a folder in which nobody else writes.
        """
        with self._locked():
            self._replace(sample)

    def amend(self, name: str, how: Callable[[Sample], Sample]) -> tuple[Sample, Sample]:
        """Change a sample as it is now; returns it as it was and as it is. For any process."""
        with self._locked():
            before = self.read(name)
            after = how(before)
            if after != before:
                self._replace(after)
            return before, after

    def label(self, name: str, label: Label, *, after: int | None = None) -> Sample:
        """Add to a sample's history and move its picture to its class; for any process.

        `after`: how long its history must be; SampleError if somebody has labelled it meanwhile.
        """
        with self._locked():
            before = self.read(name)
            if after not in (None, len(before.labels)):
                raise SampleError(f"sample {name} was labelled meanwhile", "look at it again")
            fields = {**before.model_dump(), "labels": (*before.labels, label)}
            try:
                labelled = Sample.model_validate(fields)
            except ValidationError as error:
                told = error.errors(include_url=False, include_input=False)[0]["msg"]
                raise SampleError(f"sample {name} can't take that label: {told}") from error
            self._replace(labelled)
            return labelled

    def remove(self, name: str) -> bool:
        """Delete a sample, unless somebody has labelled it meanwhile; whether it is gone."""
        with self._locked():
            sample = self.read(name)
            if sample.labels:
                return False
            with _told(self._records, "changed"):
                (self._records / f"{name}.json").unlink()
                self.picture(sample).unlink(missing_ok=True)
            return True

    def mend(self) -> list[str]:
        """Finish or undo what a power cut left half done; returns what was found, in words."""
        told: list[str] = []
        with self._locked(), _told(self.root, "mended"):
            for folder in (self._records, *self._folders()):
                for part in folder.glob(f".*{PART}"):
                    part.unlink()
            for name in self.ids():
                with contextlib.suppress(SampleError):
                    told += self._settled(self.read(name))
            for path in list(self._unlabelled.iterdir()):
                if not (self._records / f"{path.stem}.json").exists():
                    path.unlink()
                    told.append(f"{path.name}: a picture without a record, removed")
        return told

    def _settled(self, sample: Sample) -> list[str]:
        """Put a sample's picture where its last label says; forget a record without a picture."""
        place = self.picture(sample)
        if place.exists():
            return []
        for folder in self._folders():
            if (found := folder / place.name).exists():
                _move(found, place)
                return [f"{place.name}: moved to {place.parent.name}, as its record says"]
        if not sample.labels:
            (self._records / f"{sample.id}.json").unlink()
        return [f"{sample.id}: its picture is gone"]

    def _replace(self, sample: Sample) -> None:
        before = self.read(sample.id)
        self._note(sample)
        if (was := self.picture(before)) != (place := self.picture(sample)):
            with _told(place, "written"):
                _move(was, place)

    def _note(self, sample: Sample) -> None:
        body = sample.model_dump_json(indent=1).encode() + b"\n"
        if len(body) > MAX_RECORD_BYTES:  # it could be written, and never read again
            raise SampleError(
                f"the record of sample {sample.id} would have {len(body)} bytes, "
                f"{MAX_RECORD_BYTES} are read",
                "its history is full: it can't take another word",
            )
        _write(self._records / f"{sample.id}.json", body)

    def _folders(self) -> list[Path]:
        hidden = (RECORDS, LOCK)
        return [path for path in self.root.iterdir() if path.is_dir() and path.name not in hidden]

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """Only one process at a time decides about labels and removals."""
        with _told(self.root, "locked"):
            door = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o660)
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield
        finally:
            os.close(door)


def bytes_free(folder: Path) -> int:
    """What the folder's disk still takes; raises SampleError if it can't be told."""
    with _told(folder, "looked at"):
        return shutil.disk_usage(folder).free


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all, and onto the disk."""
    with _told(path, "written"):
        path.parent.mkdir(exist_ok=True)
        durable.replace(path, body)


def _move(before: Path, after: Path) -> None:
    after.parent.mkdir(exist_ok=True)
    before.rename(after)
    for folder in {before.parent, after.parent}:
        durable.sync(folder)
    if not before.parent.name.startswith("."):
        with contextlib.suppress(OSError):  # others are still in it
            before.parent.rmdir()


@contextlib.contextmanager
def _told(path: Path, what: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise SampleError(
            f"{path} can't be {what}: {error.strerror or error}",
            "check that its folder exists, is writable and has room",
        ) from error
