"""Fine-tuning: the head's network thaws, and validation decides how far to follow it.

An epoch is judged by its validation loss after the best temperature (Berta and others,
arXiv:2501.19195): the plain loss also punishes overconfidence, which calibration mends later.
"""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor

from export.preprocess import Pixels
from trainer import calibrate
from trainer.backbone import Network
from trainer.crew import crew
from trainer.head import features, logits
from trainer.progress import Progress
from trainer.rates import auroc
from trainer.recipe import Recipe
from trainer.tuning.checkpoint import Checkpoint
from trainer.tuning.lesson import (
    DISK_BYTES,
    MEMORY_BYTES,
    Allowance,
    Anew,
    Batches,
    Labelled,
    Once,
    check_shares,
    halves_of,
    portions,
)
from trainer.tuning.pupil import Pupil, Tensors, learning, set_mode

__all__ = ["Epoch", "Labelled", "judge", "logits_of", "loss_of", "tune"]

PLACES = ("loading", "forward", "backward", "step", "validation")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of epochs.jsonl.

    Attributes:
        phase: `head C=…`, `tune`, or `mix`, the last.
        epoch: from 1; 0 is the head alone.
        train_loss: mean over the epoch's steps; None where nothing was learnt.
        validation_loss: at the best temperature.
        validation_auroc: good against defective; None where no class is good.
        share: of fine-tuning in the mix: 0 is the head alone, 1 the best epoch.
        seconds: what the epoch's time went into.
    """

    phase: str
    epoch: int
    train_loss: float | None
    validation_loss: float
    validation_auroc: float | None
    share: float | None = None
    seconds: dict[str, float] = field(default_factory=dict[str, float])


class Lesson(Protocol):
    """What there is to learn from, and to be judged by."""

    def batches(self, chance: torch.Generator) -> Batches:
        """One epoch: what the network takes (B,…), and class numbers (B,)."""
        ...

    def features(self, x: Tensor) -> Tensor:
        """Pooled features (B,F) of a batch."""
        ...

    def unseen(self) -> Tensor:
        """Pooled features of the validation pictures."""
        ...


def judge(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Loss after the best temperature, and AUROC of good against defective."""
    chances = _warm(logits, labels)
    return _loss(chances, labels), auroc(-chances[:, 0], labels != 0)


