"""What the picture shows when no part is there, learnt while the line runs.

A running mean per pixel that learns only where nothing moves, follows the light by one gain per
channel, and mends the holes that parts leave which stood in the first frame. Works on a small
picture; knows no parts.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from export.preprocess import Pixels

ALONG = 160  # pixels of the small picture along the axis
LEARNING = 0.04  # share of a frame that the backdrop takes on where nothing is in front of it
FLOODED = 0.8  # share of the picture in front: the scene itself has changed
FLOODED_FRAMES = 12
GHOST_EDGES = 1.25  # a hole has its edges in the backdrop, a part has them in the frame

Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]


def small(frame: Pixels, axis: str) -> Picture:
    """HxWx3 uint8 as a small float32 picture whose columns run along `axis` ('x' or 'y')."""
    rows, columns = frame.shape[:2]
    scale = ALONG / (columns if axis == "x" else rows)
    size = (max(8, round(columns * scale)), max(8, round(rows * scale)))
    tiny = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(tiny, (3, 3), 0).astype(np.float32)
    return smooth if axis == "x" else np.ascontiguousarray(smooth.transpose(1, 0, 2))


class Backdrop:
    """The scene without parts.

    Args:
        contrast: grey levels by which a part must differ, in any channel.
    """

    def __init__(self, contrast: float) -> None:
        self._contrast = contrast
        self._scene: Picture | None = None
        self._behind: Mask | None = None
        self._flooded = 0

    def front(self, picture: Picture) -> Mask:
        """Where `picture` (h, w, 3) shows something before the backdrop; learns from the rest."""
        if self._scene is None or self._scene.shape != picture.shape or self._behind is None:
            self._begin(picture)
            return np.zeros(picture.shape[:2], np.bool_)
        scene = self._scene * self._gain(picture, self._scene, self._behind)
        blue, green, red = cv2.split(cv2.absdiff(picture, scene))
        difference = cv2.max(cv2.max(blue, green), red)
        mask = (difference > self._contrast).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)).astype(np.bool_)
        self._flooded = self._flooded + 1 if mask.mean() > FLOODED else 0
        if self._flooded >= FLOODED_FRAMES:
            self._begin(picture)
            return np.zeros(picture.shape[:2], np.bool_)
        near = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(np.bool_)
        self._behind = ~near
        share = (LEARNING * self._behind).astype(np.float32)[:, :, np.newaxis]
        self._scene = (scene + share * (picture - scene)).astype(np.float32)
        return mask

    def is_hole(self, picture: Picture, mask: Mask, first: int, last: int) -> bool:
        """Whether columns `first` to `last` are in front only because the backdrop held a part.

        Where a part has gone the backdrop still has its outline and the frame has none.
        """
        if self._scene is None:
            return False
        shape = np.zeros(mask.shape, np.uint8)
        shape[:, first : last + 1] = mask[:, first : last + 1]
        kernel = np.ones((3, 3), np.uint8)
        outline = (cv2.dilate(shape, kernel) - cv2.erode(shape, kernel)).astype(np.bool_)
        if not outline.any():
            return False
        return _edges(self._scene, outline) > GHOST_EDGES * _edges(picture, outline)

    def absorb(self, picture: Picture, first: int, last: int) -> None:
        """Take columns `first` to `last` (and a margin) of `picture` for the scene."""
        if self._scene is not None:
            columns = slice(max(0, first - 3), last + 4)
            self._scene[:, columns] = picture[:, columns]

    def _begin(self, picture: Picture) -> None:
        self._scene = picture.copy()
        self._behind = np.ones(picture.shape[:2], np.bool_)
        self._flooded = 0

    @staticmethod
    def _gain(picture: Picture, scene: Picture, behind: Mask) -> Picture:
        """How much brighter each channel has become, by the median of what isn't covered."""
        sparse = behind[::3, ::3]
        if sparse.mean() < 0.1:
            return np.ones(3, np.float32)
        ratio = (picture[::3, ::3][sparse] + 1.0) / (scene[::3, ::3][sparse] + 1.0)
        return np.clip(np.median(ratio, axis=0), 0.5, 2.0).astype(np.float32)


def _edges(picture: Picture, where: Mask) -> float:
    grey = picture.mean(axis=2)
    across: Picture = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), np.float32)
    down: Picture = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3), np.float32)
    return float(np.hypot(across, down)[where].mean())
