"""One cell of the recipe's study: a head, then fine-tuning, judged on parts that taught nothing.

Works on the training and validation pictures of the product's own split of seed 0: calibration
and test are never touched. These are dealt into four quarters (trainer/advise/rounds.py): two
teach, one chooses, one judges.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.recipe.grid import SHARES, VARIANTS, Key
from edge.virtual_line import VirtualLine
from edge.virtual_line.dataset import write_dataset
from edge.virtual_line.line import REGION
from export.preprocess import Input
from trainer import head, masks, weights
from trainer.advise.arms import of_known_types
from trainer.advise.rounds import Round, deal_rounds
from trainer.backbone import Network
from trainer.finetune import Labelled, judge, logits_of, tune
from trainer.material import Choices, Material, gather
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.recipe import Recipe
from trainer.split import Sample

ARCH, QUIET = "resnet18", Progress(None)
BRACKETS = (11, 240)  # seed and parts, as in docs/advise.md
_STEP = 32  # input sides are multiples of it


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: its folder's name, which names are one part, and the input's sides."""

    name: str
    runs: int | None = None
    sides: tuple[int, int] = (224, 224)


SOURCES = {
    one.name: one
    for one in (
        Source("toy_aliens"),
        Source("cookies"),
        Source("brackets", sides=(208, 128)),
        Source("magnetic_tile", runs=100),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Pictures of the study (training and validation), class numbers and rounds."""

    frames: NDArray[np.uint8]
    labels: NDArray[np.int64]
    rounds: list[Round]
    material: Material
    at: NDArray[np.intp]

    def masks(self) -> list[NDArray[np.bool_] | None]:
        """Each picture's mask at the size of the input, where it has one."""
        to = Input(self.frames.shape[2], self.frames.shape[1])
        paths, dataset = [self.material.album.paths[i] for i in self.at], self.material.dataset
        found = masks.read_all(dataset, masks.find(dataset), paths, to)
        return [found.get(path) for path in paths]


def prepare(of: Source, scale: float, data: Path, scratch: Path, deals: int = 1) -> Ground:
    """Read a set and keep what teaches and chooses in the product's split of seed 0."""
    root = data / of.name
    if of.name == "brackets":
        root = scratch / "brackets"
        if not root.exists():
            seed, parts = BRACKETS
            line = VirtualLine(seed, parts, defect_rate=0.5, designs=("bracket",))
            write_dataset(line, root, region=REGION, masks=True)
    width, height = (max(1, round(side * scale / _STEP)) * _STEP for side in of.sides)
    if scale == 1.0:
        width, height = of.sides
    choices = Choices(None, PartRule(None, None, of.runs))
    material = gather(root, choices, Input(width, height), 0, QUIET)
    at = np.concatenate([material.of("train"), material.of("validation")])
    samples = [Sample(material.parts[i], material.dataset.pictures[i].label) for i in at]
    rounds = deal_rounds(samples, 4 * deals, 0)
    return Ground(material.album.frames[at], material.labels[at], rounds, material, at)


def network(classes: int, seed: int) -> Network:
    """The starter's trunk with an empty head."""
    torch.manual_seed(seed)
    made = Network(ARCH, classes)
    weights.fill(made.trunk, ARCH, "starter")
    return made.to(memory_format=torch.channels_last).eval()


def run(key: Key, ground: Ground) -> dict[str, float]:
    """AUROC of the judging parts and loss of the choosing ones, by share of fine-tuning."""
    dealt, recipe = ground.rounds[key.round], VARIANTS[key.variant].recipe()
    labels = of_known_types(ground.labels, dealt.learn)
    net = network(int(labels.max()) + 1, key.round)
    learn, choose, judged = (
        Labelled(ground.frames[at], labels[at]) for at in (dealt.learn, dealt.choose, dealt.judge)
    )
    begun = time.monotonic()
    found = _head(net, learn, choose, judged, recipe)
    came = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    if VARIANTS[key.variant].also:
        both = np.concatenate([dealt.learn, dealt.choose])
        learn = Labelled(ground.frames[both], labels[both])
    tune(net, learn, choose, recipe, seed=key.round, heard=lambda _epoch: None)
    found["seconds"] = round(time.monotonic() - begun, 1)
    went = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    for share in SHARES:
        net.load_state_dict(_between(came, went, share))
        net.eval()
        found[f"loss_{share:g}"] = judge(logits_of(net, choose.frames, bf16=False), choose.labels)[
            0
        ]
        loss, area = judge(logits_of(net, judged.frames, bf16=False), judged.labels)
        found |= {f"auroc_{share:g}": area, f"judged_{share:g}": loss}
    return {name: round(value, 5) for name, value in found.items()}


def _head(
    net: Network, learn: Labelled, choose: Labelled, judged: Labelled, recipe: Recipe
) -> dict[str, float]:
    """Fit the head as training does; `refit` is fitted again with the choosing parts, too."""
    seen, also = (
        [
            head.features(net, view, bf16=False)
            for view in head.views(of.frames, recipe.flips)[: head.FIRST]
        ]
        for of in (learn, choose)
    )
    plain = head.features(net, judged.frames, bf16=False)

    @torch.inference_mode()
    def cost() -> float:
        return judge(net.classify(also[0]).numpy(), choose.labels)[0]

    @torch.inference_mode()
    def area() -> tuple[float, float]:
        return judge(net.classify(plain).numpy(), judged.labels)

    both = [torch.cat(pair) for pair in zip(seen, also, strict=True)]
    every = np.concatenate([learn.labels, choose.labels])
    head.standardise(net, torch.cat(seen))
    strength, least = _fit(net, seen, learn.labels, recipe.head_grid, cost)
    loss, auroc = area()
    kept = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    head.standardise(net, torch.cat(both))
    _fit(net, both, every, (strength,), cost)
    again = area()[1]
    net.load_state_dict(kept)
    return {
        "auroc_0": auroc,
        "judged_0": loss,
        "loss_0": least,
        "auroc_refit": again,
        "C": strength,
    }


def _fit(net: Network, views: list[Tensor], labels, grid, cost) -> tuple[float, float]:  # noqa: ANN001
    return head.fit(net, torch.cat(views), np.tile(labels, len(views)), grid, cost)


def _between(first: dict[str, Tensor], last: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    return {
        k: torch.lerp(first[k], v, share) if v.is_floating_point() and v.isfinite().all() else v
        for k, v in last.items()
    }
