"""A frame: one picture, which camera took it, and when; or one that came but can't be used."""

from dataclasses import dataclass

from export.preprocess import Input, Pixels


@dataclass(slots=True, eq=False)
class Ready:
    """A frame as a model takes it, made before its turn; whoever judges takes it, once.

    Attributes:
        to: the region and size that it was made for.
        made_ms: how long that took.
        pixels: HxWx3 uint8 BGR; None when it was taken.
    """

    to: Input
    made_ms: float
    pixels: Pixels | None

    def take(self, to: Input) -> Pixels | None:
        """The pixels, if they are still here and were made for `to`."""
        pixels, self.pixels = self.pixels, None
        return pixels if self.to == to else None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from one camera; compared by identity, since comparing pixels is never meant.

    Attributes:
        pixels: HxWx3 uint8 BGR, not to be written to.
        camera: the camera's name.
        number: the camera's frame counter, from 0, counting dropped frames too.
        captured_ns: monotonic nanoseconds at capture (edge/clock.py).
        captured_wall_ns: the same moment on the wall clock, a label.
        label: what the source calls the frame (a file name), or empty.
        conditions: what is wrong with the camera while it shows this (edge/camera_health).
        moved: how far from its usual place the part lies, in widths and heights of the picture.
        ready: as the camera's model takes it, if somebody had the time.
    """

    pixels: Pixels
    camera: str
    number: int
    captured_ns: int
    captured_wall_ns: int
    label: str = ""
    conditions: tuple[str, ...] = ()
    moved: tuple[float, float] = (0.0, 0.0)
    ready: Ready | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A picture that the source could not deliver: the place of a frame, without its pixels.

    Attributes:
        why: what is wrong with it, as a sentence.
        camera, number, captured_ns, captured_wall_ns, label, conditions: as for a Frame.
    """

    why: str
    camera: str
    number: int
    captured_ns: int
    captured_wall_ns: int
    label: str = ""
    conditions: tuple[str, ...] = ()
