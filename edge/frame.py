"""A frame: one picture, which camera took it, and when; or one that came but can't be used."""

from dataclasses import dataclass, field

from export.preprocess import Input, Pixels


class Ready:
    """Beside a frame: what a model takes of it, if somebody made it before its turn; taken once."""

    __slots__ = ("_made", "_taken")

    def __init__(self) -> None:
        self._made: tuple[Pixels, Input, Pixels, float] | None = None
        self._taken = False

    def put(self, pixels: Pixels, to: Input, made: Pixels, made_ms: float) -> None:
        """Leave what was made of a frame's pixels for `to`; too late, it is dropped."""
        if not self._taken:
            self._made = pixels, to, made, made_ms

    def take(self, pixels: Pixels, to: Input) -> tuple[Pixels, float] | None:
        """What was made of these very pixels for `to`, and the ms that it took, if it is here."""
        self._taken = True
        made, self._made = self._made, None
        if made is None or made[0] is not pixels or made[1] != to:
            return None
        return made[2], made[3]


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
        ready: as the camera's model takes it, once somebody had the time.
    """

    pixels: Pixels
    camera: str
    number: int
    captured_ns: int
    captured_wall_ns: int
    label: str = ""
    conditions: tuple[str, ...] = ()
    moved: tuple[float, float] = (0.0, 0.0)
    ready: Ready = field(default_factory=Ready)


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
