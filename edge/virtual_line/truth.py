"""The truth about every part on the virtual line, and its table on disk.

Written by the line before a camera has seen anything; read by whoever counts escapes.
"""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from edge.virtual_line.defect import Kind
from export.errors import CameraError

GOOD = "good"


@dataclass(frozen=True, slots=True)
class PartTruth:
    """What one part is.

    Attributes:
        index: 0, 1, 2… in the order in which parts pass.
        part: the part's name, e.g. `gear-000017`.
        design: what it should be.
        defect: what is wrong with it, or None for a good part.
        size_px: the defect's extent in the frame's pixels, 0 for a good part.
        contrast: 0..1, how strongly the defect shows, 0 for a good part.
        centre_frame: number of the frame in which it is nearest the middle of the picture.
        x_px, y_px: its centre in that frame.
        turn_deg: how it lies, clockwise.
    """

    index: int
    part: str
    design: str
    defect: Kind | None
    size_px: float
    contrast: float
    centre_frame: int
    x_px: int
    y_px: int
    turn_deg: float

    @property
    def label(self) -> str:
        """The class it belongs to: `good` or the defect's kind."""
        return self.defect.value if self.defect else GOOD


COLUMNS = tuple(field.name for field in fields(PartTruth))


def write_truth(path: Path, parts: Iterable[PartTruth]) -> None:
    """Write the table as CSV with a header; a good part's defect is empty.

    Raises:
        CameraError: the file can't be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for part in parts:
                row = asdict(part)
                writer.writerow({**row, "defect": row["defect"] or ""})
    except OSError as error:
        raise CameraError(
            f"the truth can't be written to {str(path)!r}: {error.strerror}",
            "name a file in a folder that exists and is writable",
        ) from error


def read_truth(path: Path) -> tuple[PartTruth, ...]:
    """Read the table back.

    Raises:
        CameraError: the file can't be read or is no table of truth.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(_row(row) for row in csv.DictReader(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CameraError(
            f"{str(path)!r} is no table of truth: {error}",
            f"it needs the columns {','.join(COLUMNS)}, as `linewarden line dataset` writes them",
        ) from error


def _row(row: dict[str, str]) -> PartTruth:
    return PartTruth(
        index=int(row["index"]),
        part=row["part"],
        design=row["design"],
        defect=Kind(row["defect"]) if row["defect"] else None,
        size_px=float(row["size_px"]),
        contrast=float(row["contrast"]),
        centre_frame=int(row["centre_frame"]),
        x_px=int(row["x_px"]),
        y_px=int(row["y_px"]),
        turn_deg=float(row["turn_deg"]),
    )