def loss_of(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Loss after the best temperature, whatever the classes are."""
    return _loss(_warm(logits, labels), labels)


def _warm(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.floating]:
    """Log probabilities (N,C) at the temperature that suits the labels (N,) best."""
    return log_softmax(logits / calibrate.temperature(logits, labels), axis=1)


def _loss(chances: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    return -float(chances[np.arange(len(labels)), labels].mean())


def logits_of(network: Network, frames: Pixels, bf16: bool) -> NDArray[np.float32]:
    """Logits (N,C) of (N,H,W,3) uint8 BGR."""
    return logits(network, features(network, frames, bf16))


def tune(
    network: Network,
    train: Labelled,
    validation: Labelled,
    recipe: Recipe,
    *,
    seed: int,
    heard: Callable[[Epoch], None],
    progress: Progress | None = None,
    folder: Path | None = None,
    mark: str = "",
) -> float:
    """Fine-tune in place; the network ends where validation liked it best on the way from before.

    The best epoch's running average and the network as it came are mixed weight by weight
    (WiSE-FT: Wortsman and others, arXiv:2109.01903), in the share that costs least on validation;
    share 0 is the network as it came.

    Args:
        network: with a head that already fits its features.
        train: what to learn from.
        validation: what to choose the epoch and the share by.
        recipe: how.
        seed: of the order of pictures and their changes.
        heard: told of every epoch, and of the mix.
        progress: told what takes how long.
        folder: keeps a checkpoint, from which a later call with the same arguments goes on with
            the same result; None: no checkpoint, and less space for maps.
        mark: what the checkpoint must agree with besides, such as the pictures' fingerprint.

    Returns:
        The validation loss of what is kept, at its best temperature.
    """
    progress = progress or Progress(None)
    check_shares(train, recipe)
    crew().lead(network)
    allowed = Allowance(DISK_BYTES if folder else MEMORY_BYTES)
    lesson = _lesson(
        network, train, validation, recipe, allowed=allowed, seed=seed, progress=progress
    )
    course = _Course(network, lesson, train, validation, recipe)
    checkpoint = Checkpoint(folder, mark)
    course.follow(seed, checkpoint, heard, progress)
    return course.mix(heard)


def _lesson(
    network: Network,
    train: Labelled,
    validation: Labelled,
    recipe: Recipe,
    *,
    allowed: Allowance,
    seed: int,
    progress: Progress,
) -> Lesson:
    halves = halves_of(network, recipe)
    if halves is None:
        return Anew(network, train, validation, recipe)
    once = Once(network, train, validation, recipe, halves)
    total = len(train.labels) * recipe.views + len(validation.labels)
    with progress.phase("frozen stages", total) as advance:
        views = once.fill(allowed, seed, advance)
    if views < recipe.views:
        progress.say(f"  {views} of {recipe.views} views fit into {allowed.bytes >> 30} GiB")
    return once if views else Anew(network, train, validation, recipe)


class _Course:
    """Epoch after epoch, the best of them kept."""

    def __init__(
        self,
        network: Network,
        lesson: Lesson,
        train: Labelled,
        validation: Labelled,
        recipe: Recipe,
    ) -> None:
        self._network, self._lesson, self._recipe = network, lesson, recipe
        self._labels, self._types = validation.labels, validation.types
        names = learning(network, recipe)
        self._came = {k: v.clone() for k, v in network.state_dict().items() if k in names}
        with torch.no_grad():
            network.head.weight.mul_(recipe.head_start)
            network.head.bias.mul_(recipe.head_start)
        steps = recipe.epochs * portions(train, recipe)
        self._pupil = Pupil(network, recipe, train.labels, steps)
        self._best, self._kept, self._epochs = math.inf, self._came, list[Epoch]()

    def follow(
        self,
        seed: int,
        checkpoint: Checkpoint,
        heard: Callable[[Epoch], None],
        progress: Progress,
    ) -> None:
        """Take every epoch, or those that the checkpoint lacks."""
        chance = torch.Generator().manual_seed(seed)
        before = crew().agreed(checkpoint.load())
        if before is not None:
            self._restore(before, chance)
            progress.say(f"  going on after epoch {len(self._epochs)} of an interrupted run")
            for epoch in self._epochs:
                heard(epoch)
        while len(self._epochs) < self._recipe.epochs and not self._tired():
            epoch = self._epoch(chance, progress)
            checkpoint.save(self._state(chance))
            heard(epoch)

    def _tired(self) -> bool:
        """Whether the best epoch lies `patience` epochs back."""
        if not self._recipe.patience or not self._epochs:
            return False
        costs = [epoch.validation_loss for epoch in self._epochs]
        return len(costs) - 1 - costs.index(min(costs)) >= self._recipe.patience

    def _epoch(self, chance: torch.Generator, progress: Progress) -> Epoch:
        before = dict(progress.spent)
        set_mode(self._network, self._recipe)
        losses: list[float] = []
        batches = self._lesson.batches(chance)
        while (batch := _next(batches, progress)) is not None:
            losses.append(self._step(*batch, progress))
        with progress.measured("validation"), self._as(self._pupil.average.state):
            cost, area = self._judged()
        if cost < self._best:
            self._best = cost
            self._kept = {k: v.clone() for k, v in self._pupil.average.state.items()}
        took = {k: round(progress.spent[k] - before.get(k, 0.0), 3) for k in PLACES}
        epoch = Epoch(
            "tune", len(self._epochs) + 1, float(np.mean(losses)), cost, area, seconds=took
        )
        self._epochs.append(epoch)
        return epoch

    def _step(self, x: Tensor, labels: Tensor, progress: Progress) -> float:
        with progress.measured("forward"):
            loss = self._pupil.loss(self._network.classify(self._lesson.features(x)), labels)
        with progress.measured("backward"):
            loss.backward()
        with progress.measured("step"):
            self._pupil.step()
        return crew().total(loss.item())

    def _judged(self) -> tuple[float, float | None]:
        told = logits(self._network, self._lesson.unseen())
        if self._types:
            return loss_of(told, self._labels), None
        return judge(told, self._labels)

    @contextmanager
    def _as(self, tensors: Tensors) -> Iterator[None]:
        """The network with other tensors for a while."""
        live = {k: v.clone() for k, v in self._network.state_dict().items() if k in tensors}
        self._network.load_state_dict(tensors, strict=False)
        yield
        self._network.load_state_dict(live, strict=False)

    def mix(self, heard: Callable[[Epoch], None]) -> float:
        """Leave the network at the best share between before and after; returns its loss."""
        tried: list[tuple[float, float, float | None]] = []
        for share in self._recipe.mix:
            with self._as(_between(self._came, self._kept, share)):
                cost, area = self._judged()
            tried.append((cost, share, area))
        cost, share, area = min(tried, key=lambda one: one[:2])
        self._network.load_state_dict(_between(self._came, self._kept, share), strict=False)
        self._network.eval()
        heard(Epoch("mix", len(self._epochs), None, cost, area, share))
        return cost

    def _state(self, chance: torch.Generator) -> dict[str, Any]:
        """All that the next epoch depends on; what never changes is left out."""
        names = self._came.keys()
        return {
            "network": {k: v for k, v in self._network.state_dict().items() if k in names},
            "pupil": self._pupil.state(),
            "kept": self._kept,
            "best": self._best,
            "chance": chance.get_state(),
            "epochs": json.dumps([asdict(epoch) for epoch in self._epochs]),
        }

    def _restore(self, state: dict[str, Any], chance: torch.Generator) -> None:
        self._network.load_state_dict(state["network"], strict=False)
        self._pupil.restore(state["pupil"])
        self._kept = {k: v.to(self._came[k].device) for k, v in state["kept"].items()}
        self._best = state["best"]
        chance.set_state(state["chance"])
        self._epochs = [Epoch(**one) for one in json.loads(state["epochs"])]


def _next(batches: Batches, progress: Progress) -> tuple[Tensor, Tensor] | None:
    with progress.measured("loading"):
        return next(batches, None)


def _between(first: Tensors, second: Tensors, share: float) -> Tensors:
    """A share of the way from the first tensors to the second; whole numbers are the second's."""
    return {
        k: torch.lerp(first[k], v, share) if v.is_floating_point() else v for k, v in second.items()
    }
