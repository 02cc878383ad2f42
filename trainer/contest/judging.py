"""What the line would have done with the same pictures, by the champion and by the challenger.

Counted by part: a defective part escapes if one of its pictures passes, a good one is failed if one
of them is. Both networks see the very same pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from export.errors import RunError
from export.verdict import Outcome
from trainer import album, calibrate, head
from trainer.contest.paired import Paired
from trainer.evaluate import Judged
from trainer.novelty import survey
from trainer.progress import Progress
from trainer.run import GOOD, Run, SplitRow


class Error(StrEnum):
    """What may go wrong with a part."""

    ESCAPE = "escape"
    OVERKILL = "overkill"
    STOP = "stop"


WORDS = {
    Error.ESCAPE: "escapes: defective parts passed",
    Error.OVERKILL: "overkill: good parts failed",
    Error.STOP: "stops: good parts failed or sent to a person",
}


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Pictures as one inspection judges them; all (N,), in one order.

    Attributes:
        rows: path, class and part of each.
        outcomes: what the line would do.
        scores: probability of defect.
    """

    rows: tuple[SplitRow, ...]
    outcomes: NDArray[np.str_]
    scores: NDArray[np.float64]

    @property
    def defect(self) -> NDArray[np.bool_]:
        """(N,) True where the part is defective."""
        return np.array([row.label != GOOD for row in self.rows], bool)

    def flags(self, error: Error) -> NDArray[np.bool_]:
        """(N,) True where that went wrong."""
        if error is Error.ESCAPE:
            return self.defect & (self.outcomes == Outcome.PASS)
        if error is Error.OVERKILL:
            return ~self.defect & (self.outcomes == Outcome.FAIL)
        return ~self.defect & (self.outcomes != Outcome.PASS)

    def asked(self, error: Error, kind: str = "") -> NDArray[np.bool_]:
        """(N,) True where it could: defective pictures (of one kind), or good ones."""
        if error is not Error.ESCAPE:
            return ~self.defect
        return np.array([row.label == kind if kind else row.label != GOOD for row in self.rows])


def look(run: Run, root: Path, rows: Sequence[SplitRow], progress: Progress, who: str) -> Sight:
    """Judge the pictures of `rows` below `root` as `run` does on the line.

    Raises:
        RunError: a picture is missing or has changed, or the run can't be rebuilt.
    """
    network = run.network().to(memory_format=torch.channels_last)
    with progress.phase(f"{who} looks", 2 * len(rows)) as advance:
        paths = [row.path for row in rows]
        read = album.load(root, paths, run.record.input.to_input(), advance)
        if read.paths != tuple(paths) or any(
            row.sha256 and row.sha256 != found
            for row, found in zip(rows, read.digests, strict=True)
        ):
            raise RunError(
                f"pictures below {str(root)!r} are missing or have changed", "put them back"
            )
        pooled, strange = survey(network, read.frames, advance)
    logits = head.logits(network, pooled)
    scores = calibrate.score_of(calibrate.probabilities(logits, run.record.temperature))
    judged = Judged(
        tuple(row.label for row in rows),
        tuple(row.part for row in rows),
        np.asarray(scores, np.float64),
        None if strange is None else strange.double().numpy(),
    )
    outcomes = np.array([str(one) for one in judged.outcomes(run.record.thresholds)])
    return Sight(tuple(rows), outcomes, judged.scores)


def paired(champion: Sight, challenger: Sight, error: Error, *, among: NDArray[np.bool_] | None
           = None, kind: str = "") -> Paired:  # fmt: skip
    """Errors of both by part, of the pictures in `among` (N,), or of all."""
    asked = champion.asked(error, kind)
    if among is not None:
        asked &= among
    parts = [row.part for row in champion.rows]
    names = sorted({part for part, yes in zip(parts, asked, strict=True) if yes})
    number = {name: i for i, name in enumerate(names)}
    sides = np.zeros((2, len(names)), bool)
    for side, sight in enumerate((champion, challenger)):
        for at in np.flatnonzero(sight.flags(error) & asked):
            sides[side, number[parts[at]]] = True
    return Paired.of(sides[0], sides[1])
