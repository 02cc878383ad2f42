"""COCO: one category for each class; a mask is an annotation, and so is a class without one.

    annotations.json   images, annotations, categories
    images/…           the pictures

What COCO has no place for stands under `linewarden` in an image: class, split, part, labels.
Of files by other tools a picture's class is that of its annotations; without any it is good.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from export import picture
from export.errors import DatasetError
from trainer.dataset import Half, listing
from trainer.exchange import runs
from trainer.exchange.entry import NOT_THE_FORMAT, Entry, Mask, Said, below, half_of, place, to_size
from trainer.exchange.folder import copy, refuse_full
from trainer.exchange.polygons import filled
from trainer.run import GOOD

FILE = "annotations.json"


def write(entries: list[Entry], out: Path, advance: Callable[[], None]) -> None:
    """Write a folder in COCO's format; masks as compressed runs."""
    refuse_full(out)
    number = {name: i + 1 for i, name in enumerate(sorted({e.label for e in entries}))}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for at, one in enumerate(entries, start=1):
        copy(one.source, out / "images" / one.path)
        height, width = picture.read(one.source).shape[:2]
        ours = {
            "label": one.label, "split": one.half, "part": one.part,
            "labels": [[s.label, s.by, s.at, s.note] for s in one.said],
        }  # fmt: skip
        images.append(
            {"id": at, "file_name": f"images/{one.path}", "width": width, "height": height,
             "linewarden": ours}
        )  # fmt: skip
        mask = one.marked()
        if mask is not None or one.label != GOOD:
            marked = None if mask is None else to_size(mask, height, width)
            shape = _annotation(marked, height, width)
            annotations.append(
                {"id": at, "image_id": at, "category_id": number[one.label], "iscrowd": 0, **shape}
            )
        advance()
    categories = [{"id": i, "name": name} for name, i in number.items()]
    told = {"images": images, "annotations": annotations, "categories": categories}
    (out / FILE).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _annotation(mask: Mask | None, height: int, width: int) -> dict[str, Any]:
    """Segmentation, area and box; of a class without a mask the whole picture's box."""
    if mask is None:
        return {"segmentation": [], "area": height * width, "bbox": [0, 0, width, height]}
    counts = runs.to_text(runs.to_counts(mask))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [0, 0, 0, 0]
    if len(rows):
        x, y = int(columns[0]), int(rows[0])
        box = [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]
    shape = {"size": [height, width], "counts": counts}
    return {"segmentation": shape, "area": int(mask.sum()), "bbox": box}


def read(source: Path, pictures: Path | None) -> list[Entry]:
    """Read COCO's format: a file, or a folder with annotations for each split.

    Raises:
        DatasetError: it isn't COCO's, or a picture has annotations of several classes.
    """
    found: list[Entry] = []
    for path, half in _files(source):
        root = pictures or (
            path.parent.parent if path.parent.name == "annotations" else path.parent
        )
        found += _read_one(path, root, half)
    return found


def _files(source: Path) -> list[tuple[Path, Half | None]]:
    if source.is_file():
        return [(source, None)]
    if (source / FILE).exists():
        return [(source / FILE, None)]
    found = sorted([*source.glob("*.json"), *source.glob("annotations/*.json")])
    if not found:
        raise DatasetError(f"{str(source)!r} holds no JSON file of annotations", "give the file")
    if len(found) == 1:
        return [(found[0], None)]
    words = ("train", "valid", "val", "test")
    told = [(path, next((w for w in words if w in path.stem.lower()), None)) for path in found]
    if any(word is None for _, word in told):
        raise DatasetError(
            f"{str(source)!r} holds {listing([path.name for path in found])}",
            "name the split of each in its name (train, val, test), or give one file",
        )
    return [(path, half_of(word)) for path, word in told]


def _read_one(path: Path, root: Path, half: Half | None) -> list[Entry]:
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
        names = {one["id"]: str(one["name"]) for one in told["categories"]}
        _check_ids(path, told, names)
        marks: dict[Any, list[dict[str, Any]]] = {}
        for one in told["annotations"]:
            marks.setdefault(one["image_id"], []).append(one)
        return [_entry(one, marks.get(one["id"], []), names, root, half) for one in told["images"]]
    except NOT_THE_FORMAT as error:
        raise DatasetError(
            f"{str(path)!r} is not COCO's format: {type(error).__name__} {error}",
            "export it again as COCO (images, annotations, categories)",
        ) from error


def _check_ids(path: Path, told: dict[str, Any], names: dict[Any, str]) -> None:
    """Refuse ids that repeat or lead nowhere: a picture would lose its defect and seem good."""
    images = {one["id"] for one in told["images"]}
    twice = len(images) < len(told["images"]) or len(names) < len(told["categories"])
    if twice or any(one["image_id"] not in images for one in told["annotations"]):
        raise DatasetError(
            f"{str(path)!r} "
            + ("uses an id twice" if twice else "has annotations of images that it doesn't name"),
            "give each image and category its own id, and export the annotations with their images",
        )


def _entry(
    image: dict[str, Any],
    marks: list[dict[str, Any]],
    names: dict[Any, str],
    root: Path,
    half: Half | None,
) -> Entry:
    ours = image.get("linewarden") or {}
    kinds = sorted({names[one["category_id"]] for one in marks})
    if not ours and len(kinds) > 1:
        raise DatasetError(
            f"{image['file_name']!r} has annotations of {listing(kinds)}: a picture has one class",
            "keep the annotations of one class for each picture",
        )
    label = str(ours["label"]) if ours else (kinds[0] if kinds else GOOD)
    half = half_of(ours.get("split")) or half
    height, width = int(image["height"]), int(image["width"])
    shapes = [_mask(one["segmentation"], height, width) for one in marks if one.get("segmentation")]
    return Entry(
        path=place(str(image["file_name"]), label, half),
        label=label,
        source=below(root, str(image["file_name"])),
        half=half,
        part=ours.get("part"),
        mask=np.logical_or.reduce(shapes) if shapes else None,
        said=tuple(Said(*one) for one in ours.get("labels", ())),
    )


def _mask(shape: Any, height: int, width: int) -> Mask:
    """The mask of a segmentation: compressed or plain runs, or polygons of x and y in turn."""
    if isinstance(shape, dict):
        counts = shape["counts"]
        numbers = runs.from_text(counts) if isinstance(counts, str) else counts
        return runs.from_counts(numbers, *map(int, shape["size"]))
    return filled(
        [np.reshape(np.asarray(one, np.float64), (-1, 2)) for one in shape], height, width
    )
