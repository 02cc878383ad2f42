"""What a graph answered to many pictures, and how far two graphs' answers are apart.

The distance is in the graphs' own spread: what counts is not how far a score moved, but whether
it moved among the scores that it must be told from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from export.parity import answers_of
from export.preprocess import Pixels

Floats = NDArray[np.float64]

_EDGE = 1e-4  # a score nearer to 0 or 1 is as good as certain
_SPREAD_OF_SCORES, _SPREAD_OF_NOVELTY = 1.0, 0.1  # at least: pictures may all be alike


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Of N pictures: probabilities (N,C), scores (N,), novelty (N,) or None."""

    probabilities: Floats
    scores: Floats
    novelty: Floats | None

    def of(self, rows: Sequence[int]) -> "Answered":
        """Of some of the pictures."""
        at = np.array(rows, np.intp)
        novelty = None if self.novelty is None else self.novelty[at]
        return Answered(self.probabilities[at], self.scores[at], novelty)


def ask(
    model: Path, frames: Pixels, advance: Callable[[], None] = lambda: None, threads: int = 1
) -> Answered:
    """What the graph at `model` answers to (N,h,w,3) pictures, one at a time as on the line."""
    graph = answers_of(model, threads)
    chances: list[Floats] = []
    novelty: list[float] = []
    for number in range(len(frames)):
        told = graph(frames[number : number + 1])
        chances.append(told.probabilities[0].astype(np.float64))
        if told.novelty is not None:
            novelty.append(float(told.novelty[0]))
        advance()
    probabilities = np.array(chances)
    # As the run and the box have it: rounded to float32, within 0..1.
    scores = np.clip(probabilities[:, 1:].astype(np.float32).sum(1), 0, 1).astype(np.float64)
    return Answered(probabilities, scores, np.array(novelty) if novelty else None)


def noise(wanted: Answered, got: Answered) -> float:
    """How far `got` is from `wanted`, in standard deviations of `wanted` over the pictures.

    The root mean square change of the score's log-odds or of novelty's logarithm, whichever is
    larger. Infinite where an answer isn't finite.
    """
    apart = _relative(_log_odds(wanted.scores), _log_odds(got.scores), _SPREAD_OF_SCORES)
    if wanted.novelty is not None and got.novelty is not None:
        before, after = (np.log(np.maximum(one, 1e-6)) for one in (wanted.novelty, got.novelty))
        apart = max(apart, _relative(before, after, _SPREAD_OF_NOVELTY))
    return apart


def _log_odds(scores: Floats) -> Floats:
    return logit(np.clip(scores, _EDGE, 1 - _EDGE))


def _relative(wanted: Floats, got: Floats, least: float) -> float:
    apart = float(np.sqrt(np.mean((got - wanted) ** 2)) / max(least, float(wanted.std())))
    return apart if np.isfinite(apart) else float("inf")
