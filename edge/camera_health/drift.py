"""Whether scores and novelty still come from the distribution that the bundle was calibrated on.

A conformal test: each passed part's rank among the calibration pictures and the parts before it
is a p-value, uniform and independent as long as they are exchangeable, whatever the distribution
(V. Vovk, I. Nouretdinov, A. Gammerman, "Testing exchangeability on-line", ICML 2003). Bets on
small p-values, kappa * p**(kappa - 1), are summed by Shiryaev and Roberts' rule; an alarm where
their mean reaches `run_length` comes on average after `run_length` parts or more if nothing has
changed (V. Vovk et al., "Conformal test martingales for change-point detection", 2021;
J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", NEJSDS 2024). Parts that didn't pass are no sample
of good parts: they are counted, against the share of rejects that is taken for normal. Pure.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

KAPPAS = (0.1, 0.3, 0.5)
RECENT = 20  # parts that show how large a change is
LARGE = 0.2  # mean rank of the recent ones from the middle, 0..0.5: less is no matter for people
SMALL = 0.12  # and from here on it is over
_CAP = 1e12
_BINS = 1 << 16
_BLOCK = 1 << 8


class Way(StrEnum):
    """What has changed."""

    SCORE_UP = "scores of passed parts are higher than they were"
    SCORE_DOWN = "scores of passed parts are lower than they were"
    NOVELTY_UP = "passed parts are less like the calibration's than they were"
    NOVELTY_DOWN = "passed parts are more alike than the calibration's"
    REJECTS = "more parts are rejected than is normal"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores and, where the model gives it, novelty of good calibration pictures that passed."""

    scores: tuple[float, ...] = ()
    novelty: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of `standing`: to True with what changed, or back to False."""

    standing: bool
    way: Way | None = None
    parts: int = 0


class Bag:
    """All values so far, each in one of 65,536 bins (half-precision numbers in their order).

    Counted by blocks of 256 bins too: a look at all of them would take longer than the rest.
    """

    def __init__(self, values: Sequence[float], rng: np.random.Generator) -> None:
        self._counts: NDArray[np.int64] = np.zeros(_BINS, np.int64)
        self._blocks: NDArray[np.int64] = np.zeros(_BINS // _BLOCK, np.int64)
        self._rng, self.size = rng, 0
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """Put a value in."""
        at = _bin(value)
        self._counts[at] += 1
        self._blocks[at // _BLOCK] += 1
        self.size += 1

    def p_value(self, value: float) -> float:
        """Share of the bag and `value` itself at or above it, ties broken at random; 0..1."""
        at = _bin(value)
        block = at // _BLOCK
        above = int(self._blocks[block + 1 :].sum())
        above += int(self._counts[at + 1 : (block + 1) * _BLOCK].sum())
        ties = int(self._counts[at]) + 1
        return max(1e-9, (above + float(self._rng.random()) * ties) / (self.size + 1))


def _bin(value: float) -> int:
    """Half-precision bits in the order of the numbers that they stand for."""
    with np.errstate(over="ignore"):
        bits = int(np.float16(value + 0.0).view(np.uint16))
    return 0xFFFF - bits if bits & 0x8000 else bits | 0x8000


class Bets:
    """The Shiryaev-Roberts sums of one way, over several bets."""

    def __init__(self, count: int) -> None:
        self._sums = np.zeros(count)

    @property
    def mean(self) -> float:
        """Of the sums."""
        return float(self._sums.mean())

    def pay(self, factors: NDArray[np.float64]) -> None:
        """The next part's betting factors, each with a mean of at most 1 if nothing changed."""
        self._sums = np.minimum((self._sums + 1) * factors, _CAP)

    def reset(self) -> None:
        """Start afresh."""
        self._sums[:] = 0


