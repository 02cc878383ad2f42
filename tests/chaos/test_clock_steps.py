"""The law of the clock: the wall's may start in 1970 and jump; only labels follow it."""

import pytest

from export.figures import table
from tests.broker import needs_mosquitto
from tests.chaos.clock_steps import clock_steps, needs_faketime


@needs_mosquitto
@needs_faketime
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_only_labels_follow_the_wall_clock():
    """No restart, no lost connection, no gap, no late verdict, no stall missed or imagined."""
    figures = clock_steps(4, 4)
    assert all(figure.holds is not False for figure in figures), table(figures)
