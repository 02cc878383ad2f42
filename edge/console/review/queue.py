"""What people should look at, the most valuable first.

A model learns most from what it is unsure of (Settles, Active Learning Literature Survey, 2009,
3.1), from what is unlike everything it knows, and from what two models disagree on (3.2); the audit
must be read for the escape rate to be known; a sure fail teaches little. Within the audit the
oldest comes first, whatever its score: a choice there would make the rate false. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.console.accounts.roles import Role
from edge.console.review.standing import Due, due, steps
from export.sample import Sample, Why
from export.verdict import FAIL_SAFE, Verdict

NEAR = 0.2  # of a score to a threshold: from there on it is sure
SECOND_VALUE = 0.6
WORTH = {Why.DISAGREEING: 0.95, Why.OPERATOR: 0.9, Why.NOVEL: 0.85, Why.AUDIT: 0.7}


@dataclass(frozen=True, slots=True)
class Task:
    """One sample that waits for somebody, and for what."""

    sample: Sample
    due: Due
    value: float


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks."""

    name: str
    role: Role


def waiting(samples: Iterable[Sample], reader: Reader, second_share: float) -> list[Task]:
    """What waits for this reader, the most valuable first.

    A second reading is never the first reader's, and a decision is an engineer's.
    """
    found: list[Task] = []
    for sample in samples:
        what = due(sample, second_share)
        if what is Due.FIRST:
            found.append(Task(sample, what, value(sample)))
        elif what is Due.SECOND and steps(sample)[-1].by != reader.name:
            found.append(Task(sample, what, SECOND_VALUE))
        elif what is Due.DECISION and reader.role >= Role.ENGINEER:
            found.append(Task(sample, what, 2.0))
    return sorted(found, key=_order)


def value(sample: Sample) -> float:
    """What a label of this sample is worth, 0 to 1."""
    if sample.verdict.reason in FAIL_SAFE and Why.OPERATOR not in sample.why:
        return 0.05
    known = max((WORTH[why] for why in sample.why if why in WORTH), default=0.0)
    return max(known, 0.2 + 0.6 * doubt(sample.verdict))


def doubt(verdict: Verdict) -> float:
    """How near the score lies to where the outcome changes: 1 in the review band, 0 beyond NEAR."""
    limits, score = verdict.thresholds, verdict.score
    if limits is None or score is None:
        return 0.0
    if limits.pass_below <= score < limits.fail_above:
        return 1.0
    away = min(abs(score - limits.pass_below), abs(score - limits.fail_above))
    return max(0.0, 1 - away / NEAR)


def _order(task: Task) -> tuple[float, int, int]:
    verdict = task.sample.verdict
    oldest_first = 1 if Why.AUDIT in task.sample.why else -1
    return (-task.value, oldest_first * verdict.epoch, oldest_first * verdict.seq)
