"""Where novelty begins: at a stated rate of false alarms among good parts, and what that proves.

The same exact bound as for escapes, turned round: if the line asks a person from above the
(k+1)-th highest of `n` good calibration parts, at most `Rate(k, n).at_most(confidence)` of good
parts are asked about (Wilks, Ann. Math. Statist. 12, 1941, p. 91). The bank of good parts was made
from training pictures alone. A part counts by its most novel picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from export.manifest import NoveltyBasis
from trainer.rates import CONFIDENCE, Rate
from trainer.thresholds.guarantee import may_miss, more_parts

_BESIDE = 0.01  # of the novelty: on a part's own, rounding would decide


def limit(
    novelty: NDArray[np.floating],
    parts: Sequence[str],
    rate: float,
    confidence: float = CONFIDENCE,
) -> tuple[float, NoveltyBasis]:
    """The novelty from which a person is asked.

    Where the parts are too few to prove the rate, it lies just above all of them, and the basis
    says what that proves and how many more good parts would do.

    Args:
        novelty: (N,) of good calibration pictures, N > 0.
        parts: the part of each.
        rate: share of good parts that may raise a false alarm.
        confidence: of the bound.
    """
    highest: dict[str, float] = {}
    for part, value in zip(parts, novelty.tolist(), strict=True):
        highest[part] = max(value, highest.get(part, -np.inf))
    ranked = sorted(highest.values(), reverse=True)
    allowed = may_miss(len(ranked), rate, confidence) or 0
    last = ranked[allowed]
    above = ranked[allowed - 1] if allowed else np.inf
    begins = min(last * (1 + _BESIDE), (last + above) / 2)
    begins = begins if begins > last else float(np.nextafter(last, np.inf))
    alarms = Rate(sum(value >= begins for value in ranked), len(ranked))
    bound = alarms.at_most(confidence)
    more = more_parts(alarms.k, alarms.n, rate, confidence)
    words = (
        f"{alarms.k} of {alarms.n} good parts seem novel: at most {bound:.1%} do, "
        f"at {confidence:.0%} confidence"
    )
    if bound > rate:
        words += f"; {100 * rate:g} % is not proven"
        enough = f", {more} more good parts calibrating without an alarm would prove it"
        words += enough if more else ""
    return begins, NoveltyBasis(
        false_alarm_rate=rate,
        confidence=confidence,
        good_parts=alarms.n,
        alarms=alarms.k,
        bound=bound,
        proven=bound <= rate,
        more_parts=more,
        words=words,
    )
