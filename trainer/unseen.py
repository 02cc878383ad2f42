"""Leave one type out: would a kind of defect that nobody had shown still be stopped?

For each defect type, a head learns without it, thresholds are placed without it, and then its
parts come. Only features of a trunk that never saw the type are used, computed once. Knows
nothing of tables or folders but the run's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.manifest import GOOD, Count
from export.verdict import Contract, Outcome, Probability, Thresholds
from trainer import calibrate, head
from trainer.backbone import Network
from trainer.calibrate import Budgets
from trainer.evaluate import Judged
from trainer.finetune import judge
from trainer.rates import CONFIDENCE, Rate
from trainer.run import Split
from trainer.thresholds.decision import decide_thresholds

FILE = "unseen.json"
KNOWING: tuple[Split, ...] = ("train", "validation", "calibration")


class Unseen(Contract):
    """What became of the parts of one type that was left out; a part is stopped as a whole."""

    type: str
    parts: Count
    stopped: Count
    by_score: Count
    by_novelty: Count
    low: Probability
    high: Probability
    good_parts: Count
    good_stopped: Count
    note: str = ""


class Examination(Contract):
    """The content of RUN/unseen.json."""

    schema_version: Literal[1] = 1
    how: Literal["head"] = "head"
    confidence: Probability = CONFIDENCE
    types: tuple[Unseen, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A run's N pictures, seen once by a trunk that knows no defect.

    Attributes:
        labels: class of each.
        parts: part of each.
        splits: split of each.
        views: features of all pictures as they are, and of further views to learn from.
        novelty: (N,) or None without a sense of it.
        refit: the head learns from validation, too, once that has chosen its strength.
    """

    labels: NDArray[np.str_]
    parts: NDArray[np.str_]
    splits: NDArray[np.str_]
    views: tuple[Tensor, ...]
    novelty: NDArray[np.float64] | None
    refit: bool = False


def examine(
    network: Network,
    known: Known,
    grid: Sequence[float],
    budgets: Budgets,
    *,
    novel_above: float | None,
    advance: Callable[[], None],
) -> Examination:
    """Leave out every defect type in turn; the network's head is written over.

    Args:
        network: its trunk made the features.
        known: the pictures.
        grid: strengths to try for the head.
        budgets: to place thresholds by, each time.
        novel_above: the threshold on novelty, which knows good parts alone.
        advance: called after each type.
    """
    found: list[Unseen] = []
    for kind in sorted(set(known.labels.tolist()) - {GOOD}):
        found.append(_without(kind, network, known, grid, budgets, novel_above=novel_above))
        advance()
    return Examination(types=tuple(found))


def _without(
    kind: str,
    network: Network,
    known: Known,
    grid: Sequence[float],
    budgets: Budgets,
    *,
    novel_above: float | None,
) -> Unseen:
    shown = (known.labels != kind) & np.isin(known.splits, KNOWING)
    foreign = ~np.isin(known.parts, known.parts[shown])
    scores, note = np.zeros(len(known.labels)), ""
    thresholds = Thresholds(pass_below=1.0, fail_above=1.0, novel_above=novel_above)
    if _enough(known, shown):
        scores = _scores(network, known, shown, grid)
        at = shown & (known.splits == "calibration")
        thresholds = decide_thresholds(
            _judged(known, scores, at), budgets, novel_above=novel_above
        ).thresholds
    else:
        note = "no other defects to learn a score from: novelty alone"
    left = _judged(known, scores, (known.labels == kind) & foreign)
    good = _judged(known, scores, (known.labels == GOOD) & (known.splits == "test"))
    stopped = _all_stopped(left, np.array(left.outcomes(thresholds)) != Outcome.PASS)
    low, high = stopped.interval()
    passing = np.array(good.outcomes(thresholds)) == Outcome.PASS
    return Unseen(
        type=kind,
        parts=stopped.n,
        stopped=stopped.k,
        by_score=_all_stopped(left, left.scores >= thresholds.pass_below).k,
        by_novelty=_all_stopped(left, _novel(left, novel_above)).k,
        low=low,
        high=high,
        good_parts=len(set(good.parts)),
        good_stopped=len({p for p, ok in zip(good.parts, passing, strict=True) if not ok}),
        note=note,
    )


def _enough(known: Known, shown: NDArray[np.bool_]) -> bool:
    """Whether every split that teaches still has good and defective pictures."""
    return all(
        len({str(label) == GOOD for label in known.labels[shown & (known.splits == split)]}) == 2
        for split in KNOWING
    )


def _scores(
    network: Network, known: Known, shown: NDArray[np.bool_], grid: Sequence[float]
) -> NDArray[np.float64]:
    """Scores (N,) of all pictures by a head that learnt from those that are shown."""
    taught = sorted(set(known.labels[shown & (known.splits == "train")].tolist()) - {GOOD})
    number = {name: i for i, name in enumerate((GOOD, *taught))}
    network.head = nn.Linear(network.arch.features, len(number))
    train, validation, calibration = (
        np.flatnonzero(shown & (known.splits == split) & np.isin(known.labels, list(number)))
        for split in KNOWING
    )
    first = known.views[: head.FIRST]
    seen = torch.cat([view[train] for view in first])
    head.standardise(network, seen)
    plain = known.views[0]

    def numbers(at: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.array([number[str(label)] for label in known.labels[at]], np.int64)

    def cost() -> float:
        with torch.inference_mode():
            return judge(network.classify(plain[validation]).numpy(), numbers(validation))[0]

    strength, _ = head.fit(network, seen, np.tile(numbers(train), len(first)), grid, cost)
    if known.refit:
        both = np.concatenate([train, validation])
        again = torch.cat([view[both] for view in known.views])
        many = np.tile(numbers(both), len(known.views))
        head.fit_again(network, again, many, strength)
    with torch.inference_mode():
        logits = network.classify(plain).numpy()
    t = calibrate.temperature(logits[calibration], numbers(calibration))
    return calibrate.score_of(calibrate.probabilities(logits, t))


def _judged(known: Known, scores: NDArray[np.float64], of: NDArray[np.bool_]) -> Judged:
    return Judged(
        tuple(known.labels[of].tolist()),
        tuple(known.parts[of].tolist()),
        scores[of],
        None if known.novelty is None else known.novelty[of],
    )


def _novel(judged: Judged, novel_above: float | None) -> NDArray[np.bool_]:
    if judged.novelty is None or novel_above is None:
        return np.zeros(len(judged.parts), np.bool_)
    return judged.novelty >= novel_above


def _all_stopped(judged: Judged, stopped: NDArray[np.bool_]) -> Rate:
    """Parts of which no picture would have let them pass."""
    passed = {part for part, yes in zip(judged.parts, stopped, strict=True) if not yes}
    return Rate(len(set(judged.parts) - passed), len(set(judged.parts)))


def table(found: Examination) -> list[str]:
    """The figures as lines for people."""
    width = max(len("type left out"), *(len(one.type) for one in found.types))
    title = f"{'type left out':<{width}}  stopped           95 % interval   by score"
    lines = [f"{title}  by novelty  good stopped"]
    for one in found.types:
        share = f"{one.stopped / one.parts:.0%}" if one.parts else "-"
        lines.append(
            f"{one.type:<{width}}  {f'{one.stopped} of {one.parts} parts':<16}{share:>5}  "
            f"{100 * one.low:3.0f} to {100 * one.high:3.0f} %  {one.by_score:>8}  "
            f"{one.by_novelty:>10}  {one.good_stopped} of {one.good_parts}"
        )
        lines += [f"  {one.note}"] if one.note else []
    return lines
