"""Laws of figures and of the rule: what may be said, and what may not."""

import math

import numpy as np
import pytest

from trainer.advise.answer import decide
from trainer.advise.figures import (
    Estimate,
    Judged,
    below,
    estimate,
    measure,
    missed_by_type,
    next_gain,
    overkill_at,
    redrawn,
)

DEFECT = np.array([False] * 4 + [True] * 4)


def test_overkill_counts_the_good_at_or_above_the_threshold():
    """At no allowed escape the lowest defective score is the threshold."""
    scores = np.array([0.1, 0.2, 0.5, 0.6, 0.5, 0.7, 0.8, 0.9])
    assert overkill_at(scores, DEFECT, 0.01) == 0.5
    assert overkill_at(scores, DEFECT, 0.25) == 0.0


def test_perfect_scores_have_perfect_figures():
    """Apart is apart at every escape rate."""
    found = measure(np.arange(8.0), DEFECT)
    assert found == {"auroc": 1.0, "overkill_1": 0.0, "overkill_5": 0.0}


def test_rounds_that_share_pictures_get_a_wider_interval():
    """The correction of Nadeau and Bengio: sqrt(1/n + ratio) instead of sqrt(1/n)."""
    plain, corrected = (estimate([0.1, 0.2, 0.3, 0.4], ratio) for ratio in (0.0, 1 / 3))
    assert corrected.half / plain.half == pytest.approx(math.sqrt((1 / 4 + 1 / 3) * 4))
    assert corrected.mean == plain.mean == 0.25


def test_agreement_among_few_parts_is_no_proof():
    """Rounds in which both are perfect keep the width that was asked for."""
    perfect = Judged(np.arange(8), DEFECT, np.arange(8.0), np.arange(8.0))
    assert redrawn([perfect] * 2, "auroc", 0, least=0.04).half == pytest.approx(0.04)


def test_a_gain_is_positive_where_the_figure_improves():
    """More AUROC and less overkill than the rival are both gains."""
    rival = np.array([0.0, 1.0, 2.0, 7.5, 4.0, 5.0, 6.0, 7.0])
    judged = [Judged(np.arange(8), DEFECT, np.arange(8.0), rival)] * 2
    assert redrawn(judged, "auroc", 0).mean == pytest.approx(0.25)
    assert redrawn(judged, "overkill_5", 0).mean == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("low", "mean", "high", "verdict"),
    [
        (0.002, 0.015, 0.03, "pays"),
        (0.001, 0.005, 0.009, "skip"),
        (-0.01, 0.003, 0.015, "skip"),
        (-0.04, 0.003, 0.05, "can't tell"),
        (-0.01, 0.03, 0.07, "can't tell"),
        (0.001, 0.005, 0.03, "can't tell"),
    ],
)
def test_the_rule(low, mean, high, verdict):
    """Pays above nothing by enough; skip where no gain that matters is possible."""
    assert decide(Estimate(mean, low, high, 4), 0.01) == verdict


def test_a_steady_slope_goes_on():
    """Where each doubling added 0.02, half as many pictures again add 0.02 log2(1.5)."""
    gain = next_gain([25, 50, 100], [[0.90, 0.92, 0.94]] * 2, 50, 1 / 3)
    assert gain.mean == pytest.approx(0.02 * math.log2(1.5))
    assert gain.half == pytest.approx(0.0, abs=1e-9)


def test_a_gain_stays_in_the_room_that_is_left_and_in_order():
    """Where nothing is left to gain, rounding leaves no interval that begins above its end."""
    found = below(Estimate(2e-16, 1e-16, 3e-16, 4), 0.0)
    assert (found.low, found.mean, found.high) == (0.0, 0.0, 0.0)
    found = below(Estimate(0.03, -0.02, 0.08, 4), 0.05)
    assert (found.low, found.mean, found.high) == (-0.02, 0.03, 0.05)


def test_missed_types_are_those_below_where_good_ones_are_rejected():
    """A type that scores among the good is missed, one far above isn't."""
    scores = np.array([0.0, 0.1, 0.2, 0.3, 0.25, 0.1, 0.9, 0.8])
    labels = ["good"] * 4 + ["fray"] * 2 + ["crack"] * 2
    assert missed_by_type(scores, labels, "good", 0.05) == {"fray": (2, 2), "crack": (0, 2)}
