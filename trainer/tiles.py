"""Tiles: half-overlapping windows over the feature maps of a large frame.

The trunk sees the whole frame once, so that no pixel is computed twice and no tile has a seam
or a border of its own; only pooling and judging are done window by window, so that a small
defect is not averaged away among all that is good. It knows nothing of heads or classes.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as fn

from export.errors import RunError

COARSE = 32  # input pixels between places of the coarse stage
FINE = 16


def check(side: int, width: int, height: int) -> None:
    """Raise RunError if half-overlapping tiles of `side` don't fill `width` by `height` pixels."""
    if side < 2 * COARSE or side % (2 * COARSE):
        raise RunError(
            f"tiles of {side} pixels don't lie on the network's grid",
            f"give a multiple of {2 * COARSE}: 128, 192 or 256",
        )
    for length in (width, height):
        if length < side or length % (side // 2):
            fitting = max(side, round(2 * length / side) * side // 2)
            raise RunError(
                f"tiles of {side} pixels, half overlapping, don't fill an input of "
                f"{width}x{height}",
                f"make each side a multiple of {side // 2} and at least {side}, "
                f"such as {fitting} for {length}",
            )


def count(side: int, height: int, width: int) -> int:
    """How many tiles of `side` a map or an input of that height and width has."""
    return sum(rows * columns for _, _, rows, columns in _grids(side, height, width))


def cut(maps: Tensor, side: int) -> Tensor:
    """Every tile of `maps` (N,A,h,w): (N,K,A,side,side), in the order that `stitch` takes."""
    height, width = int(maps.shape[2]), int(maps.shape[3])
    found: list[Tensor] = []
    for top, left, rows, columns in _grids(side, height, width):
        whole = maps[:, :, top : top + rows * side, left : left + columns * side]
        apart = whole.unflatten(3, (columns, side)).unflatten(2, (rows, side))
        found.append(apart.permute(0, 2, 4, 1, 3, 5).flatten(1, 2))
    return torch.cat(found, 1)


def stitch(tiles: Tensor, height: int, width: int) -> Tensor:
    """One map (N,height,width) of tiles (N,K,side,side): each place the mean of those over it."""
    side = int(tiles.shape[-1])
    total: Tensor | None = None
    cover: Tensor | None = None
    start = 0
    for top, left, rows, columns in _grids(side, height, width):
        group = tiles[:, start : start + rows * columns]
        start += rows * columns
        whole = group.unflatten(1, (rows, columns)).permute(0, 1, 3, 2, 4)
        whole = whole.flatten(3, 4).flatten(1, 2)
        margin = (
            left, width - left - columns * side, top, height - top - rows * side,
        )  # fmt: skip
        laid = fn.pad(whole, margin)
        times = fn.pad(torch.ones(rows * side, columns * side), margin)
        total = laid if total is None else total + laid
        cover = times if cover is None else cover + times
    if total is None or cover is None:
        raise ValueError(f"a map of {height}x{width} holds no tile of {side}")
    return total / cover


def _grids(side: int, height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Four grids of tiles that touch, each half a tile further: top, left, rows, columns."""
    half = side // 2
    for top in (0, half):
        for left in (0, half):
            rows, columns = (height - top) // side, (width - left) // side
            if rows and columns:
                yield top, left, rows, columns
