"""The law of the storm: whatever fails, no verdict is lost, doubled, changed or out of order."""

import pytest

from export.figures import table
from tests.broker import needs_mosquitto
from tests.chaos.storm import storm


@needs_mosquitto
@pytest.mark.parametrize(
    ("box", "faults"),
    [
        ("minimal", 10),
        pytest.param("real", 60, marks=pytest.mark.slow),
        pytest.param("minimal", 60, marks=pytest.mark.slow),
    ],
)
@pytest.mark.timeout(400)
def test_nothing_is_lost_in_a_storm(box, faults):
    """Kills, cuts, torn packets and black holes cost time, never a verdict."""
    outcome = storm(faults, faults, box)
    report = f"seed {outcome.seed}\n{table(outcome.figures())}"
    assert outcome.counts["verdicts"] > 10 * faults, report
    assert outcome.sound, report
