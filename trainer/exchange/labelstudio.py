"""Label Studio: one task for each picture, one annotation for each label somebody gave.

    tasks.json    to import under Settings; pictures by its local file storage
    config.xml    the labelling interface
    images/…      the pictures

The last annotation that isn't cancelled counts. A mask is a brush, without loss; polygons are read.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np

from export import picture
from export.errors import DatasetError
from trainer.dataset import listing
from trainer.exchange import runs
from trainer.exchange.entry import NOT_THE_FORMAT, Entry, Mask, Said, below, half_of, place, to_size
from trainer.exchange.folder import copy, refuse_full
from trainer.exchange.polygons import filled

FILE, CONFIG = "tasks.json", "config.xml"
_LOCAL = "/data/local-files/?d="


def write(entries: list[Entry], out: Path, advance: Callable[[], None]) -> None:
    """Write tasks with their annotations, and the labelling interface that they fit."""
    refuse_full(out)
    tasks: list[dict[str, Any]] = []
    for one in entries:
        copy(one.source, out / "images" / one.path)
        height, width = picture.read(one.source).shape[:2]
        mask = one.marked()
        brush = None if mask is None else runs.to_brush(to_size(mask, height, width))
        said = list(one.said)
        if not said or said[-1].label != one.label:
            said.append(Said(one.label))
        annotations = [
            _annotation(word, (height, width), brush if last else None)
            for last, word in ((i == len(said) - 1, word) for i, word in enumerate(said))
        ]
        data = {"image": f"{_LOCAL}images/{quote(one.path)}", "path": one.path}
        data |= {name: value for name, value in (("split", one.half), ("part", one.part)) if value}
        tasks.append({"data": data, "annotations": annotations})
        advance()
    (out / FILE).write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    (out / CONFIG).write_text(_config(sorted({e.label for e in entries})), encoding="utf-8")


def _annotation(said: Said, size: tuple[int, int], brush: list[int] | None) -> dict[str, Any]:
    common = {
        "to_name": "image", "original_height": size[0], "original_width": size[1],
        "image_rotation": 0,
    }  # fmt: skip
    choices = [said.label] if said.label else []
    results: list[dict[str, Any]] = [
        {"type": "choices", "from_name": "class", "value": {"choices": choices}, **common}
    ]
    if brush is not None:
        value = {"format": "rle", "rle": brush, "brushlabels": [said.label]}
        results.append({"type": "brushlabels", "from_name": "mask", "value": value, **common})
    told: dict[str, Any] = {"result": results}
    if said.by:
        told["completed_by"] = {"email": said.by}
    if said.at:
        told["created_at"] = said.at
    if said.note:
        told["meta"] = {"note": said.note}
    return told


def _config(classes: list[str]) -> str:
    choices = "".join(f"\n    <Choice value={quoteattr(name)}/>" for name in classes)
    labels = "".join(f"\n    <Label value={quoteattr(name)}/>" for name in classes)
    return (
        f'<View>\n  <Image name="image" value="$image"/>\n'
        f'  <Choices name="class" toName="image" choice="single">{choices}\n  </Choices>\n'
        f'  <BrushLabels name="mask" toName="image">{labels}\n  </BrushLabels>\n</View>\n'
    )


def read(source: Path, pictures: Path | None) -> list[Entry]:
    """Read an export of tasks (JSON, not JSON-MIN).

    Raises:
        DatasetError: it isn't such an export, or a task has no one class.
    """
    path = source / FILE if source.is_dir() else source
    root = pictures or path.parent
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
        return [_entry(task, root) for task in tasks]
    except NOT_THE_FORMAT as error:
        raise DatasetError(
            f"{str(path)!r} is not Label Studio's JSON: {type(error).__name__} {error}",
            "export the project as JSON (not JSON-MIN or CSV)",
        ) from error


def _entry(task: dict[str, Any], root: Path) -> Entry:
    data = task["data"]
    name = _name(str(data["image"]))
    valid = [one for one in task["annotations"] if not one.get("was_cancelled")]
    if not valid:
        raise DatasetError(f"the task of {name!r} has no annotation", "label it, or leave it out")
    told = [_said(one) for one in valid]
    label = told[-1].label
    if not label:
        raise DatasetError(f"the last annotation of {name!r} names no class", "choose one")
    half = half_of(data.get("split"))
    plain = len(told) == 1 and not (told[0].by or told[0].at or told[0].note)
    return Entry(
        path=place(str(data.get("path", name)), label, half),
        label=label,
        source=below(root, name),
        half=half,
        part=data.get("part"),
        mask=_mask(valid[-1]),
        said=() if plain else tuple(told),
    )


def _name(image: str) -> str:
    """The picture's path below the pictures' folder, of a link, a local file or an upload."""
    parts = urlsplit(image)
    local = parse_qs(parts.query, keep_blank_values=True).get("d")
    name = local[0] if local else unquote(parts.path)
    return name.removeprefix("/data/upload/").lstrip("/")


def _said(annotation: dict[str, Any]) -> Said:
    kinds: list[str] = []
    for one in annotation["result"]:
        if one["type"] == "choices":
            kinds = [str(choice) for choice in one["value"]["choices"]]
            break
        kinds += [str(kind) for kind in one.get("value", {}).get(one["type"], ())]
    if len(set(kinds)) > 1:
        raise DatasetError(
            f"an annotation names {listing(sorted(set(kinds)))}: a picture has one class",
            "keep one, or add a single choice to the labelling interface",
        )
    by = annotation.get("completed_by")
    who = by.get("email", by.get("id")) if isinstance(by, dict) else by
    note = (annotation.get("meta") or {}).get("note")
    told = ("" if one is None else str(one) for one in (who, annotation.get("created_at"), note))
    return Said(kinds[0] if kinds else "", *told)


def _mask(annotation: dict[str, Any]) -> Mask | None:
    found: list[Mask] = []
    for one in annotation["result"]:
        value = one.get("value", {})  # a relation between marks has none
        height, width = (int(one.get(f"original_{side}", 0)) for side in ("height", "width"))
        if one["type"] == "brushlabels" and value.get("format") == "rle":
            found.append(runs.from_brush(value["rle"], height, width))
        elif one["type"] == "polygonlabels":
            corners = np.reshape(np.asarray(value["points"], np.float64), (-1, 2)) / 100
            found.append(filled([corners * [width, height]], height, width))
    return np.logical_or.reduce(found) if found else None
