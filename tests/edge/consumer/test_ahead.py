"""edge/consumer/ahead.py: the same as a plain dictionary, at a cost that doesn't grow with it."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from edge.consumer.ahead import Ahead
from edge.consumer.follow import Follower
from tests.edge.verdicts import verdict

MOST = 30
ONE = verdict(1, 1)


def of(seq):
    """A verdict of that seq; nothing else of it matters here."""
    return ONE.model_copy(update={"seq": seq})


@given(st.lists(st.integers(1, MOST) | st.sampled_from(["take", "drop"]), max_size=60))
def test_it_holds_what_a_dictionary_would(steps):
    """Whatever comes, is taken in turn or is dropped: what is here, and what is missing."""
    ahead, plain, turn = Ahead(), {}, 1
    for step in steps:
        if step == "take":
            turn = min(plain, default=turn)
            taken = [one.seq for one in ahead.take(turn)]
            while turn in plain:
                assert taken.pop(0) == plain.pop(turn).seq
                turn += 1
            assert not taken
        elif step == "drop":
            if plain:
                ahead.drop_newest()
                del plain[max(plain)]
        elif step >= turn and step not in plain:
            plain[step] = of(step)
            ahead.add(plain[step])
        assert len(ahead) == len(plain)
        assert ahead.newest == max(plain, default=0)
        assert {seq for seq in range(MOST + 2) if ahead.get(seq)} == plain.keys()
        for end in (turn, MOST // 2, MOST):
            holes = [seq for one, last in ahead.missing(turn, end) for seq in range(one, last + 1)]
            assert holes == [seq for seq in range(turn, end + 1) if seq not in plain]


def test_a_consumer_that_is_far_behind_works_no_more_for_each_verdict():
    """Else it would fall behind further: lines of Python run for one verdict and one question."""
    few, many = (_lines_for(held) for held in (10, 5000))
    assert many <= few + 5


def _lines_for(held):
    follower = Follower(from_start=True)
    for seq in range(2, held):
        follower.take(of(seq))
    count = 0

    def step(*_):
        nonlocal count
        count += 1
        return step

    sys.settrace(step)
    try:
        follower.take(of(held))
        gaps = follower.gaps()
    finally:
        sys.settrace(None)
    assert [(gap.first, gap.last) for gap in gaps] == [(1, 1)]
    return count
