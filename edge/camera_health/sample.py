"""The few pixels that stand for a frame, so that each can be looked at in under a millisecond.

A small picture by stepping, cells of mean colour, and how steep the edges are.
Stepping, not averaging: the sensor's noise stays in the small picture, and noise is what a live
sensor never repeats. Knows no limit and no history.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Frame
from export.preprocess import Pixels

ACROSS = 160  # pixels of the small picture
CELLS = (16, 20)  # rows and columns of cells
LINES = 20  # rows of the full picture that are searched for edges
REACH = 17  # pixels: an edge's contrast is what lies within
CONTRAST = 32  # grey levels that make an edge, far above a sensor's noise
LEAST_EDGES = 12
STEEP_QUANTILE = 0.8

Floats = NDArray[np.float32]
_KERNEL = np.ones((1, REACH), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What is kept of a frame.

    Attributes:
        number, captured_ns: the frame's.
        size: (rows, columns) of the frame.
        colour: (h, w, 3) uint8 BGR, single pixels of the frame, w = ACROSS.
        grey: (h, w) uint8, the same without colour.
        cells: (16, 20, 3) float32 mean colour by place.
        steepness: 0..1 how much of an edge's contrast lies within two pixels, at the sharper
            edges; None where the frame shows too few edges to say.
    """

    number: int
    captured_ns: int
    size: tuple[int, int]
    colour: Pixels
    grey: Pixels
    cells: Floats
    steepness: float | None


def take(frame: Frame) -> Sample:
    """The sample of a frame whose pixels are HxWx3 uint8."""
    pixels = frame.pixels
    rows, columns = pixels.shape[:2]
    across = min(ACROSS, columns)
    down = max(1, min(rows, round(rows * across / columns)))
    colour = np.asarray(
        cv2.resize(pixels, (across, down), interpolation=cv2.INTER_NEAREST), np.uint8
    )
    cells = cv2.resize(colour, CELLS[::-1], interpolation=cv2.INTER_AREA)
    return Sample(
        number=frame.number,
        captured_ns=frame.captured_ns,
        size=(rows, columns),
        colour=colour,
        grey=np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY), np.uint8),
        cells=np.asarray(cells, np.float32),
        steepness=steepness(pixels),
    )


def steepness(pixels: Pixels) -> float | None:
    """How steep the sharper edges are along the rows: contrast within 2 px over that within 17.

    The width of edges tells focus whatever the part shows (P. Marziliano et al., "A no-reference
    perceptual blur metric", ICIP 2002); the variance of a Laplacian tells mostly how much there
    is to see. Divided by its own contrast an edge keeps its steepness under dimmer light.
    """
    step = max(1, pixels.shape[0] // LINES)
    lines = np.ascontiguousarray(pixels[step // 2 :: step, :, 1])
    if lines.shape[0] < 2 or lines.shape[1] < 2 * REACH:
        return None
    places = slice(REACH // 2, -REACH // 2, REACH // 2)
    high, low = cv2.dilate(lines, _KERNEL), cv2.erode(lines, _KERNEL)
    contrast = np.asarray(cv2.subtract(high, low))[:, 1:-1][:, places]
    slope = cv2.absdiff(lines[:, 2:], lines[:, :-2])
    steepest = np.asarray(cv2.dilate(slope, _KERNEL))[:, places]
    edges = contrast >= CONTRAST
    ratios = steepest[edges] / contrast[edges].astype(np.float32)
    if ratios.size < LEAST_EDGES:
        return None
    rank = int(STEEP_QUANTILE * (ratios.size - 1))
    return float(np.partition(ratios, rank)[rank])
