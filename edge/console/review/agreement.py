"""How far two readers agree: Cohen's kappa over the samples that were read twice.

Kappa and its interval after Cohen, Educational and Psychological Measurement 20 (1960), p. 37: the
large-sample standard error, which is rough below some 30 pairs, and then says so.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from edge.console.review.standing import Pair

Z = 1.959964  # for 95 %
FEW = 30


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `pairs` read twice, `agreed` got the same label; kappa is None where chance is certain."""

    pairs: int
    agreed: int
    kappa: float | None
    low: float
    high: float

    @property
    def few(self) -> bool:
        """Whether the interval is rough."""
        return self.pairs < FEW


def agreement(pairs: Iterable[Pair]) -> Agreement:
    """The agreement of all pairs."""
    told = list(pairs)
    n = len(told)
    agreed = sum(one.first == one.second for one in told)
    if not n:
        return Agreement(0, 0, None, -1.0, 1.0)
    first, second = Counter(one.first for one in told), Counter(one.second for one in told)
    by_chance = sum(first[name] * second[name] for name in first) / n**2
    share = agreed / n
    if by_chance >= 1:
        return Agreement(n, agreed, None, -1.0, 1.0)
    kappa = (share - by_chance) / (1 - by_chance)
    reach = Z * math.sqrt(share * (1 - share) / n) / (1 - by_chance)
    return Agreement(n, agreed, kappa, max(-1.0, kappa - reach), min(1.0, kappa + reach))
