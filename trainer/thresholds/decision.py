"""The decision: both thresholds from calibration scores, and the basis that they stand on.

The same for a run that has just been trained and for a bundle that is decided anew.
"""

from dataclasses import dataclass

import numpy as np

from export.manifest import Basis, Costs, TypeBasis
from export.verdict import Outcome, Thresholds
from trainer import calibrate
from trainer.calibrate import Budgets
from trainer.evaluate import Judged, by_part
from trainer.thresholds.cost import cheapest
from trainer.thresholds.guarantee import ALL, Claim, Promise, claims, promises

EXACT = "exact binomial bound of an order statistic of parts (Wilks 1941)"


@dataclass(frozen=True, slots=True)
class Decision:
    """Where to pass, fail and ask, why, and what that proves: over all defects first."""

    thresholds: Thresholds
    basis: Basis
    claims: tuple[Claim, ...]


def decide_thresholds(
    judged: Judged, budgets: Budgets, costs: Costs | None = None, novel_above: float | None = None
) -> Decision:
    """Place both thresholds on calibration pictures.

    The escape budget comes first. Where the parts can't prove it, no defective calibration part
    passes (of the type that is too rare, or of any), and the basis says that it isn't proven.

    Args:
        judged: calibration pictures, good and defective.
        budgets: what may go wrong.
        costs: if given, the cheapest thresholds that keep the escape and the review budget;
            else the rules of `calibrate.choose`.
        novel_above: the threshold on novelty, decided elsewhere; it can only stop more parts.
    """
    found = promises(judged, budgets.escape, budgets.confidence)
    ceiling = ceiling_of(found, each_type=budgets.each_type)
    if costs is None:
        placed = calibrate.choose(judged.scores, judged.defect, budgets, ceiling)
    else:
        placed = cheapest(judged, budgets, ceiling, costs)
    placed = placed.model_copy(update={"novel_above": novel_above})
    told = claims(
        found,
        placed.pass_below,
        budgets.escape,
        budgets.confidence,
        each_type=budgets.each_type,
    )
    return Decision(placed, _basis(judged, placed, budgets, costs, told), told)


def ceiling_of(found: tuple[Promise, ...], *, each_type: bool) -> float:
    """The highest pass threshold that keeps the promise over all, and every type's if asked."""
    return min(promise.ceiling for promise in (found if each_type else found[:1]))


def _basis(
    judged: Judged,
    placed: Thresholds,
    budgets: Budgets,
    costs: Costs | None,
    told: tuple[Claim, ...],
) -> Basis:
    outcomes, defect = np.array(judged.outcomes(placed)), judged.defect
    failed = by_part(outcomes == Outcome.FAIL, ~defect, judged.parts)
    asked = told if budgets.each_type else told[:1]
    return Basis(
        escape_budget=budgets.escape,
        overkill_budget=budgets.overkill,
        review_budget=budgets.review,
        confidence=budgets.confidence,
        each_type=budgets.each_type,
        n_defect=int(defect.sum()),
        n_good=int((~defect).sum()),
        escapes=int(((outcomes == Outcome.PASS) & defect).sum()),
        overkills=int(((outcomes == Outcome.FAIL) & ~defect).sum()),
        reviews=int((outcomes == Outcome.REVIEW).sum()),
        defect_parts=told[0].missed.n,
        good_parts=failed.n,
        escape_bound=told[0].bound,
        overkill_bound=failed.at_most(budgets.confidence),
        proven=all(claim.proven for claim in asked),
        types={
            claim.kind: TypeBasis(
                parts=claim.missed.n,
                escapes=claim.missed.k,
                bound=claim.bound,
                proven=claim.proven,
                more_parts=claim.more,
            )
            for claim in told
            if claim.kind != ALL
        },
        costs=costs,
        method=f"{EXACT}; {'least cost' if costs else calibrate.METHOD}",
        words=told[0].words(),
        plan=tuple(claim.plan() for claim in told if not claim.proven),
    )
