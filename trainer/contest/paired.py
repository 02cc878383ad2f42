"""Two inspections of the same parts, compared: is the new one worse by no more than a margin?

The non-inferiority test of paired proportions with Tango's score statistic (Statistics in Medicine
17, 1998; Liu et al., Statistics in Medicine 21, 2002, section 3, call it the RMLE-based test). Its
p-value is exact and unconditional: the largest chance, over all rates of errors that are in keeping
with "worse by the margin", of a result that speaks as strongly against that (Hsueh, Liu and Chen,
Biometrics 57, 2001). Above EXACT parts it is the normal one. Beside it McNemar's exact test whether
the new one is worse at all (Psychometrika 12, 1947).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp
from scipy.stats import binom, norm

EXACT = 1200  # parts; 720,000 results, each for every rate of the grid
RATES = 160  # rates of errors that are tried for the largest chance
_SAME = 1e-9  # statistics that differ by less are equal

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """Errors of two inspections on the same parts.

    Attributes:
        n: parts.
        champion: on which the champion errs.
        challenger: on which the challenger errs.
        worse: on which the challenger alone errs.
        better: on which the champion alone errs.
    """

    n: int
    champion: int
    challenger: int
    worse: int
    better: int

    def __post_init__(self) -> None:
        both = self.champion - self.better
        if not (0 <= both == self.challenger - self.worse and self.worse + self.champion <= self.n):
            raise ValueError(f"{self}: these counts contradict each other")

    @classmethod
    def of(cls, champion: NDArray[np.bool_], challenger: NDArray[np.bool_]) -> "Paired":
        """Count errors (N,) of both, in one order of parts."""
        return cls(
            len(champion),
            int(champion.sum()),
            int(challenger.sum()),
            int((challenger & ~champion).sum()),
            int((champion & ~challenger).sum()),
        )

    @property
    def difference(self) -> float:
        """Challenger's rate of errors less the champion's."""
        return (self.worse - self.better) / self.n if self.n else 0.0

    def p_inferior(self, margin: float) -> float:
        """The chance of so good a result if the challenger were worse by `margin` or more.

        Small: it is not. 1 without parts. `margin`: 0 to 1, exclusive.
        """
        if not self.n:
            return 1.0
        seen = float(_score(np.array(self.worse), np.array(self.better), self.n, margin))
        if self.n > EXACT:
            return float(norm.cdf(seen))
        return _largest(self.n, margin, seen)

    def p_worse(self) -> float:
        """McNemar's exact one-sided p: so many new errors by chance, were both equally good."""
        changed = self.worse + self.better
        return float(binom.sf(self.worse - 1, changed, 0.5)) if changed else 1.0


def _score(worse: NDArray[np.int64], better: NDArray[np.int64], n: int, margin: float) -> Floats:
    """Tango's statistic: negative where the challenger does better than worse-by-the-margin."""
    b, c = worse.astype(float), better.astype(float)
    # The rate of `better` that is likeliest where the rates differ by exactly the margin solves
    # 2n q^2 - turn q - c margin (1 - margin) = 0.
    turn = (b + c) * (1 - margin) - 2 * margin * (n - b)
    q = (turn + np.sqrt(turn**2 + 8 * n * c * margin * (1 - margin))) / (4 * n)
    return (b - c - n * margin) / np.sqrt(n * (2 * q + margin * (1 - margin)))


def _largest(n: int, margin: float, seen: float) -> float:
    """The largest chance of a statistic of at most `seen`, over all rates at the margin."""
    b, c = (counts.ravel() for counts in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    possible = b + c <= n
    b, c = b[possible], c[possible]
    strong = _score(b, c, n, margin) <= seen + _SAME
    b, c = b[strong], c[strong]
    same = n - b - c
    ways = gammaln(n + 1) - gammaln(b + 1) - gammaln(c + 1) - gammaln(same + 1)
    # Rates of `better` from none to as many as leave room; denser where there are few.
    rates = ((1 - margin) / 2) * np.linspace(0, 1, RATES) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        chances = np.array(
            [
                logsumexp(
                    ways
                    + b * np.log(q + margin)
                    + _times_log(c, q)
                    + _times_log(same, 1 - 2 * q - margin)
                )
                for q in rates
            ],
            np.float64,
        )
    return min(1.0, math.exp(float(chances.max())))


def _times_log(count: NDArray[np.int64], rate: float) -> Floats:
    """Count * log(rate), where 0 of a rate of 0 costs nothing."""
    return np.where(count > 0, count * np.log(max(rate, 0.0)), 0.0)
