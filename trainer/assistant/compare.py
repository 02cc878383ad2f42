"""Comparing two arms on the same questions: exact McNemar, Holm over several, paired bootstrap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

DRAWS = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more often one arm is right than the other.

    Attributes:
        low, high: of a 95% interval, by bootstrap over the questions.
        p: of exact McNemar; `adjusted` after Holm over all comparisons made.
    """

    value: float
    low: float
    high: float
    p: float
    adjusted: float = 1.0

    @property
    def shown(self) -> bool:
        """Whether it is more than chance: interval above 0, and p below 5% after Holm."""
        return self.low > 0 and self.adjusted < 1 - CONFIDENCE


def difference(first: Sequence[bool], second: Sequence[bool], seed: int = 0) -> Difference:
    """First minus second, of marks on the same questions in the same order."""
    a, b = np.asarray(first, bool), np.asarray(second, bool)
    if a.shape != b.shape or not a.size:
        raise ValueError(f"marks of {a.size} and {b.size} questions can't be compared")
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    apart = only_first + only_second
    p = float(binomtest(only_first, apart).pvalue) if apart else 1.0
    gain = a.astype(float) - b.astype(float)
    draws = np.random.default_rng(seed).integers(0, gain.size, (DRAWS, gain.size))
    low, high = np.quantile(gain[draws].mean(axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Difference(float(gain.mean()), float(low), float(high), p)


def holm(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """The same, with p adjusted for how many there are (Holm, Scand. J. Statist. 6, 1979)."""
    ordered = sorted(found, key=lambda name: found[name].p)
    adjusted: dict[str, Difference] = {}
    worst = 0.0
    for place, name in enumerate(ordered):
        one = found[name]
        worst = max(worst, min(1.0, one.p * (len(ordered) - place)))
        adjusted[name] = Difference(one.value, one.low, one.high, one.p, worst)
    return {name: adjusted[name] for name in found}
