"""Data sets into other tools' formats and back: one door for all of them."""

from enum import StrEnum
from pathlib import Path

from export.errors import DatasetError
from trainer.exchange import coco, labelstudio, table
from trainer.exchange.folder import collect, filling, lay_out
from trainer.progress import Progress


class Kind(StrEnum):
    """What is understood."""

    COCO = "coco"
    LABELSTUDIO = "labelstudio"
    CSV = "csv"


_WRITERS = {Kind.COCO: coco.write, Kind.LABELSTUDIO: labelstudio.write, Kind.CSV: table.write}
_READERS = {Kind.COCO: coco.read, Kind.LABELSTUDIO: labelstudio.read, Kind.CSV: table.read}


def bring_in(
    kind: Kind, source: Path, out: Path, progress: Progress, pictures: Path | None = None
) -> int:
    """Make a data set of labels in another format; returns its number of pictures.

    Args:
        kind: the format.
        source: its file or folder.
        out: the data set's folder; new or empty.
        progress: told how far it is.
        pictures: where the pictures lie, if not beside the labels.

    Raises:
        DatasetError: the labels can't be read, a picture isn't there, or `out` holds files.
    """
    if not source.exists():
        raise DatasetError(f"{str(source)!r} isn't there", "give the labels' file or folder")
    entries = _READERS[kind](source, pictures)
    if not entries:
        raise DatasetError(f"{str(source)!r} names no picture", "export it again")
    with filling(out), progress.phase("copying pictures", len(entries)) as advance:
        lay_out(entries, out, advance)
    return len(entries)


def take_out(kind: Kind, root: Path, out: Path, progress: Progress) -> int:
    """Write a data set in another format; returns its number of pictures; raises DatasetError."""
    entries = collect(root)
    with filling(out), progress.phase("copying pictures", len(entries)) as advance:
        try:
            _WRITERS[kind](entries, out, advance)
        except OSError as error:
            raise DatasetError(
                f"{error.filename or str(out)!r} can't be written: {error.strerror}",
                "check its rights and the free space",
            ) from error
    return len(entries)
