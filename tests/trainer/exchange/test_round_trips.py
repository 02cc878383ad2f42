"""trainer/exchange: what goes out to another tool comes back the same."""

import contextlib
import json
import string
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from export.errors import DatasetError
from trainer.exchange import runs
from trainer.exchange.entry import Entry, Said
from trainer.exchange.exchange import Kind, bring_in, take_out
from trainer.exchange.folder import collect, lay_out
from trainer.progress import Progress

QUIET = Progress(None)
MASKS = nps.arrays(np.bool_, st.tuples(st.integers(8, 24), st.integers(8, 24)))
WORDS = st.text(string.ascii_letters + "äß ,;\"'\n%?#&+", min_size=1, max_size=12)
LABELS = st.sampled_from(["good", "OK", "Kratzer groß", "hole 2", "50%"])


def picture(folder, name, shade):
    """A small picture file."""
    path = folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    _done, data = cv2.imencode(".png", np.full((9, 12, 3), shade, np.uint8))
    path.write_bytes(data.tobytes())
    return path


@st.composite
def sets(draw):
    """What is known of a few pictures: names, class, split, part, mask, who said what."""
    split = draw(st.booleans())
    known = draw(st.booleans())
    names = draw(
        st.lists(
            st.text(string.ascii_letters + "äß #%?&+'", min_size=1, max_size=8)
            .map(str.strip)
            .filter(bool),
            min_size=1, max_size=4, unique_by=str.lower,
        )
    )  # fmt: skip
    said = st.builds(
        Said, LABELS, WORDS, st.just("2026-01-02T03:04:05Z"), st.text("ab\n,", max_size=4)
    )
    return [
        {
            "name": name,
            "label": draw(LABELS),
            "half": draw(st.sampled_from(["train", "test"])) if split else None,
            "part": draw(WORDS) if known else None,
            "mask": draw(
                st.one_of(st.none(), nps.arrays(np.bool_, (9, 12)).filter(lambda mask: mask.any()))
            ),
            "said": tuple(draw(st.lists(said, max_size=2))),
        }
        for name in names
    ]


def told(root):
    """All that a data set says, for comparing; a mask that marks nothing says nothing."""
    return {
        one.path: (
            one.label, one.half, one.part, one.said, one.source.read_bytes(),
            None if one.mask is None else one.marked().tobytes(),
        )
        for one in collect(root)
    }  # fmt: skip


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=sets())
def test_nothing_is_lost(kind, drawn):
    """Pictures, classes, splits, parts, masks and label history survive the way out and back."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        entries = []
        for shade, one in enumerate(drawn):
            levels = [one["half"], one["label"], f"{one['name']}.png"]
            said = one["said"]
            if said:
                said = (*said, Said(one["label"], "me", "2026-01-02T03:04:06Z", "last"))
            entries.append(
                Entry("/".join(level for level in levels if level), one["label"],
                      picture(home / "loose", str(shade), shade), one["half"], one["part"],
                      one["mask"], said)
            )  # fmt: skip
        if len({one.path.split("/")[0] for one in entries} & {"train", "test"}) == 1:
            entries = [e for e in entries if e.half is None] or entries
        if {e.half for e in entries} in ({"train"}, {"test"}):
            return  # half a split is no data set
        lay_out(entries, home / "data")
        before = told(home / "data")
        take_out(kind, home / "data", home / "out", QUIET)
        bring_in(kind, home / "out", home / "back", QUIET)
        assert told(home / "back") == before


@pytest.mark.parametrize("kind", list(Kind))
def test_the_grey_of_a_mask(tmp_path, kind):
    """CSV keeps a mask's file byte for byte; elsewhere what it marks stays, as 0 and 255."""
    picture(tmp_path / "data" / "hole", "a", 90)
    picture(tmp_path / "data" / "good", "b", 91)
    grey = np.zeros((9, 12), np.uint8)
    grey[2:5, 3:7] = [1, 9, 201, 255]
    mask = cv2.imencode(".png", grey)[1].tobytes()
    (tmp_path / "data" / "masks" / "hole").mkdir(parents=True)
    (tmp_path / "data" / "masks" / "hole" / "a.PNG").write_bytes(mask)
    take_out(kind, tmp_path / "data", tmp_path / "out", QUIET)
    bring_in(kind, tmp_path / "out", tmp_path / "back", QUIET)
    (back,) = (tmp_path / "back" / "masks").rglob("*.*")
    if kind == Kind.CSV:
        assert back.read_bytes() == mask
    else:
        assert (cv2.imread(str(back), cv2.IMREAD_UNCHANGED) == np.where(grey > 127, 255, 0)).all()


