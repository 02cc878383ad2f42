"""The threshold on novelty keeps its rate of false alarms, or says that parts are too few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.thresholds.novel import limit


def names(count: int) -> list[str]:
    """One part per picture."""
    return [str(number) for number in range(count)]


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=300), st.floats(0.001, 0.5))
def test_alarms_are_what_the_basis_says(values: list[float], rate: float):
    """The basis counts the good parts that seem novel, and claims proof only within the rate."""
    begins, basis = limit(np.array(values), names(len(values)), rate)
    assert basis.alarms == sum(value >= begins for value in values)
    assert basis.proven == (basis.bound <= rate)
    assert basis.proven or basis.alarms == 0


def test_few_parts_prove_little():
    """Ten good parts: above all of them, and 139 more would prove 2 %."""
    begins, basis = limit(np.arange(1.0, 11.0), names(10), 0.02)
    assert begins == pytest.approx(10.1)
    assert (basis.alarms, basis.proven, basis.more_parts) == (0, False, 139)
    assert basis.bound == pytest.approx(1 - 0.05**0.1)
    assert "139 more good parts" in basis.words


def test_enough_parts_prove_it():
    """149 good parts prove 2 % with no alarm; more parts leave room for some."""
    assert limit(np.arange(149.0), names(149), 0.02)[1].proven
    _, basis = limit(np.arange(600.0), names(600), 0.02)
    assert basis.proven
    assert basis.alarms > 0
    assert basis.more_parts == 0


def test_a_part_counts_once():
    """Many pictures of one part are one part, as novel as its most novel picture."""
    begins, basis = limit(np.array([1.0, 5.0, 2.0, 3.0]), ["a", "a", "a", "b"], 0.02)
    assert basis.good_parts == 2
    assert begins > 5.0


def test_the_rate_is_kept_on_the_line():
    """Over 400 draws of 200 parts, the true rate of false alarms exceeds 2 % in about 5 %."""
    chance = np.random.default_rng(0)
    missed = 0
    for _ in range(400):
        begins, basis = limit(chance.uniform(0, 1, 200), names(200), 0.02)
        assert basis.proven
        missed += (1 - begins) > 0.02
    assert missed / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
