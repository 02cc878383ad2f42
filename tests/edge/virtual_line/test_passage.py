"""A line's parts are planned only as far as somebody looks, and are always the same parts."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.virtual_line import VirtualLine
from edge.virtual_line.passage import Passage
from edge.virtual_line.truth import PartTruth


class Steady:
    """A plan of good parts, one every 6 frames; `drawn` counts those that were planned."""

    def __init__(self):
        self.drawn = 0

    def ways(self):
        while True:
            self.drawn += 1
            yield 60 * self.drawn

    def centre_frame(self, way):
        return way // 10

    def truth(self, index, way):
        return PartTruth(index, f"gear-{index}", "gear", None, 0, 0, way // 10, 0, 0, 0)


PARTS = [Steady().truth(index, 60 * (index + 1)) for index in range(7)]


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
    assert Passage(Steady(), 7)[chosen] == PARTS[chosen]


@given(st.integers(-3, 60), st.integers(-3, 60))
def test_the_parts_between_two_frames_are_those_whose_centre_is_there(first, last):
    """Both ends included; none where there is none."""
    found = Passage(Steady(), 7).between(first, last)
    assert found == [one for one in PARTS if first <= one.centre_frame <= last]


def test_no_more_parts_are_planned_than_were_asked_for():
    """A passage takes from the plan one part beyond the frame in question, and no other."""
    plan = Steady()
    passage = Passage(plan, 1000)
    assert passage[2].index == 2
    passage.between(0, 30)
    assert plan.drawn == 6


def test_a_line_that_runs_for_long_remembers_8_bytes_of_each_part():
    """Their truth is told anew when it is asked for, however long ago they passed."""
    passage = Passage(Steady(), 10_000_000)
    first = passage[0]
    passage.between(0, 6)
    tracemalloc.start()
    for frame in range(0, 6 * 50_000, 6):
        passage.between(frame - 6, frame + 6)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 50_000 * 12
    assert passage[0] == first


def test_a_part_that_never_passes_is_no_part():
    """An index beyond the last is an error, as with any sequence."""
    with pytest.raises(IndexError):
        Passage(Steady(), 1)[1]
