"""The quick model: a logistic head on features of the frozen trunk, computed once per picture.

Seconds instead of minutes, so it is both the starting point of fine-tuning and the mark that
fine-tuning must beat.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from export.preprocess import Pixels
from trainer.backbone import Network, normalise
from trainer.crew import crew
from trainer.instances import Bags
from trainer.room import room

BATCH = 32
_PIXELS = BATCH * 224 * 224  # in one batch: of large frames fewer fit into memory
_FLAT = 1e-6
_PART_BYTES = 8 << 20  # of features that are computed from at a time
FIRST = 2  # views that teach at first


def views(frames: Pixels, flips: bool) -> list[Pixels]:
    """The fixed views of (N,H,W,3) that the head learns from: as is, half turned, both mirrored.

    The first two teach until a strength is chosen, all of them when it is fitted again
    (docs/log.md: four from the start gain no more and take twice as long).
    """
    if not flips:
        return [frames]
    return [frames, frames[:, ::-1, ::-1], frames[:, :, ::-1], frames[:, ::-1]]


@torch.inference_mode()
def features(
    network: Network, frames: Pixels, bf16: bool, advance: Callable[[int], None] = lambda _n: None
) -> Tensor:
    """Pooled features (N,F) float32 of (N,H,W,3) uint8 BGR; `advance` hears of each batch.

    Of a network that judges K tiles they are (N,K,F). Several processes share the pictures.
    """
    network.eval()
    size = max(1, min(BATCH, _PIXELS // (frames.shape[1] * frames.shape[2])))
    mine = crew().share(len(frames))

    def batches() -> Iterator[Tensor]:
        for start in range(mine.start, mine.stop, size):
            taken = frames[start : min(start + size, mine.stop)]
            batch = normalise(torch.from_numpy(np.ascontiguousarray(taken)).to(network.device))
            with torch.autocast(network.device.type, torch.bfloat16, enabled=bf16):
                yield network.features(batch).float()
            advance(len(taken))

    return crew().collect(room().filled(batches(), len(frames), mine.start))


def all_features(
    network: Network,
    looks: Sequence[Pixels],
    bf16: bool,
    advance: Callable[[int], None] = lambda _n: None,
) -> Tensor:
    """Features (V,N,F) of V views of the same pictures, each as `features` gives them."""
    each = (features(network, look, bf16, advance) for look in looks)
    return room().filled(each, sum(map(len, looks))).unflatten(0, (len(looks), -1))


@torch.inference_mode()
def logits(network: Network, pooled: Tensor) -> NDArray[np.float32]:
    """Logits (N,C) of pooled features (N,F), or (N,K,F) of K tiles."""
    return np.concatenate([network.classify(rows).numpy() for rows in _parts(pooled)])


def standardise(network: Network, seen: Tensor) -> None:
    """Set the network's centre and spread to those of `seen` (…,F); a flat feature is left out.

    A feature that never varied on the training pictures says nothing about them, but would
    explode on the first picture in which it does: its spread becomes infinite.
    """
    seen = seen.flatten(0, -2)
    spread = seen.std(0)
    flat = spread <= _FLAT * (1 + torch.maximum(seen.amax(0), -seen.amin(0)))
    network.centre.copy_(seen.mean(0))
    network.spread.copy_(torch.where(flat, torch.full_like(spread, torch.inf), spread))


def fit(
    network: Network,
    seen: Tensor,
    labels: NDArray[np.integer],
    grid: Sequence[float],
    cost: Callable[[], float],
) -> tuple[float, float]:
    """Fit the head on standardised features and keep the strength that costs least.

    Args:
        network: its centre and spread are set; its head is written.
        seen: (N,F) features of the training views; of K tiles (N,K,F).
        labels: (N,) class of each.
        grid: strengths to try (scikit-learn's C: larger fits closer).
        cost: judges the network as it stands, on validation pictures; lower is better.

    Returns:
        The chosen strength and its cost.
    """
    parts = ((rows - network.centre) / network.spread for rows in _parts(seen))
    plain = room().filled(parts, len(seen))
    of_tiles = Bags(plain, labels, network.head.out_features) if plain.ndim == 3 else None
    tried: list[tuple[float, float, dict[str, Tensor]]] = []
    for strength in grid:
        if of_tiles is not None:
            _write(network, *of_tiles.fit(strength))
        else:
            model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
            model.fit(plain.numpy(), labels)
            _write(network, *_both(model))
        state = {name: tensor.clone() for name, tensor in network.head.state_dict().items()}
        tried.append((cost(), strength, state))
    least, strength, state = min(tried, key=lambda one: one[:2])
    network.head.load_state_dict(state)
    return strength, least


def fit_again(network: Network, seen: Tensor, labels: NDArray[np.integer], strength: float) -> None:
    """Fit once more on features (N,F) of more pictures, at a strength that others have chosen."""
    standardise(network, seen)
    fit(network, seen, labels, (strength,), lambda: 0.0)


def _parts(seen: Tensor) -> tuple[Tensor, ...]:
    """Rows (N,…) float32 in parts, so that what is computed from them stays small."""
    return seen.split(max(1, _PART_BYTES // max(1, 4 * seen[:1].numel())))


def _both(model: LogisticRegression) -> tuple[Tensor, Tensor]:
    weight, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(weight) == 1:  # two classes: one row, the log odds of the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return torch.from_numpy(weight), torch.from_numpy(bias)


@torch.no_grad()
def _write(network: Network, weight: Tensor, bias: Tensor) -> None:
    network.head.weight.copy_(weight)
    network.head.bias.copy_(bias)
