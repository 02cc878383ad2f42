"""A line's parts are planned only as far as somebody looks, and are always the same parts."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.virtual_line import VirtualLine
from edge.virtual_line.passage import Passage
from edge.virtual_line.truth import PartTruth


def part(index: int) -> PartTruth:
    """A good part that passes the middle in frame 6 * (index + 1)."""
    return PartTruth(index, f"gear-{index}", "gear", None, 0, 0, 6 * (index + 1), 0, 0, 0)


def test_a_line_of_ten_million_parts_opens_at_once_and_shows_its_first_frame():
    """Only the parts that a frame needs are planned."""
    long, short = (VirtualLine(seed=3, parts=parts) for parts in (10_000_000, 3))
    assert long.frame(7).tobytes() == short.frame(7).tobytes()


def test_the_numbers_of_the_frames_end_when_the_last_part_has_left():
    """From whichever frame they are asked for."""
    line = VirtualLine(seed=3, parts=4)
    assert list(line.numbers()) == list(range(line.frame_count))
    assert list(line.numbers(5)) == list(range(5, line.frame_count))


@given(st.slices(7))
def test_a_slice_is_that_of_the_parts(chosen):
    """However little of them was planned before."""
    parts = [part(index) for index in range(7)]
    assert Passage(iter(parts), 7)[chosen] == parts[chosen]


@given(st.integers(-3, 60), st.integers(-3, 60))
def test_the_parts_between_two_frames_are_those_whose_centre_is_there(first, last):
    """Both ends included; none where there is none."""
    parts = [part(index) for index in range(7)]
    found = Passage(iter(parts), 7).between(first, last)
    assert found == [one for one in parts if first <= one.centre_frame <= last]


def test_no_more_parts_are_planned_than_were_asked_for():
    """A passage takes from the plan one part beyond the frame in question, and no other."""
    drawn = count()
    passage = Passage((part(next(drawn)) for _ in range(1000)), 1000)
    assert passage[2].index == 2
    passage.between(0, 30)
    assert next(drawn) == 6


def test_a_part_that_never_passes_is_no_part():
    """An index beyond the last is an error, as with any sequence."""
    with pytest.raises(IndexError):
        Passage(iter([part(0)]), 1)[1]
