"""edge/console/review/formats.py: what the console writes is what the workstation reads."""

import json
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest

from edge.console.review.formats import coco, labelstudio
from edge.console.review.outgoing import copy
from export.sample import Label, Step, Window
from tests.edge.console.plant import DOUBTED, FAILED, Plant
from trainer import masks
from trainer.dataset import open_dataset
from trainer.exchange import coco as coco_reader
from trainer.exchange import labelstudio as studio_reader
from trainer.parts import PartRule, name_parts, rule_for

BOX = Window(x=0.25, y=0.5, width=0.25, height=0.25)
STATION = "acme/plant1/line1"


@pytest.fixture
def plant(tmp_path):
    """Two good, two dents, one of them boxed and said otherwise before, and one unsaid."""
    made = Plant(tmp_path / "box")
    told = made.record(*[("top", {**FAILED, "part": f"p{n}"}) for n in range(4)], ("side", DOUBTED))
    names = [made.keep(one) for one in told]
    for name, label in zip(names, ("good", "good", "dent"), strict=False):
        made.samples.label(name, Label(label=label, by="Bo", at="2026-11-24T06:00:00Z"))
    made.samples.label(names[3], Label(label="good", by="Bo", at="2026-11-24T06:00:00Z"))
    made.samples.label(
        names[3], Label(label="dent", by="Ed", at="2026-11-24T07:00:00Z", step=Step.DECISION,
                        box=BOX, note="a bump"))  # fmt: skip
    made.boxed = names[3]
    return made


def test_a_folder_has_masks_of_the_boxes_and_parts(plant, tmp_path):
    """It opens for training, each mask belongs to its picture, and parts are told."""
    out = tmp_path / "out"
    for _ in range(2):
        assert copy(plant.samples, out, STATION) == {"good": 2, "dent": 2}
    dataset = open_dataset(out)
    found = masks.find(dataset)
    assert list(found) == [f"dent/{plant.boxed}.png"]
    marked = cv2.imread(str(found[f"dent/{plant.boxed}.png"]), cv2.IMREAD_GRAYSCALE)
    assert marked.shape == (60, 80)
    assert np.argwhere(marked).min(0).tolist() == [30, 20]
    assert np.argwhere(marked).max(0).tolist() == [44, 39]
    named = name_parts(dataset.pictures, rule_for(PartRule(), out))
    assert sorted(named) == ["part p0", "part p1", "part p2", "part p3"]


@pytest.mark.parametrize(
    ("write", "read"), [(coco, coco_reader.read), (labelstudio, studio_reader.read)]
)
def test_other_tools_formats_come_back_the_same(plant, tmp_path, write, read):
    """Classes, parts, pictures byte for byte, and who said what when."""
    out = tmp_path / "out"
    assert write(plant.samples, out, STATION) == {"good": 2, "dent": 2}
    entries = {one.path.rpartition("/")[2]: one for one in read(out, out)}
    assert {one.label for one in entries.values()} == {"good", "dent"}
    for sample in plant.samples:
        if sample.label is None:
            continue
        entry = entries[f"{sample.id}.png"]
        assert entry.label == sample.label
        assert entry.part == sample.verdict.part
        assert entry.source.read_bytes() == plant.samples.picture(sample).read_bytes()
    said = entries[f"{plant.boxed}.png"].said
    assert [(one.label, one.by, one.note) for one in said] == [
        ("good", "Bo", ""), ("dent", "Ed", "a bump"),
    ]  # fmt: skip


def test_a_box_is_a_rectangle_in_pixels_or_percent(plant, tmp_path):
    """As each format counts."""
    coco(plant.samples, tmp_path / "c", STATION)
    told = json.loads((tmp_path / "c" / "annotations.json").read_text())
    (boxed,) = [one for one in told["annotations"] if one["segmentation"]]
    assert boxed["bbox"] == [20, 30, 20, 15]
    assert boxed["area"] == 300
    labelstudio(plant.samples, tmp_path / "l", STATION)
    tasks = json.loads((tmp_path / "l" / "tasks.json").read_text())
    found = [r["value"] for task in tasks for a in task["annotations"] for r in a["result"]
             if r["type"] == "rectanglelabels"]  # fmt: skip
    assert [(v["x"], v["y"], v["width"], v["height"]) for v in found] == [(25, 50, 25, 25)]
    names = ET.parse(tmp_path / "l" / "config.xml").getroot().findall(".//Label")
    assert [one.get("value") for one in names] == ["dent", "good"]
