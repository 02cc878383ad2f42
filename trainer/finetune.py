"""Fine-tuning: the head's network thaws, and the epoch that validation likes best is kept.

An epoch is judged by its validation loss after the best temperature (Berta and others,
arXiv:2501.19195): the plain loss also punishes overconfidence, which calibration mends later.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor, nn
from torch.nn import functional as fn

from export.preprocess import Pixels
from trainer import calibrate
from trainer.augment import augment
from trainer.backbone import Network, normalise
from trainer.head import features
from trainer.rates import auroc
from trainer.recipe import Recipe

_LARGEST_STEP = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Pictures of one split: frames (N,H,W,3) uint8 BGR and class numbers (N,)."""

    frames: Pixels
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of epochs.jsonl; epoch 0 is the head alone, which has no training loss."""

    phase: str
    epoch: int
    train_loss: float | None
    validation_loss: float
    validation_auroc: float


def judge(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Loss after the best temperature, and AUROC of good against defective."""
    t = calibrate.temperature(logits, labels)
    chances = log_softmax(logits / t, axis=1)
    loss = -float(chances[np.arange(len(labels)), labels].mean())
    return loss, auroc(-chances[:, 0], labels != 0)


@torch.inference_mode()
def logits_of(network: Network, frames: Pixels, bf16: bool) -> NDArray[np.float32]:
    """Logits (N,C) of (N,H,W,3) uint8 BGR."""
    return network.classify(features(network, frames, bf16)).numpy()


class Average:
    """The running average of a network's tensors, quick at first, then slow (`decay`)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._steps = 0
        self.state = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network as it is after a step."""
        self._steps += 1
        keep = min(self._decay, self._steps / (self._steps + 9))
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point() and name not in ("centre", "spread"):
                self.state[name].lerp_(tensor, 1 - keep)
            else:
                self.state[name].copy_(tensor)


def tune(
    network: Network,
    train: Labelled,
    validation: Labelled,
    recipe: Recipe,
    *,
    seed: int,
    heard: Callable[[Epoch], None],
) -> float:
    """Fine-tune in place; the network ends as its best epoch's running average.

    Args:
        network: with a head that already fits its features.
        train: what to learn from.
        validation: what to choose the epoch by.
        recipe: how.
        seed: of the order of pictures and their changes.
        heard: told of every epoch.

    Returns:
        The best epoch's validation loss at its best temperature.
    """
    chance = torch.Generator().manual_seed(seed)
    pupil = _Pupil(network, recipe, train)
    best, kept = math.inf, pupil.average.state
    for epoch in range(1, recipe.epochs + 1):
        _set_mode(network, recipe)
        losses = [pupil.step(x, y) for x, y in _batches(train, recipe, chance)]
        live = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        network.load_state_dict(pupil.average.state)
        cost, area = judge(logits_of(network, validation.frames, recipe.bf16), validation.labels)
        if cost < best:
            best, kept = cost, {k: v.clone() for k, v in pupil.average.state.items()}
        network.load_state_dict(live)
        heard(Epoch("tune", epoch, float(np.mean(losses)), cost, area))
    network.load_state_dict(kept)
    network.eval()
    return best


class _Pupil:
    """A network while it learns: its optimiser, its learning rate's course, its average."""

    def __init__(self, network: Network, recipe: Recipe, train: Labelled) -> None:
        steps = recipe.epochs * _portions(train, recipe)
        self._network, self._recipe = network, recipe
        self._weight = _class_weights(train.labels, network.head.out_features)
        self._optimiser = torch.optim.AdamW(_groups(network, recipe))
        self._course = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda at: _pace(at, steps, recipe.warmup)
        )
        self.average = Average(network, recipe.ema)

    def step(self, x: Tensor, labels: Tensor) -> float:
        """Learn from one batch; returns its loss."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self._recipe.bf16):
            seen = self._network.features(x)
        logits = self._network.classify(seen.float())
        smoothing = self._recipe.smoothing
        loss = fn.cross_entropy(logits, labels, self._weight, label_smoothing=smoothing)
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), _LARGEST_STEP)
        self._optimiser.step()
        self._course.step()
        self.average.update(self._network)
        return loss.item()


def _groups(network: Network, recipe: Recipe) -> list[dict[str, object]]:
    """Parameter groups: the head at full rate, thawed stages lower the nearer to the input."""
    stages = network.arch.stages
    rates: dict[int, float] = {
        len(stages) - 1 - depth: recipe.rate * recipe.trunk_rate * recipe.decay**depth
        for depth in range(recipe.thawed)
    }
    groups: list[dict[str, object]] = [
        _group([network.head.weight], recipe.rate, recipe.weight_decay),
        _group([network.head.bias], recipe.rate, 0.0),
    ]
    for name, parameter in network.trunk.named_parameters():
        stage = next(i for i, prefixes in enumerate(stages) if name.startswith(prefixes))
        parameter.requires_grad_(stage in rates)
        if stage in rates:
            decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
            groups.append(_group([parameter], rates[stage], decay))
    return groups


def _group(parameters: list[Tensor], rate: float, decay: float) -> dict[str, object]:
    return {"params": parameters, "lr": rate, "weight_decay": decay}


def _pace(at: int, steps: int, warmup: float) -> float:
    """The learning rate's factor: a linear rise, then half a cosine down to nothing."""
    rise = max(1, round(warmup * steps))
    if at < rise:
        return (at + 1) / rise
    return 0.5 + 0.5 * math.cos(math.pi * (at - rise) / max(1, steps - rise))


def _class_weights(labels: NDArray[np.int64], classes: int) -> Tensor:
    """Balanced: every class weighs the same, however many pictures it has."""
    counts = np.bincount(labels, minlength=classes)
    return torch.from_numpy((len(labels) / (classes * counts)).astype(np.float32))


def _set_mode(network: Network, recipe: Recipe) -> None:
    """BatchNorm keeps the averages it came with, unless the recipe has it learn its own."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train(recipe.norm)


def _portions(data: Labelled, recipe: Recipe) -> int:
    return math.ceil(len(data.labels) / recipe.batch)


def _batches(
    data: Labelled, recipe: Recipe, chance: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(data.labels), generator=chance)
    # Even portions: a last batch of one would give BatchNorm nothing to average over.
    for portion in torch.tensor_split(order, _portions(data, recipe)):
        index = portion.numpy()
        x = normalise(torch.from_numpy(data.frames[index]))
        yield augment(x, recipe, chance), torch.from_numpy(data.labels[index])
