"""A picture's relief: where it steps lighter or redder, without by how much, on a grid.

A half-transparent mark steps the same way at the same place in every picture that bears it, however
faint it is; what it lies on doesn't. Redness is for marks as light as what they cover. Of signs a
mean over pictures does what the median of gradients does in Dekel and others (On the Effectiveness
of Visible Watermarks, CVPR 2017), in one pass.
"""

import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from export.preprocess import Pixels

GRID = 144  # 192 found no more of pictures of 198 to 348 pixels, 128 less (docs/log.md)
STEP = 3.0  # grey values: smaller steps are noise, and cost space
CHANNELS = 4  # lighter to the right, lighter downwards; redder to the right, redder downwards
_GREY: NDArray[np.float32] = np.array([0.114, 0.587, 0.299], np.float32)  # of BGR, ITU-R BT.601

Relief = NDArray[np.int8]
Packed = bytes


def relief(pixels: Pixels) -> Relief:
    """Signs (4,GRID,GRID) of the steps in HxWx3 uint8 BGR, stretched to a square."""
    shrinks = min(pixels.shape[:2]) >= GRID
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(pixels, (GRID, GRID), interpolation=how).astype(np.float32)
    light, red = small @ _GREY, small[..., 2] - small[..., 1]
    steps = np.zeros((CHANNELS, GRID, GRID), np.float32)
    for at, one in ((0, light), (2, red)):
        steps[at, :, :-1] = np.diff(one, axis=1)
        steps[at + 1, :-1] = np.diff(one, axis=0)
    return (steps > STEP).astype(np.int8) - (steps < -STEP).astype(np.int8)


def packed(one: Relief) -> Packed:
    """As bytes: some 7 kB of a studio picture, 13 kB of a photo."""
    return zlib.compress(np.packbits(np.stack([one > 0, one < 0])).tobytes(), 1)


def unpacked(data: Packed) -> Relief:
    """What was packed."""
    bits = np.unpackbits(np.frombuffer(zlib.decompress(data), np.uint8))
    above, below = bits.reshape(2, CHANNELS, GRID, GRID).astype(np.int8)
    return above - below
