"""What calibration parts prove about escapes: exact bounds, overall and for each defect type.

If `n` defective parts were drawn as the line will draw them, and parts pass below the
(k+1)-th smallest of their scores, then the share of defective parts that pass is at most
`Rate(k, n).at_most(confidence)` at that confidence: exactly where scores never tie, and with more
confidence where they do (Wilks, Ann. Math. Statist. 12, 1941, p. 91; ties: Scheffé and Tukey,
Ann. Math. Statist. 16, 1945, p. 187). `k` comes from the budget and from `n` alone, never from
the scores, so nothing is selected on the data that proves it; and any threshold below that score,
however it was found, passes fewer still. It is the binomial case of risk-controlling prediction
sets (Bates et al., J. ACM 68, 2021, arXiv:2101.02703), which for a monotone risk need no more.

A part with several pictures counts by its lowest defective one: it escapes if any of them would
pass, so the line may look at whichever it likes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from export.manifest import GOOD
from trainer.evaluate import Judged
from trainer.rates import CONFIDENCE, Rate, needed
from trainer.shares import photographed

ALL = "all defects"


def may_miss(parts: int, budget: float, confidence: float = CONFIDENCE) -> int | None:
    """How many of `parts` may be missed and still prove `budget`; None if not even none may."""
    doubt = 1 - confidence
    k = int(binom.ppf(doubt, parts, budget))
    while k >= 0 and binom.cdf(k, parts, budget) > doubt:
        k -= 1
    return k if k >= 0 else None


def more_parts(
    missed: int, parts: int, budget: float, confidence: float = CONFIDENCE
) -> int | None:
    """How many further parts without a miss prove `budget`; None where none would."""
    if budget <= 0:
        return None

    def proves(n: int) -> bool:
        allowed = may_miss(n, budget, confidence)
        return allowed is not None and allowed >= missed

    low, high = parts, max(parts, needed(budget, confidence))
    if proves(low):
        return 0
    while not proves(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high - parts


@dataclass(frozen=True, slots=True)
class Promise:
    """A pass threshold's ceiling for one kind of defect, fixed before its scores are looked at.

    Attributes:
        kind: a defect type, or ALL.
        lowest: (parts,) score of each part's lowest picture, ascending.
        spare: how many parts the ceiling gives away.
        proven: the ceiling keeps the budget at the confidence; if not, it gives none away.
    """

    kind: str
    lowest: NDArray[np.float64]
    spare: int
    proven: bool

    @property
    def ceiling(self) -> float:
        """The highest threshold that keeps the promise."""
        return float(self.lowest[self.spare])

    def missed(self, pass_below: float) -> Rate:
        """The parts that pass below a threshold."""
        return Rate(int(np.searchsorted(self.lowest, pass_below)), len(self.lowest))


def lowest_of(judged: Judged, kind: str = ALL) -> NDArray[np.float64]:
    """Every defective part's lowest score among its pictures of a kind, ascending."""
    lowest: dict[str, float] = {}
    for label, part, score in zip(judged.labels, judged.parts, judged.scores, strict=True):
        if label != GOOD and kind in {ALL, label}:
            lowest[part] = min(float(score), lowest.get(part, 1.0))
    return np.array(sorted(lowest.values()), np.float64)


def promises(judged: Judged, budget: float, confidence: float = CONFIDENCE) -> tuple[Promise, ...]:
    """The promise over all defects, then one for each type, in the order of their names."""
    found: list[Promise] = []
    for kind in (ALL, *sorted(set(judged.labels) - {GOOD})):
        lowest = lowest_of(judged, kind)
        spare = may_miss(len(lowest), budget, confidence)
        found.append(Promise(kind, lowest, spare or 0, spare is not None))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Claim:
    """What may be said of one kind of defect at the chosen threshold."""

    kind: str
    missed: Rate
    bound: float
    budget: float
    confidence: float
    more: int | None

    @property
    def proven(self) -> bool:
        """Whether the bound is within the budget."""
        return self.bound <= self.budget

    def words(self) -> str:
        """The bound, for the person who signs."""
        what = "defective parts" if self.kind == ALL else f"parts with {self.kind!r}"
        verdict = "proven" if self.proven else "NOT PROVEN"
        return (
            f"{self.missed.k} of {self.missed.n} {what} missed: at most {self.bound:.1%} escape "
            f"at {self.confidence:.0%} confidence; {100 * self.budget:g} % is {verdict}"
        )

    def plan(self) -> str:
        """What would prove the budget; empty where it is proven."""
        if self.proven:
            return ""
        what = "defective parts" if self.kind == ALL else f"parts with {self.kind!r}"
        if self.more is None:
            return f"no number of {what} proves that none escapes: state a budget above 0"
        return (
            f"{self.more} more {what} calibrating without a miss would prove "
            f"{100 * self.budget:g} %: some {photographed(self.more)} photographed"
        )


def claims(
    found: Sequence[Promise],
    pass_below: float,
    budget: float,
    confidence: float = CONFIDENCE,
    *,
    each_type: bool = True,
) -> tuple[Claim, ...]:
    """What `pass_below` proves of each kind; it must be at most the ceilings that were kept.

    With `each_type`, every type's own ceiling was kept and its bound is that of its rank. Without,
    only the first promise's was: how many of a type's parts lie below is then a matter of the
    data, and its bound is the one that holds for all the counts that were possible at once
    (Bonferroni over them).
    """
    ranks = found[0].spare + 1
    told: list[Claim] = []
    for promise in found:
        n, missed = len(promise.lowest), promise.missed(pass_below)
        kept, sure = Rate(promise.spare, n), confidence
        if promise.kind != ALL and not each_type:
            kept, sure = missed, 1 - (1 - confidence) / min(ranks, n)
        bound = kept.at_most(sure)
        more = more_parts(kept.k, n, budget, sure)
        told.append(Claim(promise.kind, missed, bound, budget, confidence, more))
    return tuple(told)
