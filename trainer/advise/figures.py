"""Figures of a study with what they are worth, and differences between arms, round by round.

Intervals redraw both the rounds and the parts (a bootstrap over all that was left to chance:
Bouthillier and others, MLSys 2021, arXiv:2103.03098); differences are paired. docs/log.md compares
it with Nadeau and Bengio's corrected resampled t (Machine Learning 52, 2003, section 3.1), which
is wider; that one serves where there is one number per round and nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from trainer.rates import CONFIDENCE, auroc

Scores = NDArray[np.floating]
Flags = NDArray[np.bool_]

FIGURES = ("auroc", "overkill_1", "overkill_5")
ESCAPES = {"overkill_1": 0.01, "overkill_5": 0.05}


DRAWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One round's judged pictures (J,): part and kind of each, scores, and a rival's scores."""

    parts: NDArray[np.intp]
    defect: Flags
    scores: Scores
    rival: Scores | None = None

    def value(self, name: str, at: NDArray[np.intp]) -> float:
        """The figure on the pictures `at`, or the gain over the rival; NaN without both kinds."""
        defect = self.defect[at]
        if defect.all() or not defect.any():
            return math.nan
        own = _figure(name, self.scores[at], defect)
        if self.rival is None:
            return own
        other = _figure(name, self.rival[at], defect)
        return own - other if name == "auroc" else other - own


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over rounds with its interval; one round alone has no interval (NaN)."""

    mean: float
    low: float
    high: float
    rounds: int

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2


def overkill_at(scores: Scores, defect: Flags, escape: float) -> float:
    """Share of good pictures rejected when at most `escape` of the defective ones pass."""
    bad = np.sort(scores[defect])
    threshold = bad[math.floor(escape * len(bad))]
    return float((scores[~defect] >= threshold).mean())


def _figure(name: str, scores: Scores, defect: Flags) -> float:
    if name == "auroc":
        return auroc(scores, defect)
    return overkill_at(scores, defect, ESCAPES[name])


def measure(scores: Scores, defect: Flags) -> dict[str, float]:
    """All figures of one round's judged pictures; both kinds must occur."""
    return {name: _figure(name, scores, defect) for name in FIGURES}


def estimate(
    values: Sequence[float],
    ratio: float,
    confidence: float = CONFIDENCE,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> Estimate:
    """The mean over rounds and its corrected interval.

    Args:
        values: one per round.
        ratio: judging pictures per learning picture.
        confidence: of the interval.
        bounds: what the figure can't leave.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Estimate(mean, math.nan, math.nan, n)
    spread = float(np.std(values, ddof=1))
    quantile = float(student.ppf(0.5 + confidence / 2, n - 1))
    half = quantile * spread * math.sqrt(1 / n + ratio)
    return Estimate(mean, max(bounds[0], mean - half), min(bounds[1], mean + half), n)


def redrawn(rounds: Sequence[Judged], name: str, seed: int, *, least: float = 0.0) -> Estimate:
    """A figure's mean over rounds, or the mean gain, with its bootstrap interval.

    Args:
        rounds: what was judged in each.
        name: the figure; gains are positive where it improves.
        seed: of the draws.
        least: half of the interval's width that it is given at least: rounds that agree to the
            last digit, as where everything is perfect, still come from few parts.
    """
    chance = np.random.default_rng(seed)
    count = 1 + max(int(one.parts.max()) for one in rounds)
    mean = float(np.mean([one.value(name, np.arange(len(one.parts))) for one in rounds]))
    drawn: list[float] = []
    for _ in range(DRAWS):
        often = chance.multinomial(count, np.full(count, 1 / count))
        values: list[float] = []
        for turn in chance.integers(0, len(rounds), len(rounds)):
            one = rounds[turn]
            values.append(one.value(name, np.repeat(np.arange(len(one.parts)), often[one.parts])))
        known = [value for value in values if not math.isnan(value)]
        drawn += [float(np.mean(known))] if known else []
    low, high = np.quantile(drawn, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    low, high = min(float(low), mean - least), max(float(high), mean + least)
    floor = -1.0 if rounds[0].rival is not None else 0.0
    return Estimate(mean, max(floor, low), min(1.0, high), len(rounds))


def next_gain(
    sizes: Sequence[int], curves: Sequence[Sequence[float]], more: int, ratio: float
) -> Estimate:
    """What `more` pictures would add, if each doubling adds as much as the measured ones did.

    Args:
        sizes: learning pictures at each share, rising.
        curves: a figure at each size, one row per round.
        more: pictures beyond the largest size.
        ratio: judging pictures per learning picture.
    """
    doublings = np.log2(np.asarray(sizes, float))
    slopes = [float(np.polyfit(doublings, row, 1)[0]) for row in curves]
    further = math.log2((sizes[-1] + more) / sizes[-1])
    return estimate([slope * further for slope in slopes], ratio)


def below(gain: Estimate, room: float) -> Estimate:
    """The gain within what there is left to gain; a perfect curve's slope is rounding alone."""
    mean, low, high = (min(value, room) for value in (gain.mean, gain.low, gain.high))
    return Estimate(mean, low, high, gain.rounds)


def missed_by_type(
    scores: Scores, labels: Sequence[str], good: str, overkill: float
) -> dict[str, tuple[int, int]]:
    """Missed and all pictures of each type where `overkill` of the good ones are rejected."""
    names = np.array(labels)
    limit = float(np.quantile(scores[names == good], 1 - overkill))
    return {
        str(name): (int((scores[names == name] <= limit).sum()), int((names == name).sum()))
        for name in np.unique(names)
        if name != good
    }
