"""How good is it, in the field's words: escapes, overkills, reviews, with what they are worth."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.decide import decide
from export.manifest import GOOD, Metric
from export.verdict import Outcome, Thresholds
from trainer import rates
from trainer.rates import CONFIDENCE, Rate

OUTCOMES = (Outcome.PASS, Outcome.REVIEW, Outcome.FAIL)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Labelled pictures with their scores: classes, parts and scores (N,), in one order.

    `novelty` (N,) is there where the model tells it.
    """

    labels: tuple[str, ...]
    parts: tuple[str, ...]
    scores: NDArray[np.float64]
    novelty: NDArray[np.float64] | None = None

    @property
    def defect(self) -> NDArray[np.bool_]:
        """(N,) True where the part is defective."""
        return np.array([label != GOOD for label in self.labels], bool)

    def outcomes(self, thresholds: Thresholds) -> list[Outcome]:
        """What the line would do with each."""
        strange = [None] * len(self.scores) if self.novelty is None else self.novelty.tolist()
        return [
            decide(float(score), novelty, thresholds)[0]
            for score, novelty in zip(self.scores, strange, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The figures of one set of pictures, and what became of each class."""

    metrics: tuple[Metric, ...]
    table: dict[str, Counter[Outcome]]


def report(judged: Judged, thresholds: Thresholds, split: str = "test") -> Report:
    """Judge every picture as the line would, and count.

    Intervals are as wide as the number of parts, not of pictures, warrants. A figure that the
    pictures can't give (an escape rate without a defective part) is left out.
    """
    outcomes = np.array(judged.outcomes(thresholds))
    defect, labels = judged.defect, np.array(judged.labels)
    metrics: list[Metric] = []

    def add(name: str, hit: NDArray[np.bool_], of: NDArray[np.bool_]) -> None:
        if of.any():
            parts = len({part for part, yes in zip(judged.parts, of, strict=True) if yes})
            rate = Rate(int((hit & of).sum()), int(of.sum()), parts)
            metrics.append(as_metric(name, rate, split))

    passed, failed = outcomes == Outcome.PASS, outcomes == Outcome.FAIL
    add("escape", passed, defect)
    add("overkill", failed, ~defect)
    add("review", outcomes == Outcome.REVIEW, np.ones_like(defect))
    if defect.any() and not defect.all():
        metrics.append(_area(judged, split))
    for name in sorted(set(judged.labels) - {GOOD}):
        add(f"escape:{name}", passed, labels == name)
    metrics.append(calibration_metric("calibration_error", judged, split))
    table: dict[str, Counter[Outcome]] = {name: Counter() for name in sorted(set(judged.labels))}
    for label, outcome in zip(judged.labels, outcomes, strict=True):
        table[label][Outcome(outcome)] += 1
    return Report(tuple(metrics), table)


def by_part(flags: NDArray[np.bool_], of: NDArray[np.bool_], parts: Sequence[str]) -> Rate:
    """Of the parts with a picture in `of`, those with one such picture flagged.

    Args:
        flags: (N,) the pictures that something happened to.
        of: (N,) the pictures that are asked about.
        parts: the part of each.
    """
    counted = {part for part, yes in zip(parts, of, strict=True) if yes}
    hit = {part for part, yes in zip(parts, flags & of, strict=True) if yes}
    return Rate(len(hit), len(counted))


def calibration_metric(name: str, judged: Judged, split: str) -> Metric:
    """The expected calibration error as a figure without an interval: it is biased, see rates."""
    error = rates.calibration_error(judged.scores, judged.defect)
    return Metric(name=name, value=error, low=0.0, high=1.0, confidence=1.0, split=split)


def as_metric(name: str, rate: Rate, split: str) -> Metric:
    """A rate as one figure of a run's record."""
    low, high = rate.interval()
    return Metric(
        name=name, value=rate.value, low=low, high=high, confidence=CONFIDENCE, split=split,
        k=rate.k, n=rate.n,
    )  # fmt: skip


def _area(judged: Judged, split: str) -> Metric:
    sides = zip(judged.parts, judged.defect, strict=True)
    count = Counter(bad for _, bad in set(sides))
    value = rates.auroc(judged.scores, judged.defect)
    low, high = rates.auroc_interval(value, count[True], count[False])
    return Metric(name="auroc", value=value, low=low, high=high, confidence=CONFIDENCE, split=split)


_WORDS = {
    "escape": "escape rate (defective passed)",
    "overkill": "overkill rate (good failed)",
    "review": "review rate (sent to a person)",
    "auroc": "AUROC",
    "pointing": "heatmap's maximum on the defect",
}


def in_words(metrics: tuple[Metric, ...]) -> list[str]:
    """The metrics as lines for people."""
    lines: list[str] = []
    order = {name: at for at, name in enumerate(_WORDS)}
    for metric in sorted(metrics, key=lambda one: order.get(one.name.partition(":")[0], 0)):
        name, _, kind = metric.name.partition(":")
        words = f"  of {kind}" if kind else _WORDS.get(name)
        if words is None:
            continue
        if metric.n is None:
            text = f"{metric.value:.3f}  ({metric.low:.3f} to {metric.high:.3f})"
        else:
            text = (
                f"{metric.value:6.1%}  ({metric.k} of {metric.n}; "
                f"{100 * metric.low:.1f} to {100 * metric.high:.1f} %)"
            )
        lines.append(f"{words:<34}{text}")
    return lines


def table_in_words(table: dict[str, Counter[Outcome]]) -> list[str]:
    """What became of each class, for people."""
    width = max(len("class"), *(len(name) for name in table))
    lines = [f"{'class':<{width}}" + "".join(f"{outcome:>8}" for outcome in OUTCOMES)]
    lines += [
        f"{name!s:<{width}}" + "".join(f"{row[outcome]:>8}" for outcome in OUTCOMES)
        for name, row in table.items()
    ]
    return lines
