"""Probation: a bundle that has just begun to judge is watched, and taken back if it errs.

Pure: it is told of verdicts and of golden answers, and says whether to go on.
"""

from collections import deque
from dataclasses import dataclass

from edge.inspection.inspector import Scorer, Scores
from export.errors import BundleError
from export.preprocess import Pixels
from export.verdict import Reason, Verdict

# What a bundle can be blamed for; a bad frame or a full queue it can not.
BLAMED = frozenset({Reason.INSPECTION_ERROR, Reason.NOT_FINITE, Reason.LATE})


@dataclass(frozen=True, slots=True)
class Terms:
    """When a bundle has proved itself, and when it has failed.

    Attributes:
        parts: judged without too many errors, it has.
        errors: so many among the newest `window` parts, it has failed.
        window: parts.
        golden_s: its golden samples are judged again so often, beside the line.
        least_s: it lasts so long at least, even on a quick line.
    """

    parts: int = 200
    errors: int = 3
    window: int = 20
    golden_s: float = 4.0
    least_s: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.errors <= self.window <= self.parts:
            raise ValueError(f"{self}: 1 <= errors <= window <= parts is wanted")


class Probation:
    """One bundle on one camera.

    Attributes:
        failed: why it must go; '' while it may stay.
        parts: judged so far.
    """

    def __init__(self, digest: str, terms: Terms) -> None:
        self.failed = ""
        self.parts = 0
        self._digest, self._terms = digest, terms
        self._newest: deque[bool] = deque(maxlen=terms.window)

    def judged(self, verdict: Verdict) -> None:
        """Take a verdict of the camera; those of the bundle before, still queued, don't count.

        A verdict without a bundle is one that no model could give in time: it counts against the
        one that should have.
        """
        if verdict.bundle is not None and verdict.bundle.digest != self._digest:
            return
        blamed = verdict.reason in BLAMED
        if verdict.bundle is None and not blamed:
            return
        self.parts += 1
        self._newest.append(blamed)
        errors = sum(self._newest)
        if errors >= self._terms.errors and not self.failed:
            told = f"{verdict.reason.value} (part {verdict.part}: {verdict.detail})"
            self.failed = f"{errors} of its newest {len(self._newest)} parts failed safe: {told}"

    def held(self, scorer: Scorer) -> Scorer:
        """The bundle's scorer, to be proved beside the line for as long as it has not failed."""
        return _Held(scorer, self)

    def drifted(self, why: str) -> None:
        """A golden sample was judged otherwise than on the workstation."""
        self.failed = self.failed or why

    @property
    def proved(self) -> bool:
        """Whether enough parts were judged well."""
        return not self.failed and self.parts >= self._terms.parts


class _Held:
    """Gives up once the bundle has failed: one that is slow has many golden samples to go."""

    def __init__(self, scorer: Scorer, probation: Probation) -> None:
        self._scorer, self._probation = scorer, probation

    def score(self, batch: Pixels) -> Scores:
        """As the bundle's."""
        if self._probation.failed:
            raise BundleError(self._probation.failed)
        return self._scorer.score(batch)
