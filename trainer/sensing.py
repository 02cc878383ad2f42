"""A run's sense of novelty: learnt from good training pictures, measured on all, thresholded.

Joins the module in the graph with a run's material and with the rule for its threshold.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.manifest import NoveltyBasis
from trainer import novelty
from trainer.backbone import Network
from trainer.calibrate import Budgets
from trainer.material import Material
from trainer.novelty import Memory
from trainer.progress import Progress
from trainer.room import room
from trainer.run import Split
from trainer.thresholds.novel import limit


@dataclass(frozen=True, slots=True, eq=False)
class Sensed:
    """What one pass over a run's N pictures gave.

    Attributes:
        pooled: features, as `head.features` gives them.
        novelty: (N,) float64, 1 for a usual good part; None without a sense of it.
        novel_above: from where a person is asked; None if nobody is.
        basis: what that stands on.
    """

    pooled: Tensor
    novelty: NDArray[np.float64] | None = None
    novel_above: float | None = None
    basis: NoveltyBasis | None = None


def sense(network: Network, material: Material, budgets: Budgets, progress: Progress) -> Sensed:
    """Give `network` a sense of novelty, unless no false alarm is allowed, and use it once."""
    frames = material.album.frames
    if budgets.novel:
        good = good_of(material, "train")
        with progress.phase("remembering good parts", len(good)) as advance:
            novelty.learn(network, room().taken(frames, good), Memory(), advance)
    with progress.phase("scoring every picture", len(frames)) as advance:
        pooled, strange = novelty.survey(network, frames, advance)
    if strange is None or network.novelty is None:
        return Sensed(pooled)
    held = good_of(material, "calibration")
    usual = torch.quantile(strange[held], 0.5).clamp_min(1e-6)
    network.novelty.get_buffer("unit").copy_(usual)
    told = (strange / usual).double().numpy()
    parts = [material.parts[i] for i in held]
    return Sensed(pooled, told, *limit(told[held], parts, budgets.novel, budgets.confidence))


def good_of(material: Material, split: Split) -> NDArray[np.intp]:
    """Positions of the good pictures of a split."""
    at = material.of(split)
    return at[material.labels[at] == 0]
