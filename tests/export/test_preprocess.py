"""Shrinking keeps brightness, forgets no region and never aliases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.preprocess import WHOLE, Input, Pixels, Region, shrink

SIDES = st.integers(8, 96)
FRAMES = st.integers(1, 300)


@settings(max_examples=60, deadline=None)
@given(FRAMES, FRAMES, SIDES, SIDES, st.tuples(*[st.integers(0, 255)] * 3))
def test_shape_and_constancy(rows: int, columns: int, height: int, width: int, colour: Pixels):
    """Any frame becomes exactly the input's size, contiguous; a flat one keeps its colour."""
    frame = np.full((rows, columns, 3), colour, np.uint8)
    before = frame.copy()
    small = shrink(frame, Input(width, height))
    assert small.shape == (height, width, 3)
    assert small.dtype == np.uint8
    assert small.flags.c_contiguous
    assert (small == np.array(colour, np.uint8)).all()
    assert (frame == before).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(64, 400), st.integers(64, 400), SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_mean_is_preserved(rows: int, columns: int, height: int, width: int, seed: int):
    """Shrinking noise keeps each colour's mean within one grey level, plus chance at the rim."""
    height, width = min(height, rows // 2), min(width, columns // 2)
    if min(height, width) < 8:
        return
    small_noise = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)
    small = shrink(small_noise, Input(width, height))
    # Odd rows and columns are left out when halving: chance moves the mean by up to 4 sigma of
    # the pixels left out.
    chance = 4 * 74 * np.sqrt(2 * (rows + columns)) / (rows * columns)
    difference = np.abs(small.mean((0, 1)) - small_noise.mean((0, 1)))
    assert difference.max() <= 1 + chance


@pytest.mark.parametrize("target", [(224, 224), (320, 256), (960, 540), (200, 100)])
def test_no_aliasing(target: tuple[int, int]):
    """A checkerboard of single pixels at 1920x1080 becomes flat grey."""
    rows, columns = np.mgrid[0:1080, 0:1920]
    board = np.repeat((((rows + columns) % 2) * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    small = shrink(board, Input(*target)).astype(int)
    assert np.abs(small - 128).max() <= 2


def test_the_region_is_what_is_seen():
    """Only the region's pixels count, wherever it lies, given as fractions of the frame."""
    frame = np.zeros((160, 320, 3), np.uint8)
    frame[40:120, 160:240] = 200
    assert (shrink(frame, Input(16, 16, Region(0.5, 0.25, 0.25, 0.5))) == 200).all()
    assert (shrink(frame, Input(16, 16, Region(0.0, 0.25, 0.5, 0.5))) == 0).all()
    assert shrink(frame, Input(20, 10, WHOLE)).mean() == pytest.approx(25, abs=1)


@given(
    st.floats(0, 0.999), st.floats(0, 0.999), st.floats(0.001, 1), st.floats(0.001, 1),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
)  # fmt: skip
def test_a_region_always_holds_a_pixel(
    x: float, y: float, width: float, height: float, size: tuple[int, int]
):
    """A region inside the frame cuts at least one pixel from any frame."""
    region = Region(x, y, min(width, 1 - x), min(height, 1 - y))
    cut = region.cut(np.zeros((*size, 3), np.uint8))
    assert cut.shape[0] >= 1
    assert cut.shape[1] >= 1


@pytest.mark.parametrize(
    "wrong",
    [(-0.1, 0, 1, 1), (0, 0, 1.1, 1), (0.5, 0, 0.6, 1), (0, 0, 0, 1), (1, 0, 0.1, 1),
     (float("nan"), 0, 1, 1), (0, 0, float("nan"), 1), (0, 0, float("inf"), 1)],
)  # fmt: skip
def test_a_region_outside_is_refused(wrong: tuple[float, float, float, float]):
    """A region that leaves the frame, or holds nothing, can't be made."""
    with pytest.raises(ValueError, match="inside the frame"):
        Region(*wrong)


@pytest.mark.parametrize("size", [(7, 224), (224, 4097), (0, 0)])
def test_an_absurd_input_is_refused(size: tuple[int, int]):
    """An input below 8 or above 4096 pixels can't be made."""
    with pytest.raises(ValueError, match=r"8\.\.4096"):
        Input(*size)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_region_that_moves_stays_within_the_frame_and_as_large(across, down):
    """Moved as far as asked where there is room; by nothing it is the very same."""
    region = Region(0.1, 0.2, 0.5, 0.3)
    moved = region.moved(across, down)
    assert (moved.width, moved.height) == (0.5, 0.3)
    if 0 <= 0.1 + across <= 0.5 and 0 <= 0.2 + down <= 0.7:
        assert (moved.x, moved.y) == pytest.approx((0.1 + across, 0.2 + down))
    assert WHOLE.moved(across, down) == WHOLE
    assert region.moved(0.0, 0.0) is region
