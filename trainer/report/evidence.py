"""What a finished run's files say about one split, in one order, for whoever draws or writes it.

Reads the run; knows nothing of pictures, plots or pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.errors import RunError
from export.verdict import Outcome
from trainer.evaluate import Judged
from trainer.run import Run, ScoreRow, Split


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The judged pictures of one split.

    Attributes:
        paths: below the data set's root, N of them.
        judged: their classes, parts and scores.
        chances: (N,C) calibrated class probabilities, in the order of `classes`.
        outcomes: what the line would do with each, as text (N,).
    """

    classes: tuple[str, ...]
    paths: tuple[str, ...]
    judged: Judged
    chances: NDArray[np.float64]
    outcomes: NDArray[np.str_]

    @property
    def stopped(self) -> NDArray[np.bool_]:
        """(N,) True where the line would not pass the part."""
        return self.outcomes != Outcome.PASS

    def likeliest(self) -> NDArray[np.intp]:
        """(N,) the likeliest class of each picture."""
        return self.chances.argmax(1)


def evidence(run: Run, split: Split) -> Evidence:
    """The judged pictures of `split`; raises RunError if the run holds none."""
    parts = {row.path: row.part for row in run.split()}
    rows = [row for row in run.scores() if row.split == split]
    if not rows:
        raise RunError(
            f"{str(run.folder)!r} has no {split} pictures", "train again with more pictures"
        )
    judged = Judged(
        labels=tuple(row.label for row in rows),
        parts=tuple(parts[row.path] for row in rows),
        scores=np.array([row.score for row in rows], np.float64),
        novelty=_novelty(rows),
    )
    return Evidence(
        classes=run.record.classes,
        paths=tuple(row.path for row in rows),
        judged=judged,
        chances=np.array([row.probabilities for row in rows], np.float64),
        outcomes=np.array([str(outcome) for outcome in judged.outcomes(run.record.thresholds)]),
    )


def _novelty(rows: Sequence[ScoreRow]) -> NDArray[np.float64] | None:
    known = [row.novelty for row in rows if row.novelty is not None]
    return np.array(known, np.float64) if len(known) == len(rows) else None
