"""trainer/thresholds/guarantee.py: no more is claimed than the parts prove."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from trainer.evaluate import Judged
from trainer.rates import Rate
from trainer.thresholds.guarantee import ALL, claims, lowest_of, may_miss, more_parts, promises

BUDGET = st.floats(0.001, 0.6)
CONFIDENCE = st.floats(0.5, 0.999)


def of_types(**scores):
    """Defective parts of one picture each, by type, and one good part."""
    labels = [kind for kind, found in scores.items() for _ in found]
    values = [score for found in scores.values() for score in found]
    parts = tuple(map(str, range(len(labels) + 1)))
    return Judged((*labels, "good"), parts, np.array([*values, 0.0]))


@given(st.integers(1, 800), BUDGET, CONFIDENCE)
def test_may_miss_is_the_largest_that_proves(parts, budget, confidence):
    """One more miss would not prove the budget; this many do, by the exact bound itself."""
    k = may_miss(parts, budget, confidence)
    if k is None:
        assert Rate(0, parts).at_most(confidence) > budget - 1e-9
        return
    assert Rate(k, parts).at_most(confidence) <= budget + 1e-9
    assert k + 1 > parts or Rate(k + 1, parts).at_most(confidence) > budget - 1e-9


def test_the_numbers_that_every_auditor_knows():
    """Zero misses of 59, 149 and 299 prove 5, 2 and 1 % at 95 %; one part fewer doesn't."""
    for parts, budget in ((59, 0.05), (149, 0.02), (299, 0.01)):
        assert may_miss(parts, budget) == 0
        assert may_miss(parts - 1, budget) is None
        assert more_parts(0, parts - 20, budget) == 20
    assert may_miss(93, 0.05) == 1
    assert may_miss(100, 0.0) is None
    assert more_parts(0, 100, 0.0) is None


@given(st.integers(0, 5), st.integers(5, 200), st.floats(0.02, 0.5), CONFIDENCE)
def test_the_plan_is_enough_and_no_more(missed, parts, budget, confidence):
    """That many further parts without a miss prove the budget, one fewer doesn't."""
    more = more_parts(missed, parts, budget, confidence)
    assert (may_miss(parts + more, budget, confidence) or 0) >= missed
    if more:
        fewer = may_miss(parts + more - 1, budget, confidence)
        assert fewer is None or fewer < missed


@given(st.integers(20, 200), BUDGET)
def test_the_ceiling_gives_away_no_more_than_may_be_missed(parts, budget):
    """Below the ceiling lie at most as many parts as the budget spares, ties or none."""
    scores = np.random.default_rng(parts).integers(0, 12, parts) / 12
    first = promises(of_types(dent=scores), budget)[0]
    assert first.missed(first.ceiling).k <= first.spare
    assert first.proven == (may_miss(parts, budget) is not None)


def test_a_part_counts_by_its_lowest_defective_picture():
    """Six exposures are one part; its good pictures and other types don't decide for it."""
    judged = Judged(
        ("dent", "dent", "crack", "good", "crack"),
        ("a", "a", "a", "a", "b"),
        np.array([0.6, 0.4, 0.5, 0.1, 0.9]),
    )
    assert lowest_of(judged).tolist() == [0.4, 0.9]
    assert lowest_of(judged, "dent").tolist() == [0.4]
    assert lowest_of(judged, "crack").tolist() == [0.5, 0.9]


def test_each_type_has_its_own_bound():
    """59 dents prove 5 %; 27 cracks prove 10.5 %, and 32 more would prove 5 %."""
    judged = of_types(dent=np.linspace(0.5, 1, 59), crack=np.linspace(0.7, 1, 27))
    whole, crack, dent = claims(promises(judged, 0.05), 0.4, 0.05)
    assert (whole.kind, whole.missed.n, whole.missed.k) == (ALL, 86, 0)
    assert whole.proven
    assert dent.proven
    assert crack.bound == pytest.approx(1 - 0.05 ** (1 / 27))
    assert not crack.proven
    proof, _, brought = crack.plan().partition(": ")
    assert proof == "32 more parts with 'crack' calibrating without a miss would prove 5 %"
    assert brought == "some 213 photographed"
    assert "0 of 27 parts with 'crack' missed: at most 10.5% escape" in crack.words()
    assert "5 % is NOT PROVEN" in crack.words()


def test_an_unproven_budget_spares_no_part():
    """Where the parts can't prove it, no defective part passes: the safe side."""
    found = promises(of_types(dent=[0.3, 0.5, 0.9]), 0.01)
    assert [one.spare for one in found] == [0, 0]
    assert found[0].ceiling == 0.3
    assert not found[0].proven


def test_a_budget_of_nothing_is_never_proven():
    """No number of parts shows that none escapes, and the plan says so."""
    told = claims(promises(of_types(dent=[0.3, 0.5]), 0.0), 0.3, 0.0)
    assert not told[0].proven
    assert "state a budget above 0" in told[0].plan()


def test_types_pay_for_a_ceiling_that_was_not_theirs():
    """Under a ceiling over all types, a type's bound is wider than its count alone would give."""
    judged = of_types(dent=np.linspace(0.2, 1, 150), crack=np.linspace(0.25, 1, 50))
    found = promises(judged, 0.05)
    assert found[0].spare == 4
    together = claims(found, found[0].ceiling, 0.05, each_type=False)[1]
    assert together.bound > together.missed.at_most()
    assert together.bound == pytest.approx(together.missed.at_most(1 - 0.05 / 5))


def test_the_bound_of_a_rank_is_the_binomial_tail():
    """At the bound, as few misses as were spared happen with probability 5 %."""
    bound = claims(promises(of_types(dent=np.linspace(0, 1, 300)), 0.05), 0.0, 0.05)[0].bound
    assert binom.cdf(may_miss(300, 0.05), 300, bound) == pytest.approx(0.05)
