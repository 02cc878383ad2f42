"""A small form of `make fuzz`: the same suites and laws, with a fixed seed."""

from pathlib import Path

import pytest

from tests.broker import needs_mosquitto
from tests.fuzz import images, live, models, payloads
from tests.fuzz.bundles import UNSIGNED

SEED = 7
TIMED = ("processor time", "memory")  # shown by `make fuzz`, never by a test


def broken(figures):
    """The figures whose law doesn't hold."""
    print(f"seed {SEED}")
    return [
        figure
        for figure in figures
        if figure.holds is False and not any(word in figure.name for word in TIMED)
    ]


def test_hostile_pictures_are_pictures_or_refused(tmp_path: Path):
    """No reader of pictures crashes, hangs or gives anything but HxWx3 uint8 of the stated size."""
    tally = images.fuzz(200, SEED, tmp_path, None)
    assert broken(images.figures(tally)) == []
    assert len(tally.meals) == 200


def test_hostile_bundles_are_refused_or_harmless(tmp_path: Path):
    """None is taken without a valid signature; signed ones are refused, limited, or judge."""
    tried, armed = models.fuzz(60, 2, SEED, tmp_path)
    assert broken(models.figures(tried, armed, UNSIGNED)) == []
    assert armed.meals


def test_hostile_payloads_change_nothing(tmp_path: Path):
    """What its schema calls unsound is rejected, counted, and leaves everything as it was."""
    tally = payloads.fuzz(500, SEED, tmp_path)
    assert broken(payloads.figures(tally)) == []
    assert {"refused", "taken"} == {meal.how for _, meal in tally.meals}


@pytest.mark.slow
@needs_mosquitto
def test_a_real_box_minds_no_hostile_command(tmp_path: Path):
    """Among hostile commands each sound order has its verdict, and nobody else's comes."""
    assert broken(live.figures(live.live(300, SEED, tmp_path))) == []
