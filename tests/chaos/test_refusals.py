"""The law of refusals: what the broker will not have is held or set aside, and never lost."""

import pytest

from export.figures import table
from tests.broker import needs_mosquitto
from tests.chaos.refusals import MUST_BE_NONE, refusals


@needs_mosquitto
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_is_refused_is_held_or_set_aside():
    """Denied rights hold a camera in order, too long verdicts go to quarantine, and all arrive."""
    figures = refusals(6, 6)
    broken = [f.name for f in figures if f.name in MUST_BE_NONE and f.holds is not True]
    assert broken == [], table(figures)
