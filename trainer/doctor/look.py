"""One look at every file: read once, decoded once, measured, and let go.

What is kept of a picture is a few hundred bytes, so that large sets fit. It judges nothing.
"""

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from export import picture
from export.errors import PictureError
from export.preprocess import Pixels
from trainer.album import perceptual
from trainer.dataset import Picture
from trainer.doctor import header
from trainer.doctor.header import Header

_SIDE = 1024  # longer pictures are halved before light and sharpness are measured
_SMALL = 32  # side of the square on which the border is measured, in pixels
_RIM = 2
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the pixels of one picture say.

    Attributes:
        width, height: in pixels.
        light, spread: mean and standard deviation of grey, 0..255.
        clipped: share of pixels that are black or white to the limit.
        sharp: natural logarithm of the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000).
        border: (28,) colours and greys along the four sides.
        bits: (256,) uint8, the perceptual hash.
    """

    width: int
    height: int
    light: float
    spread: float
    clipped: float
    sharp: float
    border: Floats
    bits: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One file: what it is, and either what its pixels say or why they can't be had."""

    picture: Picture
    size_bytes: int
    sha256: str
    header: Header | None
    measured: Measured | None
    problem: str = ""


def look_at_all(
    root: Path, pictures: Sequence[Picture], advance: Callable[[], None] = lambda: None
) -> list[Look]:
    """Look at every file, in order; `advance` is called after each."""
    found: list[Look] = []
    with (
        warnings.catch_warnings(action="ignore"),  # Pillow's, about odd EXIF: it is only counted
        ThreadPoolExecutor(os.cpu_count()) as pool,  # cv2 lets go of the interpreter's lock
    ):
        for one in pool.map(lambda one: look(root, one), pictures):
            found.append(one)
            advance()
    return found


def look(root: Path, one: Picture) -> Look:
    """Look at one file."""
    try:
        data = (root / one.path).read_bytes()
    except OSError as error:
        return Look(one, 0, "", None, None, f"can't be read: {error.strerror}")
    digest, said = hashlib.sha256(data).hexdigest(), header.read(data)
    try:
        pixels = picture.decode(data, one.path)
    except PictureError as error:
        problem = error.problem.replace(repr(one.path), "").strip()
        return Look(one, len(data), digest, said, None, problem)
    return Look(one, len(data), digest, said, measure(pixels))


def measure(pixels: Pixels) -> Measured:
    """What HxWx3 uint8 BGR say."""
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    while max(grey.shape) >= _SIDE:  # by halves: as exact as any other factor and a tenth the work
        half = (max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2))
        grey = cv2.resize(grey, half, interpolation=cv2.INTER_AREA)
    mean, spread = cv2.meanStdDev(grey)
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    _, rough = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return Measured(
        width=width,
        height=height,
        light=float(mean[0, 0]),
        spread=float(spread[0, 0]),
        clipped=float((counts[:2].sum() + counts[-2:].sum()) / counts.sum()),
        sharp=float(np.log(rough[0, 0] ** 2 + 1.0)),
        border=_border(pixels),
        bits=perceptual(pixels),
    )


def _border(pixels: Pixels) -> Floats:
    """Mean colour of each side (4x3), and grey of four stretches along each (4x4)."""
    # By area where that is quick, then to the small square: the rim is what matters.
    step = max(1, min(pixels.shape[:2]) // (4 * _SMALL))
    small = cv2.resize(pixels[::step, ::step], (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    sides = (
        small[:_RIM],
        small[-_RIM:],
        small[:, :_RIM].swapaxes(0, 1),
        small[:, -_RIM:].swapaxes(0, 1),
    )
    colours = [side.mean((0, 1)) for side in sides]
    greys = [side.mean((0, 2)).reshape(4, -1).mean(1) for side in sides]
    return np.concatenate([*colours, *greys]).astype(np.float32)
