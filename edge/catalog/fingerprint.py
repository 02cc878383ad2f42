"""The perceptual hash: 256 signs of a picture's low frequencies, the same to the eye, near in bits.

The hash of Zauner (thesis, Hagenberg 2010, section 3.2.1) with 16 by 16 frequencies, on OpenCV
alone: the trainer's comes from a library that needs SciPy, which the edge does without.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from export.preprocess import Pixels

SIDE, KEPT = 64, 16
BYTES = KEPT * KEPT // 8
_ONES = np.array([number.bit_count() for number in range(256)], np.int64)


def fingerprint(pixels: Pixels) -> NDArray[np.uint8]:
    """The hash (32,) uint8, packed bits, of HxWx3 uint8 BGR."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:KEPT, :KEPT].ravel()
    return np.packbits(low > np.median(low))


def distance(one: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many bits differ (N,) between a hash (32,) and others (N,32)."""
    return _ONES[np.bitwise_xor(others, one)].sum(1)
