"""Masks as polygons, the way COCO and Label Studio write them: read, never written."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from export.errors import DatasetError
from trainer.exchange.runs import Mask, check_size

# Of a corner from the picture, in pixels: beyond it OpenCV's fixed point would wrap round.
_FARTHEST = 1 << 15


def filled(polygons: Sequence[NDArray[np.float64]], height: int, width: int) -> Mask:
    """The mask (H,W) of what lies in any of `polygons`, each (N,2) x and y in pixels.

    Raises:
        DatasetError: no picture has this size, or a corner is no place in or near it.
    """
    check_size(height, width)
    drawn = np.zeros((height, width), np.uint8)
    for corners in polygons:
        if (
            not np.isfinite(corners).all()
            or (np.abs(corners) > max(height, width, _FARTHEST)).any()
        ):
            raise DatasetError(
                f"a polygon has a corner that lies nowhere near its picture of {width}x{height}",
                "draw it again, and export the annotations again",
            )
        if len(corners):
            cv2.fillPoly(drawn, [np.round(corners).astype(np.int32)], 1)
    return drawn.astype(np.bool_)
