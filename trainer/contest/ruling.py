"""The ruling: may the challenger take the champion's place? Decided beforehand, told in sentences.

On the frozen test, and on it together with the new parts that neither has learnt from, the
challenger must be shown not to be worse than the champion by the margin, in each of three ways a
part can be misjudged. All must hold, so the chance of promoting one that is worse by a margin is at
most 1 - confidence (Berger, Technometrics 24, 1982). New parts alone are mostly too few to show
that; they refuse a challenger that is significantly worse on them. So does a single defect type,
which a better rate of all others would hide: where it escapes significantly more often, and by more
than the margin.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainer import rates
from trainer.contest.judging import WORDS, Error, Sight, paired
from trainer.contest.paired import Paired
from trainer.run import GOOD

Where = Literal["frozen test", "frozen test and new parts", "new parts"]
FROZEN: Where = "frozen test"
BOTH: Where = "frozen test and new parts"
NEW: Where = "new parts"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a challenger is promoted.

    Attributes:
        margins: by how much each rate of errors may be higher.
        confidence: that it isn't.
    """

    margins: Mapping[Error, float] = field(
        default_factory=lambda: {Error.ESCAPE: 0.05, Error.OVERKILL: 0.05, Error.STOP: 0.10}
    )
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name, margin in self.margins.items():
            if not 0 < margin < 1:
                raise ValueError(f"the margin of {name} is a share between 0 and 1, not {margin}")
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"the confidence is between 0.5 and 1, not {self.confidence}")

    @property
    def alpha(self) -> float:
        """The chance that is risked."""
        return 1 - self.confidence


@dataclass(frozen=True, slots=True)
class Finding:
    """One test: of what, where, and whether the challenger passed it.

    Attributes:
        p: of the non-inferiority test; on new parts, or of one type, of being worse.
        margin: 0 where the test is whether it is worse at all.
        kind: the defect type, where it is of one alone.
    """

    where: Where
    error: Error
    counts: Paired
    margin: float
    p: float
    holds: bool
    words: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """All findings, and what comes of them."""

    findings: tuple[Finding, ...]

    @property
    def promoted(self) -> bool:
        """Whether every test was passed."""
        return all(one.holds for one in self.findings)

    @property
    def reasons(self) -> list[str]:
        """Why it is refused, in sentences; nothing if it isn't."""
        return [one.words for one in self.findings if not one.holds]


def rule(champion: Sight, challenger: Sight, new: NDArray[np.bool_], terms: Terms) -> Ruling:
    """Judge the challenger.

    Args:
        champion: the test pictures, frozen and new, as the champion judges them.
        challenger: the same, as the challenger does.
        new: (N,) True where a picture is of a new part.
        terms: of promotion.
    """
    findings: list[Finding] = []
    sets: list[tuple[Where, NDArray[np.bool_]]] = [(FROZEN, ~new)]
    if new.any():
        sets.append((BOTH, np.ones_like(new)))
    for where, among in sets:
        for error in Error:
            counts = paired(champion, challenger, error, among=among)
            findings.append(_not_inferior(where, error, counts, terms))
    if new.any():
        for error in Error:
            counts = paired(champion, challenger, error, among=new)
            if counts.n:
                findings.append(_not_worse(error, counts, terms))
    return Ruling((*findings, *_by_type(champion, challenger, sets[-1][0], terms)))


def _by_type(champion: Sight, challenger: Sight, where: Where, terms: Terms) -> Iterator[Finding]:
    """Whether a type, of all the test parts, escapes significantly more often, and by much."""
    margin = terms.margins[Error.ESCAPE]
    for kind in sorted({row.label for row in champion.rows} - {GOOD}):
        counts = paired(champion, challenger, Error.ESCAPE, kind=kind)
        p = counts.p_worse()
        holds = p > terms.alpha or counts.difference <= margin
        verb = "not significantly" if p > terms.alpha else "significantly"
        much = "more" if counts.difference > margin else "no more"
        words = (
            f"escapes of {kind}, on the {where}: {counts.champion} of {counts.n} by the champion, "
            f"{counts.challenger} by the challenger; {verb} worse (p = {p:.3g}), by {much} than "
            f"{margin:.0%}"
        )
        yield Finding(where, Error.ESCAPE, counts, margin, p, holds, words, kind)


def _not_inferior(where: Where, error: Error, counts: Paired, terms: Terms) -> Finding:
    margin = terms.margins[error]
    p = counts.p_inferior(margin)
    holds = p <= terms.alpha
    told = (
        f"{WORDS[error]}, on the {where}: {counts.champion} of {counts.n} by the champion, "
        f"{counts.challenger} by the challenger"
    )
    least = rates.needed(margin, terms.confidence)
    if holds:
        words = f"{told}; not worse by {margin:.0%} (p = {p:.3g})"
    elif counts.n < least:
        words = (
            f"{told}; {counts.n} parts can't show that it is not worse by {margin:.0%}: {least} "
            "without one new error would, or a larger margin"
        )
    else:
        words = f"{told}; that it is not worse by {margin:.0%} is not shown (p = {p:.3g})"
    return Finding(where, error, counts, margin, p, holds, words)


def _not_worse(error: Error, counts: Paired, terms: Terms) -> Finding:
    p = counts.p_worse()
    holds = p > terms.alpha
    verb = "not significantly worse" if holds else "significantly worse"
    words = (
        f"{WORDS[error]}, on the new parts alone: {counts.champion} of {counts.n} by the champion, "
        f"{counts.challenger} by the challenger; {verb} (p = {p:.3g})"
    )
    return Finding(NEW, error, counts, 0.0, p, holds, words)
