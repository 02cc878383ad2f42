"""The pointing game: does the heatmap's brightest place lie on the defect?

Zhang and others, arXiv:1608.00507, section 4.2: a hit is a maximum on the marked object, or within
15 pixels of it. Beside the rate of hits stands what pointing at random would give, without which a
rate says nothing. It is played on defective pictures alone, with the heatmap that a box draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.manifest import Metric
from trainer.evaluate import as_metric
from trainer.masks import Mask
from trainer.rates import Rate

TOLERANCE_PX = 15

Heatmap = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pointed:
    """One picture's game: whether the heatmap hit, and the chance that a random point would."""

    part: str
    hit: bool
    chance: float


def point(heatmap: Heatmap, mask: Mask, part: str) -> Pointed:
    """Play on one picture.

    Args:
        heatmap: (h,w); of several brightest places the first counts, and one that is dark
            everywhere points nowhere.
        mask: (H,W) of the model's input, with something marked.
        part: which part the picture shows.
    """
    height, width = mask.shape
    row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    y = (int(row) + 0.5) * height / heatmap.shape[0]
    x = (int(column) + 0.5) * width / heatmap.shape[1]
    apart = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = np.asarray(apart) <= TOLERANCE_PX
    hit = bool(heatmap.max() > 0) and bool(near[int(y), int(x)])
    return Pointed(part, hit, float(near.mean()))


def metrics(games: Sequence[Pointed], split: str) -> tuple[Metric, ...]:
    """The rate of hits and, beside it, what chance would give; nothing if none was played."""
    if not games:
        return ()
    parts = len({game.part for game in games})
    rate = Rate(sum(game.hit for game in games), len(games), parts)
    luck = float(np.mean([game.chance for game in games]))
    by_chance = Metric(
        name="pointing_by_chance", value=luck, low=luck, high=luck, confidence=1.0, split=split
    )
    return as_metric("pointing", rate, split), by_chance
