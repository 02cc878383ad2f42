"""The law of the outage: what was stored without a broker arrives whole and in order."""

import pytest

from export.figures import table
from tests.broker import needs_mosquitto
from tests.chaos.outage import outage

SPEED = ("drained at", "live latency p50 over normal", "connected and the first verdict")


@needs_mosquitto
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_backlog_drains_whole_and_in_order():
    """Nothing missing, nothing out of order, bytes and memory within their share of a day's."""
    figures = outage(20_000)
    broken = [f.name for f in figures if f.holds is False and f.name not in SPEED]
    assert broken == [], table(figures)
