"""Which further frames of a part are taken while it passes: at marks spread about the gate's line.

Half of the marks lie before the line and half behind it, whichever way parts move. Of the two
frames between which a part passed a mark the outer one is taken, so that a fast belt gives
different frames too, or the inner one where the outer one doesn't show the whole part. Each says
how far the part has moved. Pure: it follows no part itself.
"""

from collections import deque
from dataclasses import dataclass, replace

from edge.frame import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A part in one frame: where its centre is along the axis, and whether all of it is seen."""

    frame: Frame
    centre: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """Places about a line, in the unit of centres.

    Attributes:
        line: the line.
        step: from one place to the next.
        frames: of each part, the one at the line included.
        axis: x or y.
        along: the picture's extent along it.
    """

    line: float
    step: float
    frames: int
    axis: str
    along: float

    @property
    def before(self) -> int:
        """Frames from before the line."""
        return self.frames // 2

    @property
    def after(self) -> int:
        """Frames from behind it."""
        return (self.frames - 1) // 2

    def places(self) -> list[float]:
        """On both sides."""
        steps = range(1, self.before + 1)
        return [self.line + side * count * self.step for side in (-1, 1) for count in steps]

    def moved(self, seen: Seen, origin: float) -> Frame:
        """The frame, with how far its part is from where it was with its centre at `origin`."""
        way = (seen.centre - origin) / self.along
        return replace(seen.frame, moved=(way, 0.0) if self.axis == "x" else (0.0, way))


class Shots:
    """The further frames of one part, as it passes the marks."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._left = marks.places()
        self._earlier: deque[Seen] = deque(maxlen=marks.before)
        self._taken: set[int] = set()
        self._origin: float | None = None

    @property
    def open(self) -> bool:
        """Whether the part is past the line and frames of it are still to come."""
        return self._origin is not None and bool(self._left)

    def moved(self, before: Seen, after: Seen) -> list[Frame]:
        """The part has moved on: the frames taken behind the line; those before it are kept."""
        found: list[Seen] = []
        for place in [one for one in self._left if _between(before.centre, one, after.centre)]:
            self._left.remove(place)
            outer = sorted((before, after), key=self._from_line, reverse=True)
            fit = (one for one in outer if one.whole and one.frame.number not in self._taken)
            if (one := next(fit, None)) is not None:
                self._taken.add(one.frame.number)
                found.append(one)
        if self._origin is not None:
            return [self._marks.moved(one, self._origin) for one in found]
        self._earlier.extend(found)
        return []

    def _from_line(self, seen: Seen) -> float:
        return abs(seen.centre - self._marks.line)

    def reached(self, best: Seen, *, upwards: bool) -> tuple[Frame, ...]:
        """The part is at the line, best seen in `best`: the frames taken before that.

        `upwards`: whether its centre grows.
        """
        line = self._marks.line
        ahead = [place for place in self._left if (place > line) is upwards]
        self._left = sorted(ahead, key=lambda place: abs(place - line))[: self._marks.after]
        self._taken.add(best.frame.number)
        self._origin = best.centre
        others = (one for one in self._earlier if one.frame.number != best.frame.number)
        return tuple(self._marks.moved(one, best.centre) for one in others)


def _between(before: float, place: float, after: float) -> bool:
    return min(before, after) < place <= max(before, after)
