"""How unlike the good training parts a picture is, place by place; the strangest place tells.

A network can be sure and wrong about what it has never seen, since it only learnt to tell the
known kinds apart. This looks at the same feature maps and knows good parts alone. It is a module
of matrix products, so that it stands in the exported graph. Knows nothing of scores or splits.
Why it is this one of several: docs/decisions/0005-novelty-place-by-place.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from export.preprocess import Pixels
from trainer.backbone import Network, normalise
from trainer.crew import crew
from trainer.room import room

PREFIX = "novelty."
BATCH = 32
_PIXELS = BATCH * 224 * 224  # in one batch: of large frames fewer fit into memory
_SURVEYED = 20_000  # places that the axes are found from
_FLOOR = 0.01  # of the mean variation, below which a direction is not blown up further


@dataclass(frozen=True, slots=True)
class Memory:
    """How much of the good parts is remembered.

    Attributes:
        axes: directions in which places are compared.
        ridge: variance added in each, where 1 is what places vary by; a direction in which a
            place was never seen to vary counts by this alone.
    """

    axes: int = 32
    ridge: float = 0.1


class Novelty(nn.Module):
    """How far a place lies from what good parts show there; the largest over all places.

    The Mahalanobis distance of every place to its own mean and covariance, as in PaDiM (Defard and
    others, arXiv:2011.08785), on the directions in which the places of good parts vary most.

    Attributes:
        fine: (D,A) directions in the finer map's channels.
        coarse: (D,B) directions in the coarser map's channels.
        usual: (D,h,w) the mean of each place of the finer map.
        whiten: (P,D,D) for each of the P=h*w places, what makes its variation a unit sphere.
        unit: () distance that counts as 1.
    """

    fine: Tensor
    coarse: Tensor
    usual: Tensor
    whiten: Tensor
    unit: Tensor

    def __init__(self, channels: tuple[int, int], axes: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("fine", torch.zeros(axes, channels[0]))
        self.register_buffer("coarse", torch.zeros(axes, channels[1]))
        self.register_buffer("usual", torch.zeros(axes, *grid))
        self.register_buffer("whiten", torch.zeros(grid[0] * grid[1], axes, axes))
        self.register_buffer("unit", torch.ones(()))

    @classmethod
    def like(cls, tensors: Mapping[str, Tensor]) -> "Novelty | None":
        """An empty one of the sizes that a network's `tensors` have, or None without any."""
        found = [tensors.get(PREFIX + name) for name in ("fine", "coarse", "usual")]
        shapes = [tensor.shape for tensor in found if tensor is not None]
        if [len(shape) for shape in shapes] != [2, 2, 3]:
            return None
        fine, coarse, usual = shapes
        return cls((fine[1], coarse[1]), usual[0], (usual[1], usual[2]))

    def places(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Both maps (N,A,h,w), (N,B,h/2,w/2) along the axes: (N,D,h,w), each with its neighbours.

        Averaging over 3x3 places is PatchCore's locally aware feature (Roth and others,
        arXiv:2106.08265, section 3.1); it and the projection are linear, so it comes last, where
        it is cheap.
        """
        size = (int(fine.shape[2]), int(fine.shape[3]))
        near = fn.conv2d(fine, self.fine[:, :, None, None])
        far = fn.conv2d(coarse, self.coarse[:, :, None, None])
        return _neighbourhoods(near + fn.interpolate(far, size=size, mode="nearest"))

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Novelty (N,) of pictures with these maps; about 1 for a usual good part."""
        apart = (self.places(fine, coarse) - self.usual).flatten(2).permute(2, 0, 1)
        squares = (apart @ self.whiten).square().sum(2)
        return squares.amax(0).sqrt() / self.unit


