"""A variant faces the pictures: thresholds of its own, figures of its own, and the last veto.

Thresholds come from its scores of the calibration pictures, by the same exact bound as FP32's.
On the test pictures it is refused if it lets significantly more defective parts pass, or stops
significantly more good ones, than FP32 does there: a veto by pictures that no threshold knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from export.manifest import Agreement, Basis
from export.verdict import Outcome, Thresholds
from trainer import evaluate
from trainer.calibrate import Budgets
from trainer.evaluate import Judged
from trainer.thresholds.decision import decide_thresholds
from trainer.thresholds.novel import limit
from trainer.variants.search import RefusedError

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """One variant's scores of the calibration and the test pictures, and where it decides."""

    calibration: Judged
    test: Judged
    thresholds: Thresholds
    basis: Basis

    def outcomes(self) -> list[Outcome]:
        """What it does with the calibration, then the test pictures."""
        both = (self.calibration, self.test)
        return [one for judged in both for one in judged.outcomes(self.thresholds)]


def budgets_of(basis: Basis) -> Budgets:
    """The budgets that thresholds were placed for."""
    return Budgets(
        basis.escape_budget,
        basis.overkill_budget,
        basis.review_budget,
        basis.confidence,
        basis.each_type,
        basis.novelty.false_alarm_rate if basis.novelty else 0.0,
    )


def place(calibration: Judged, test: Judged, like: Basis) -> Sides:
    """Place a variant's thresholds by the budgets and costs that FP32's were placed for."""
    budgets = budgets_of(like)
    above, novel = None, None
    if like.novelty is not None and calibration.novelty is not None:
        good = ~calibration.defect
        parts = [part for part, yes in zip(calibration.parts, good, strict=True) if yes]
        above, novel = limit(calibration.novelty[good], parts, budgets.novel, budgets.confidence)
    decided = decide_thresholds(calibration, budgets, like.costs, above)
    basis = decided.basis.model_copy(update={"novelty": novel})
    return Sides(calibration, test, decided.thresholds, basis)


def veto(fp32: Sides, other: Sides) -> None:
    """Refuse a variant that is significantly worse than FP32 on the test parts.

    Exact one-sided test of the parts that the two decide otherwise (McNemar, Psychometrika 12,
    1947, with the binomial distribution), each at its own thresholds.

    Raises:
        RefusedError: it is.
    """
    before, after = (np.array(one.test.outcomes(one.thresholds)) for one in (fp32, other))
    defect, parts = fp32.test.defect, fp32.test.parts
    questions = {
        "lets more defective parts pass": (defect, Outcome.PASS),
        "fails more good parts": (~defect, Outcome.FAIL),
        "sends more good parts to review": (~defect, Outcome.REVIEW),
    }
    for what, (of, outcome) in questions.items():
        worse, better = _discordant((before == outcome) & of, (after == outcome) & of, parts)
        if worse > better and binomtest(worse, worse + better, alternative="greater").pvalue < (
            SIGNIFICANT
        ):
            raise RefusedError(
                f"it {what} than fp32 on the test parts: {worse} that fp32 doesn't, against "
                f"{better} the other way"
            )


def _discordant(
    before: NDArray[np.bool_], after: NDArray[np.bool_], parts: Sequence[str]
) -> tuple[int, int]:
    """Parts flagged only after, and only before; a part is if any of its pictures is."""
    named = np.array(parts)
    was, now = set(named[before].tolist()), set(named[after].tolist())
    return len(now - was), len(was - now)


def agreement(fp32: Sides, other: Sides) -> Agreement:
    """How a variant's answers compare with FP32's on the calibration and the test pictures."""
    apart = np.concatenate(
        [
            np.abs(fp32.calibration.scores - other.calibration.scores),
            np.abs(fp32.test.scores - other.test.scores),
        ]
    )
    same = sum(a == b for a, b in zip(fp32.outcomes(), other.outcomes(), strict=True))
    return Agreement(
        pictures=len(apart),
        same_outcome=same,
        max_abs_score=float(apart.max()),
        mean_abs_score=float(apart.mean()),
        max_novelty=_novelty_apart(fp32, other),
    )


def _novelty_apart(fp32: Sides, other: Sides) -> float | None:
    most: list[float] = []
    for one, two in ((fp32.calibration, other.calibration), (fp32.test, other.test)):
        if one.novelty is None or two.novelty is None:
            return None
        unit = np.maximum(1.0, np.abs(one.novelty))
        most.append(float((np.abs(one.novelty - two.novelty) / unit).max()))
    return max(most)


def metrics(sides: Sides) -> tuple[evaluate.Metric, ...]:
    """The test's figures at the variant's own thresholds."""
    return evaluate.report(sides.test, sides.thresholds).metrics
