"""Where the product is in its picture, and what it stands before.

The frame's rim shows the background. Where the rim is of one colour, whatever differs from it is
the subject, and what lies apart from it may be a text or a mark. Where it isn't, the subject's
place is only a guess, and neither its share nor its being cut off is judged.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.catalog.technique import fitted
from export.preprocess import Pixels

SIDE = 256
RIM = 0.03  # of the shorter side
ALIKE = 10.0  # CIE76 distance within which a colour is the background's
CLEAR = 0.6  # share of the rim that must be of one colour
CLIPPED = 253  # grey values of a colour from which on it may have been more
_TOUCH = 0.02  # of a side
_LEAST = 0.004  # of the frame: smaller spots are dust
_MARK = 0.0004

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was found; boxes are (x, y, width, height) as fractions of the frame.

    Attributes:
        clear: the rim is of one colour, so that the rest can be believed.
        box: around the subject; the whole frame where nothing stands out.
        share: of the frame that the box covers.
        touched: sides of the frame that the subject touches.
        uniform: share of the rim that is of the background's colour, 0..1.
        whiteness: lightness of the background, 0..1, less its colourfulness.
        marks: share of the frame covered by small things beside the subject.
        lost: share of the subject, holes filled and its edge left out, where a colour is clipped.
    """

    clear: bool
    box: tuple[float, float, float, float]
    share: float
    touched: tuple[str, ...]
    uniform: float
    whiteness: float
    marks: float
    lost: float


def find(pixels: Pixels) -> Subject:
    """Look for the subject in HxWx3 uint8 BGR."""
    small = fitted(pixels, SIDE)
    scaled = small.astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2Lab), np.float32)
    rim = _rim(lab.shape[0], lab.shape[1])
    colour = _commonest(lab[rim])
    away = np.linalg.norm(lab - colour, axis=2)
    uniform = float((away[rim] <= ALIKE).mean())
    whiteness = float(np.clip(colour[0] / 100 - np.hypot(*colour[1:]) / 50, 0, 1))
    mask = _cleaned(away > ALIKE)
    main, marks = _parted(mask)
    box = _box(main)
    clear = uniform >= CLEAR and bool(main.any())
    return Subject(
        clear=clear,
        box=box,
        share=round(box[2] * box[3], 4),
        touched=_touched(main) if clear else (),
        uniform=round(uniform, 4),
        whiteness=round(whiteness, 4),
        marks=round(marks, 5) if clear else 0.0,
        lost=round(_lost(small, main), 4) if clear else 0.0,
    )


def _rim(height: int, width: int) -> Mask:
    band = max(2, round(RIM * min(height, width)))
    rim = np.ones((height, width), bool)
    rim[band:-band, band:-band] = False
    return rim


def _commonest(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """The colour (3,) that most of (N,3) Lab colours are near: the densest bin's median."""
    bins = np.round(colours / ALIKE).astype(int) + 32  # Lab's axes end below 32 bins either way
    numbers = (bins[:, 0] * 64 + bins[:, 1]) * 64 + bins[:, 2]
    _, which, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    near = colours[which.ravel() == counts.argmax()]
    first = np.median(near, axis=0)
    around = colours[np.linalg.norm(colours - first, axis=1) <= ALIKE]
    return np.asarray(np.median(around, axis=0), np.float32)


def _cleaned(mask: Mask) -> Mask:
    kernel = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel, iterations=2)
    return closed.astype(bool)


def _parted(mask: Mask) -> tuple[Mask, float]:
    """The subject, and the share of the frame in what lies apart from it and is no dust."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return np.zeros_like(mask), 0.0
    areas = stats[1:, cv2.CC_STAT_AREA] / mask.size
    largest = float(areas.max())
    main = 1 + np.flatnonzero((areas >= 0.15 * largest) & (areas >= _LEAST))
    found = np.isin(labels, main)
    if not found.any():
        return found, 0.0
    x, y, width, height = cv2.boundingRect(found.astype(np.uint8))
    beside = 0.0
    for at in 1 + np.flatnonzero(areas < max(0.15 * largest, _LEAST)):
        left, top = stats[at, cv2.CC_STAT_LEFT], stats[at, cv2.CC_STAT_TOP]
        inside = x <= left < x + width and y <= top < y + height
        if not inside and areas[at - 1] >= _MARK:
            beside += float(areas[at - 1])
    return found, beside


def _lost(small: Pixels, main: Mask) -> float:
    """Where light was lost inside the subject; its holes may be just that, so they are filled."""
    outlines, _ = cv2.findContours(
        main.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    filled = cv2.drawContours(np.zeros(main.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    inside = cv2.erode(filled, np.ones((3, 3), np.uint8), iterations=2).astype(bool)
    blue, green, red = cv2.split(small)
    most = cv2.max(cv2.max(blue, green), red)
    return float((most[inside] >= CLIPPED).mean()) if inside.any() else 0.0


def _box(mask: Mask) -> tuple[float, float, float, float]:
    height, width = mask.shape
    if not mask.any():
        return (0.0, 0.0, 1.0, 1.0)
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    sides = (x / width, y / height, w / width, h / height)
    return tuple(round(float(side), 4) for side in sides)  # pyright: ignore[reportReturnType]


def _touched(mask: Mask) -> tuple[str, ...]:
    lines = {"top": mask[0], "bottom": mask[-1], "left": mask[:, 0], "right": mask[:, -1]}
    return tuple(name for name, line in lines.items() if float(line.mean()) > _TOUCH)
