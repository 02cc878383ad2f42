"""The catalog's network: an inspection's trunk and head, with three more answers from its features.

Being fit to show is a logistic head; novelty is the distance to the nearest training picture;
the embedding holds the directions in which training pictures vary most. All of it are matrix
products, so that it stands in the exported graph.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from trainer.backbone import Network, pool


class CatalogNetwork(nn.Module):
    """Category, presentation, novelty and embedding of a product picture.

    Attributes:
        base: trunk and head; its classes are the categories.
        show: linear, F standardised features to one logit of being shown.
        axes: (D,F) directions of the embedding in standardised features.
        bank: (B,F) features of training pictures, of unit length.
        unit: () distance to the bank that counts as 1.
    """

    axes: Tensor
    bank: Tensor
    unit: Tensor

    def __init__(self, base: Network, axes: int, bank: int) -> None:
        super().__init__()
        self.base = base
        self.show = nn.Linear(base.arch.features, 1)
        nn.init.zeros_(self.show.weight)
        nn.init.zeros_(self.show.bias)
        self.register_buffer("axes", torch.zeros(axes, base.arch.features))
        self.register_buffer("bank", torch.zeros(bank, base.arch.features))
        self.register_buffer("unit", torch.ones(()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits (N,C), logit of being shown (N,), novelty (N,), embedding (N,D) of (N,3,H,W)."""
        return self.told(pool(*self.base.maps(x)))

    def told(self, pooled: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The same of pooled features (N,F)."""
        plain = self.plain(pooled)
        embedding = self.embed(plain)
        novelty = distance(pooled, self.bank) / self.unit
        return self.base.classify(pooled), self.show(plain)[:, 0], novelty, embedding

    def plain(self, pooled: Tensor) -> Tensor:
        """Standardised features (N,F)."""
        return (pooled - self.base.centre) / self.base.spread

    def embed(self, plain: Tensor) -> Tensor:
        """Embeddings (N,D) of unit length of standardised features (N,F)."""
        return fn.normalize(plain @ self.axes.T, dim=1)


def distance(pooled: Tensor, bank: Tensor) -> Tensor:
    """One less the largest cosine (N,) of pooled features (N,F) to those of a bank (B,F).

    The nearest neighbour in normalised features tells the unknown from the known better than the
    classifier's own probabilities (Sun and others, arXiv:2204.06507). Neither standardised nor
    along the axes: what training pictures never show differs just where they don't vary.
    """
    return 1 - (fn.normalize(pooled, dim=1) @ bank.T).amax(1)
