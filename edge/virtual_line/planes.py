"""Planes: float32 pictures of one quantity, and the few operations that shading needs.

The only place in the virtual line where OpenCV's loose types are cast; knows nothing of parts.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

# float32 at run time; wider here, since numpy's stubs make float64 of the sum of two float32.
Plane = NDArray[np.floating]


def length(x: Plane, y: Plane) -> Plane:
    """Euclidean length of (x, y) at every pixel."""
    return cast("Plane", cv2.magnitude(x, y))


def angle(x: Plane, y: Plane) -> Plane:
    """Direction of (x, y) at every pixel, radians in 0..2π, within 0.01 degrees."""
    return cast("Plane", cv2.phase(x, y))


def blur(plane: Plane, sigma: float) -> Plane:
    """Gaussian blur; a wide one is done on a picture shrunk to where it is narrow again."""
    if sigma <= 4:
        return cast("Plane", cv2.GaussianBlur(plane, (0, 0), sigma))
    rows, columns = plane.shape
    factor = int(sigma / 2)
    small = cv2.resize(
        plane, (max(1, columns // factor), max(1, rows // factor)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor)
    return cast("Plane", cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR))


def slopes(height: Plane) -> tuple[Plane, Plane]:
    """Rise per pixel along x and along y (3x3 Sobel)."""
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    return cast("Plane", across), cast("Plane", down)


def sample(bank: Plane, x: Plane, y: Plane) -> Plane:
    """Read `bank` at the places (x, y), linearly; outside it, its rim."""
    return cast("Plane", cv2.remap(bank, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def ramp(plane: Plane, low: float, high: float) -> Plane:
    """0 at `low`, 1 at `high` (which may be the smaller), smooth (cubic) between."""
    x = plane - np.float32(low)
    x *= np.float32(1 / (high - low))
    np.clip(x, 0, 1, out=x)
    return x * x * (np.float32(3) - np.float32(2) * x)


def subpixel(x: float, y: float) -> tuple[int, int]:
    """A point as OpenCV's drawing functions take it with `shift=4`: in sixteenths of a pixel."""
    return round(float(x) * 16), round(float(y) * 16)
