"""trainer/contest/paired.py: the tests hold what they promise, against numbers known otherwise."""

import numpy as np
import pytest
from scipy.stats import binom

from trainer.contest.paired import Paired
from trainer.rates import needed


def test_without_a_disagreement_it_is_the_rule_of_three():
    """No new error among n: the p-value is (1 - margin)^n, as for misses; 59 prove 5 %."""
    assert needed(0.05) == 59
    for n in (10, 58, 59):
        assert Paired(n, 3, 3, 0, 0).p_inferior(0.05) == pytest.approx(0.95**n, rel=1e-6)
    assert 0.95**200 < Paired(200, 3, 3, 0, 0).p_inferior(0.05) < 1e-3
    assert Paired(58, 0, 0, 0, 0).p_inferior(0.05) > 0.05 > Paired(59, 0, 0, 0, 0).p_inferior(0.05)


def test_more_new_errors_speak_less_for_the_challenger():
    """One new error more never lowers the p-value; one mended more never raises it."""
    for better in range(4):
        row = [Paired(120, 8, 8 - better + w, w, better).p_inferior(0.05) for w in range(6)]
        assert row == sorted(row)
    for worse in range(4):
        row = [Paired(120, 9, 9 - b + worse, worse, b).p_inferior(0.05) for b in range(6)]
        assert row == sorted(row, reverse=True)


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.1, 0.3])
def test_one_that_is_worse_by_the_margin_passes_no_oftener_than_promised(rate):
    """At the edge of the hypothesis, over 1,000 draws: at most 5 % pass (and 3 deviations)."""
    n, margin, dice = 40, 0.15, np.random.default_rng(round(rate * 100))
    known, passed = {}, 0
    for _ in range(1000):
        worse, better, _same = dice.multinomial(n, [rate + margin, rate, 1 - 2 * rate - margin])
        key = (int(worse), int(better))
        if key not in known:
            known[key] = Paired(n, key[1], key[0], *key).p_inferior(margin) <= 0.05
        passed += known[key]
    assert passed <= 1000 * 0.05 + 3 * np.sqrt(1000 * 0.05 * 0.95)


def test_a_much_better_one_is_found_so():
    """From 40 escapes to 5 of 150: not worse, with a tiny p; worse is not significant."""
    found = Paired(150, 40, 5, 1, 36)
    assert found.p_inferior(0.05) < 1e-6
    assert found.p_worse() > 0.99
    assert found.difference == pytest.approx(-35 / 150)


def test_worse_is_mcnemars_exact_test():
    """The tail of a fair coin over the parts on which just one errs."""
    assert Paired(50, 2, 9, 8, 1).p_worse() == pytest.approx(binom.sf(7, 9, 0.5))
    assert Paired(50, 0, 0, 0, 0).p_worse() == 1.0


def test_counts_are_of_the_same_parts():
    """Errors of both, part by part; counts that contradict each other can't be made."""
    champion = np.array([1, 1, 0, 0, 0], bool)
    challenger = np.array([1, 0, 1, 1, 0], bool)
    assert Paired.of(champion, challenger) == Paired(5, 2, 3, 2, 1)
    with pytest.raises(ValueError, match="contradict"):
        Paired(5, 2, 3, 1, 1)
    assert Paired.of(champion[:0], challenger[:0]).p_inferior(0.05) == 1.0


def test_many_parts_are_judged_by_the_normal_one_nearly_the_same():
    """Either side of the limit the two p-values agree to a hundredth."""
    few, many = Paired(1200, 40, 60, 40, 20), Paired(1201, 40, 60, 40, 20)
    assert few.p_inferior(0.05) == pytest.approx(many.p_inferior(0.05), abs=0.01)
