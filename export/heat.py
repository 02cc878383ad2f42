"""A heatmap on its picture: tinted where a defect is likely, outlined where more likely than not.

The same drawing in the report of a run and on what the line judged; and how a sample keeps it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from export.preprocess import Pixels
from export.sample import Heat

MOST_SIDE = 256  # places that a sample's record has room for; a larger map is shrunk
COLOUR = (0, 74, 255)  # BGR
_OPAQUE = 0.45
_LIKELY = 0.5
_WHITE = (255, 255, 255)


def tint(picture: Pixels, heatmap: NDArray[np.floating], line: int) -> None:
    """Draw `heatmap` (h,w), 0..1, over the whole of `picture` (H,W,3) uint8 BGR, in place.

    Args:
        picture: what the heatmap is of.
        heatmap: of any size; stretched over the picture. What isn't finite is left bare.
        line: width of the outline in pixels.
    """
    size = (picture.shape[1], picture.shape[0])
    known = np.nan_to_num(heatmap.astype(np.float32))
    heat = np.clip(cv2.resize(known, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    weight = (_OPAQUE * heat)[:, :, np.newaxis]
    drawn = np.ascontiguousarray((picture * (1 - weight) + np.array(COLOUR) * weight), np.uint8)
    around = cv2.findContours(
        (heat >= _LIKELY).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )[0]
    cv2.drawContours(drawn, around, -1, _WHITE, 3 * line)
    cv2.drawContours(drawn, around, -1, COLOUR, line)
    picture[:] = drawn


def kept(heatmap: NDArray[np.floating]) -> Heat:
    """A heatmap (h,w), 0..1, as a sample's record holds it, in 256 steps."""
    known = np.nan_to_num(np.asarray(heatmap, np.float32))
    rows, columns = (min(MOST_SIDE, side) for side in known.shape)
    if known.shape != (rows, columns):
        known = cv2.resize(known, (columns, rows), interpolation=cv2.INTER_AREA)
    values = np.rint(np.clip(known, 0, 1) * 255).astype(np.uint8)
    return Heat(width=columns, height=rows, values=values.tobytes().hex())


def of(heat: Heat) -> NDArray[np.float32]:
    """A kept heatmap as (h,w) float32, 0..1."""
    values = np.frombuffer(bytes.fromhex(heat.values), np.uint8)
    return values.reshape(heat.height, heat.width).astype(np.float32) / np.float32(255)
