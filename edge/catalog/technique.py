"""How a picture was taken and saved: sharpness, light, noise, compression. Knows no subject.

All are measured on grey values 0..255, sharpness on a copy of at most SIDE pixels, so that large
pictures of one scene measure as small ones.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.preprocess import Pixels

SIDE = 512
_TAPS = 9
_BLOCK = 8  # of JPEG
_IMMERKAER: NDArray[np.float32] = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Technique:
    """What was measured.

    Attributes:
        width, height: pixels.
        sharpness: 1 less the blur of Crete and others (SPIE 6492, 2007), 0..1.
        bright: the grey value that 2 % of the pixels exceed.
        burnt: share of pixels at 250 or more.
        noise: standard deviation of the noise in grey values, by the median over the picture of
            Immerkaer's operator (Computer Vision and Image Understanding 64, 1996).
        blocking: how much steeper grey values step at the edges of 8x8 blocks than inside; 1: no
            trace of a JPEG.
    """

    width: int
    height: int
    sharpness: float
    bright: float
    burnt: float
    noise: float
    blocking: float


def measure(pixels: Pixels) -> Technique:
    """Measure HxWx3 uint8 BGR."""
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    small = fitted(grey, SIDE)
    height, width = grey.shape[:2]
    return Technique(
        width,
        height,
        round(sharpness(small), 4),
        float(np.percentile(small, 98)),
        round(float((small >= 250).mean()), 4),
        round(noise(_middle(grey)), 3),
        round(blocking(_middle(grey)), 4),
    )


def fitted(pixels: Pixels, side: int) -> Pixels:
    """The picture, shrunk so that its longer side is at most `side`."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _middle(grey: Pixels, side: int = 2 * SIDE) -> Pixels:
    """A window of whole blocks in the middle, at full resolution."""
    height, width = grey.shape[:2]
    top = max(0, (height - side) // 2) // _BLOCK * _BLOCK
    left = max(0, (width - side) // 2) // _BLOCK * _BLOCK
    return grey[top : top + side, left : left + side]


def sharpness(grey: Pixels) -> float:
    """How much blurring it again would take away, 0..1: little of what is blurred already."""
    values = grey.astype(np.float32)
    kept: list[float] = []
    for axis in (0, 1):
        size = (1, _TAPS) if axis == 0 else (_TAPS, 1)
        again = cv2.blur(values, size)
        before, after = (np.abs(np.diff(one, axis=axis)) for one in (values, again))
        total = float(before.sum())
        lost = float(np.maximum(0, before - after).sum())
        kept.append(lost / total if total > 0 else 0.0)
    return min(kept)


def noise(grey: Pixels) -> float:
    """Standard deviation of the noise in grey values; edges hardly count, since it is a median."""
    if min(grey.shape) < 3:
        return 0.0
    found = np.abs(cv2.filter2D(grey.astype(np.float32), -1, _IMMERKAER)[1:-1, 1:-1])
    flat = found[(grey[1:-1, 1:-1] > 4) & (grey[1:-1, 1:-1] < 251)]  # where noise can show
    return float(np.median(flat)) / (6 * 0.6745) if flat.size else 0.0


def blocking(grey: Pixels) -> float:
    """Steps across the edges of blocks over steps elsewhere, the lesser of both directions."""
    found: list[float] = []
    for axis in (0, 1):
        steps = np.abs(np.diff(grey.astype(np.float32), axis=axis)).mean(1 - axis)
        if len(steps) < 2 * _BLOCK:
            return 1.0
        at_edge = np.arange(1, len(steps) + 1) % _BLOCK == 0
        # Medians: one straight edge of a package on a block's border is no compression.
        inside = float(np.median(steps[~at_edge]))
        found.append((float(np.median(steps[at_edge])) + 0.5) / (inside + 0.5))
    return min(found)
