"""trainer/masks.py: which mask is whose, and where the model's input shows the mark."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.errors import DatasetError
from export.preprocess import Input, Region
from tests.trainer.tiny_run import draw
from trainer import masks
from trainer.calibrate import Budgets
from trainer.dataset import open_dataset
from trainer.material import Choices
from trainer.progress import Progress
from trainer.recipe import named
from trainer.training import Plan, train


def put(path, shape=(60, 80, 3), value=120):
    """An even picture at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full(shape, value, np.uint8))


def photos(root, *defects):
    """A data set with two good pictures and the named defective ones."""
    for name in ("good/a.png", "good/b.png", *defects):
        put(root / name)
    return root


@pytest.mark.parametrize(
    ("owner", "mask"),
    [
        ("scratch/one.png", "masks/scratch/one.png"),
        ("scratch/one.jpg", "masks/one.png"),
        ("scratch/one.png", "ground_truth/scratch/one_mask.png"),
        ("scratch/one.png", "Mask/scratch/one.bmp"),
    ],
)
def test_a_mask_finds_its_picture(tmp_path, owner, mask):
    """By class and name or name alone, with MVTec's ending or without; good parts need none."""
    photos(tmp_path, owner, "scratch/two.png")
    put(tmp_path / mask, (60, 80))
    assert masks.find(open_dataset(tmp_path)) == {owner: tmp_path / mask}


def test_a_given_split_and_mvtecs_layout_find_theirs(tmp_path):
    """Below train/ and test/ the mask is named without that folder."""
    for name in ("train/good/a.png", "train/good/b.png", "test/good/c.png", "test/dent/0.png"):
        put(tmp_path / name)
    put(tmp_path / "test/dent/1.png")
    put(tmp_path / "ground_truth/dent/0_mask.png", (60, 80))
    found = masks.find(open_dataset(tmp_path))
    assert list(found) == ["test/dent/0.png"]


@pytest.mark.parametrize("names", [["masks/dent/x.png"], ["masks/one.png"], ["masks/s/one.tif"]])
def test_a_mask_of_no_one_picture_is_refused(tmp_path, names):
    """A mask without a picture, one that fits two, or of a type that can't be read, is named."""
    photos(tmp_path, "s/one.png", "s/two.png", "t/one.png", "t/two.png")
    for name in names:
        put(tmp_path / name, (60, 80))
    with pytest.raises(DatasetError) as refusal:
        masks.find(open_dataset(tmp_path))
    assert names[0].split("/")[-1] in refusal.value.problem


def test_a_mask_is_cut_and_shrunk_as_its_picture(tmp_path):
    """Of a mask twice as large, the region's part is where the model's input shows it."""
    mask = np.zeros((120, 160), np.uint8)
    mask[60:80, 120:140] = 255
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    shown = masks.read(tmp_path / "m.png", (60, 80), Input(40, 60, Region(0.5, 0, 0.5, 1)))
    assert shown.shape == (60, 40)
    assert set(np.flatnonzero(shown.any(1))) == set(range(30, 40))
    assert set(np.flatnonzero(shown.any(0))) == set(range(20, 30))


def test_what_is_transparent_is_not_marked(tmp_path):
    """A mask with opacity, as some tools save it, marks where it is bright and there."""
    mask = np.zeros((60, 80, 4), np.uint8)
    mask[:, :40] = (60, 60, 200, 255)
    mask[:, 40:] = (60, 60, 200, 0)
    mask[:30, :40] = (0, 0, 0, 255)
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    shown = masks.read(tmp_path / "m.png", (60, 80), Input(80, 60))
    assert shown[31:, :39].all()
    assert not shown[:29].any()
    assert not shown[:, 41:].any()


def test_a_faint_mark_counts_and_a_tiny_one_survives(tmp_path):
    """0 and 1 is a mask too; a mark of four pixels is still there on a quarter of the side."""
    mask = np.zeros((240, 320), np.uint8)
    mask[100:102, 200:202] = 1
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    assert masks.read(tmp_path / "m.png", (240, 320), Input(80, 60)).any()


def test_other_sides_are_refused(tmp_path):
    """A mask whose sides have another ratio than its picture's can't be laid over it."""
    put(tmp_path / "m.png", (60, 60))
    with pytest.raises(DatasetError, match="60x60"):
        masks.read(tmp_path / "m.png", (60, 80), Input(32, 32))


def test_a_mark_on_a_good_part_is_refused(tmp_path):
    """A good part has no defect to mark; an empty mask does no harm."""
    dataset = open_dataset(photos(tmp_path, "s/one.png", "s/two.png"))
    put(tmp_path / "masks/good/a.png", (60, 80), 0)
    found = masks.find(dataset)
    assert masks.read_all(dataset, found, ["good/a.png"], Input(32, 32)) == {}
    put(tmp_path / "masks/good/a.png", (60, 80), 255)
    with pytest.raises(DatasetError, match="good parts"):
        masks.read_all(dataset, found, ["good/a.png"], Input(32, 32))


@given(st.integers(1, 70), st.integers(1, 70), st.data())
def test_a_cell_is_marked_when_any_of_its_pixels_is(height, width, data):
    """Each mark lights the one place that holds it, and nothing else is lit."""
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    mask = np.zeros((height, width), bool)
    mask[row, column] = True
    assert np.argwhere(masks.cells(mask)).tolist() == [[row // 16, column // 16]]


def test_a_mask_that_cannot_be_used_is_refused_before_the_work(tmp_path):
    """Training examines by masks at its end: one of other sides is told at the beginning."""
    photos = tmp_path / "photos"
    draw(photos, per_class=8, size=(64, 64))
    for path in (photos / "spot").iterdir():
        put(photos / "masks" / "spot" / path.name, (64, 200), 255)
    recipe = named("tune").model_copy(update={"epochs": 0})
    plan = Plan(photos, "resnet18", "none", 1, Input(64, 64), recipe, Budgets(), Choices())
    with pytest.raises(DatasetError, match="is 200x64, its picture 64x64"):
        train(plan, tmp_path / "run", Progress(None))
    assert not (tmp_path / "run").exists()
