"""The cheapest thresholds that still keep the budgets, by what each mistake costs.

A review is taken to find the truth, and failing a defective part to cost nothing.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from export.manifest import Costs
from export.verdict import Thresholds
from trainer import calibrate
from trainer.calibrate import Budgets
from trainer.evaluate import Judged

Floats = NDArray[np.float64]

_MOST = 300  # scores beside which a threshold is tried; more would not be told apart
_EDGE = 1e-6


def expected(judged: Judged, thresholds: Thresholds, costs: Costs) -> float:
    """The expected cost of one part on the line, in the currency of `costs`."""
    below, above = np.array([thresholds.pass_below]), np.array([thresholds.fail_above])
    return float(_costs(judged, below, above, costs)[0][0, 0])


def cheapest(judged: Judged, budgets: Budgets, ceiling: float, costs: Costs) -> Thresholds:
    """The thresholds of least expected cost, with `pass_below` at most `ceiling`.

    The review budget is kept, too, for the mix of parts that `costs` states. Any choice under the
    ceiling keeps the escape bound, so choosing by the same scores doesn't loosen it.

    Args:
        judged: calibration pictures, good and defective.
        budgets: of which the escape budget made the ceiling.
        ceiling: the highest pass threshold.
        costs: what mistakes cost.
    """
    known = np.unique(judged.scores)
    places = np.array(
        [
            place
            for score in _thinned(known)
            for place in (calibrate.under(known, score), calibrate.over(known, score))
        ]
    )
    places.sort()
    highest = calibrate.under(known, ceiling)
    below = np.append(places[places < highest], highest)
    above = np.append(np.union1d(below, places), 1.0)
    price, review = _costs(judged, below, above, costs)
    price[(review > budgets.review) & (above > below[:, None])] = np.inf
    price[above < below[:, None]] = np.inf
    row, column = np.unravel_index(np.lexsort((review.ravel(), price.ravel()))[0], price.shape)
    return Thresholds(pass_below=float(below[row]), fail_above=float(above[column]))


def _thinned(known: Floats) -> Floats:
    if len(known) <= _MOST:
        return known
    return known[np.linspace(0, len(known) - 1, _MOST).round().astype(int)]


def _costs(judged: Judged, below: Floats, above: Floats, costs: Costs) -> tuple[Floats, Floats]:
    """Cost and review share per part on the line (P,F) for pairs of thresholds (P,) and (F,)."""
    bad, fine = np.sort(judged.scores[judged.defect]), np.sort(judged.scores[~judged.defect])
    share = costs.defect_share
    failed = 1 - np.searchsorted(fine, above) / len(fine)
    seen = share * _between(bad, below, above) + (1 - share) * _between(fine, below, above)
    price = (share * _missed(bad, below) * costs.escape)[:, None] + (
        1 - share
    ) * failed * costs.overkill
    return price + costs.review * seen, seen


def _missed(bad: Floats, below: Floats) -> Floats:
    """The expected share of defective parts under thresholds (P,), of ascending scores (N,).

    i of N+1 under the i-th score, whatever the distribution (the mean of its Beta), and in
    proportion between two scores in logits: none seen doesn't mean none to come, and coming
    closer to what was seen costs more.
    """
    known, first = np.unique(bad, return_index=True)
    shares = (np.append(first[1:], len(bad))) / (len(bad) + 1)
    ends, places = (logit(np.clip(one, _EDGE, 1 - _EDGE)) for one in (known, below))
    return np.interp(places, np.append(logit(_EDGE), ends), np.append(0.0, shares))


def _between(scores: Floats, below: Floats, above: Floats) -> Floats:
    ends = np.searchsorted(scores, above) - np.searchsorted(scores, below)[:, None]
    return np.maximum(0, ends) / len(scores)