def learn(
    network: Network,
    frames: Pixels,
    memory: Memory,
    advance: Callable[[int], None] = lambda _n: None,
) -> None:
    """Give `network` a sense of novelty from good pictures (N,H,W,3) uint8 BGR, N > 0.

    The axes are the directions in which places of good parts vary most, each divided by that
    variation, found from some of the pictures; mean and covariance by place come from all.
    `advance` hears of the second pass alone.
    """
    with torch.no_grad():
        novelty = _axes(network, frames, memory)
        shown = (novelty.places(*both) for both in _maps(network, frames, advance))
        usual, covariance = _moments(shown)
        novelty.usual.copy_(usual.mT.view_as(novelty.usual))
        ridge = memory.ridge * torch.eye(covariance.shape[1], dtype=torch.float64)
        lower = torch.linalg.cholesky(torch.linalg.inv(covariance + ridge))
        novelty.whiten.copy_(lower)
    network.novelty = novelty.eval()


def _moments(batches: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean (P,D) and covariance (P,D,D), in double, of each of P places of batches (N,D,h,w).

    Sums are of what is apart from the first batch's mean, so that little cancels in the end.
    """
    count, start = 0, torch.empty(0)
    total, squares = torch.zeros(()), torch.zeros(())
    for batch in batches:
        at = batch.flatten(2).permute(2, 0, 1).double()
        if not count:
            start = at.mean(1, keepdim=True)
        at = at - start
        count, total, squares = count + len(batch), total + at.sum(1), squares + at.mT @ at
    mean = total / count
    covariance = (squares - count * mean[:, :, None] * mean[:, None, :]) / max(1, count - 1)
    return mean + start[:, 0], covariance


@torch.no_grad()
def survey(
    network: Network, frames: Pixels, advance: Callable[[int], None] = lambda _n: None
) -> tuple[Tensor, Tensor | None]:
    """Pooled features, as `head.features`, and novelty (N,) if the network has a sense of it.

    One pass over (N,H,W,3) uint8 BGR, in float32, as the line computes.
    """
    strange = torch.empty(len(frames))
    mine = crew().share(len(frames))

    def looks() -> Iterator[Tensor]:
        at = mine.start
        for fine, coarse in _maps(network, frames[mine.start : mine.stop], advance):
            if network.novelty is not None:
                strange[at : at + len(fine)] = network.novelty(fine, coarse)
            at += len(fine)
            yield network.pooled(fine, coarse)

    pooled = crew().collect(room().filled(looks(), len(frames), mine.start))
    return pooled, None if network.novelty is None else crew().collect(strange)


def _maps(
    network: Network, frames: Pixels, advance: Callable[[int], None]
) -> Iterator[tuple[Tensor, Tensor]]:
    network.eval()
    size = max(1, min(BATCH, _PIXELS // (frames.shape[1] * frames.shape[2])))
    for start in range(0, len(frames), size):
        batch = torch.from_numpy(np.ascontiguousarray(frames[start : start + size]))
        fine, coarse = network.maps(normalise(batch.to(network.device)))
        yield fine.cpu(), coarse.cpu()
        advance(len(batch))


def _axes(network: Network, frames: Pixels, memory: Memory) -> Novelty:
    """A module whose axes are found from places of evenly picked pictures."""
    fine, coarse = next(_maps(network, frames[:1], lambda _n: None))
    grid = (int(fine.shape[2]), int(fine.shape[3]))
    count = min(len(frames), max(2, _SURVEYED // (grid[0] * grid[1])))
    picked = np.linspace(0, len(frames) - 1, count).round().astype(int)
    seen = torch.cat(
        [
            _neighbourhoods(
                torch.cat([near, fn.interpolate(far, size=grid, mode="nearest")], 1)
            ).transpose(0, 1).flatten(1)
            for near, far in _maps(network, frames[picked], lambda _n: None)
        ],
        1,
    )  # fmt: skip
    values, vectors = torch.linalg.eigh(torch.cov(seen).double())
    axes = min(memory.axes, len(values))
    values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)[:, :axes]
    spread = (values[:axes] + _FLOOR * values[:axes].mean()).clamp_min(1e-12).sqrt()
    directions = (vectors / spread).float().T
    channels = (int(fine.shape[1]), int(coarse.shape[1]))
    novelty = Novelty(channels, axes, grid)
    novelty.fine.copy_(directions[:, : channels[0]])
    novelty.coarse.copy_(directions[:, channels[0] :])
    return novelty


def _neighbourhoods(maps: Tensor) -> Tensor:
    return fn.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)
