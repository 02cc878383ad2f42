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
from trainer.evaluate import Judged

UNIT = st.floats(0, 1, width=32)
KIND = hnp.arrays(np.float64, st.integers(1, 60), elements=UNIT)
BUDGET = st.floats(0, 0.5)


def judged(scores, defect):
    """Every picture a part of its own, of one type of defect."""
    labels = tuple("bad" if one else "good" for one in defect)
    return Judged(labels, tuple(map(str, range(len(labels)))), np.asarray(scores, np.float64))


def placed(scores, defect, budgets, ceiling=None):
    """Thresholds under a ceiling, by default the lowest defective score."""
    least = float(scores[defect].min()) if ceiling is None else ceiling
    return calibrate.choose(scores, defect, budgets, least)


def count(scores, defect, thresholds):
    """Escapes, overkills and reviews."""
    outcomes = np.array(judged(scores, defect).outcomes(thresholds))
    return (
        int(((outcomes == Outcome.PASS) & defect).sum()),
        int(((outcomes == Outcome.FAIL) & ~defect).sum()),
        int((outcomes == Outcome.REVIEW).sum()),
    )


@given(KIND, KIND, st.data(), BUDGET, BUDGET)
def test_nothing_above_the_ceiling_passes(bad, good, data, overkill, review):
    """Whatever the scores, none from the ceiling up passes, and reviews or overkill keep theirs."""
    scores, defect = np.concatenate([bad, good]), np.arange(len(bad) + len(good)) < len(bad)
    spare = data.draw(st.integers(0, len(bad) - 1))
    ceiling = float(np.sort(bad)[spare])
    thresholds = placed(scores, defect, Budgets(0.1, overkill, review), ceiling)
    assert thresholds.pass_below <= min(ceiling, thresholds.fail_above)
    escapes, overkills, reviews = count(scores, defect, thresholds)
    assert escapes <= spare
    assert reviews <= math.floor(review * len(scores)) or ceiling > good.max() or (
        overkills <= math.floor(overkill * len(good))
    )  # fmt: skip


def test_separate_kinds_leave_the_gap_to_review():
    """Between clearly apart kinds of few parts, they stand at thirds of the gap in logits."""
    scores, defect = np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, False, True, True])
    thresholds = placed(scores, defect, Budgets())
    third = math.log(9) / 3
    assert thresholds.pass_below == pytest.approx(1 / (1 + math.exp(third)))
    assert thresholds.fail_above == pytest.approx(1 / (1 + math.exp(-third)))
    assert decide(0.5, None, thresholds)[0] is Outcome.REVIEW


@pytest.mark.parametrize(("good", "share"), [(2, 1 / 3), (19, 1 / 3), (79, 1 / 12), (399, 1 / 60)])
def test_the_more_good_parts_the_nearer_to_them_passing_ends(good, share):
    """One of 80 is expected above 79: a quarter of a review budget of 5 %, so a quarter of a third.

    Never on the highest good score itself.
    """
    scores = np.concatenate([np.full(good, 0.1), np.full(30, 0.9)])
    thresholds = placed(scores, np.arange(len(scores)) >= good, Budgets(overkill=0.0))
    gap = 2 * math.log(9)
    told = math.log(thresholds.pass_below / (1 - thresholds.pass_below)) + math.log(9)
    assert told / gap == pytest.approx(max(share, 0.1 / gap), rel=1e-6)
    assert thresholds.fail_above == pytest.approx(1 / (1 + math.exp(-gap / 6)))


def test_good_parts_that_were_given_away_are_expected_beyond_too():
    """One of 99 given away by the overkill budget: two of 100 lie beyond. No review: a third."""
    scores = np.concatenate([np.full(98, 0.1), [0.95], np.full(30, 0.9)])
    defect = np.arange(len(scores)) >= 99
    gap = 2 * math.log(9)
    for budgets, share in (
        (Budgets(overkill=0.02), 0.02 / 0.05 / 3),
        (Budgets(0.01, 0.02, 0), 1 / 3),
    ):
        below = placed(scores, defect, budgets).pass_below
        assert (math.log(below / (1 - below)) + math.log(9)) / gap == pytest.approx(share, rel=1e-6)


def test_review_is_bounded_by_giving_up_overkill():
    """Where kinds overlap widely, the review band stays narrow and escapes stay at zero."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.uniform(0.2, 1, 50), rng.uniform(0, 0.8, 50)])
    defect = np.arange(100) < 50
    escapes, overkills, reviews = count(scores, defect, placed(scores, defect, Budgets()))
    assert escapes == 0
    assert reviews <= 5
    assert overkills > 10


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


@pytest.mark.parametrize("wrong", [-0.1, 1.0, float("nan")])
def test_budgets_are_fractions(wrong):
    """A budget outside 0..1 is refused."""
    with pytest.raises(ValueError, match="fraction"):
        Budgets(escape=wrong)


def test_thresholds_keep_close_to_what_was_seen():
    """Where kinds overlap, a threshold stands beside the score that decides, not far from it."""
    scores, defect = np.array([0.3, 0.4, 0.5, 0.2, 0.9]), np.array([True, True, False, True, True])
    thresholds = placed(scores, defect, Budgets(review=0.9))
    assert 0.18 < thresholds.pass_below < 0.2
    assert 0.5 < thresholds.fail_above < 0.53


@pytest.mark.parametrize("wrong", [0.0, 1.0, float("nan")])
def test_a_confidence_is_between_0_and_1(wrong):
    """Certainty can't be asked for."""
    with pytest.raises(ValueError, match="confidence is between"):
        Budgets(confidence=wrong)
