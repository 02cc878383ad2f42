"""Light: a picture too dark or too bright to judge by, and light that isn't what it was.

Compared cell by cell where nothing moves, so that parts count for little; a gain per quarter of
the picture and per channel, so that one lamp of two, or a lamp of another colour, is seen too.
"""

import numpy as np
from numpy.typing import NDArray

from edge.camera_health.sample import CELLS, Floats, Sample

BLACK = 16  # grey level below which even the brightest hundredth of a dark picture lies
WHITE = 250
MUCH_WHITE = 0.5  # share of the picture
_LIFT = 4.0  # grey levels added to both sides of a ratio: the darkest cells are noise
STEADY_SHARE = 0.4  # of a quarter's cells, the steadiest

Places = NDArray[np.intp]


def brightest(sample: Sample) -> float:
    """The grey level below which 99 of 100 pixels lie."""
    some = sample.grey[::2, ::2]
    counts = np.bincount(some.ravel(), minlength=256)
    return float(np.searchsorted(np.cumsum(counts), 0.99 * some.size))


def white_share(sample: Sample) -> float:
    """Share of the picture that is as good as white, 0..1."""
    return float(np.count_nonzero(sample.grey >= WHITE)) / sample.grey.size


def steady(cells: Floats) -> Places:
    """(4, k): the steadiest cells of each quarter over N looks at (N, 16, 20, 3), as flat indices.

    Cells that are nearly white can't become brighter, and are left out where others can be had.
    """
    grey = cells.mean(axis=3)
    spread = np.median(np.abs(np.log(grey + _LIFT) - np.log(np.median(grey, axis=0) + _LIFT)), 0)
    spread = spread + 10 * (np.median(grey, axis=0) > WHITE - 10)
    rows, columns = np.indices(CELLS)
    below, right = rows >= CELLS[0] // 2, columns >= CELLS[1] // 2
    chosen: list[Places] = []
    for down in (False, True):
        for across in (False, True):
            quarter = np.flatnonzero((below == down) & (right == across))
            order = np.argsort(spread.ravel()[quarter], kind="stable")
            chosen.append(quarter[order[: round(STEADY_SHARE * len(quarter))]])
    return np.stack(chosen)


def gains(cells: Floats, usual: Floats, where: Places) -> Floats:
    """(4, 3): natural logarithm of how much brighter each quarter and channel has become."""
    now, then = (one.reshape(-1, 3)[where] + _LIFT for one in (cells, usual))
    ratio = np.sort(now / then, axis=1)
    return np.log(ratio[:, ratio.shape[1] // 2]).astype(np.float32)
