"""The p-chart: the share of parts that didn't pass, hour by hour, with its control limits.

Shewhart's chart for a fraction with unequal groups: p̄ ± 3 √(p̄(1-p̄)/nᵢ), cut at 0 and 1
(NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2; Montgomery, Introduction to Statistical
Quality Control, 7.3). The centre is what was usual before: the reference groups, if there are
enough of them, else the groups shown, and the chart says which.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.store.tally import Group

SIGMAS = 3.0
ENOUGH_GROUPS = 20  # to learn what is usual from (Montgomery, 6.2.1: 20 to 25)
ROUGH = 5.0  # below so many rejects expected the normal approximation is poor (Montgomery, 7.2.2)


@dataclass(frozen=True, slots=True)
class Point:
    """One group: share of rejects and the limits for its size; `outside` if it is beyond them."""

    at_ms: int
    parts: int
    rejects: int
    share: float
    low: float
    high: float
    outside: bool
    rough: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Points in order of time. `centre` is None where there is nothing to learn from."""

    centre: float | None
    from_reference: bool
    points: tuple[Point, ...]

    @property
    def top(self) -> float:
        """What the chart must reach up to."""
        return max((max(one.share, min(one.high, 1.0)) for one in self.points), default=0.0)


def chart(shown: Sequence[Group], reference: Sequence[Group]) -> Chart:
    """The chart of the groups shown; `reference` are earlier ones, which tell what is usual."""
    known = len(reference) >= ENOUGH_GROUPS
    centre = _share(reference if known else shown)
    if centre is None:
        return Chart(None, known, ())
    return Chart(centre, known, tuple(_point(group, centre) for group in shown))


def _share(groups: Sequence[Group]) -> float | None:
    parts = sum(group.parts for group in groups)
    return sum(group.rejects for group in groups) / parts if parts else None


def _point(group: Group, centre: float) -> Point:
    reach = SIGMAS * math.sqrt(centre * (1 - centre) / group.parts)
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    share = group.rejects / group.parts
    return Point(
        group.at_ms, group.parts, group.rejects, share, low, high,
        outside=not low <= share <= high,
        rough=group.parts * min(centre, 1 - centre) < ROUGH,
    )  # fmt: skip
