"""A logistic head for parts that are judged tile by tile, when only the part's class is known.

Multiple-instance learning (Maron and Lozano-Pérez, NIPS 1997): a part is as bad as its worst
tile, so a defective part needs one tile that shows its defect, and a good part none. What is fitted
is what is deployed: the cross-entropy of the combined logits, with L2, by L-BFGS.
"""

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as fn

from trainer.backbone import combine

# How sharply tiles are combined while fitting: at first all of them share what is learnt (at 0 no
# tile would stand out), then only those that decide.
SHARPNESS = (1.0, None)
_ROUNDS = 40


class Bags:
    """Parts as bags of tiles, and the head that is fitted to them, from one strength to the next.

    Args:
        tiles: (B,K,F) float32, standardised features.
        labels: (B,) class of each bag; 0 is good.
        inside: (B,K) True where a tile belongs to its bag; by default all do.
    """

    def __init__(
        self, tiles: Tensor, labels: NDArray, classes: int, inside: Tensor | None = None
    ) -> None:
        self._tiles, self._inside = tiles, inside
        self._labels = torch.as_tensor(labels, dtype=torch.long)
        counts = torch.bincount(self._labels, minlength=classes).clamp(min=1)
        self._balance = (len(labels) / (classes * counts))[self._labels]
        self._weight = torch.zeros(classes, tiles.shape[2])
        self._bias = torch.zeros(classes)

    def fit(self, strength: float) -> tuple[Tensor, Tensor]:
        """Weights (C,F) and biases (C,) at `strength` (scikit-learn's C: larger fits closer)."""
        weight, bias = self._weight.requires_grad_(), self._bias.requires_grad_()
        for sharpness in SHARPNESS:
            self._descend(weight, bias, strength, sharpness)
        self._weight, self._bias = weight.detach(), bias.detach()
        return self._weight.clone(), self._bias.clone()

    def _descend(
        self, weight: Tensor, bias: Tensor, strength: float, sharpness: float | None
    ) -> None:
        solver = torch.optim.LBFGS(
            [weight, bias], max_iter=_ROUNDS, history_size=10, line_search_fn="strong_wolfe"
        )

        def cost() -> Tensor:
            solver.zero_grad()
            logits = combine(fn.linear(self._tiles, weight, bias), self._inside, sharpness)
            losses = fn.cross_entropy(logits, self._labels, reduction="none")
            # Per unit of strength, so that the solver's tolerances mean the same at every one.
            total = (losses * self._balance).mean()
            total = total + weight.square().sum() / (2 * strength * len(self._labels))
            total.backward()
            return total

        solver.step(cost)
