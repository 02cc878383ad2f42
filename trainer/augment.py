"""Small changes that leave a good part good and a defect visible: mirror, shift, light.

No crops, no erasing, no blur: they could remove a defect or make one.
"""

import torch
from torch import Tensor
from torch.nn import functional as fn

from trainer.recipe import Recipe


def augment(pictures: Tensor, recipe: Recipe, chance: torch.Generator) -> Tensor:
    """(N,3,H,W) float32 ImageNet-normalised to the same, each picture changed by `chance`."""
    count = len(pictures)
    if recipe.flips:
        for axis in (2, 3):
            pictures = _some(pictures, pictures.flip(axis), chance)
    if recipe.quarter_turns and pictures.shape[2] == pictures.shape[3]:
        pictures = _some(pictures, pictures.transpose(2, 3), chance)
    if recipe.shift:
        pictures = _shift(pictures, recipe.shift, chance)
    if recipe.light:
        contrast = 1 + recipe.light * (2 * torch.rand(count, 1, 1, 1, generator=chance) - 1)
        # In normalised units one spread of ImageNet's pictures is about a quarter of full scale.
        brightness = 4 * recipe.light * (torch.rand(count, 1, 1, 1, generator=chance) - 0.5)
        middle = pictures.mean((1, 2, 3), keepdim=True)
        pictures = (pictures - middle) * contrast + middle + brightness
    return pictures.contiguous(memory_format=torch.channels_last)


def _some(plain: Tensor, changed: Tensor, chance: torch.Generator) -> Tensor:
    heads = torch.rand(len(plain), 1, 1, 1, generator=chance) < 0.5
    return torch.where(heads, changed, plain)


def _shift(pictures: Tensor, most: float, chance: torch.Generator) -> Tensor:
    """Move each picture by up to `most` of its side; the border is continued."""
    count, _, height, width = pictures.shape
    down, right = max(1, round(most * height)), max(1, round(most * width))
    padded = fn.pad(pictures, (right, right, down, down), mode="replicate")
    tops = torch.randint(0, 2 * down + 1, (count,), generator=chance).tolist()
    lefts = torch.randint(0, 2 * right + 1, (count,), generator=chance).tolist()
    return torch.stack(
        [
            padded[i, :, top : top + height, left : left + width]
            for i, (top, left) in enumerate(zip(tops, lefts, strict=True))
        ]
    )
