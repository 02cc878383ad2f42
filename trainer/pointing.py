"""The pointing game: does the heatmap's brightest place lie on the defect?

Zhang and others, arXiv:1608.00507, section 4.2: a hit is a maximum on the marked object, or within
15 pixels of it. Beside the rate of hits stands what pointing at random would give, without which a
rate says nothing. It is played on defective pictures alone, with the heatmap that a box draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.manifest import Metric
from export.preprocess import Input
from trainer.album import Album
from trainer.answers import of_network
from trainer.backbone import Network
from trainer.dataset import Dataset
from trainer.evaluate import as_metric
from trainer.masks import Mask, find, read_all
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


def play(
    network: Network,
    temperature: float,
    dataset: Dataset,
    album: Album,
    to: Input,
    *,
    at: Sequence[int],
    parts: Sequence[str],
    advance: Callable[[], None] = lambda: None,
) -> list[Pointed]:
    """Play on every picture that has a mask.

    Args:
        network: as trained; its heatmaps are those of the exported graph.
        temperature: of its calibration.
        dataset: whose masks count.
        album: the pictures, as the network takes them.
        to: how they were cut and shrunk.
        at: which of them.
        parts: the part of each of those.
        advance: called after each.

    Raises:
        DatasetError, PictureError: a mask can't be used.
    """
    paths = [album.paths[i] for i in at]
    marked = read_all(dataset, find(dataset), paths, to)
    answers = of_network(network, temperature)
    games: list[Pointed] = []
    for i, path, part in zip(at, paths, parts, strict=True):
        if path in marked:
            games.append(point(answers(album.frames[i : i + 1]).heatmap[0], marked[path], part))
        advance()
    return games


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
