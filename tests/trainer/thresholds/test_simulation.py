"""benchmarks/guarantee.py: over many calibrations, the bound fails no more often than it may."""

import pytest
from scipy.stats import binom

from benchmarks.guarantee import ERROR, betas, exceeded, measure, mixed, ties
from trainer.thresholds.guarantee import ALL


@pytest.mark.parametrize("shape", [betas(59, 0.05), ties(93, 0.05)], ids=lambda shape: shape.name)
def test_the_bound_holds_at_its_confidence(shape):
    """150 draws: the realised escape rate exceeds the bound in 5 % of them, within error."""
    draws = 150
    found = exceeded(shape, draws, seed=1)
    assert found[ALL] * draws <= binom.ppf(ERROR, draws, 0.05)
    assert found["naive"] > 0.2


def test_the_bound_of_each_type_holds():
    """Under a ceiling over all types the rarer, fainter type's bound holds, too."""
    draws = 100
    found = exceeded(mixed((240, 100), 0.05, each_type=False), draws, seed=1)
    assert max(found["crack"], found["dent"]) * draws <= binom.ppf(ERROR, draws, 0.05)


@pytest.mark.slow
def test_over_a_thousand_draws():
    """Every shape of scores, overall and by type; where no scores tie, the bound is not slack."""
    figures = {figure.name: figure for figure in measure(1000, seed=2)}
    assert [name for name, figure in figures.items() if figure.holds is False] == []
    assert figures["betas, 299 parts: all defects"].value > 0.02