class _Ranked:
    """One figure of passed parts (score or novelty): its bag, its bets up and down."""

    def __init__(self, values: Sequence[float], rng: np.random.Generator) -> None:
        self._bag = Bag(values, rng)
        self.up, self.down = Bets(len(KAPPAS)), Bets(len(KAPPAS))
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._kappas = np.array(KAPPAS)

    @property
    def lean(self) -> float:
        """How far the recent ranks lie above (0..0.5) or below (-0.5..0) the middle."""
        return 0.5 - sum(self._recent) / len(self._recent) if self._recent else 0.0

    def see(self, value: float, learn: bool) -> None:
        p = self._bag.p_value(value)
        self._recent.append(p)
        self.up.pay(self._kappas * p ** (self._kappas - 1))
        self.down.pay(self._kappas * max(1e-9, 1 - p) ** (self._kappas - 1))
        if learn:
            self._bag.add(value)


class ScoreDrift:
    """Watches one camera's judged parts.

    Args:
        calibration: what the bundle's good pictures scored; without any, the line's own first
            parts take their place, and only what changes after them is seen.
        run_length: parts between false alarms, on average and at least.
        rejects: share of parts that don't pass which is taken for normal.
        seed: breaks ties.
    """

    def __init__(
        self,
        calibration: Calibration | None = None,
        run_length: float = 100_000,
        rejects: float = 0.35,
        seed: int = 0,
    ) -> None:
        known, rng = calibration or Calibration(), np.random.default_rng(seed)
        self._score = _Ranked(known.scores, rng)
        self._novelty = _Ranked(known.novelty, rng)
        self._has_novelty = bool(known.novelty)
        others = [rejects + (1 - rejects) * share for share in (0.4, 0.8)]
        self._if_rejected = np.array([other / rejects for other in others])
        self._if_passed = np.array([(1 - other) / (1 - rejects) for other in others])
        self._rejected, self._normal = Bets(len(others)), rejects
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._run_length, self._parts = run_length, 0
        self.standing = False

    def see(self, score: float, novelty: float | None, passed: bool) -> Shift | None:
        """Take the next judged part; a Shift where drift begins or is over."""
        self._parts += 1
        self._recent.append(not passed)
        self._rejected.pay(self._if_passed if passed else self._if_rejected)
        if passed:
            self._score.see(score, learn=not self.standing)
            if novelty is not None:
                self._has_novelty = True
                self._novelty.see(novelty, learn=not self.standing)
        return self._ended() if self.standing else self._begun()

    @property
    def evidence(self) -> float:
        """The mean of the sums; an alarm from `run_length` on."""
        return float(np.mean([bets.mean for bets in self._ways().values()]))

    def _ways(self) -> dict[Way, Bets]:
        ways = {Way.SCORE_UP: self._score.up, Way.SCORE_DOWN: self._score.down}
        if self._has_novelty:
            ways |= {Way.NOVELTY_UP: self._novelty.up, Way.NOVELTY_DOWN: self._novelty.down}
        return ways | {Way.REJECTS: self._rejected}

    def _size(self, way: Way) -> float:
        """How large the change is, as a multiple of what matters."""
        share = sum(self._recent) / max(1, len(self._recent))
        return {
            Way.SCORE_UP: self._score.lean / LARGE,
            Way.SCORE_DOWN: -self._score.lean / LARGE,
            Way.NOVELTY_UP: self._novelty.lean / LARGE,
            Way.NOVELTY_DOWN: -self._novelty.lean / LARGE,
            Way.REJECTS: share / self._normal,
        }[way]

    def _begun(self) -> Shift | None:
        if self.evidence < self._run_length:
            return None
        ways = self._ways()
        way = max(ways, key=lambda one: ways[one].mean)
        if self._size(way) < 1:
            return None
        self.standing = True
        return Shift(True, way, self._parts)

    def _ended(self) -> Shift | None:
        most = max(self._size(way) for way in self._ways() if way is not Way.REJECTS)
        if len(self._recent) < RECENT or most >= SMALL / LARGE or self._size(Way.REJECTS) > 1:
            return None
        self.standing = False
        for bets in self._ways().values():
            bets.reset()
        return Shift(False, parts=self._parts)
