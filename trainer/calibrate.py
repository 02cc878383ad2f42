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
from trainer.rates import CONFIDENCE, Rate, needed

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

METHOD = "order statistics; one and two thirds of the gap in logits where the kinds are apart"
EVEN = 0.5
_EDGE = 1e-6
_MARGIN = 0.1  # in logits


@dataclass(frozen=True, slots=True)
class Budgets:
    """What may go wrong on the calibration pictures, as fractions.

    Attributes:
        escape: of defective pictures passed. It comes first.
        overkill: of good pictures failed; given up for the review budget.
        review: of all pictures sent to a person.
    """

    escape: float = 0.01
    overkill: float = 0.01
    review: float = 0.05

    def __post_init__(self) -> None:
        for name in ("escape", "overkill", "review"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"the {name} budget is a fraction from 0 to 1, not {value}")


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


def choose(scores: Floats, defect: Flags, budgets: Budgets) -> Thresholds:
    """Place both thresholds by the budgets.

    `pass_below` is the lowest defective score that the escape budget doesn't give away,
    `fail_above` lies just above the highest good score that the overkill budget doesn't. Where
    these two leave a gap, both move into it, to one and two thirds in logits, so that a part
    unlike either kind goes to a person. Where they overlap, what lies between is for review; if
    that is more than the review budget, `fail_above` comes down: overkill gives way, escapes don't.
    What is left of the review budget lifts `fail_above` towards even odds: a part that is more
    likely good than not should not be rejected without a look.

    Args:
        scores: (N,) of the calibration pictures.
        defect: (N,) True where defective; both kinds must occur.
        budgets: what may go wrong.
    """
    bad, fine = np.sort(scores[defect]), np.sort(scores[~defect])[::-1]
    least_bad = float(bad[math.floor(budgets.escape * len(bad))])
    most_fine = float(fine[math.floor(budgets.overkill * len(fine))])
    allowed = math.floor(budgets.review * len(scores))
    if most_fine < least_bad:
        first, second = (_along(most_fine, least_bad, third / 3) for third in (1, 2))
        return _lifted(scores, first, max(first, second), allowed)
    between = np.sort(scores[(scores >= least_bad) & (scores <= most_fine)])
    if len(between) <= allowed:
        above = scores[scores > most_fine]
        fail_above = _beside(most_fine, float(above.min()) if len(above) else 1.0, up=True)
    else:
        edge = float(between[allowed])
        fail_above = _beside(_below(scores, edge), edge, up=False)
    pass_below = _beside(_below(scores, least_bad), least_bad, up=False)
    return _lifted(scores, pass_below, max(pass_below, fail_above), allowed)


def _lifted(scores: Floats, pass_below: float, fail_above: float, allowed: int) -> Thresholds:
    """The thresholds, with a review band that reaches up to even odds if `allowed` parts do."""
    reviewed = np.sort(scores[scores >= pass_below])
    limit = EVEN
    if len(reviewed) > allowed:
        edge = float(reviewed[allowed])
        limit = min(EVEN, _beside(_below(scores, edge), edge, up=False))
    return Thresholds(pass_below=pass_below, fail_above=max(fail_above, limit))


def _below(scores: Floats, limit: float) -> float:
    lower = scores[scores < limit]
    return float(lower.max()) if len(lower) else 0.0


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


@dataclass(frozen=True, slots=True)
class Counts:
    """What thresholds do to labelled scores."""

    escapes: Rate
    overkills: Rate
    reviews: Rate


def count(scores: Floats, defect: Flags, thresholds: Thresholds) -> Counts:
    """Escapes of the defective, overkills of the good, reviews of all."""
    passed, failed = scores < thresholds.pass_below, scores >= thresholds.fail_above
    return Counts(
        Rate(int((passed & defect).sum()), int(defect.sum())),
        Rate(int((failed & ~defect).sum()), int((~defect).sum())),
        Rate(int((~passed & ~failed).sum()), len(scores)),
    )


def by_part(flags: Flags, of: Flags, parts: list[str]) -> Rate:
    """Of the parts with a picture in `of`, those with one such picture flagged.

    Pictures of one part aren't independent; parts are. Because `pass_below` is at most an order
    statistic of the defective scores, the exact binomial bound on this rate holds although the
    threshold was chosen on the same pictures (Wilks, Ann. Math. Statist. 12, 1941, p. 91).
    """
    counted = {part for part, yes in zip(parts, of, strict=True) if yes}
    hit = {part for part, yes in zip(parts, flags & of, strict=True) if yes}
    return Rate(len(hit), len(counted))


def in_words(escapes: Rate, budget: float, confidence: float = CONFIDENCE) -> str:
    """What the data can prove about escapes, for the person who signs."""
    text = (
        f"{escapes.k} of {escapes.n} defective parts missed: at most "
        f"{escapes.at_most(confidence):.1%} escape at {confidence:.0%} confidence"
    )
    if 0 < budget < escapes.at_most(confidence):
        parts = needed(budget, confidence)
        text += f"; {parts} defective parts without a miss would prove {100 * budget:g} %"
    return text
