"""trainer/calibrate.py: thresholds keep their budgets on the data they were chosen on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from export.decide import decide
from export.verdict import Outcome
from trainer import calibrate
from trainer.calibrate import Budgets

UNIT = st.floats(0, 1, width=32)
KIND = hnp.arrays(np.float64, st.integers(1, 60), elements=UNIT)
BUDGET = st.floats(0, 0.5)


@given(KIND, KIND, BUDGET, BUDGET, BUDGET)
def test_escapes_stay_within_budget(bad, good, escape, overkill, review):
    """Whatever the scores, calibration escapes keep the budget, and so do reviews or overkill."""
    scores, defect = np.concatenate([bad, good]), np.arange(len(bad) + len(good)) < len(bad)
    thresholds = calibrate.choose(scores, defect, Budgets(escape, overkill, review))
    assert thresholds.pass_below <= thresholds.fail_above
    counts = calibrate.count(scores, defect, thresholds)
    assert counts.escapes.k <= math.floor(escape * len(bad))
    assert counts.reviews.k <= math.floor(review * len(scores)) or bad.min() > good.max() or (
        counts.overkills.k <= math.floor(overkill * len(good))
    )  # fmt: skip


@given(KIND, KIND, BUDGET, BUDGET)
def test_a_larger_escape_budget_never_passes_fewer(bad, good, small, large):
    """pass_below rises with the escape budget."""
    small, large = sorted((small, large))
    scores, defect = np.concatenate([bad, good]), np.arange(len(bad) + len(good)) < len(bad)
    tight = calibrate.choose(scores, defect, Budgets(small, 0.0, 0.0))
    loose = calibrate.choose(scores, defect, Budgets(large, 0.0, 0.0))
    passed = [calibrate.count(scores, ~defect | defect, t).escapes.k for t in (tight, loose)]
    assert passed[0] <= passed[1]


def test_separate_kinds_leave_the_gap_to_review():
    """Between clearly apart kinds, the thresholds stand at thirds of the gap in logits."""
    scores, defect = np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, False, True, True])
    thresholds = calibrate.choose(scores, defect, Budgets())
    third = math.log(9) / 3
    assert thresholds.pass_below == pytest.approx(1 / (1 + math.exp(third)))
    assert thresholds.fail_above == pytest.approx(1 / (1 + math.exp(-third)))
    assert decide(0.5, None, thresholds)[0] is Outcome.REVIEW


def test_review_is_bounded_by_giving_up_overkill():
    """Where kinds overlap widely, the review band stays narrow and escapes stay at zero."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.uniform(0.2, 1, 50), rng.uniform(0, 0.8, 50)])
    defect = np.arange(100) < 50
    counts = calibrate.count(scores, defect, calibrate.choose(scores, defect, Budgets()))
    assert counts.escapes.k == 0
    assert counts.reviews.k <= 5
    assert counts.overkills.k > 10


def test_count_agrees_with_decide():
    """The counting is export's decision, picture by picture."""
    rng = np.random.default_rng(1)
    scores, defect = rng.uniform(size=200), rng.uniform(size=200) < 0.3
    thresholds = calibrate.choose(scores, defect, Budgets(0.1, 0.1, 0.2))
    outcomes = np.array([decide(float(s), None, thresholds)[0] for s in scores])
    counts = calibrate.count(scores, defect, thresholds)
    assert counts.escapes.k == ((outcomes == Outcome.PASS) & defect).sum()
    assert counts.overkills.k == ((outcomes == Outcome.FAIL) & ~defect).sum()
    assert counts.reviews.k == (outcomes == Outcome.REVIEW).sum()


def test_temperature_finds_the_planted_one():
    """Logits made three times too sure are divided by about three."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)) * 1.5
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(3, p=row) for row in chances])
    assert calibrate.temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)


def test_few_separated_pictures_do_not_claim_certainty():
    """Four perfectly classified pictures don't drive the temperature to its bound."""
    logits = np.array([[3.0, -3.0], [3.0, -3.0], [-3.0, 3.0], [-3.0, 3.0]])
    assert calibrate.temperature(logits, np.array([0, 0, 1, 1])) > 0.3


def test_parts_are_counted_not_pictures():
    """Six exposures of one missed tile are one missed part."""
    of = np.array([True] * 6 + [True, False])
    flags = np.array([True, True, False, False, False, False, False, True])
    rate = calibrate.by_part(flags, of, ["tile"] * 6 + ["other", "good"])
    assert (rate.k, rate.n) == (1, 2)


def test_words_say_what_the_data_can_prove():
    """0 of 45 missed proves 6.4 % at 95 %, and 299 would prove 1 %."""
    words = calibrate.in_words(calibrate.Rate(0, 45), 0.01)
    assert "at most 6.4% escape at 95% confidence" in words
    assert "299 defective parts without a miss would prove 1 %" in words


@pytest.mark.parametrize("wrong", [-0.1, 1.0, float("nan")])
def test_budgets_are_fractions(wrong):
    """A budget outside 0..1 is refused."""
    with pytest.raises(ValueError, match="fraction"):
        Budgets(escape=wrong)


def test_thresholds_keep_close_to_what_was_seen():
    """Where kinds overlap, a threshold stands beside the score that decides, not far from it."""
    scores, defect = np.array([0.3, 0.4, 0.5, 0.2, 0.9]), np.array([True, True, False, True, True])
    thresholds = calibrate.choose(scores, defect, Budgets(review=0.9))
    assert 0.18 < thresholds.pass_below < 0.2
    assert 0.5 < thresholds.fail_above < 0.53
