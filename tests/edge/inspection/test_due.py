from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import wall_ns
from edge.frame import Frame
from edge.inspection.due import LAST, Due
from edge.inspection.part import Part, Terms

LOOK_MS = 40.0


def part(camera, captured_ms, deadline_ms=500.0):
    """A part with one frame to judge; its pixels don't matter here."""
    seen = Frame(None, camera, 0, round(captured_ms * 1e6), wall_ns())
    one = Part(seen, Terms(camera, None, deadline_ms, 1000))
    one.looks.add(seen)
    return one


def serve(due, now_ms):
    """Give the part whose turn it is its look; its camera."""
    one = due.turn(round(now_ms * 1e6))
    due.looked(one.terms.camera, LOOK_MS)
    due.remove(one)
    return one.terms.camera


def test_one_cameras_parts_come_in_their_order():
    """First in, first out, as long as nobody else asks."""
    due, parts = Due(), [part("a", n) for n in range(5)]
    for one in parts:
        due.add(one)
    for one in parts:
        assert due.turn(0) is one
        due.remove(one)
    assert due.turn(0) is None


def test_the_earliest_deadline_comes_first():
    """Among cameras that had no more than their share."""
    due = Due()
    for camera, deadline_ms in (("slow", 1000), ("quick", 100), ("middle", 500)):
        due.add(part(camera, 0, deadline_ms))
    assert [serve(due, 0) for _ in range(3)] == ["quick", "middle", "slow"]


@given(st.integers(20, 60), st.integers(0, 19))
def test_a_camera_that_floods_does_not_starve_another(flood, before):
    """However many parts wait before it, and however late its deadline: a few looks, no more."""
    due = Due()
    for n in range(flood):
        due.add(part("flood", n, 100))
    for n in range(before):
        serve(due, n * LOOK_MS)
    due.add(part("quiet", 1000, 60_000))
    served = []
    while "quiet" not in served:
        served.append(serve(due, 1000))
    assert len(served) <= 5


@given(st.permutations([50, 500, 5000]))
def test_nobody_falls_far_behind_while_all_ask(deadlines_ms):
    """Whoever is most urgent: each camera gets two thirds of its even share at least."""
    due, had = Due(), Counter()
    for camera, deadline_ms in zip("abc", deadlines_ms, strict=True):
        for n in range(60):
            due.add(part(camera, n, deadline_ms))
    for _ in range(90):
        had[serve(due, 0)] += 1
    assert min(had[camera] for camera in "abc") >= 20


def test_a_part_whose_frames_are_all_judged_waits_for_more():
    """Its turn comes when another frame has come."""
    due, one = Due(), part("a", 0)
    due.add(one)
    one.looks.take(1)
    assert due.turn(0) is None
    one.looks.add(one.seen)
    assert due.turn(0) is one


def test_what_a_look_takes_is_known_by_the_last_ones_and_forgotten_when_doubted():
    """A hiccup raises nothing; giving parts up can't go on for ever, one after another."""
    due = Due()
    assert due.look_ms("a") == 0
    for took_ms in (900, 40, 50):
        due.looked("a", took_ms)
    assert due.look_ms("a") == 50
    for _ in range(3 * LAST):
        due.doubt("a")
        due.looked("a", 900)
    assert due.look_ms("a") == 900
    for _ in range(LAST):
        assert due.look_ms("a") == 900
        due.doubt("a")
    assert due.look_ms("a") == 0


@pytest.mark.parametrize("others", [0, 1])
def test_a_part_is_alone_if_no_other_waits(others):
    """Of any camera."""
    due, one = Due(), part("a", 0)
    due.add(one)
    for _ in range(others):
        due.add(part("b", 0))
    assert due.alone(one) is (others == 0)
    assert (len(due), due.of("a"), due.of("b"), due.of("c")) == (1 + others, 1, others, 0)
