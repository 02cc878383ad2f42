"""The virtual line: the same bytes for the same seed, and a truth that the pictures bear out."""

import itertools

import cv2
import numpy as np
import pytest

from edge.virtual_line import REGION, Kind, VirtualLine
from edge.virtual_line.design import DESIGNS
from export.errors import CameraError
from export.preprocess import Input, shrink

SMALL = {"width": 640, "height": 512}


def test_the_same_seed_gives_the_same_bytes():
    """Two lines made alike agree in their truth and in every frame."""
    one, two = (VirtualLine(7, 3, **SMALL, defect_rate=0.5) for _ in range(2))
    assert one.truth == two.truth
    for here, there in zip(one.frames(), two.frames(), strict=True):
        assert here.dtype == np.uint8
        assert here.shape == (512, 640, 3)
        assert here.tobytes() == there.tobytes()


def test_another_seed_gives_another_line():
    """The seed chooses parts and pictures alike."""
    one, two = VirtualLine(7, 12, **SMALL), VirtualLine(8, 12, **SMALL)
    assert [part.design for part in one.truth] != [part.design for part in two.truth]
    assert one.frame(0).tobytes() != two.frame(0).tobytes()


def test_stills_are_the_frames_at_the_centre():
    """A still asked for alone has the bytes of the frame reached by playing."""
    played = list(VirtualLine(3, 4, **SMALL).frames())
    line = VirtualLine(3, 4, **SMALL)
    backwards = [line.frame(part.centre_frame) for part in reversed(line.truth)]
    for part, still, alone in zip(line.truth, line.stills(), reversed(backwards), strict=True):
        assert still.tobytes() == played[part.centre_frame].tobytes() == alone.tobytes()


def test_more_parts_change_nothing_before_them():
    """A part draws from its own generator: what follows it leaves it alone."""
    short, long = VirtualLine(5, 2, **SMALL), VirtualLine(5, 9, **SMALL)
    assert long.truth[:2] == short.truth
    first = short.truth[0].centre_frame
    assert short.frame(first).tobytes() == long.frame(first).tobytes()


