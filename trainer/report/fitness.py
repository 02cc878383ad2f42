"""Is it fit for the line? The answer first, in plain words, from budgets, bounds and the test.

Three grades. *Proven*: the calibration pictures prove the escape budget at the stated confidence,
and the test doesn't speak against it. *Not proven*: nothing speaks against it, but too few
defective parts speak for it. *Not fit*: the test shows more escapes or overkill than the budgets
allow, by more than chance explains.
"""

from dataclasses import dataclass
from enum import StrEnum

from trainer.run import Metric, Record


class Grade(StrEnum):
    """How far the run can be trusted on a line."""

    PROVEN = "proven"
    UNPROVEN = "not proven"
    UNFIT = "not fit"


@dataclass(frozen=True, slots=True)
class Fitness:
    """The grade, one sentence that says it, and what stands behind and against it."""

    grade: Grade
    answer: str
    reasons: tuple[str, ...]


def fitness(record: Record) -> Fitness:
    """Grade a run by its own budgets."""
    basis = record.basis
    tested = {one.name: one for one in record.metrics if one.split == "test"}
    escape, overkill = tested.get("escape"), tested.get("overkill")
    reasons = [f"Calibration: {basis.words}."]
    against: list[str] = []
    for figure, budget, what in (
        (escape, basis.escape_budget, "pictures of defective parts passed"),
        (overkill, basis.overkill_budget, "pictures of good parts failed"),
    ):
        if figure is None:
            reasons.append(f"Test: no pictures to count {what}.")
            continue
        reasons.append(f"Test: {_counted(figure)} {what}.")
        if figure.low > budget:
            against.append(f"{_counted(figure)} {what}, against a budget of {budget:.1%}")
    if against:
        return Fitness(
            Grade.UNFIT, f"Not fit for these budgets: on the test, {'; '.join(against)}.",
            tuple(reasons),
        )  # fmt: skip
    reasons += [f"{sentence}." for sentence in basis.plan]
    if basis.proven:
        return Fitness(
            Grade.PROVEN,
            f"Fit: at most {basis.escape_bound:.1%} of defective parts are passed, "
            f"at {basis.confidence:.0%} confidence.",
            tuple(reasons),
        )
    return Fitness(Grade.UNPROVEN, _not_proven(record), tuple(reasons))


def _not_proven(record: Record) -> str:
    basis = record.basis
    return (
        f"Not proven: nothing speaks against it, but {basis.defect_parts} defective parts can only "
        f"prove that at most {basis.escape_bound:.1%} are passed."
    )


def _counted(figure: Metric) -> str:
    return (
        f"{figure.k} of {figure.n} ({figure.value:.1%}; "
        f"{100 * figure.low:.1f} to {100 * figure.high:.1f} %)"
    )
