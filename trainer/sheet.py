"""The contact sheet of augmentations: what training saw, for a person to doubt.

One row per picture, defects first: as it is, then changed as the recipe changes it. It draws what
it is given and knows nothing of splits or training.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from export.preprocess import Pixels
from trainer.augment import augment
from trainer.backbone import MEAN, STD, normalise
from trainer.recipe import Recipe

ROWS, COLUMNS = 8, 8
_SIDE = 144  # pixels of a picture's longer side on the sheet
_GAP, _TITLE = 4, 18
_INK = (40, 40, 40)


def draw(
    path: Path,
    frames: Pixels,
    labels: NDArray[np.int64],
    classes: Sequence[str],
    *,
    recipe: Recipe,
    seed: int,
) -> None:
    """Write the sheet (JPEG) of training pictures (N,H,W,3) uint8 BGR with class numbers (N,)."""
    rows = [_row(frames[i], classes[int(labels[i])], recipe, seed) for i in shown(labels)]
    cv2.imwrite(str(path), np.concatenate(rows), [cv2.IMWRITE_JPEG_QUALITY, 90])


def shown(labels: NDArray[np.int64]) -> list[int]:
    """Positions of at most `ROWS` pictures: class by class in turn, good (0) last."""
    kinds = [np.flatnonzero(labels == kind) for kind in np.unique(labels) if kind]
    defects = [int(at[turn]) for turn in range(ROWS) for at in kinds if turn < len(at)]
    good = np.flatnonzero(labels == 0)[:2]
    return [*defects[: ROWS - len(good)], *(int(at) for at in good)]


def _row(frame: Pixels, name: str, recipe: Recipe, seed: int) -> Pixels:
    plain = normalise(torch.from_numpy(np.ascontiguousarray(frame[np.newaxis])))
    chance = torch.Generator().manual_seed(seed)
    changed = augment(plain.repeat(COLUMNS - 1, 1, 1, 1), recipe, chance)
    pictures = [frame, *_pixels(changed)]
    scale = _SIDE / max(frame.shape[:2])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    row = np.full((size[1] + _TITLE + _GAP, COLUMNS * (size[0] + _GAP), 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        left = number * (size[0] + _GAP)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        row[_TITLE : _TITLE + size[1], left : left + size[0]] = small
    title = f"{name}: as it is, then as training saw it"
    cv2.putText(row, title, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
    return row


def _pixels(pictures: torch.Tensor) -> Pixels:
    """(N,3,H,W) normalised to (N,H,W,3) uint8 BGR."""
    rgb = pictures.permute(0, 2, 3, 1) * torch.tensor(STD) + torch.tensor(MEAN)
    return (rgb * 255).round().clamp(0, 255).to(torch.uint8).flip(-1).numpy()
