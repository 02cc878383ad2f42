"""What doubtful labels do to the escape bound, and to the overkill that keeping it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.calibrate import Budgets
from trainer.evaluate import Judged
from trainer.rates import Rate
from trainer.run import GOOD
from trainer.thresholds.decision import decide_thresholds
from trainer.thresholds.guarantee import lowest_of

_MATTERS = 0.01
_SEEN = 0.0005  # of a bound that is told in tenths of a percent


@dataclass(frozen=True, slots=True)
class Bound:
    """The escape bound at one threshold, that of the labels put right, and what keeping it costs.

    Attributes:
        budget: of escapes.
        as_given, put_right: bound with the labels as they are, and with the likely ones.
        overkill_given, overkill_right: good parts failed, where either places the threshold.
        of_each: by picture, the bound if that label alone is left as it is.
    """

    budget: float
    as_given: float
    put_right: float
    overkill_given: float
    overkill_right: float
    of_each: Mapping[int, float]

    def words(self) -> str:
        """The effect in two sentences."""
        told = (
            f"Of defective parts that a quick model has not seen, {self.as_given:.1%} may "
            f"escape with the labels as they are, and {self.put_right:.1%} with the likely ones "
            "(95 % bound, at the threshold that the likely ones give)."
        )
        if abs(self.overkill_given - self.overkill_right) < _MATTERS:
            return told
        return (
            f"{told} To let no more than {100 * self.budget:g} % escape, {self.overkill_given:.0%} "
            f"of the good pictures would be stopped, and {self.overkill_right:.0%} with the likely "
            "labels."
        )

    def effect(self, at: int) -> str:
        """What one label does to the bound, as the end of a sentence."""
        moved = self.of_each.get(at, self.put_right) - self.put_right
        if abs(moved) < _SEEN:
            return "; the bound stays"
        return f"; by itself moves the bound by {100 * moved:+.1f} points"


def bound_of(
    scores: NDArray[np.float64],
    given: Sequence[str] | NDArray[np.str_],
    part: Sequence[str],
    right: Mapping[int, str],
) -> Bound | None:
    """The effect of labels on the bound; None where either reading lacks good or defective parts.

    Args:
        scores: (K,) probability of a defect, by heads that saw no picture of the part.
        given: (K,) classes as they are.
        part: (K,) parts.
        right: the likely class of each doubtful picture, by its position.
    """
    budgets = Budgets()
    old = [str(label) for label in given]
    new = [right.get(i, label) for i, label in enumerate(old)]
    if any({GOOD} >= set(one) or GOOD not in one for one in (old, new)):
        return None
    as_given, put_right = _judged(scores, old, part), _judged(scores, new, part)
    decided, paid = decide_thresholds(put_right, budgets), decide_thresholds(as_given, budgets)
    at = decided.thresholds.pass_below

    def at_most(labels: list[str]) -> float:
        lowest = lowest_of(_judged(scores, labels, part))
        return Rate(int(np.searchsorted(lowest, at)), len(lowest)).at_most(budgets.confidence)

    return Bound(
        budget=budgets.escape,
        as_given=at_most(old),
        put_right=at_most(new),
        overkill_given=_stopped(as_given, paid.thresholds.pass_below),
        overkill_right=_stopped(put_right, at),
        of_each={i: at_most([*new[:i], old[i], *new[i + 1 :]]) for i in right},
    )


def _judged(scores: NDArray[np.float64], labels: list[str], part: Sequence[str]) -> Judged:
    return Judged(tuple(labels), tuple(part), np.clip(scores, 0.0, 1.0))


def _stopped(judged: Judged, pass_below: float) -> float:
    good = ~judged.defect
    return float((judged.scores[good] >= pass_below).mean())
