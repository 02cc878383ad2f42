"""Figures with what they are worth: rates and areas under curves with their intervals."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta, norm, rankdata

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """`k` of `n`, of which `independent` could differ: pictures of one part are no new evidence."""

    k: int
    n: int
    independent: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.k <= self.n:
            raise ValueError(f"{self.k} of {self.n} is no rate")

    @property
    def value(self) -> float:
        """The fraction; 0 of 0 is 0."""
        return self.k / self.n if self.n else 0.0

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The exact two-sided interval (Clopper and Pearson, Biometrika 26, 1934).

        With fewer independent parts than pictures, the same rate among that many parts (Korn and
        Graubard, Survey Methodology 24, 1998).
        """
        if not self.n:
            return 0.0, 1.0
        n = self.n if self.independent is None else min(self.n, self.independent)
        k, tail = self.value * n, (1 - confidence) / 2
        low = 0.0 if self.k == 0 else float(beta.ppf(tail, k, n - k + 1))
        high = 1.0 if self.k == self.n else float(beta.ppf(1 - tail, k + 1, n - k))
        return low, high

    def at_most(self, confidence: float = CONFIDENCE) -> float:
        """The exact one-sided upper bound: the true rate is no higher, at this confidence."""
        if self.k == self.n:
            return 1.0
        return float(beta.ppf(confidence, self.k + 1, self.n - self.k))


def needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """How many parts without one miss prove that at most `rate` are missed: 299 for 1 % at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - rate))


def auroc(scores: NDArray[np.floating], defect: NDArray[np.bool_]) -> float:
    """Chance that a defective part scores above a good one, ties counting half.

    Args:
        scores: (N,) higher is worse.
        defect: (N,) True where defective; both kinds must occur.
    """
    ranks = rankdata(scores)
    n_defect, n_good = int(defect.sum()), int((~defect).sum())
    return float((ranks[defect].sum() - n_defect * (n_defect + 1) / 2) / (n_defect * n_good))


def auroc_interval(
    area: float, n_defect: int, n_good: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """An interval for an AUROC that doesn't shrink to a point at 1.0.

    Newcombe's method 5 (Statistics in Medicine 25, 2006, p. 559): Hanley and McNeil's variance,
    evaluated at the limit itself as Wilson does for rates. Give numbers of parts where one part
    has several pictures: those aren't independent.
    """
    z = float(norm.ppf(0.5 + confidence / 2))
    half = (n_defect + n_good) / 2 - 1

    def beyond(limit: float) -> float:
        spread = 1 + half * ((1 - limit) / (2 - limit) + limit / (1 + limit))
        return abs(area - limit) - z * math.sqrt(limit * (1 - limit) * spread / n_defect / n_good)

    near = 1e-9  # the area itself solves the equation where it is 0 or 1: look beside it
    low = 0.0 if area <= near else cast("float", brentq(beyond, 0.0, area - near))
    high = 1.0 if area >= 1 - near else cast("float", brentq(beyond, area + near, 1.0))
    return low, high


def calibration_error(
    scores: NDArray[np.floating], defect: NDArray[np.bool_], bins: int = 10
) -> float:
    """Expected calibration error of scores (N,) in 0..1 (Guo et al., arXiv:1706.04599, section 2).

    How far, on average, the score is from the share of defects scored so, in bins of equal
    numbers of pictures: less biased than equal widths (Roelofs et al., arXiv:2012.08668), yet a
    few hundred pictures still make it look larger than it is. Equal scores share a bin.
    """
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    place = np.digitize(scores, edges)
    total = 0.0
    for at in np.unique(place):
        inside = place == at
        apart = abs(float(scores[inside].mean()) - float(defect[inside].mean()))
        total += float(inside.mean()) * apart
    return total
