"""trainer/exchange: whatever another tool's file holds, it is read rightly or refused in words."""

import json

import pytest

from export.errors import DatasetError, LinewardenError
from tests.trainer.exchange.test_round_trips import picture
from trainer.exchange import runs
from trainer.exchange.exchange import Kind, bring_in, take_out
from trainer.progress import Progress

QUIET = Progress(None)
IMAGE = {"id": 1, "file_name": "a.png", "width": 12, "height": 9}
MARK = {"image_id": 1, "category_id": 1}
DENT = {"id": 1, "name": "dent"}


def refused(kind, source, out, match=""):
    """An import that ends in a sentence and leaves nothing behind."""
    with pytest.raises(LinewardenError, match=match):
        bring_in(kind, source, out, QUIET)
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("path,label\na.png,\n", "class"),
        ("path,label\na.png,..\n", "class"),
        ("path,label\na.png, good \n", "blanks"),
        ('path,label\na.png,"a\nb"\n', "seen"),
        ("path,label\nlabels.csv,good\n", "by its name"),
        ("path,label,split\na.png,dent,train\nb.png,good,\n", "split"),
        ("path,label,split\na.png,dent,train\nb.png,good,train\n", "split"),
        ("path,label,mask\na.png,dent,labels.csv\n", "not a JPEG"),
        ("path,label,mask\na.png,dent,b.png\na.jpg,dent,\n", "same name"),
        ("path,label\na.png,good\nfolder.png,good\n", "isn't there"),
    ],
)
def test_a_table_of_labels(tmp_path, text, match):
    """A class, split, mask or picture that training would lose or take for another is refused."""
    for name in "ab":
        picture(tmp_path, name, 90)
    (tmp_path / "a.jpg").write_bytes((tmp_path / "b.png").read_bytes())
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "labels.csv").write_text(text)
    refused(Kind.CSV, tmp_path / "labels.csv", tmp_path / "out", match)


@pytest.mark.parametrize(
    ("images", "marks", "match"),
    [
        ([IMAGE], [{**MARK, "image_id": "1"}], "doesn't name"),
        ([IMAGE, {**IMAGE, "file_name": "b.png"}], [MARK], "id twice"),
        ([IMAGE, {**IMAGE, "id": 2}], [MARK], "more than once"),
        ([IMAGE], [{**MARK, "segmentation": [[float("nan"), 1, 2, 3, 4, 5]]}], "nowhere near"),
        ([IMAGE], [{**MARK, "segmentation": [[1e30, 1, 2, 3, 4, 5]]}], "nowhere near"),
        (
            [{**IMAGE, "width": 10**6, "height": 10**6}],
            [{**MARK, "segmentation": [[1, 1]]}],
            "said",
        ),
        ([{**IMAGE, "width": 0}], [{**MARK, "segmentation": [[1, 1]]}], "said"),
    ],
)
def test_coco(tmp_path, images, marks, match):
    """Ids that lead nowhere would make a defect good; sizes and corners must be a picture's."""
    for name in "ab":
        picture(tmp_path, name, 90)
    told = {"images": images, "annotations": marks, "categories": [DENT]}
    (tmp_path / "labels.json").write_text(json.dumps(told))
    refused(Kind.COCO, tmp_path / "labels.json", tmp_path / "out", match)


@pytest.mark.parametrize("counts", [[2**63 - 1, 2**63 - 1, 110], [10**30], [1.5, 106.5], [-1, 109]])
def test_runs_that_would_wrap_round(counts):
    """Counts whose sum wraps round to the picture's size once ended the process."""
    with pytest.raises(DatasetError):
        runs.from_counts(counts, 9, 12)
    with pytest.raises(DatasetError):
        runs.from_text("o" * 5000 + "0")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '[{"data": {"image": "a"}, "annotations": ["x"]}]']
)
def test_json_that_is_something_else(tmp_path, text):
    """Depth without end and words in an annotation's place are no Label Studio's export."""
    (tmp_path / "tasks.json").write_text(text)
    refused(Kind.LABELSTUDIO, tmp_path / "tasks.json", tmp_path / "out", "Label Studio")
    refused(Kind.COCO, tmp_path / "tasks.json", tmp_path / "out", "COCO")
    refused(Kind.COCO, tmp_path / "gone.json", tmp_path / "out", "isn't there")


def test_what_the_tools_do_write(tmp_path):
    """A byte order mark, an empty polygon, a relation and nobody's name are taken as they are."""
    picture(tmp_path, "a", 90)
    told = {
        "images": [IMAGE],
        "annotations": [{**MARK, "segmentation": [[]]}],
        "categories": [DENT],
    }
    (tmp_path / "labels.json").write_text(json.dumps(told), encoding="utf-8-sig")
    assert bring_in(Kind.COCO, tmp_path / "labels.json", tmp_path / "one", QUIET) == 1
    choice = {"type": "choices", "value": {"choices": ["dent"]}}
    word = {"result": [{"type": "relation"}, choice], "completed_by": None, "created_at": None}
    (tmp_path / "tasks.json").write_text(
        json.dumps([{"data": {"image": "a.png"}, "annotations": [word]}])
    )
    assert bring_in(Kind.LABELSTUDIO, tmp_path / "tasks.json", tmp_path / "two", QUIET) == 1
    assert not (tmp_path / "two" / "labels.csv").exists()


def test_a_failed_export_leaves_nothing(tmp_path):
    """A picture that can't be read ends it, and the same command goes again once it is mended."""
    picture(tmp_path / "data" / "good", "a", 90)
    (tmp_path / "data" / "good" / "b.png").write_text("hello")
    with pytest.raises(LinewardenError):
        take_out(Kind.COCO, tmp_path / "data", tmp_path / "out", QUIET)
    assert not (tmp_path / "out").exists()
    picture(tmp_path / "data" / "good", "b", 91)
    assert take_out(Kind.COCO, tmp_path / "data", tmp_path / "out", QUIET) == 2
