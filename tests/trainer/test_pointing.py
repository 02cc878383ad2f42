"""trainer/pointing.py: the heatmap's brightest place against the mask."""

import numpy as np
import pytest

from trainer.pointing import TOLERANCE_PX, metrics, point


def mask(row, column, side=112):
    """A mask with one pixel marked."""
    marked = np.zeros((side, side), bool)
    marked[row, column] = True
    return marked


def bright(row, column, side=7):
    """A heatmap with one bright place, 16 pixels of the input to a place."""
    heatmap = np.zeros((side, side), np.float32)
    heatmap[row, column] = 0.5
    return heatmap


def test_a_hit_lies_within_the_tolerance_of_the_mark():
    """The middle of the brightest place may be 15 pixels from the mark, and no farther."""
    assert point(bright(3, 3), mask(56, 56 + TOLERANCE_PX), "a").hit
    assert not point(bright(3, 3), mask(56, 56 + TOLERANCE_PX + 1), "a").hit


def test_a_dark_heatmap_points_nowhere():
    """No evidence is no hit, even where the mark covers the first place."""
    assert not point(np.zeros((7, 7), np.float32), np.ones((112, 112), bool), "a").hit


def test_chance_is_the_share_of_places_that_would_hit():
    """A mark over half the picture is hit by half of all points, and by those at its rim."""
    half = np.zeros((112, 112), bool)
    half[:56] = True
    assert point(bright(0, 0), half, "a").chance == pytest.approx((56 + TOLERANCE_PX) / 112)


def test_the_rate_counts_parts_for_its_interval():
    """Four pictures of one part are four games and one piece of evidence."""
    games = [point(bright(3, 3), mask(56, 56), "a") for _ in range(4)]
    hits, chance = metrics(games, "test")
    assert (hits.name, hits.k, hits.n, hits.value) == ("pointing", 4, 4, 1.0)
    assert hits.low == pytest.approx(0.025)
    assert 0 < chance.value < 0.1
    assert metrics([], "test") == ()
