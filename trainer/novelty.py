"""How unlike the good training parts a picture is, place by place; the strangest place tells.

A network can be sure and wrong about what it has never seen, since it only learnt to tell the
known kinds apart. This looks at the same feature maps and knows good parts alone. It is a module
of matrix products, so that it stands in the exported graph. Knows nothing of scores or splits.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from export.preprocess import Pixels
from trainer.backbone import Network, normalise

PREFIX = "novelty."
BATCH = 32
_PIXELS = BATCH * 224 * 224  # in one batch: of large frames fewer fit into memory
_MOST = 20_000  # places that the bank is chosen from
_FLOOR = 0.01  # of the mean variation, below which a direction is not blown up further


@dataclass(frozen=True, slots=True)
class Memory:
    """How much of the good parts is remembered: `axes` directions, `places` prototypes."""

    axes: int = 64
    places: int = 500


class Novelty(nn.Module):
    """Distance to the nearest remembered place of a good part; the largest over all places.

    PatchCore's idea (Roth and others, arXiv:2106.08265) on whitened directions, with the square
    of the distance written out as |x|² - 2xm + |m|², so that it is one 1x1 convolution.

    Attributes:
        fine: (D,A) directions in the finer map's channels.
        coarse: (D,B) directions in the coarser map's channels.
        origin: (D,) what a usual place comes to.
        bank: (M,D) places of good parts.
        unit: () distance that counts as 1.
    """

    fine: Tensor
    coarse: Tensor
    origin: Tensor
    bank: Tensor
    unit: Tensor

    def __init__(self, channels: tuple[int, int], axes: int, places: int) -> None:
        super().__init__()
        self.register_buffer("fine", torch.zeros(axes, channels[0]))
        self.register_buffer("coarse", torch.zeros(axes, channels[1]))
        self.register_buffer("origin", torch.zeros(axes))
        self.register_buffer("bank", torch.zeros(places, axes))
        self.register_buffer("unit", torch.ones(()))

    @classmethod
    def like(cls, tensors: Mapping[str, Tensor]) -> "Novelty | None":
        """An empty one of the sizes that a network's `tensors` have, or None without any."""
        names = ("fine", "coarse", "bank")
        found = [tensors.get(PREFIX + name) for name in names]
        if any(tensor is None or tensor.ndim != 2 for tensor in found):
            return None
        fine, coarse, bank = (tensor.shape for tensor in found if tensor is not None)
        return cls((fine[1], coarse[1]), bank[1], bank[0])

    def places(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Both maps (N,A,h,w), (N,B,h/2,w/2) along the axes: (N,D,h,w), each with its neighbours.

        Averaging over 3x3 places is PatchCore's locally aware feature (section 3.1); it and the
        projection are linear, so the cheaper one comes last.
        """
        size = (int(fine.shape[2]), int(fine.shape[3]))
        far = fn.conv2d(coarse, self.coarse[:, :, None, None], -self.origin)
        near = fn.conv2d(fine, self.fine[:, :, None, None])
        both = near + fn.interpolate(far, size=size, mode="nearest")
        return fn.avg_pool2d(both, 3, stride=1, padding=1, count_include_pad=False)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Novelty (N,) of pictures with these maps; about 1 for a usual good part."""
        seen = self.places(fine, coarse)
        lengths = (self.bank * self.bank).sum(1)
        beyond = fn.conv2d(seen, -2 * self.bank[:, :, None, None], lengths).amin(1)
        squares = beyond + (seen * seen).sum(1)
        return torch.relu(squares.amax((1, 2))).sqrt() / self.unit


def learn(
    network: Network,
    frames: Pixels,
    memory: Memory,
    advance: Callable[[int], None] = lambda _n: None,
) -> None:
    """Give `network` a sense of novelty from good pictures (N,H,W,3) uint8 BGR.

    Its axes are the directions in which the places of good parts vary most, each divided by that
    variation; its bank is spread over them as evenly as it can be. Always the same for the same
    pictures.
    """
    seen, size = _sampled(network, frames, advance)
    middle = seen.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(seen.T).double())
    axes = min(memory.axes, len(values))
    values, vectors = values.flip(0)[:axes].clamp_min(0), vectors.flip(1)[:, :axes]
    directions = (vectors / (values + _FLOOR * values.mean()).sqrt()).float().T
    places = (seen - middle) @ directions.T
    bank = spread_out(places, memory.places)
    novelty = Novelty(size, axes, len(bank))
    novelty.fine.copy_(directions[:, : size[0]])
    novelty.coarse.copy_(directions[:, size[0] :])
    novelty.origin.copy_(directions @ middle)
    novelty.bank.copy_(bank)
    network.novelty = novelty.eval()


def spread_out(points: Tensor, count: int) -> Tensor:
    """`count` of the points (N,D), each the one farthest from those before (greedy k-centre).

    Sener and Savarese, arXiv:1708.00489, algorithm 1: no point is more than twice as far from the
    chosen ones as it would be from the best choice.
    """
    if len(points) <= count:
        return points
    at = int((points - points.mean(0)).square().sum(1).argmin())
    apart = torch.full((len(points),), torch.inf)
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(at)
        apart = torch.minimum(apart, (points - points[at]).square().sum(1))
        at = int(apart.argmax())
    return points[chosen]


@torch.inference_mode()
def survey(
    network: Network, frames: Pixels, advance: Callable[[int], None] = lambda _n: None
) -> tuple[Tensor, Tensor | None]:
    """Pooled features, as `head.features`, and novelty (N,) if the network has a sense of it.

    One pass over (N,H,W,3) uint8 BGR, in float32, as the line computes.
    """
    pooled: list[Tensor] = []
    strange: list[Tensor] = []
    for fine, coarse in _maps(network, frames, advance):
        pooled.append(network.pooled(fine, coarse))
        if network.novelty is not None:
            strange.append(network.novelty(fine, coarse))
    return torch.cat(pooled), torch.cat(strange) if strange else None


def _maps(
    network: Network, frames: Pixels, advance: Callable[[int], None]
) -> Iterator[tuple[Tensor, Tensor]]:
    network.eval()
    size = max(1, min(BATCH, _PIXELS // (frames.shape[1] * frames.shape[2])))
    for start in range(0, len(frames), size):
        batch = torch.from_numpy(np.ascontiguousarray(frames[start : start + size]))
        yield network.maps(normalise(batch))
        advance(len(batch))


@torch.inference_mode()
def _sampled(
    network: Network, frames: Pixels, advance: Callable[[int], None]
) -> tuple[Tensor, tuple[int, int]]:
    """Places (P,A+B) of both maps, with their neighbours, drawn evenly from the pictures."""
    chance = torch.Generator().manual_seed(0)
    kept: list[Tensor] = []
    channels = (0, 0)
    for fine, coarse in _maps(network, frames, advance):
        channels = (int(fine.shape[1]), int(coarse.shape[1]))
        size = (int(fine.shape[2]), int(fine.shape[3]))
        both = torch.cat([fine, fn.interpolate(coarse, size=size, mode="nearest")], 1)
        both = fn.avg_pool2d(both, 3, stride=1, padding=1, count_include_pad=False)
        each = max(1, min(size[0] * size[1], _MOST // len(frames)))
        for picture in both.flatten(2):
            at = torch.randperm(size[0] * size[1], generator=chance)[:each]
            kept.append(picture[:, at].T)
    return torch.cat(kept), channels
