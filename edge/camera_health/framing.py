"""Framing: whether what stands still in the picture stands where it stood.

One step of image registration on the small picture (B. Lucas and T. Kanade, "An iterative image
registration technique", IJCAI 1981) with brightness and its slopes among the unknowns, so that
light is no motion (G. Hager and P. Belhumeur, PAMI 1998); only where nothing moved at
commissioning. Shifts too large for a step are searched for. Knows no limit.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera_health.sample import Floats
from export.preprocess import Pixels

SOFT = 1.6  # small pixels, the blur that makes a shift of as much linear
STILL_SHARE = 0.5  # of the small picture, the steadiest
SEARCH = 0.12  # share of the small picture by which a large shift is searched for
PRIOR = 0.05  # squared grey levels per small pixel: slopes too flat to tell a shift tell none
MOST_PIXELS = 2000  # that a step is solved from
_ROUNDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How the scene lies against the reference.

    Attributes:
        shift: by how much its corners moved, as a share of the width: shift, turn, zoom together.
        unlike: grey levels by which the still parts of the picture differ after that (median).
    """

    shift: float
    unlike: float


def soft(grey: Pixels) -> Floats:
    """(h, w) uint8 → float32, blurred."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), SOFT), np.float32)


class Scene:
    """What stands still, ready to be compared.

    Args:
        usual: (h, w) float32, the soft small picture at commissioning.
        still: (h, w) bool, where it hardly changed.
    """

    def __init__(self, usual: Floats, still: NDArray[np.bool_]) -> None:
        self.usual, self.still = usual, still
        self._rows, self._columns = usual.shape
        across: Floats = np.asarray(cv2.Sobel(usual, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32)
        down: Floats = np.asarray(cv2.Sobel(usual, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32)
        y, x = np.mgrid[0 : self._rows, 0 : self._columns].astype(np.float32)
        reach = self._columns / 2
        u, v = (x - self._columns / 2) / reach, (y - self._rows / 2) / reach
        moving = [across, down, across * -v + down * u, across * u + down * v]
        lit = [usual, usual * u, usual * v, np.ones_like(usual)]
        places = np.flatnonzero(still)
        self._places = places[:: max(1, len(places) // MOST_PIXELS)]
        self._terms = np.stack([term.ravel()[self._places] for term in moving + lit], axis=1)
        self._level = usual.ravel()[self._places]
        prior = len(self._places) * PRIOR
        self._prior = np.diag([prior] * len(moving) + [1e-3] * len(lit)).astype(np.float32)

    def motion(self, grey: Pixels) -> Motion:
        """How the small picture `grey` (h, w) lies against the reference."""
        now = soft(grey)
        near, unlike = self._step(now)
        return Motion(near, unlike)

    def search(self, grey: Pixels) -> Motion:
        """The same for a shift of up to 12 % of the width, some milliseconds slower."""
        now = soft(grey)
        side_x, side_y = round(self._columns * SEARCH), round(self._rows * SEARCH)
        inner = (slice(side_y, self._rows - side_y), slice(side_x, self._columns - side_x))
        template, mask = self.usual[inner], self.still[inner].astype(np.float32)
        if mask.sum() < 32:
            return self.motion(grey)
        likeness = cv2.matchTemplate(now, template, cv2.TM_CCOEFF_NORMED, mask=mask)
        likeness = np.nan_to_num(np.asarray(likeness), posinf=-1.0, neginf=-1.0)
        top, left = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
        dy, dx = int(top) - side_y, int(left) - side_x
        moved = np.asarray(
            cv2.warpAffine(
                now,
                np.array([[1, 0, -dx], [0, 1, -dy]], np.float32),
                (self._columns, self._rows),
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.float32,
        )
        _, unlike = self._step(moved)
        return Motion(float(np.hypot(dx, dy)) / self._columns, unlike)

    def _step(self, now: Floats) -> tuple[float, float]:
        """One registration step, repeated without what doesn't fit (a hand, a part)."""
        difference = now.ravel()[self._places] - self._level
        weighed, rest, solved = self._terms, difference, np.zeros(self._terms.shape[1])
        for _ in range(_ROUNDS):
            solved = np.linalg.solve(weighed.T @ self._terms + self._prior, weighed.T @ difference)
            rest = np.abs(difference - self._terms @ solved.astype(np.float32))
            fits = rest <= 3 * float(np.median(rest)) + 1
            weighed = self._terms * fits[:, None].astype(np.float32)
        dx, dy, turn, zoom = (float(one) for one in solved[:4])
        corner = float(np.hypot(dx, dy) + np.hypot(turn, zoom))
        return corner / self._columns, float(np.median(rest))
