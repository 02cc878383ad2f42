"""From logits to an honest score, and from scores to thresholds for a stated escape budget.

Plain functions of numpy arrays; the pictures they look at were never trained on. A score is the
calibrated probability of any defect, 1 - P(good).
"""

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax

from export.verdict import Thresholds
from trainer.rates import CONFIDENCE

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

METHOD = "order statistics; of a gap, pass near its good end, by ranks, fail from two thirds"
EVEN = 0.5
_EDGE = 1e-6
_MARGIN = 0.1  # in logits


@dataclass(frozen=True, slots=True)
class Budgets:
    """What may go wrong, as fractions.

    Attributes:
        escape: of defective parts passed, at most, with the confidence. It comes first.
        overkill: of good calibration pictures failed; given up for the review budget.
        review: of all calibration pictures sent to a person.
        confidence: of the bound on escapes.
        each_type: the escape budget is kept for every defect type by itself, too.
        novel: of good parts sent to a person for being unlike the training parts; 0 asks nobody.
    """

    escape: float = 0.01
    overkill: float = 0.01
    review: float = 0.05
    confidence: float = CONFIDENCE
    each_type: bool = True
    novel: float = 0.02

    def __post_init__(self) -> None:
        for name in ("escape", "overkill", "review", "novel"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"the {name} budget is a fraction from 0 to 1, not {value}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"the confidence is between 0 and 1, not {self.confidence}")


def temperature(logits: Floats, labels: NDArray[np.integer]) -> float:
    """The number that logits are divided by to be honest (Guo et al., arXiv:1706.04599).

    A weak prior (log T normal around 0, spread 1, weighing as much as one picture) keeps a few
    perfectly separated pictures from claiming certainty.

    Args:
        logits: (N,C) of pictures that were not trained on.
        labels: (N,) class of each.
    """
    rows = np.arange(len(labels))

    def cost(log_t: float) -> float:
        logs = log_softmax(logits / math.exp(log_t), axis=1)
        return float(-logs[rows, labels].sum() + log_t**2 / 2)

    found = cast("Any", minimize_scalar(cost, bounds=(-3.0, 5.0), method="bounded"))
    return math.exp(float(found.x))


def probabilities(logits: Floats, t: float) -> Floats:
    """Calibrated class probabilities (N,C) in float64."""
    return softmax(np.asarray(logits, np.float64) / t, axis=1)


def score_of(chances: Floats) -> NDArray[np.float64]:
    """Scores (N,) from class probabilities (N,C), class 0 good, rounded as the graph does."""
    return np.clip(1.0 - np.asarray(chances[:, 0], np.float32), 0.0, 1.0).astype(np.float64)


def choose(scores: Floats, defect: Flags, budgets: Budgets, ceiling: float) -> Thresholds:
    """Place both thresholds by the budgets.

    `pass_below` is at most `ceiling`, the highest threshold that keeps the escape budget, and
    `fail_above` lies just above the highest good score that the overkill budget doesn't give away.
    Where these two leave a gap, both move into it, so that a part unlike either kind goes to a
    person: `fail_above` to two thirds in logits, `pass_below` by as much of one third as the good
    parts expected beyond are of the review budget; of a gap with defective scores in it, into its
    lowest part.
    Where they overlap, what lies between is for review; if that is more than the review budget,
    `fail_above` comes down: overkill gives way, escapes don't. What is left of the review budget
    lifts `fail_above` towards even odds: a part that is more likely good than not should not be
    rejected without a look.

    Args:
        scores: (N,) of the calibration pictures.
        defect: (N,) True where defective; a good one must be there.
        budgets: what may go wrong.
        ceiling: the score of a defective picture, as trainer/thresholds/guarantee.py finds it.
    """
    least_bad, fine = ceiling, np.sort(scores[~defect])[::-1]
    most_fine = float(fine[math.floor(budgets.overkill * len(fine))])
    allowed = math.floor(budgets.review * len(scores))
    if most_fine < least_bad:
        bad = scores[defect]
        least_bad = float(bad[bad > most_fine].min())  # passing more would win nothing
        first = _beyond(most_fine, least_bad, _expected(fine, most_fine), budgets.review)
        return _lifted(scores, first, max(first, _along(most_fine, least_bad, 2 / 3)), allowed)
    between = np.sort(scores[(scores >= least_bad) & (scores <= most_fine)])
    if len(between) <= allowed:
        fail_above = over(scores, most_fine)
    else:
        edge = float(between[allowed])
        fail_above = under(scores, edge)
    pass_below = under(scores, least_bad)
    return _lifted(scores, pass_below, max(pass_below, fail_above), allowed)


def _expected(fine: Floats, limit: float) -> float:
    """The share of good parts to come that score above one of the good scores, if all are alike.

    Ranks of exchangeable scores are equally likely (Wilks, Ann. Math. Statist. 12, 1941).
    """
    return (int((fine > limit).sum()) + 1) / (len(fine) + 1)


def _beyond(most_fine: float, least_bad: float, expected: float, review: float) -> float:
    """How far into the gap parts pass: the fewer good parts told its end, the further.

    What lies in the gap is most likely a defect fainter than those that were seen: where many good
    parts told its lower end, hardly any comes to lie beyond, and a person has time for those.
    """
    share = min(1.0, expected / review) if review else 1.0
    least = _beside(most_fine, least_bad, up=True)
    return max(least, _along(most_fine, least_bad, share / 3))


def _lifted(scores: Floats, pass_below: float, fail_above: float, allowed: int) -> Thresholds:
    """The thresholds, with a review band that reaches up to even odds if `allowed` parts do."""
    reviewed = np.sort(scores[scores >= pass_below])
    limit = EVEN
    if len(reviewed) > allowed:
        edge = float(reviewed[allowed])
        limit = min(EVEN, under(scores, edge))
    return Thresholds(pass_below=pass_below, fail_above=max(fail_above, limit))


def under(scores: Floats, limit: float) -> float:
    """A threshold just under `limit`, one of the scores, and above the next lower score."""
    lower = scores[scores < limit]
    return _beside(float(lower.max()) if len(lower) else 0.0, limit, up=False)


def over(scores: Floats, limit: float) -> float:
    """A threshold just over `limit`, one of the scores, and below the next higher score."""
    higher = scores[scores > limit]
    return _beside(limit, float(higher.min()) if len(higher) else 1.0, up=True)


def _along(low: float, high: float, fraction: float) -> float:
    """The score a `fraction` of the way from low to high in logits, above low and at most high."""
    ends = logit(np.clip([low, high], _EDGE, 1 - _EDGE))
    place = float(expit(ends[0] + (ends[1] - ends[0]) * fraction))
    return min(max(place, float(np.nextafter(low, 1.0))), high)


def _beside(low: float, high: float, *, up: bool) -> float:
    """A threshold just above `low` (`up`) or just below `high`, within half of what lies between.

    On a picture's own score, rounding on another machine would decide over that picture.
    """
    ends = logit(np.clip([low, high], _EDGE, 1 - _EDGE))
    width = float(ends[1] - ends[0])
    share = min(0.5, _MARGIN / width) if width > 0 else 0.5
    return _along(low, high, share if up else 1 - share)
