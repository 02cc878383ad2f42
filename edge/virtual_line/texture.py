"""Banks of surface texture, made once per line and read at random places by every part.

Tool streaks (long one way, uncorrelated the other), sand-cast grain, and soft clouds for stains
and worn patches. Knows nothing of shapes or light.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from edge.virtual_line.planes import Plane, blur, sample

TURN = 1024  # columns of streaks in one full turn, so that a turned face closes without a seam


def _unit(plane: Plane) -> Plane:
    return (plane - plane.mean()) / plane.std()


def _streaks(rng: np.random.Generator, rows: int) -> Plane:
    """Rows x TURN, unit deviation; wraps left to right."""
    total = np.zeros((rows, TURN), dtype=np.float32)
    for run, weight in ((41, 0.55), (161, 0.8), (511, 0.8)):
        noise = rng.standard_normal((rows, TURN), dtype=np.float32)
        wrapped = np.tile(noise, (1, 2))
        long = np.asarray(cv2.blur(wrapped, (run, 1)), np.float32)[:, TURN // 2 : TURN // 2 + TURN]
        total += np.float32(weight) * _unit(np.roll(long, TURN // 2, axis=1))
    total += np.float32(0.5) * rng.standard_normal((rows, 1), dtype=np.float32)
    waves = np.asarray(cv2.GaussianBlur(total, (1, 0), sigmaX=0.01, sigmaY=5.0), np.float32)
    return _unit(total + np.float32(1.5) * waves)


def _octaves(rng: np.random.Generator, side: int, sigmas: tuple[float, ...]) -> Plane:
    """Side x side, unit deviation, each octave as strong as the others."""
    total = np.zeros((side, side), dtype=np.float32)
    for sigma in sigmas:
        total += _unit(blur(rng.standard_normal((side, side), dtype=np.float32), sigma))
    return _unit(total)


@dataclass(frozen=True, slots=True, eq=False)
class Textures:
    """The banks, float32 with mean 0 and deviation 1.

    Attributes:
        streaks: 800 x 1536, streaks along the columns.
        grain: 768 x 768, pebbles of 1 to 6 pixels.
        clouds: 768 x 768, patches of 10 to 60 pixels.
    """

    streaks: Plane
    grain: Plane
    clouds: Plane

    @classmethod
    def make(cls, rng: np.random.Generator) -> Self:
        """Draw the banks: some 0.3 s and 10 MB."""
        half = _streaks(rng, 800)
        return cls(
            streaks=np.concatenate([half, half[:, : TURN // 2]], axis=1),
            grain=_octaves(rng, 768, (0.8, 1.6, 3.0)),
            clouds=_octaves(rng, 768, (8.0, 18.0, 40.0)),
        )

    def along(self, s: Plane, t: Plane, start: tuple[float, float]) -> Plane:
        """Streaks running along `s` (0..1024 wide) and varying along `t` (0..300 wide)."""
        return sample(self.streaks, s + np.float32(start[0]), t + np.float32(start[1]))


def crop(bank: Plane, shape: tuple[int, ...], rng: np.random.Generator) -> Plane:
    """A piece of `bank` of this shape from a random place; a bank too small is repeated."""
    rows, columns = (-(-need // have) for need, have in zip(shape, bank.shape, strict=True))
    if rows > 1 or columns > 1:
        bank = np.tile(bank, (rows, columns))
    spare: list[int] = [have - need for need, have in zip(shape, bank.shape, strict=True)]
    top, left = int(rng.integers(spare[0] + 1)), int(rng.integers(spare[1] + 1))
    return bank[top : top + shape[0], left : left + shape[1]]
