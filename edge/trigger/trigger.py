"""When a part is there to be judged, and in which frame.

Part of the pure core: frames in, triggers out; it knows no camera, thread, queue or verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.frame import Frame, Unusable


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
    """Finds parts in the frames of one camera, shown to it in order."""

    def see(self, seen: Frame | Unusable) -> Sequence[Triggered | Another]:
        """Look at the next frame; one `Triggered` for each part whose moment this decides."""
        ...


class OnOrder:
    """Parts are ordered from outside, one message each: frames alone say nothing."""

    def see(self, seen: Frame | Unusable) -> list[Triggered]:  # noqa: ARG002 - the port's signature
        """None."""
        return []


class EveryFrame:
    """Every frame shows one part; a frame that can't be used is a part that can't be judged."""

    def see(self, seen: Frame | Unusable) -> list[Triggered]:
        """One part, named as the source names the frame."""
        return [Triggered(seen, seen.label)]
