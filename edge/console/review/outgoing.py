"""The labelled samples as a data set elsewhere: one folder for each label, as a trainer reads it.

Beside the pictures labels.csv says of each who labelled it, when, where the defect is, and what the
line had decided; parts.csv which part it shows; masks/ holds the boxes that people drew. What is
there already and the same is left, so that it can be run again.
"""

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np

from edge.console.review.formats import box_of
from export import picture
from export.errors import SampleError
from export.sample import Sample
from export.sample_folder import SampleFolder

TABLE, PARTS, MASKS = "labels.csv", "parts.csv", "masks"
COLUMNS = (
    "path", "label", "by", "at", "box_x", "box_y", "box_width", "box_height",
    "camera", "epoch", "seq", "part", "outcome", "score", "captured_at", "sha256",
)  # fmt: skip


def copy(folder: SampleFolder, out: Path, station: str = "") -> Counter[str]:
    """Copy every labelled sample below `out`; returns how many of each label.

    Raises:
        SampleError: `out` can't be written, or has another sample's picture of that name.
    """
    counts: Counter[str] = Counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (
            (out / TABLE).open("w", encoding="utf-8", newline="") as file,
            (out / PARTS).open("w", encoding="utf-8", newline="") as others,
        ):
            table, parts = csv.writer(file), csv.writer(others)
            table.writerow(COLUMNS)
            parts.writerow(("path", "part"))
            for sample in folder:
                if sample.label is not None:
                    place = _copied(folder, sample, out)
                    table.writerow(_row(sample, place))
                    parts.writerow((place.as_posix(), sample.physical_part(station)))
                    _mask(sample, out / MASKS / place.with_suffix(".png"))
                    counts[sample.label] += 1
                elif sample.labels:
                    _forget(sample, out)
    except OSError as error:
        raise SampleError(
            f"{out} can't be written: {error}", "check the folder, its rights and its room"
        ) from error
    return counts


def _forget(sample: Sample, out: Path) -> None:
    """Its label was taken back since the last time, or is in doubt: it teaches nothing."""
    name = f"{sample.id}.{sample.image.suffix}"
    for old in [*out.glob(f"*/{name}"), *out.glob(f"{MASKS}/*/{sample.id}.png")]:
        old.unlink()


def _copied(folder: SampleFolder, sample: Sample, out: Path) -> Path:
    source = folder.picture(sample)
    place = Path(sample.label or "") / source.name
    for old in out.glob(f"*/{source.name}"):  # its label has changed since the last time
        if old.parent.name != sample.label:
            old.unlink()
    (out / place).parent.mkdir(exist_ok=True)
    if not (out / place).exists() or (out / place).stat().st_size != sample.image.bytes:
        shutil.copyfile(source, out / place)
    return place


def _mask(sample: Sample, place: Path) -> None:
    """The box as a mask, 0 or 255; none without one, nor one that was taken back."""
    for old in place.parent.parent.glob(f"*/{place.name}"):
        old.unlink()
    if (box := box_of(sample)) is None:
        return
    wide, high = sample.image.width, sample.image.height
    drawn = np.zeros((high, wide), np.uint8)
    left, top = round(box.x * wide), round(box.y * high)
    right, bottom = round((box.x + box.width) * wide), round((box.y + box.height) * high)
    drawn[top : max(bottom, top + 1), left : max(right, left + 1)] = 255
    place.parent.mkdir(parents=True, exist_ok=True)
    picture.write(place, drawn)


def _row(sample: Sample, place: Path) -> list[object]:
    last, verdict = sample.labels[-1], sample.verdict
    box = box_of(sample)
    corners = [box.x, box.y, box.width, box.height] if box else [""] * 4
    return [
        place.as_posix(), sample.label, last.by, last.at, *corners, *verdict.key, verdict.part,
        verdict.outcome.value, "" if verdict.score is None else verdict.score, verdict.captured_at,
        sample.image.sha256,
    ]  # fmt: skip
