"""Pixel masks: where a defective picture shows its defect, found, checked, cut and shrunk with it.

    ROOT/masks/CLASS/NAME.png, ROOT/masks/NAME.png      the same name as the picture
    ROOT/ground_truth/CLASS/NAME_mask.png               MVTec AD's layout

A pixel is marked where the mask, laid on black, is brighter than half of its brightest. What masks
teach and judge is decided elsewhere.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from export import picture
from export.errors import DatasetError
from export.preprocess import Input, shrink
from trainer.dataset import FOREIGN_SUFFIXES, SIDE_FOLDERS, Dataset, counted, listing
from trainer.run import GOOD
from trainer.tiles import FINE

Mask = NDArray[np.bool_]
UNMARKED: picture.Colour = (0, 0, 0)  # what a mask's transparency is laid on
_SUFFIX = "_mask"
_SKEW = 0.02  # of the ratio of the sides, for masks that were scaled with rounding


def find(dataset: Dataset) -> dict[str, Path]:
    """The mask of each picture that has one, by the picture's path.

    Raises:
        DatasetError: a mask that belongs to no picture or to several, or can't be read.
    """
    found, lost = match(dataset)
    foreign = [path for path in lost if path.suffix.lower() in FOREIGN_SUFFIXES]
    if foreign:
        raise DatasetError(f"the mask {str(foreign[0])!r} can't be read", "convert it to PNG")
    if lost:
        names = [path.relative_to(dataset.root).as_posix() for path in lost]
        raise DatasetError(
            f"{counted(len(lost), 'mask')} without one picture of its name: {listing(names)}",
            "a mask has its picture's name: masks/CLASS/NAME.png; rename or remove it",
        )
    return found


def match(dataset: Dataset) -> tuple[dict[str, Path], list[Path]]:
    """The mask of each picture that has one, and files among the masks that are of no picture."""
    table = _names(dataset)
    found: dict[str, Path] = {}
    lost: list[Path] = []
    for folder in sorted(dataset.root.iterdir()):
        if not folder.is_dir() or folder.name.lower() not in SIDE_FOLDERS:
            continue
        for path in sorted(folder.rglob("*")):
            if not _is_mask(path):
                continue
            owners = _owners(path.relative_to(folder), table)
            readable = path.suffix.lower() in picture.SUFFIXES
            if not readable or len(owners) != 1 or owners[0] in found:
                lost.append(path)
            else:
                found[owners[0]] = path
    return found, lost


def read(path: Path, shown: tuple[int, int], to: Input) -> Mask:
    """Where the model's input shows the defect.

    Args:
        path: the mask.
        shown: height and width of its picture, in any scale.
        to: how pictures are cut and shrunk.

    Returns:
        (to.height, to.width), False everywhere if the defect lies outside the region. What is
        transparent isn't marked.

    Raises:
        PictureError: it can't be read.
        DatasetError: its sides have another ratio than its picture's.
    """
    grey = picture.read(path, UNMARKED).max(axis=2)
    height, width = grey.shape
    if abs(np.log((width / height) / (shown[1] / shown[0]))) > _SKEW:
        raise DatasetError(
            f"the mask {str(path)!r} is {width}x{height}, its picture {shown[1]}x{shown[0]}",
            "a mask shows the whole picture, in any scale: draw it again",
        )
    most = int(grey.max())
    marked = np.where(grey > most / 2, 255, 0).astype(np.uint8)
    small = shrink(np.stack([marked] * 3, axis=2), to)[..., 0]
    return np.greater(small, 0)


def read_all(
    dataset: Dataset, masks: Mapping[str, Path], paths: list[str], to: Input
) -> dict[str, Mask]:
    """The masks of those of `paths` that have one and that mark anything in the region.

    Raises:
        PictureError: a picture or its mask can't be read.
        DatasetError: a mask of other sides, or one that marks a good part.
    """
    good = {one.path for one in dataset.pictures if one.label == GOOD}
    found: dict[str, Mask] = {}
    for path in paths:
        if path not in masks:
            continue
        shown = picture.read(dataset.root / path).shape[:2]
        marked = read(masks[path], shown, to)
        if marked.any() and path in good:
            raise DatasetError(
                f"{str(masks[path])!r} marks a defect on {path!r}, which stands under good parts",
                "move the picture to the class of its defect, or remove the mask",
            )
        if marked.any():
            found[path] = marked
    return found


def cells(mask: Mask) -> Mask:
    """Which places of the finer stage's grid (H/16,W/16) touch a mark of (H,W)."""
    rows, columns = -(-mask.shape[0] // FINE), -(-mask.shape[1] // FINE)
    whole = np.zeros((rows * FINE, columns * FINE), bool)
    whole[: mask.shape[0], : mask.shape[1]] = mask
    return np.logical_or.reduce(whole.reshape(rows, FINE, columns, FINE), axis=(1, 3))


def _is_mask(path: Path) -> bool:
    shown = not path.name.startswith(".") and path.is_file()
    return shown and path.suffix.lower() in picture.SUFFIXES | FOREIGN_SUFFIXES


def _names(dataset: Dataset) -> dict[str, list[str]]:
    """Pictures by what a mask may call them: their path, the same below train/ or test/, a name."""
    table: defaultdict[str, list[str]] = defaultdict(list)
    for one in dataset.pictures:
        path = PurePosixPath(one.path).with_suffix("")
        names = {path.as_posix(), path.name}
        if path.parts[0] in {"train", "test"}:
            names.add(PurePosixPath(*path.parts[1:]).as_posix())
        for name in names:
            table[name].append(one.path)
    return table


def _owners(mask: Path, table: Mapping[str, list[str]]) -> list[str]:
    name = mask.with_suffix("").as_posix()
    plain = name.removesuffix(_SUFFIX)
    return table.get(name) or table.get(plain) or []
