"""When to stop looking: a challenger's disagreements with the champion, tested part by part.

Two things may be wrong with a challenger: it passes what the champion stopped (escapes), and it
stops what the champion let through (overkill). Each is refuted by either of two of Wald's
sequential probability ratio tests (Sequential Analysis, 1947, chapters 5 and 6): of "it does so
wrongly in `margin` of the parts or more" against a quarter of that; or, of the parts on which just
one of the two errs so, of "it is the challenger half of the time or more" against a quarter
of the time. The second is for one that mends more than it spoils. They may be looked at after every
part: by Ville's inequality a ratio of 2/risk is ever reached with a chance of at most risk/2 where
the challenger is worse by the margin, so with two ways at most `risk`. It is promoted when both
things are refuted, and the risk of the whole is no larger (Berger, Technometrics 24, 1982).

Nobody knows the truth on a line. A disagreement counts against the challenger until a person's
label says that it was right; it is refused for those alone that a label holds against it. Pure.
"""

import math
from dataclasses import dataclass

GOOD_SHARE = 0.25  # of the margin: how often a good challenger does it
WAYS = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """On what terms a challenger is promoted.

    Attributes:
        parts: judged by both, at least.
        most: without a decision by then it is refused.
        loosened: share of parts that it may pass wrongly where the champion stopped them.
        tightened: share that it may stop, or fail, wrongly where the champion did less.
        risk: of promoting one that exceeds a margin, and of refusing one that keeps to a quarter.
        errors: so many parts that it can't judge, and it is refused.
    """

    parts: int = 400
    most: int = 4000
    loosened: float = 0.01
    tightened: float = 0.02
    risk: float = 0.05
    errors: int = 3

    def __post_init__(self) -> None:
        shares = (self.loosened, self.tightened, self.risk)
        if not all(0 < one < 0.5 for one in shares) or not 1 <= self.parts <= self.most:
            raise ValueError(f"{self}: shares from 0 to 0.5 and 1 <= parts <= most are wanted")

    @property
    def enough(self) -> float:
        """The logarithm of the ratio that decides."""
        return math.log(WAYS / self.risk)


def evidence(parts: int, against: int, margin: float) -> float:
    """How much likelier `against` of `parts` are at a quarter of the margin than at it: logarithm.

    Args:
        parts: that were judged by both.
        against: of them, how many count against the challenger.
        margin: share of parts, 0 to 0.5.
    """
    good = GOOD_SHARE * margin
    return against * math.log(good / margin) + (parts - against) * math.log(
        (1 - good) / (1 - margin)
    )


def mending(spoilt: int, mended: int) -> float:
    """How much likelier a quarter than a half of these is the challenger's fault: logarithm.

    Args:
        spoilt: parts on which the challenger alone errs.
        mended: parts on which the champion alone errs.
    """
    return spoilt * math.log(0.25 / 0.5) + mended * math.log(0.75 / 0.5)


def further(parts: int, against: int, margin: float, enough: float) -> int:
    """How many more parts, none of them against it, would bring the evidence to `enough`."""
    lacking = enough - evidence(parts, against, margin)
    return max(0, math.ceil(lacking / evidence(1, 0, margin)))
