"""Laws of the pace: a backlog never takes more than its share, and loses none of it either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.mqtt.pace import Pace

SHARE = 0.5
STRETCHES = st.lists(st.floats(0.0001, 0.1), min_size=1, max_size=50)


@given(STRETCHES)
def test_a_backlog_takes_its_share_and_no_more(stretches):
    """Work that rests when told takes exactly its share of the time."""
    pace, now_s = Pace(SHARE), 100.0
    for spent_s in stretches:
        pace.worked(now_s, spent_s)
        now_s += spent_s
        now_s += pace.rest_s(now_s)
    assert sum(stretches) / (now_s - 100.0) == pytest.approx(SHARE)


@given(STRETCHES, st.floats(0.0, 10.0))
def test_idleness_is_no_credit(stretches, idle_s):
    """However long nothing was to be done, the next stretch is followed by its rest."""
    pace = Pace(SHARE)
    for number, spent_s in enumerate(stretches):
        began_s = number * (10.0 + idle_s)
        pace.worked(began_s, spent_s)
        assert pace.rest_s(began_s + spent_s) == pytest.approx(spent_s)