@pytest.mark.parametrize("size", [(1280, 1024), (1920, 1080)])
def test_no_part_is_nearer_the_middle_in_another_frame(size):
    """At its centre frame a part is within half a step of the middle."""
    line = VirtualLine(1, 300, *size)
    for part in line.truth:
        assert abs(part.x_px - size[0] // 2) <= line.speed / 2 + 1


@pytest.mark.parametrize("size", [(1280, 1024), (1920, 1080)])
def test_the_region_holds_the_part_and_nothing_of_its_neighbours(size):
    """REGION shows a whole part at its centre frame, and no other."""
    width, height = size
    line = VirtualLine(2, 300, *size)
    left, right = REGION.x * width, (REGION.x + REGION.width) * width
    top, bottom = REGION.y * height, (REGION.y + REGION.height) * height
    for part in line.truth:
        reach = DESIGNS[part.design].reach * 1.02 * height / 1024
        assert left <= part.x_px - reach
        assert part.x_px + reach <= right
        assert top <= part.y_px - reach
        assert part.y_px + reach <= bottom
    for part, after in itertools.pairwise(line.truth):
        reach = 290 * 1.02 * height / 1024
        steps = after.centre_frame - part.centre_frame
        assert after.x_px - steps * line.speed + reach < left
        assert part.x_px + steps * line.speed - reach > right


@pytest.mark.parametrize("design", ["flange", "plate"])
def test_the_picture_shows_the_part_where_the_truth_says(design):
    """The bright metal of a symmetric part balances around (x_px, y_px)."""
    line = VirtualLine(4, 3, designs=(design,), defect_rate=0)
    for part, still in zip(line.truth, line.stills(), strict=True):
        bright = shrink(still, Input(1280, 1024)).max(axis=2) > 85
        bright[:150] = bright[-150:] = False
        bright[:, : part.x_px - 330] = bright[:, part.x_px + 330 :] = False
        rows, columns = np.nonzero(bright)
        assert abs(columns.mean() - part.x_px) < 15
        assert abs(rows.mean() - part.y_px) < 15


@pytest.mark.parametrize("kind", list(Kind))
def test_a_defect_changes_its_mask_and_nothing_far_from_it(kind):
    """Against its healed twin a part differs inside the mask, and not beyond its shadow."""
    line = VirtualLine(6, 3, defect_rate=1, defects=(kind,))
    for part in line.truth:
        assert part.defect is kind
        still, twin = line.frame(part.centre_frame), line.twin(part.index)
        apart = cv2.absdiff(still, twin).max(axis=2)
        mask = line.mask(part.index)
        near = cv2.dilate(mask, np.ones((141, 141), np.uint8))
        assert apart[mask > 0].mean() > 12
        assert apart[near == 0].max() == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_every_defect_is_visible_at_the_models_size(kind):
    """After the shrink to 224 pixels at least 30 of them are off by more than 25 grey levels."""
    line = VirtualLine(9, 5, defect_rate=1, defects=(kind,))
    to = Input(224, 224, REGION)
    for part in line.truth:
        still = shrink(line.frame(part.centre_frame), to)
        apart = cv2.absdiff(still, shrink(line.twin(part.index), to)).max(axis=2)
        assert int((apart > 25).sum()) >= 30, part


@pytest.mark.parametrize("kind", [Kind.SCRATCH, Kind.DENT, Kind.STAIN])
def test_less_contrast_makes_a_fainter_defect(kind):
    """The same defect at a third of the contrast changes the picture less."""
    changes: list[float] = []
    for contrast in (1.0, 0.33):
        line = VirtualLine(6, 1, defect_rate=1, defects=(kind,), defect_contrast=contrast)
        still, twin = line.frame(line.truth[0].centre_frame), line.twin(0)
        changes.append(float(cv2.absdiff(still, twin).mean()))
    assert changes[1] < 0.8 * changes[0]


def test_size_is_a_factor_on_the_extent():
    """Half the size is half the extent, in the truth and in the mask."""
    large, small = (
        VirtualLine(6, 1, defect_rate=1, defects=(Kind.STAIN,), defect_size=size)
        for size in (1.0, 0.5)
    )
    assert small.truth[0].size_px == pytest.approx(large.truth[0].size_px / 2, abs=0.1)
    assert 0 < (small.mask(0) > 0).sum() < 0.5 * (large.mask(0) > 0).sum()


def test_an_extent_in_pixels_is_of_the_frame():
    """Whatever the frame's size, extent and mask lie in the asked range."""
    line = VirtualLine(
        6, 4, **SMALL, defect_rate=1, defects=(Kind.STAIN, Kind.DENT), extent_px=(8, 16)
    )
    for part in line.truth:
        assert 8 * 0.98 <= part.size_px <= 16 * 1.02
        rows, columns = np.nonzero(line.mask(part.index))
        assert 4 <= max(np.ptp(rows), np.ptp(columns)) <= 24


def test_a_good_part_has_an_empty_mask_and_is_its_own_twin():
    """Nothing is marked where nothing is wrong."""
    line = VirtualLine(1, 1, **SMALL, defect_rate=0)
    assert line.truth[0].label == "good"
    assert not line.mask(0).any()
    assert line.twin(0).tobytes() == line.frame(line.truth[0].centre_frame).tobytes()


def test_the_defect_rate_holds_over_many_parts():
    """Of many parts about the asked share is defective, each kind about as often."""
    line = VirtualLine(1, 2000, **SMALL, defect_rate=0.3)
    kinds = [part.defect for part in line.truth if part.defect]
    assert 0.26 < len(kinds) / 2000 < 0.34
    assert all(80 < kinds.count(kind) < 160 for kind in Kind)


def test_the_belt_is_bare_before_the_first_part_and_after_the_last():
    """The line runs empty at both ends, so that every part is seen whole."""
    line = VirtualLine(2, 1, **SMALL)
    for number in (0, line.frame_count):
        middle = line.frame(number)[60:-60]
        assert np.percentile(middle, 99.9) < 120


def test_playing_makes_every_part_once():
    """The few sprites kept are the ones that the next frames need."""
    line = VirtualLine(2, 8, **SMALL)
    for _ in line.frames():
        pass
    assert line._sprite.cache_info().misses == 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1), ("parts", 0), ("height", 100), ("width", 1100), ("width", 4000),
        ("defect_rate", 1.5), ("defect_rate", float("nan")), ("defects", ()), ("designs", ("cup",)),
        ("defect_size", 0), ("defect_contrast", 2), ("noise", -1), ("drift", 0.9), ("blur_px", 0),
        ("extent_px", (16, 8)), ("extent_px", (0, 8)),
    ],
)  # fmt: skip
def test_an_argument_out_of_range_is_refused_by_name(name, value):
    """The refusal names the argument, what was given and what would do."""
    arguments = {"seed": 1, "parts": 1, name: value}
    with pytest.raises(CameraError, match=name) as refusal:
        VirtualLine(**arguments)
    assert refusal.value.remedy
