"""The trade-off: what each escape budget costs in overkill and review, and what it proves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from export.manifest import Costs
from export.verdict import Outcome, Thresholds
from trainer.calibrate import Budgets
from trainer.evaluate import Judged, by_part
from trainer.rates import Rate
from trainer.thresholds.cost import expected
from trainer.thresholds.decision import Decision, decide_thresholds

LADDER = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Row:
    """One escape budget: thresholds, what they prove, and parts failed and sent to a person.

    `escape_bound` is the largest of those that the budget was asked of: over all defects, and of
    each type where the budget holds for each.
    """

    budget: float
    proven: bool
    thresholds: Thresholds
    escapes: Rate
    escape_bound: float
    overkills: Rate
    reviews: Rate
    cost: float | None


def row_of(judged: Judged, decision: Decision, costs: Costs | None = None) -> Row:
    """A decision as one row of the table, counted in parts."""
    placed, basis = decision.thresholds, decision.basis
    outcomes, defect = np.array(judged.outcomes(placed)), judged.defect
    asked = decision.claims if basis.each_type else decision.claims[:1]
    return Row(
        budget=basis.escape_budget,
        proven=basis.proven,
        thresholds=placed,
        escapes=decision.claims[0].missed,
        escape_bound=max(claim.bound for claim in asked),
        overkills=by_part(outcomes == Outcome.FAIL, ~defect, judged.parts),
        reviews=by_part(outcomes == Outcome.REVIEW, np.ones_like(defect), judged.parts),
        cost=None if costs is None else expected(judged, placed, costs),
    )


def rows(
    judged: Judged, budgets: Budgets, costs: Costs | None = None, novel_above: float | None = None
) -> tuple[Row, ...]:
    """A row for the stated escape budget and for every other on the ladder, ascending."""
    asked = sorted({*LADDER, budgets.escape})
    return tuple(
        row_of(
            judged,
            decide_thresholds(judged, replace(budgets, escape=budget), costs, novel_above),
            costs,
        )
        for budget in asked
    )


def table(found: Sequence[Row], chosen: float) -> list[str]:
    """The rows as lines for people; the stated budget is marked."""
    head = ["", "budget", "proven", "escapes", "at most", "overkill (interval)", "review"]
    head += ["pass below", "fail from", *(["cost"] if found[0].cost is not None else [])]
    cells = [head, *(list(_cells(row, chosen)) for row in found)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(head))]
    return ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells]


def _cells(row: Row, chosen: float) -> Iterator[str]:
    low, high = row.overkills.interval()
    yield ">" if row.budget == chosen else ""
    yield f"{100 * row.budget:g} %"
    yield "yes" if row.proven else "no"
    yield f"{row.escapes.k} of {row.escapes.n}"
    yield f"{row.escape_bound:.1%}"
    yield f"{row.overkills.value:.1%} ({100 * low:.1f} to {100 * high:.1f} %)"
    yield f"{row.reviews.value:.1%}"
    yield f"{row.thresholds.pass_below:.4g}"
    yield f"{row.thresholds.fail_above:.4g}"
    if row.cost is not None:
        yield f"{row.cost:.4g}"
