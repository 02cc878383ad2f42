"""Marks that recur: a shop's name or a photographer's at the same place of many pictures.

From one picture nobody can tell a mark across a package from the package's own print. From many
pictures of one shape it can be told: print lies elsewhere in each. The mean of the reliefs of
pictures that differ is the mark; a picture bears it if its relief agrees with that mean where it
lies, and not when shifted a little, which edges and textures do as well.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.catalog.fingerprint import BYTES, distance
from edge.catalog.look import Look
from edge.catalog.relief import GRID, Relief

LEAST = 5  # different pictures that must bear a mark
SAMPLE = 256  # pictures of one shape among which marks are looked for
SURE = 4.0  # agreement of one that bears it; untouched photos reached 2.8 on any mean
_FIRST = (1.5, 2.75)  # agreement that a first and a second round ask for, on a mean still blurred
_APART = 90  # bits of 256: pictures nearer than that count once, since their print recurs
_ROUNDS, _MARKS = 4, 3  # of refining one mark; marks looked for in one shape
_BLURRED, _CLEAR = 0.15, 0.3  # from what mean on a cell is the mark's: of all, of its bearers
_FEW, _MOST = 40, 4000  # cells that a mark must have; of more the clearest are asked
_REACH = 12  # cells that a picture is shifted by at most
_TURNS = np.arange(8) * np.pi / 4
_SHIFTS = [
    (round(by * np.sin(turn)), round(by * np.cos(turn))) for by in (6, 9, _REACH) for turn in _TURNS
]

Reliefs = Callable[[Sequence[str]], Iterable[tuple[str, Relief]]]
Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """What K different pictures that bear a mark have in common.

    Attributes:
        reliefs: (K,4,GRID,GRID) int8.
        total: (4,GRID,GRID) int16, their sum.
        bits: (K,32), their hashes.
        least: from what mean on a cell is the mark's.
    """

    reliefs: NDArray[np.int8]
    total: NDArray[np.int16]
    bits: Bits
    least: float

    def agreement(self, relief: Relief, bits: Bits) -> float:
        """How much a picture agrees with it, in deviations of what it does when shifted.

        Neither the picture itself nor any that looks like it is asked.
        """
        near = distance(bits, self.bits) < _APART
        others = int((~near).sum())
        if others < LEAST - 1:
            return 0.0
        total = self.total - self.reliefs[near].sum(0, dtype=np.int16) if near.any() else self.total
        mean = np.asarray(total / others, np.float32)
        return _agreement(mean, relief, max(self.least, 1.3 / others**0.5))


def recurring(looks: Sequence[Look], reliefs: Reliefs) -> dict[str, int]:
    """Path → how many pictures bear the mark that it bears; without those that bear none.

    Args:
        looks: in any order; the answer doesn't depend on it.
        reliefs: of the paths that it is given; asked for one shape of picture at a time.
    """
    shapes: dict[float, list[Look]] = {}
    for look in looks:
        shapes.setdefault(round(look.width / look.height, 2), []).append(look)
    found: dict[str, int] = {}
    for _, alike in sorted(shapes.items()):
        if len(alike) >= LEAST:
            found |= _of_shape(sorted(alike, key=lambda one: (one.sha256, one.path)), reliefs)
    return found


def _of_shape(looks: list[Look], reliefs: Reliefs) -> dict[str, int]:
    bits = {look.path: _bits(look) for look in looks}
    different = _different(looks, bits)
    known = dict(reliefs(different))
    marks = list(_marks([(known[path], bits[path]) for path in different if path in known]))
    if not marks:
        return {}
    borne: list[list[str]] = [[] for _ in marks]
    for path, one in reliefs([look.path for look in looks]):
        told = [mark.agreement(one, bits[path]) for mark in marks]
        if max(told) > SURE:
            borne[int(np.argmax(told))].append(path)
    return {path: len(paths) for paths in borne for path in paths if len(paths) >= LEAST}


def _bits(look: Look) -> Bits:
    return np.frombuffer(bytes.fromhex(look.hash), np.uint8, BYTES)


def _different(looks: list[Look], bits: dict[str, Bits]) -> list[str]:
    """At most SAMPLE pictures of which none looks like another."""
    kept: list[str] = []
    hashes = np.empty((SAMPLE, BYTES), np.uint8)
    for look in looks[: 4 * SAMPLE]:
        mine = bits[look.path]
        if len(kept) < SAMPLE and (distance(mine, hashes[: len(kept)]) >= _APART).all():
            hashes[len(kept)] = mine
            kept.append(look.path)
    return kept


def _marks(sample: list[tuple[Relief, Bits]]) -> Iterator[Mark]:
    """Marks, each among the pictures that bear none of those before."""
    for _ in range(_MARKS):
        mark = _mark(sample) if len(sample) >= LEAST else None
        if mark is None:
            return
        yield mark
        sample = [one for one in sample if mark.agreement(*one) <= SURE]


def _mark(sample: list[tuple[Relief, Bits]]) -> Mark | None:
    """The mark that most agree with: the mean of all, then of those that agree, and so on."""
    members = list(range(len(sample)))
    mark = _mean(sample, members, _BLURRED)
    for asked in (*_FIRST, *[SURE] * _ROUNDS):
        agreeing = [i for i, one in enumerate(sample) if mark.agreement(*one) > asked]
        if len(agreeing) < LEAST:
            return None
        if agreeing == members and asked == SURE:
            break
        members, mark = agreeing, _mean(sample, agreeing, _CLEAR)
    return mark


def _mean(sample: list[tuple[Relief, Bits]], members: list[int], least: float) -> Mark:
    reliefs, bits = zip(*(sample[i] for i in members), strict=True)
    stacked = np.stack(reliefs)
    return Mark(stacked, stacked.sum(0, dtype=np.int16), np.stack(bits), least)


def _agreement(mean: NDArray[np.float32], relief: Relief, least: float) -> float:
    size = np.abs(mean).ravel()
    cells = np.flatnonzero(size > least)
    if len(cells) < _FEW:
        return 0.0
    if len(cells) > _MOST:
        cells = cells[np.argsort(-size[cells], kind="stable")[:_MOST]]
    weights = mean.ravel()[cells]
    channel, row, column = np.unravel_index(cells, mean.shape)
    wide = GRID + 2 * _REACH
    padded = np.pad(relief, ((0, 0), (_REACH, _REACH), (_REACH, _REACH))).ravel()
    at = (channel * wide + row + _REACH) * wide + column + _REACH
    there = float(weights @ padded[at])
    beside = np.array([weights @ padded[at + down * wide + across] for down, across in _SHIFTS])
    # So few cells are set before a plain background that the deviation alone would be next to none.
    floor = 0.11 * float(np.sqrt(weights @ weights))
    return (there - float(beside.mean())) / (float(beside.std()) + floor)
