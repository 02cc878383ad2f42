"""The labelled samples in the formats of other tools: COCO, and Label Studio's tasks.

    OUT/images/LABEL/ID.png     the pictures
    OUT/annotations.json        COCO: a box is a rectangle; a defect without one the whole picture
    OUT/tasks.json, config.xml  Label Studio: one annotation for each label that somebody gave

Both are what `linewarden data import` reads; what COCO has no place for stands under `linewarden`.
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from edge.console.review.standing import steps
from export.errors import SampleError
from export.sample import Label, Sample, Step, Window
from export.sample_folder import SampleFolder

GOOD = "good"
LOCAL = "/data/local-files/?d="  # Label Studio's local storage


def coco(folder: SampleFolder, out: Path, station: str) -> Counter[str]:
    """Write `out` in COCO's format; returns how many of each label. Raises SampleError."""
    found = _labelled(folder, out)
    number = {name: i for i, name in enumerate(sorted({label for _, label in found}), start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for at, (sample, label) in enumerate(found, start=1):
        ours = {
            "label": label, "split": None, "part": sample.physical_part(station),
            "labels": [[one.label or "", one.by, one.at, one.note] for one in sample.labels],
        }  # fmt: skip
        images.append(
            {"id": at, "file_name": _place(sample, label), "width": sample.image.width,
             "height": sample.image.height, "linewarden": ours}
        )  # fmt: skip
        box = box_of(sample)
        if box is not None or label != GOOD:
            shape = _rectangle(sample, box)
            annotations.append(
                {"id": at, "image_id": at, "category_id": number[label], "iscrowd": 0, **shape}
            )
    categories = [{"id": i, "name": name} for name, i in number.items()]
    told = {"images": images, "annotations": annotations, "categories": categories}
    _write(out / "annotations.json", json.dumps(told, ensure_ascii=False))
    return Counter(label for _, label in found)


def labelstudio(folder: SampleFolder, out: Path, station: str) -> Counter[str]:
    """Write `out` as Label Studio's tasks; returns how many of each label. Raises SampleError."""
    found = _labelled(folder, out)
    tasks = [_task(sample, label, station) for sample, label in found]
    names = sorted({label for _, label in found})
    _write(out / "tasks.json", json.dumps(tasks, ensure_ascii=False))
    _write(out / "config.xml", _config(names))
    return Counter(label for _, label in found)


def box_of(sample: Sample) -> Window | None:
    """The last box that somebody drew; None without one, if it was undone, or on a good part."""
    if sample.label == GOOD:
        return None
    return next((one.box for one in reversed(steps(sample)) if one.box is not None), None)


def _labelled(folder: SampleFolder, out: Path) -> list[tuple[Sample, str]]:
    """Every labelled sample with its label, its picture copied."""
    found = [(sample, sample.label) for sample in folder if sample.label is not None]
    try:
        for sample, label in found:
            place = out / _place(sample, label)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder.picture(sample), place)
    except OSError as error:
        raise _unwritable(out, error) from error
    return found


def _place(sample: Sample, label: str) -> str:
    return f"images/{label}/{sample.id}.{sample.image.suffix}"


def _rectangle(sample: Sample, box: Window | None) -> dict[str, Any]:
    wide, high = sample.image.width, sample.image.height
    if box is None:
        return {"segmentation": [], "area": wide * high, "bbox": [0, 0, wide, high]}
    x, y, width, height = box.x * wide, box.y * high, box.width * wide, box.height * high
    corners = [x, y, x + width, y, x + width, y + height, x, y + height]
    rounded = [round(one, 2) for one in (x, y, width, height)]
    return {
        "segmentation": [[round(one, 2) for one in corners]],
        "area": round(width * height, 2), "bbox": rounded,
    }  # fmt: skip


def _task(sample: Sample, label: str, station: str) -> dict[str, Any]:
    place = _place(sample, label)
    last = sample.labels[-1]
    steps = [one for one in sample.labels if one.label is not None or one is last]
    data = {
        "image": f"{LOCAL}{quote(place)}", "path": place.removeprefix("images/"),
        "part": sample.physical_part(station),
    }  # fmt: skip
    box = box_of(sample)
    annotations = [_annotation(sample, one, box if one is last else one.box) for one in steps]
    return {"data": data, "annotations": annotations}


def _annotation(sample: Sample, said: Label, box: Window | None) -> dict[str, Any]:
    common = {
        "to_name": "image", "original_width": sample.image.width,
        "original_height": sample.image.height, "image_rotation": 0,
    }  # fmt: skip
    choices = [said.label] if said.label else []
    results: list[dict[str, Any]] = [
        {"type": "choices", "from_name": "class", "value": {"choices": choices}, **common}
    ]
    if box is not None:
        value = {
            "x": 100 * box.x, "y": 100 * box.y, "width": 100 * box.width,
            "height": 100 * box.height, "rotation": 0, "rectanglelabels": choices,
        }  # fmt: skip
        results.append({"type": "rectanglelabels", "from_name": "box", "value": value, **common})
    return {
        "result": results, "completed_by": {"email": said.by}, "created_at": said.at,
        "meta": {"note": said.note}, "was_cancelled": said.step is Step.UNSURE,
    }  # fmt: skip


def _config(names: list[str]) -> str:
    choices = "".join(f"\n    <Choice value={quoteattr(name)}/>" for name in names)
    labels = "".join(f"\n    <Label value={quoteattr(name)}/>" for name in names)
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="class" toName="image" choice="single">{choices}\n  </Choices>\n'
        f'  <RectangleLabels name="box" toName="image">{labels}\n  </RectangleLabels>\n</View>\n'
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> SampleError:
    return SampleError(
        f"{path} can't be written: {error.strerror}", "check the folder, its rights and its room"
    )
