"""From scores to an outcome: the same code calibrates on the workstation and judges on the line."""

import math

from export.verdict import Outcome, Reason, Thresholds


def decide(score: float, novelty: float | None, thresholds: Thresholds) -> tuple[Outcome, Reason]:
    """Judge one part.

    Args:
        score: calibrated probability of defect, 0..1.
        novelty: distance from the training parts, or None if the model gives none.
        thresholds: where to pass, fail and ask a person.

    Returns:
        The outcome and why. A score that isn't finite fails: NaN must never pass.
    """
    if not math.isfinite(score) or (novelty is not None and not math.isfinite(novelty)):
        return Outcome.FAIL, Reason.NOT_FINITE
    if score >= thresholds.fail_above:
        return Outcome.FAIL, Reason.ABOVE_FAIL
    if thresholds.novel_above is not None and novelty is not None:  # noqa: SIM102 - two questions
        if novelty >= thresholds.novel_above:
            return Outcome.REVIEW, Reason.NOVEL
    if score >= thresholds.pass_below:
        return Outcome.REVIEW, Reason.IN_REVIEW_BAND
    return Outcome.PASS, Reason.BELOW_PASS
