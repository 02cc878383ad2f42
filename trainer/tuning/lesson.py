"""What a network learns from, batch by batch: pictures changed anew, or maps computed once.

Where lower stages stay as they are, they see each picture in a few fixed views, once; every epoch
then learns from the maps they gave. It knows nothing of optimisers or files.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.errors import RunError
from export.preprocess import Pixels
from trainer.augment import augment
from trainer.backbone import Network, normalise
from trainer.crew import crew
from trainer.head import BATCH, features
from trainer.recipe import Recipe
from trainer.room import room
from trainer.tuning.halves import Halves, cut

Batches = Iterator[tuple[Tensor, Tensor]]
Heard = Callable[[int], None]
MEMORY_BYTES, DISK_BYTES = 1 << 30, 8 << 30
_LARGEST = float(torch.finfo(torch.float16).max)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Pictures of one split: frames (N,H,W,3) uint8 BGR and class numbers (N,).

    Class 0 is good, unless all are `types` of defect.
    """

    frames: Pixels
    labels: NDArray[np.int64]
    types: bool = False


def portions(data: Labelled, recipe: Recipe) -> int:
    """How many steps an epoch has."""
    return math.ceil(len(data.labels) / recipe.batch)


def _dealt(data: Labelled, recipe: Recipe, chance: torch.Generator) -> list[NDArray[np.intp]]:
    """One epoch's batches, each this process's share of one."""
    order = torch.randperm(len(data.labels), generator=chance)
    # Even portions: a last batch of one would give BatchNorm nothing to average over.
    shared: list[NDArray[np.intp]] = []
    for portion in torch.tensor_split(order, portions(data, recipe)):
        mine = crew().share(len(portion))
        shared.append(portion[mine.start : mine.stop].numpy())
    return shared


def check_shares(data: Labelled, recipe: Recipe) -> None:
    """Raises RunError if a batch has less than two pictures for each process."""
    least = len(data.labels) // portions(data, recipe)
    if crew().size > 1 and least < 2 * crew().size:
        raise RunError(
            f"a batch of {least} pictures is too small for {crew().size} processes",
            "start fewer processes, or raise `batch` in the recipe",
        )


