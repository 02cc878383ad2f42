"""Crops and resizes to a shop's formats, without cutting the subject.

The window is the smallest of the format's shape that holds the subject and a margin. Where it
reaches past the frame, a background of one colour is continued; a picture without such a
background is kept whole and padded, since nobody knows where its subject ends.
"""

import re
from dataclasses import dataclass

import cv2
import numpy as np

from edge.catalog.look import Look
from export.errors import ConfigError
from export.preprocess import Pixels

MARGIN = 0.06  # of the subject's longer side, on each side
_UNIFORM = 0.8


@dataclass(frozen=True, slots=True)
class Format:
    """What a shop takes: pixels across and down."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> "Format":
        """Read WIDTHxHEIGHT; raises ConfigError if it isn't that."""
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip().lower())
        if not found or not (16 <= int(found[1]) <= 10000 and 16 <= int(found[2]) <= 10000):
            raise ConfigError(
                f"--size {text!r} is no size", "write WIDTHxHEIGHT, from 16 to 10000: 1000x1000"
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the plane in pixels of the picture; it may reach past the frame."""

    left: float
    top: float
    width: float
    height: float

    def holds(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a box (x, y, width, height) in pixels lies inside, but for rounding."""
        x, y, width, height = box
        return (
            self.left <= x + 0.5
            and self.top <= y + 0.5
            and self.left + self.width >= x + width - 0.5
            and self.top + self.height >= y + height - 0.5
        )


def window(look: Look, to: Format, margin: float = MARGIN) -> Window:
    """The window of the format's shape around a look's subject, or around the whole picture."""
    known = look.clear and look.uniform >= _UNIFORM and not look.touched
    x, y, width, height = (
        side * of
        for side, of in zip(
            look.box if known else (0.0, 0.0, 1.0, 1.0),
            (look.width, look.height, look.width, look.height),
            strict=True,
        )
    )
    room = margin * max(width, height) if known else 0.0
    wide, high = width + 2 * room, height + 2 * room
    aspect = to.width / to.height
    wide, high = max(wide, high * aspect), max(high, wide / aspect)
    left, top = x + width / 2 - wide / 2, y + height / 2 - high / 2
    if wide <= look.width:
        left = min(max(0.0, left), look.width - wide)
    if high <= look.height:
        top = min(max(0.0, top), look.height - high)
    return Window(left, top, wide, high)


def crop(pixels: Pixels, look: Look, to: Format, margin: float = MARGIN) -> Pixels:
    """The picture (HxWx3 uint8 BGR) in the format: (to.height, to.width, 3)."""
    found = window(look, to, margin)
    edges = (
        max(0, int(np.ceil(-found.top))),
        max(0, int(np.ceil(found.top + found.height - pixels.shape[0]))),
        max(0, int(np.ceil(-found.left))),
        max(0, int(np.ceil(found.left + found.width - pixels.shape[1]))),
    )
    wider = cv2.copyMakeBorder(pixels, *edges, cv2.BORDER_CONSTANT, value=_colour(pixels))
    left, top = round(found.left + edges[2]), round(found.top + edges[0])
    right, bottom = round(left + found.width), round(top + found.height)
    part = wider[max(0, top) : bottom, max(0, left) : right]
    smaller = part.shape[0] >= to.height and part.shape[1] >= to.width
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (to.width, to.height), interpolation=how), np.uint8)


def _colour(pixels: Pixels) -> tuple[float, float, float]:
    """The median colour of the frame's rim."""
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    blue, green, red = np.median(rim, axis=0)
    return float(blue), float(green), float(red)
