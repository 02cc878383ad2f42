"""Small changes that leave a good part good and a defect visible: mirror, place, light.

No crops, no erasing, no blur, no cut-outs: they could remove a defect or make one. What each
change keeps is said where it is made, and shown in a run's augmentations.jpg.
"""

import torch
from torch import Tensor
from torch.nn import functional as fn

from trainer.recipe import Recipe


def augment(pictures: Tensor, recipe: Recipe, chance: torch.Generator) -> Tensor:
    """(N,3,H,W) float32 ImageNet-normalised to the same, each picture changed by `chance`."""
    if recipe.flips:
        for axis in (2, 3):
            pictures = _some(pictures, pictures.flip(axis), chance)
    if recipe.quarter_turns and pictures.shape[2] == pictures.shape[3]:
        pictures = _some(pictures, pictures.transpose(2, 3), chance)
    if recipe.shift:
        pictures = _placed(pictures, recipe.shift, chance)
    if recipe.light:
        pictures = _lit(pictures, recipe.light, chance)
    return pictures.contiguous(memory_format=torch.channels_last)


def _some(plain: Tensor, changed: Tensor, chance: torch.Generator) -> Tensor:
    """About half of the pictures changed; a mirror image or a turn keeps every pixel."""
    heads = torch.rand(len(plain), 1, 1, 1, generator=chance) < 0.5
    return torch.where(heads, changed, plain)


def _placed(pictures: Tensor, most: float, chance: torch.Generator) -> Tensor:
    """Each picture a little smaller and elsewhere, whole, its border continued around it.

    A plain shift would push what lies at the border out of the picture, and with it a defect that
    lies there. So each is shrunk to 1 - 2 `most` of its side at least, and put where it is still
    whole. Samples then lie at most 1 / (1 - 2 `most`) pixels apart, and bilinear weights leave a
    line of one pixel nearly half of its contrast at worst.
    """
    count = len(pictures)
    shrunk = 2 * most * torch.rand(count, generator=chance)
    room = 2 * torch.rand(count, 2, generator=chance) - 1
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / (1 - shrunk)
    theta[:, :, 2] = room * (shrunk / (1 - shrunk))[:, None]
    grid = fn.affine_grid(theta, list(pictures.shape), align_corners=False)
    return fn.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _lit(pictures: Tensor, most: float, chance: torch.Generator) -> Tensor:
    """Contrast and brightness changed by up to `most`; nothing saturates, as nothing is clipped."""
    count = len(pictures)
    contrast = 1 + most * (2 * torch.rand(count, 1, 1, 1, generator=chance) - 1)
    # In normalised units one spread of ImageNet's pictures is about a quarter of full scale.
    brightness = 4 * most * (torch.rand(count, 1, 1, 1, generator=chance) - 0.5)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    return (pictures - middle) * contrast + middle + brightness
