"""The labelled samples as a data set elsewhere: one folder for each label, as a trainer reads it.

Beside the pictures labels.csv says of each who labelled it, when, where the defect is, and what the
line had decided. What is there already and the same is left, so that it can be run again.
"""

import csv
import shutil
from collections import Counter
from pathlib import Path

from export.errors import SampleError
from export.sample import Sample
from export.sample_folder import SampleFolder

TABLE = "labels.csv"
COLUMNS = (
    "path", "label", "by", "at", "box_x", "box_y", "box_width", "box_height",
    "camera", "epoch", "seq", "part", "outcome", "score", "captured_at", "sha256",
)  # fmt: skip


def copy(folder: SampleFolder, out: Path) -> Counter[str]:
    """Copy every labelled sample below `out`; returns how many of each label.

    Raises:
        SampleError: `out` can't be written, or has another sample's picture of that name.
    """
    counts: Counter[str] = Counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / TABLE).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for sample in folder:
                if sample.label is not None:
                    table.writerow(_row(sample, _copied(folder, sample, out)))
                    counts[sample.label] += 1
    except OSError as error:
        raise SampleError(
            f"{out} can't be written: {error}", "check the folder, its rights and its room"
        ) from error
    return counts


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


def _row(sample: Sample, place: Path) -> list[object]:
    last, verdict = sample.labels[-1], sample.verdict
    box = next((one.box for one in reversed(sample.labels) if one.box is not None), None)
    corners = [box.x, box.y, box.width, box.height] if box else [""] * 4
    return [
        place.as_posix(), sample.label, last.by, last.at, *corners, *verdict.key, verdict.part,
        verdict.outcome.value, "" if verdict.score is None else verdict.score, verdict.captured_at,
        sample.image.sha256,
    ]  # fmt: skip
