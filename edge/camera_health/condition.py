"""A camera's conditions by name, and the latch that raises and clears one without chattering."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """What can be wrong with what a camera shows; the names of its alarms."""

    FROZEN = "camera_frozen"
    DARK = "camera_dark"
    SATURATED = "camera_saturated"
    DEFOCUSED = "camera_defocused"
    LIGHT = "light_drift"
    FRAMING = "framing_drift"
    DROPPING = "camera_dropping_frames"
    SCORES = "score_drift"
    REFERENCE = "camera_reference_lost"


class Cause(StrEnum):
    """What a person should look at first."""

    CAMERA = "camera"
    FOCUS = "focus"
    LIGHT = "light"
    POSITION = "position"
    PRODUCT = "product"


SPOILS = frozenset({Condition.FROZEN, Condition.DARK, Condition.SATURATED})
CAUSES = {
    Condition.FROZEN: Cause.CAMERA,
    Condition.DARK: Cause.LIGHT,
    Condition.SATURATED: Cause.LIGHT,
    Condition.DEFOCUSED: Cause.FOCUS,
    Condition.LIGHT: Cause.LIGHT,
    Condition.FRAMING: Cause.POSITION,
    Condition.DROPPING: Cause.CAMERA,
}
NEAR = 0.6  # share of its limit from which a measure may explain what scores do


@dataclass(frozen=True, slots=True)
class Measure:
    """A condition's value now as a multiple of its limit: from 1 it is wrong; and in words."""

    condition: Condition
    excess: float
    said: str = ""


def likely(measures: list[Measure]) -> Cause:
    """The cause that the measures point to; the product, where the camera sees as it used to.

    A moved camera changes the light of every cell as well, so position speaks before light, and
    both before focus only where they are the stronger.
    """
    telling = [one for one in measures if one.condition in CAUSES and one.excess >= NEAR]
    if not telling:
        return Cause.PRODUCT
    moved = [one for one in telling if one.condition is Condition.FRAMING and one.excess >= 1]
    strongest = max(moved or telling, key=lambda one: one.excess)
    return CAUSES[strongest.condition]


class Latch:
    """Stands after `raise_after` wrong looks in a row, until `clear_after` good ones in a row.

    Between `clear_below` and 1 a measure is neither: it keeps what stands and raises nothing.
    """

    def __init__(self, raise_after: int, clear_after: int, clear_below: float = 0.8) -> None:
        self.standing = False
        self._raise_after, self._clear_after = raise_after, clear_after
        self._clear_below = clear_below
        self._wrong = self._good = 0

    def see(self, excess: float) -> bool:
        """Take the next measure (1 is its limit); returns whether `standing` changed."""
        self._wrong = self._wrong + 1 if excess >= 1 else 0
        self._good = self._good + 1 if excess < self._clear_below else 0
        before = self.standing
        if self._wrong >= self._raise_after:
            self.standing = True
        elif self._good >= self._clear_after:
            self.standing = False
        return self.standing is not before


class Recent:
    """The median of the last `length` values."""

    def __init__(self, length: int) -> None:
        self._values: deque[float] = deque(maxlen=length)

    def see(self, value: float) -> float:
        """Take the next value; returns the median with it."""
        self._values.append(value)
        ordered = sorted(self._values)
        return ordered[len(ordered) // 2]
