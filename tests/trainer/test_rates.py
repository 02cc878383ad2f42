"""trainer/rates.py: figures carry their exact intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from trainer.rates import Rate, auroc, auroc_interval, calibration_error, needed


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_interval_holds_the_rate(k, n):
    """The limits enclose k of n within 0..1; the one-sided bound is inside the two-sided one."""
    rate = Rate(min(k, n), n)
    low, high = rate.interval()
    assert 0 <= low <= rate.value <= high <= 1
    assert rate.value <= rate.at_most() <= high


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_interval_is_scipys(k, n):
    """The interval is the exact one of scipy's binomial test."""
    k = min(k, n)
    expected = binomtest(k, n).proportion_ci(0.95, method="exact")
    assert Rate(k, n).interval() == pytest.approx((expected.low, expected.high))


def test_pictures_of_one_part_prove_no_more_than_the_part():
    """Six exposures of each of ten tiles are worth ten, not sixty."""
    assert Rate(6, 60, 10).interval() == pytest.approx(Rate(1, 10).interval())


def test_known_bounds():
    """No miss among 59, 149 and 299 proves 5, 2 and 1 % at 95 % confidence."""
    for n, proven in ((59, 0.05), (149, 0.02), (299, 0.01)):
        assert Rate(0, n).at_most() <= proven < Rate(0, n - 1).at_most()
        assert needed(proven) == n


def test_no_data_proves_nothing():
    """0 of 0 may be anything."""
    assert Rate(0, 0).interval() == (0.0, 1.0)
    assert Rate(0, 0).at_most() == 1.0


def test_impossible_rates_are_refused():
    """More hits than tries is a mistake of the caller."""
    with pytest.raises(ValueError, match="3 of 2"):
        Rate(3, 2)


def test_auroc_is_sklearns():
    """Ties count half, as in scikit-learn."""
    rng = np.random.default_rng(0)
    scores, defect = rng.integers(0, 10, 200) / 10, rng.uniform(size=200) < 0.4
    assert auroc(scores, defect) == pytest.approx(roc_auc_score(defect, scores))


@given(st.floats(0, 1), st.integers(1, 100), st.integers(1, 100))
def test_auroc_interval_holds_the_area(area, defects, goods):
    """The limits hold: low <= area <= high within 0..1."""
    low, high = auroc_interval(area, defects, goods)
    assert 0 <= low <= area + 1e-9
    assert area - 1e-9 <= high <= 1


def test_auroc_interval_is_no_point_at_one():
    """A perfect area on few parts is not a certainty, and more parts prove more."""
    few, many = auroc_interval(1.0, 8, 14)[0], auroc_interval(1.0, 80, 140)[0]
    assert few < many < 1


def test_auroc_interval_covers():
    """About 95 of 100 intervals hold the true area of two normal kinds."""
    rng = np.random.default_rng(0)
    truth, held, defect = 0.92135, 0, np.arange(70) < 30  # Phi(2 / sqrt 2)
    for _ in range(400):
        scores = rng.normal(size=70) + 2 * defect
        low, high = auroc_interval(auroc(scores, defect), 30, 40)
        held += low <= truth <= high
    assert 0.92 <= held / 400 <= 0.995


def test_calibration_error_of_honest_scores_is_small():
    """Scores that are the true chances have an error near 0; all-certain wrong ones have 1."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=20000)
    assert calibration_error(scores, rng.uniform(size=20000) < scores) < 0.02
    assert calibration_error(np.ones(4), np.zeros(4, bool)) == 1.0
