"""When a part is there to be judged, and in which frame.

Part of the pure core: frames in, triggers out; it knows no camera, thread, queue or verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.frame import Frame, Unusable

MOST_LOST = 100  # a longer gap is no row of parts


@dataclass(frozen=True, slots=True, eq=False)
class Triggered:
    """A part is here: decide about it.

    Attributes:
        seen: the frame that shows it best: it is enough alone.
        part: names it, if it has a name.
        others: further frames of it, captured before.
        more: whether further ones will be told as `Another`.
    """

    seen: Frame | Unusable
    part: str = ""
    others: tuple[Frame, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Another:
    """A further frame of a part that was triggered before; None: no more will come."""

    of: Triggered
    frame: Frame | None
    last: bool


class Trigger(Protocol):
    """Finds parts in the frames of one camera, shown to it in order.

    Attributes:
        trouble: why parts can't be told from one another now, or empty.
    """

    trouble: str

    def see(self, seen: Frame | Unusable) -> Sequence[Triggered | Another]:
        """Look at the next frame; one `Triggered` for each part whose moment this decides."""
        ...


class OnOrder:
    """Parts are ordered from outside, one message each: frames alone say nothing."""

    trouble = ""

    def see(self, seen: Frame | Unusable) -> list[Triggered]:  # noqa: ARG002 - the port's signature
        """None."""
        return []


class EveryFrame:
    """Every frame shows one part; a frame that can't be used is a part that can't be judged."""

    trouble = ""

    def see(self, seen: Frame | Unusable) -> list[Triggered]:
        """One part, named as the source names the frame."""
        return [Triggered(seen, seen.label)]


class ByCamera:
    """The line triggers the camera: every frame is a part, and so is one that was lost."""

    trouble = ""

    def __init__(self) -> None:
        self._next: int | None = None

    def see(self, seen: Frame | Unusable) -> list[Triggered]:
        """This part, and before it those whose frames never came: they can't be judged."""
        first = seen.number if self._next is None else max(self._next, seen.number - MOST_LOST)
        self._next = seen.number + 1
        lost = [_lost(number, seen) for number in range(first, seen.number)]
        return [*map(Triggered, lost), Triggered(seen, seen.label)]


def _lost(number: int, before: Frame | Unusable) -> Unusable:
    why = f"frame {number} was lost on its way from the camera"
    return Unusable(why, before.camera, number, before.captured_ns, before.captured_wall_ns)
