"""The law of bad sources: they cost the good cameras nothing, and come back when they heal."""

import pytest

from export.figures import table
from tests.chaos.bad_sources import bad_sources

PACE = ("their share of the rate alone", "back after healing, worst")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_eight_bad_sources_leave_the_others_alone():
    """No good camera is restarted, and every bad source gives frames once it is sound."""
    figures = bad_sources(3.0)
    broken = [f.name for f in figures if f.holds is False and f.name not in PACE]
    assert broken == [], table(figures)