class Anew:
    """Every picture is changed anew each time, and the whole network sees it."""

    def __init__(self, network: Network, train: Labelled, unseen: Labelled, recipe: Recipe) -> None:
        self._network, self._train, self._unseen = network, train, unseen
        self._recipe = recipe

    def batches(self, chance: torch.Generator) -> Batches:
        """One epoch: pictures (B,3,H,W) and their class numbers (B,)."""
        dealt, own = _dealt(self._train, self._recipe, chance), crew().chance(chance)
        for index in dealt:
            x = normalise(torch.from_numpy(self._train.frames[index]))
            yield augment(x, self._recipe, own), torch.from_numpy(self._train.labels[index])

    def features(self, x: Tensor) -> Tensor:
        """Pooled features (B,F) of a batch."""
        with _autocast(self._network, self._recipe):
            return self._network.features(x).float()

    def unseen(self) -> Tensor:
        """Pooled features of the validation pictures."""
        return features(self._network, self._unseen.frames, self._recipe.bf16)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many bytes of maps may be kept, wherever they lie (trainer/room.py)."""

    bytes: int = MEMORY_BYTES

    def views(self, wanted: int, view_bytes: int, more_bytes: int) -> int:
        """How many of the wanted views fit, each of `view_bytes`, beside `more_bytes`; may be 0."""
        return min(wanted, max(0, self.bytes - more_bytes) // max(1, view_bytes))


class Once:
    """The frozen stages have seen every view of every picture, once; an epoch is the rest."""

    def __init__(
        self, network: Network, train: Labelled, unseen: Labelled, recipe: Recipe, halves: Halves
    ) -> None:
        self._network, self._train, self._unseen = network, train, unseen
        self._recipe, self._halves = recipe, halves
        self._views: NDArray[np.float16] = np.empty((0,), np.float16)
        self._plain = self._views

    def fill(self, allowed: Allowance, seed: int, heard: Heard = lambda _n: None) -> int:
        """Run the frozen stages; returns how many views each picture got, 0 if none fits."""
        self._network.eval()
        shape = self._lower(self._train.frames[:1], 0, torch.Generator()).shape[1:]
        one = 2 * math.prod(shape)
        kept = len(self._unseen.labels) * one
        count = allowed.views(self._recipe.views, len(self._train.labels) * one, kept)
        if not count:
            return 0
        self._plain = room().empty((len(self._unseen.labels), *shape), np.float16)
        self._write(self._plain, self._unseen.frames, view=0, chance=torch.Generator(), heard=heard)
        self._views = room().empty((count, len(self._train.labels), *shape), np.float16)
        for number in range(count):
            chance = torch.Generator().manual_seed(seed * 1000 + number)
            self._write(
                self._views[number], self._train.frames, view=number, chance=chance, heard=heard
            )
        return count

    def _write(
        self,
        to: NDArray[np.float16],
        frames: Pixels,
        *,
        view: int,
        chance: torch.Generator,
        heard: Heard,
    ) -> None:
        mine, own = crew().share(len(frames)), crew().chance(chance)
        for start in range(mine.start, mine.stop, BATCH):
            maps = self._lower(frames[start : min(start + BATCH, mine.stop)], view, own)
            to[start : start + len(maps)] = maps.clamp(max=_LARGEST).half().cpu().numpy()
            heard(len(maps))
        crew().collect(torch.from_numpy(to))

    @torch.inference_mode()
    def _lower(self, frames: Pixels, view: int, chance: torch.Generator) -> Tensor:
        """The boundary's maps of one view: 0 as it is, others changed by `chance`."""
        x = normalise(torch.from_numpy(np.ascontiguousarray(frames)))
        if view:
            x = augment(x, self._recipe, chance)
        with _autocast(self._network, self._recipe):
            return self._halves.lower(x.to(self._network.device)).float()

    def batches(self, chance: torch.Generator) -> Batches:
        """One epoch: maps (B,c,h,w) of one view of each picture, and class numbers (B,)."""
        dealt, own = _dealt(self._train, self._recipe, chance), crew().chance(chance)
        for index in dealt:
            which = torch.randint(len(self._views), (len(index),), generator=own).numpy()
            maps = torch.from_numpy(self._views[which, index])
            yield _ready(maps), torch.from_numpy(self._train.labels[index])

    def features(self, x: Tensor) -> Tensor:
        """Pooled features (B,F) of a batch."""
        with _autocast(self._network, self._recipe):
            stages = self._halves.upper(x.to(self._network.device))
            return self._network.pooled(stages["fine"], stages["coarse"]).float()

    @torch.inference_mode()
    def unseen(self) -> Tensor:
        """Pooled features of the validation pictures."""
        self._network.eval()
        mine = crew().share(len(self._plain))
        plain = self._plain[mine.start : mine.stop]
        batches = np.array_split(plain, math.ceil(len(plain) / BATCH))
        told = (self.features(_ready(torch.from_numpy(maps))) for maps in batches)
        return crew().collect(room().filled(told, len(self._plain), mine.start))


def _autocast(network: Network, recipe: Recipe) -> torch.autocast:
    return torch.autocast(network.device.type, torch.bfloat16, enabled=recipe.bf16)


def _ready(maps: Tensor) -> Tensor:
    return maps.float().contiguous(memory_format=torch.channels_last)


def halves_of(network: Network, recipe: Recipe) -> Halves | None:
    """The network in two, if the recipe leaves a lower part that never changes."""
    if recipe.norm or recipe.thawed == len(network.arch.stages):
        return None
    return cut(network, recipe.thawed)
