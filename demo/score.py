"""Verdicts against the truth: which part each belongs to, what escaped, what was overkill."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.virtual_line.truth import PartTruth
from trainer.rates import Rate

Verdict = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """How a run over known parts went.

    Attributes:
        judged: (truth, verdict) of every part that got exactly one verdict.
        missed: parts without a verdict.
        doubled: parts with more than one.
        strays: verdicts near no part's centre frame.
    """

    judged: list[tuple[PartTruth, Verdict]]
    missed: list[PartTruth]
    doubled: list[PartTruth]
    strays: list[Verdict]

    def escapes(self) -> Rate:
        """Defective parts that passed."""
        of = [verdict for truth, verdict in self.judged if truth.defect]
        return Rate(sum(verdict["outcome"] == "pass" for verdict in of), len(of))

    def overkill(self) -> Rate:
        """Good parts that failed."""
        of = [verdict for truth, verdict in self.judged if not truth.defect]
        return Rate(sum(verdict["outcome"] == "fail" for verdict in of), len(of))

    def reviews(self) -> Rate:
        """Parts, good or not, that a person must look at."""
        return Rate(
            sum(verdict["outcome"] == "review" for _, verdict in self.judged), len(self.judged)
        )

    def confusion(self) -> dict[str, dict[str, int]]:
        """Class → outcome → number of parts."""
        table: dict[str, dict[str, int]] = {}
        for truth, verdict in self.judged:
            row = table.setdefault(truth.label, {"pass": 0, "review": 0, "fail": 0})
            row[verdict["outcome"]] += 1
        return dict(sorted(table.items(), key=lambda row: (row[0] != "good", row[0])))


def score(truth: Iterable[PartTruth], verdicts: Iterable[Verdict], reach: int) -> Score:
    """Give each verdict to the part whose centre frame is at most `reach` frames away."""
    parts = list(truth)
    found: dict[int, list[Verdict]] = {part.index: [] for part in parts}
    strays: list[Verdict] = []
    for verdict in verdicts:
        nearest = min(parts, key=lambda part: abs(part.centre_frame - verdict["frame"]))
        if abs(nearest.centre_frame - verdict["frame"]) <= reach:
            found[nearest.index].append(verdict)
        else:
            strays.append(verdict)
    return Score(
        judged=[(part, found[part.index][0]) for part in parts if len(found[part.index]) == 1],
        missed=[part for part in parts if not found[part.index]],
        doubled=[part for part in parts if len(found[part.index]) > 1],
        strays=strays,
    )
