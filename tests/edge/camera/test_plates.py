"""Room for frames comes back, and never too soon."""

import gc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.plates import SPARE, Plates


def picture(value, rows=8):
    """One of a single colour."""
    return np.full((rows, 5, 3), value, np.uint8)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(7, 8)), max_size=40))
def test_no_picture_changes_while_anybody_holds_any_of_it(steps):
    """Frames come, and views of them are dropped, in any order."""
    plates, held = Plates(), {}
    for number, (comes, which, rows) in enumerate(steps):
        if comes:
            held[number] = plates.copy(picture(number, rows))[1:, ::2].reshape(-1)
        elif held:
            held.pop(sorted(held)[which % len(held)])
        assert all((view == value).all() for value, view in held.items())


def test_the_room_of_a_dropped_frame_is_taken_again():
    """The address says so; while it was held, another's was taken."""
    plates = Plates()
    first = plates.copy(picture(1))
    second = plates.copy(picture(2))
    where = first.ctypes.data
    assert second.ctypes.data != where
    del first
    assert plates.copy(picture(3)).ctypes.data == where


def test_of_many_that_come_back_at_once_few_are_kept_and_none_of_another_size():
    """A burst leaves no memory behind; a camera that changes its size gets what fits."""
    plates = Plates()
    many = [plates.copy(picture(n)) for n in range(SPARE + 4)]
    many.clear()
    gc.collect()
    assert len(plates._free) == SPARE
    larger = plates.copy(picture(9, rows=20))
    assert larger.shape == (20, 5, 3)
    assert not plates._free


def test_a_frame_outlives_its_plates():
    """The camera may be gone while its last frame is still stored."""
    kept = Plates().copy(picture(7))
    gc.collect()
    assert (kept == 7).all()