@given(MASKS)
def test_runs_keep_every_pixel(mask):
    """COCO's runs, plain and compressed, and Label Studio's brush give the same mask back."""
    height, width = mask.shape
    counts = runs.to_counts(mask)
    assert (runs.from_counts(counts, height, width) == mask).all()
    assert runs.from_text(runs.to_text(counts)) == counts
    assert (runs.from_brush(runs.to_brush(mask), height, width) == mask).all()


@given(st.binary(max_size=80), st.text(max_size=40))
def test_a_broken_mask_is_refused(brush, text):
    """Whatever stands in a file, a mask is read or refused in a sentence."""
    for attempt in (
        lambda: runs.from_brush(list(brush), 4, 4),
        lambda: runs.from_counts(runs.from_text(text), 4, 4),
    ):
        with contextlib.suppress(DatasetError):
            assert attempt().shape == (4, 4)


def test_the_codes_are_the_tools_own():
    """What pycocotools and Label Studio's converter write for a known mask, byte for byte.

    pycocotools 2.0.11: encode(eye(4)). Label Studio's converter: encode_rle of 4 channels.
    """
    assert runs.to_text(runs.to_counts(np.eye(4, dtype=bool))) == EYE
    mask = np.zeros((2, 3), bool)
    mask[0, 1] = True
    assert runs.to_brush(mask) == BRUSH


EYE = "01400000"
BRUSH = [0, 0, 0, 24, 57, 27, 252, 96, 17, 255, 223, 0, 0]


def coco(folder, images, annotations):
    """A COCO file by some other tool."""
    names = [{"id": 7, "name": "hole"}, {"id": 9, "name": "dent"}]
    told = {"images": images, "annotations": annotations, "categories": names}
    (folder / "labels.json").write_text(json.dumps(told))
    return folder / "labels.json"


def test_coco_by_another_tool(tmp_path):
    """Polygons are drawn, a picture without annotations is good, one of two classes is refused."""
    for name in ("a", "b"):
        picture(tmp_path / "shots", name, 90)
    images = [
        {"id": i, "file_name": f"shots/{name}.png", "width": 12, "height": 9}
        for i, name in enumerate("ab")
    ]
    box = {"image_id": 0, "category_id": 7, "segmentation": [[2, 2, 6, 2, 6, 5, 2, 5]]}
    bring_in(Kind.COCO, coco(tmp_path, images, [box]), tmp_path / "data", QUIET)
    entries = {one.path: one for one in collect(tmp_path / "data")}
    assert set(entries) == {"hole/shots/a.png", "good/shots/b.png"}
    marked = entries["hole/shots/a.png"].marked()
    assert marked[3, 4]
    assert marked.sum() == 5 * 4
    other = {**box, "category_id": 9}
    with pytest.raises(DatasetError, match="one class"):
        bring_in(Kind.COCO, coco(tmp_path, images, [box, other]), tmp_path / "no", QUIET)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.png", "/etc/x.png", "a/../../b.png", ".x/a.png"]
)
def test_a_path_that_leaves_its_folder_is_refused(tmp_path, name):
    """Labels can't make an import read or write elsewhere."""
    (tmp_path / "labels.csv").write_text(f"path,label\n{name},good\n")
    with pytest.raises(DatasetError):
        bring_in(Kind.CSV, tmp_path / "labels.csv", tmp_path / "data", QUIET)
    assert not (tmp_path / "data").exists() or not any((tmp_path / "data").iterdir())


def test_what_is_missing_is_named(tmp_path):
    """A wrong format, a picture that isn't there and a full folder each end in one sentence."""
    (tmp_path / "tasks.json").write_text('{"no": "tasks"}')
    with pytest.raises(DatasetError, match="Label Studio"):
        bring_in(Kind.LABELSTUDIO, tmp_path / "tasks.json", tmp_path / "a", QUIET)
    (tmp_path / "labels.csv").write_text("path,label\nx.png,good\n")
    with pytest.raises(DatasetError, match=r"x\.png.*isn't there"):
        bring_in(Kind.CSV, tmp_path / "labels.csv", tmp_path / "b", QUIET)
    with pytest.raises(DatasetError, match="already holds files"):
        bring_in(Kind.CSV, tmp_path / "labels.csv", tmp_path, QUIET)


def test_label_studio_takes_the_last_word(tmp_path):
    """Of several annotations the last that isn't cancelled counts, and all of them are kept."""
    picture(tmp_path / "images", "a", 9)

    def word(label, **more):
        result = {"type": "choices", "value": {"choices": [label]}}
        return {"result": [result], "completed_by": 3, **more}

    tasks = [
        {
            "data": {"image": "/data/local-files/?d=images/a.png"},
            "annotations": [word("dent"), word("good"), word("hole", was_cancelled=True)],
        }
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    bring_in(Kind.LABELSTUDIO, tmp_path, tmp_path / "data", QUIET)
    (one,) = collect(tmp_path / "data")
    assert one.path == "good/a.png"
    assert [(said.label, said.by) for said in one.said] == [("dent", "3"), ("good", "3")]
