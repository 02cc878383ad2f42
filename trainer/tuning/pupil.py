"""A network while it learns: its optimiser, its learning rate's course, its running average.

It takes one step at a time and can be written down between two steps. It knows nothing of
pictures, epochs or validation.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as fn

from trainer.backbone import Network
from trainer.crew import crew
from trainer.recipe import Recipe

Tensors = dict[str, Tensor]

_LARGEST_STEP = 5.0
_FIXED = ("centre", "spread")  # the head's standardisation, which does not learn


class Average:
    """The running average of a network's learning tensors, quick at first, then slow (`decay`).

    Attributes:
        state: the tensors that `names` lists (all, if None), averaged over the steps.
        steps: taken in so far.
    """

    def __init__(self, network: nn.Module, decay: float, names: set[str] | None = None) -> None:
        self._decay = decay
        self.steps = 0
        whole = network.state_dict()
        self.state = {
            k: v.detach().clone() for k, v in whole.items() if names is None or k in names
        }

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network as it is after a step."""
        self.steps += 1
        keep = min(self._decay, self.steps / (self.steps + 9))
        whole = network.state_dict()
        for name, mine in self.state.items():
            if mine.is_floating_point() and name not in _FIXED:
                mine.lerp_(whole[name], 1 - keep)
            else:
                mine.copy_(whole[name])


class Pupil:
    """Takes steps, each with the loss that the recipe asks for.

    `anchor` pulls the thawed stages back to where they began (L2-SP: Li, Grandvalet and Davoine,
    arXiv:1802.01483), apart from the gradient, as AdamW's own decay is.
    """

    def __init__(
        self, network: Network, recipe: Recipe, labels: NDArray[np.int64], steps: int
    ) -> None:
        self._network, self._recipe = network, recipe
        self._weight = class_weights(labels, network.head.out_features)
        self._groups = _groups(network, recipe)
        self._anchors = [
            (p, p.detach().clone()) for group in self._groups[2:] for p in group["params"]
        ]
        self._optimiser = torch.optim.AdamW(self._groups)
        self._course = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda at: _pace(at, steps, recipe.warmup)
        )
        self.average = Average(network, recipe.ema, learning(network, recipe))

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy; every class weighs the same, however many pictures it has.

        Of several processes each gives its part, so that their sum is the whole batch's.
        """
        smoothing = self._recipe.smoothing
        loss = fn.cross_entropy(logits, labels, self._weight, label_smoothing=smoothing)
        weight = self._weight[labels].sum().item()
        return loss if crew().size == 1 else loss * (weight / crew().total(weight))

    def step(self) -> None:
        """Take the step that everyone's gradients ask for."""
        self._join()
        nn.utils.clip_grad_norm_(self._network.parameters(), _LARGEST_STEP)
        self._optimiser.step()
        self._pull()
        self._optimiser.zero_grad()
        self._course.step()
        self.average.update(self._network)

    def _join(self) -> None:
        """Add up the processes' gradients, and average what BatchNorm has learnt of its own."""
        learning = [p for group in self._groups for p in group["params"]]
        crew().add(p.grad for p in learning if p.grad is not None)
        if self._recipe.norm:
            averages = (b for b in self._network.trunk.buffers() if b.is_floating_point())
            crew().add(averages, 1 / crew().size)

    @torch.no_grad()
    def _pull(self) -> None:
        if not self._recipe.anchor:
            return
        rates = [g["lr"] for g in self._optimiser.param_groups[2:] for _ in g["params"]]
        for (parameter, began), rate in zip(self._anchors, rates, strict=True):
            parameter.lerp_(began, min(1.0, rate * self._recipe.anchor))

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, but for the network's own tensors."""
        return {
            "optimiser": self._optimiser.state_dict(),
            "course": self._course.state_dict(),
            "average": self.average.state,
            "averaged": self.average.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._optimiser.load_state_dict(state["optimiser"])
        self._course.load_state_dict(state["course"])
        self.average.steps = state["averaged"]
        for name, tensor in state["average"].items():
            self.average.state[name].copy_(tensor)


def learning(network: Network, recipe: Recipe) -> set[str]:
    """Names of the network's tensors that this recipe can change."""
    stages = network.arch.stages
    thawed = tuple(f"trunk.{p}" for stage in stages[len(stages) - recipe.thawed :] for p in stage)
    return {name for name in network.state_dict() if name.startswith(("head.", *thawed))}


def class_weights(labels: NDArray[np.int64], classes: int) -> Tensor:
    """(C,) float32: balanced; a class without a picture weighs nothing."""
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    weight = np.where(counts, len(labels) / (present * np.maximum(1, counts)), 0.0)
    return torch.from_numpy(weight.astype(np.float32))


def set_mode(network: Network, recipe: Recipe) -> None:
    """BatchNorm keeps the averages it came with, unless the recipe has it learn its own."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train(recipe.norm)


def _groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameter groups: the head at full rate, thawed stages lower the nearer to the input."""
    stages = network.arch.stages
    rates: dict[int, float] = {
        len(stages) - 1 - depth: recipe.rate * recipe.trunk_rate * recipe.decay**depth
        for depth in range(recipe.thawed)
    }
    groups: list[dict[str, Any]] = [
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


def _group(parameters: list[Tensor], rate: float, decay: float) -> dict[str, Any]:
    return {"params": parameters, "lr": rate, "weight_decay": decay}


def _pace(at: int, steps: int, warmup: float) -> float:
    """The learning rate's factor: a linear rise, then half a cosine down to nothing."""
    rise = max(1, round(warmup * steps))
    if at < rise:
        return (at + 1) / rise
    return 0.5 + 0.5 * math.cos(math.pi * (at - rise) / max(1, steps - rise))
