"""The conveyor under the parts: a loop of worn rubber, and the rails that it runs between.

Drawn once; a frame takes a window of the loop. Knows nothing of parts, light or the camera.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.virtual_line.planes import Plane, blur, ramp

Pixels = NDArray[np.uint8]
LENGTHS = 3  # frame widths in one turn of the belt
_GREY = 56.0
# Grain, pebbles, dirt and lengthwise wear: grey levels, and softness along and across in pixels.
_WEAR = ((2.1, 0.7, 0.7), (2.2, 1.8, 1.5), (2.4, 30, 26), (2.0, 70, 1.1), (2.6, 120, 14))
_RAIL = 0.052  # height of a rail, as a share of the frame's


def loop(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """The belt, HxLx3 uint8 BGR with L = LENGTHS * width; its right end meets its left."""
    base = _rubber(width, height, rng)
    grey = np.concatenate([np.roll(base, int(rng.integers(width)), 1)] * LENGTHS, axis=1)
    scale = height / 1024
    for _ in range(26 * LENGTHS):
        _scuff(grey, scale, rng)
    for _ in range(240 * LENGTHS):
        _speck(grey, scale, rng)
    _seam(grey, scale, rng)
    levels = np.arange(256, dtype=np.float32)
    dust = ramp(levels, 52, 110)  # bare rubber is bluish, dust on it yellowish
    tints = [1.05 - 0.13 * dust, 1.0 - 0.02 * dust, 0.96 + 0.06 * dust]
    table = np.stack([np.clip(levels * tint, 0, 255) for tint in tints], axis=1).astype(np.uint8)
    coloured = np.empty((*grey.shape, 3), dtype=np.uint8)
    for left in range(0, grey.shape[1], width):  # in pieces: a whole belt twice takes much memory
        strip = cv2.merge([grey[:, left : left + width]] * 3)
        coloured[:, left : left + width] = cv2.LUT(strip, table.reshape(256, 1, 3))
    return coloured


def rails(width: int, height: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """The aluminium rails above and below the belt, each (their height)xWx3 uint8 BGR."""
    high = max(2, round(height * _RAIL))
    across = np.linspace(0, 1, high, dtype=np.float32)
    noise = rng.standard_normal((high, width), dtype=np.float32)
    streak = 42 * np.asarray(cv2.blur(noise, (201, 1)), np.float32)
    profile = 92 + 46 * np.sin(across * np.float32(2.6)) - 60 * ramp(across, 0.86, 0.93)
    profile -= 42 * (ramp(across, 0.40, 0.44) - ramp(across, 0.52, 0.56))  # its T-slot
    grey = np.clip(profile[:, None] + streak, 12, 200)
    lit = cast("Pixels", cv2.merge([grey.astype(np.uint8)] * 3))
    return lit, np.ascontiguousarray((lit[::-1] * np.float32(0.8)).astype(np.uint8))


def _clouds(
    shape: tuple[int, int], sigma_x: float, sigma_y: float, rng: np.random.Generator
) -> Plane:
    """Noise of unit deviation, soft by the sigmas (pixels), that wraps left to right.

    Drawn as coarsely as its softness allows, then enlarged.
    """
    high, wide = (
        max(8, round(size / max(1, sigma / 3)))
        for size, sigma in zip(shape, (sigma_y, sigma_x), strict=True)
    )
    noise = rng.standard_normal((high, wide), dtype=np.float32)
    step_x, step_y = shape[1] / wide, shape[0] / high
    pad = min(wide, int(4 * sigma_x / step_x) + 2)
    noise = np.concatenate([noise[:, -pad:], noise, noise[:, :pad]], axis=1)
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma_x / step_x, sigmaY=sigma_y / step_y)
    left = round(pad * step_x)
    size = (shape[1] + 2 * left, shape[0])
    soft = cv2.resize(noise, size, interpolation=cv2.INTER_LINEAR)[:, left : left + shape[1]]
    return soft * np.float32(1 / soft.std())


def _rubber(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One frame width of it: grain, the print of its fabric, and lengthwise wear. HxW uint8."""
    scale = height / 1024

    def noise(strength: np.float32, sigma_x: float, sigma_y: float) -> Plane:
        soft_x, soft_y = max(0.3, sigma_x * scale), max(0.3, sigma_y * scale)
        return strength * _clouds((height, width), soft_x, soft_y, rng)

    total = np.full((height, width), _GREY - 2, dtype=np.float32)
    for strength, soft_x, soft_y in _WEAR:
        total += noise(np.float32(strength), soft_x, soft_y)
    columns = np.cos(
        np.arange(width, dtype=np.float32) * (2 * np.pi * round(width / (7 * scale)) / width)
    )
    rows = np.cos(np.arange(height, dtype=np.float32) * (2 * np.pi / (7 * scale)))
    weave = (columns[None, :] * rows[:, None]).astype(np.float32)
    total += np.float32(1.7) * weave * (np.float32(1) + noise(np.float32(0.5), 40, 40))
    lane = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    polish = 7 * np.exp(-((lane / 0.45) ** 2))  # where the parts lie, the belt is rubbed pale
    return np.clip(total + polish, 14, 120).astype(np.uint8)


def _blend(grey: NDArray[np.uint8], patch: Plane, top: int, left: int) -> None:
    """Add a patch of grey levels at a place; it wraps round the loop."""
    rows = slice(max(0, top), min(grey.shape[0], top + patch.shape[0]))
    if rows.start >= rows.stop:
        return
    turn: int = grey.shape[1]
    columns = np.arange(left, left + int(patch.shape[1])) % turn
    piece = patch[rows.start - top : rows.stop - top]
    grey[rows, columns] = np.clip(grey[rows, columns] + piece, 12, 190).astype(np.uint8)


def _anywhere(grey: NDArray[np.uint8], rng: np.random.Generator) -> tuple[int, int]:
    rows: int = grey.shape[0]
    columns: int = grey.shape[1]
    return int(rng.integers(rows)), int(rng.integers(columns))


def _scuff(grey: NDArray[np.uint8], scale: float, rng: np.random.Generator) -> None:
    """A rub left by a dragged part: long, thin, mostly along the belt, paler or darker."""
    run, rise = rng.uniform(30, 420) * scale, rng.normal(0, 16) * scale
    high, wide = int(abs(rise)) + 13, int(run) + 13
    canvas = np.zeros((high, wide), dtype=np.uint8)
    ends = (6, 6 if rise > 0 else high - 7), (wide - 7, high - 7 if rise > 0 else 6)
    cv2.line(canvas, *ends, 255, max(1, round(rng.uniform(1, 4) * scale)), cv2.LINE_AA)
    soft = blur(canvas.astype(np.float32) / np.float32(255), float(rng.uniform(0.6, 2.2)))
    worn = rng.random((high, wide), dtype=np.float32) + np.float32(0.4)
    strength = np.float32(rng.choice([-9.0, 11.0, 16.0, 24.0]))
    top, left = _anywhere(grey, rng)
    _blend(grey, soft * worn * strength, top, left)


def _speck(grey: NDArray[np.uint8], scale: float, rng: np.random.Generator) -> None:
    """A grain of dust or a chip of swarf."""
    size = max(3, int(rng.uniform(3, 7) * scale))
    canvas = np.zeros((size + 4, size + 4), dtype=np.uint8)
    x, y, end_x, end_y = (int(rng.integers(2, size + 2)) for _ in range(4))
    cv2.line(canvas, (x, y), (end_x, end_y), 255, 1, cv2.LINE_AA)
    strength = np.float32(rng.choice([-16.0, 14.0, 22.0, 40.0]))
    patch = blur(canvas.astype(np.float32) / np.float32(255), 0.7) * strength
    top, left = _anywhere(grey, rng)
    _blend(grey, patch, top, left)


def _seam(grey: NDArray[np.uint8], scale: float, rng: np.random.Generator) -> None:
    """The slanted joint where the belt was closed."""
    height, width = grey.shape[0], max(6, round(16 * scale))
    line = np.linspace(-1, 1, width, dtype=np.float32)
    profile = 10 * np.exp(-((line / 0.5) ** 2)) - 20 * np.exp(-(((line - 0.4) / 0.16) ** 2))
    _, start = _anywhere(grey, rng)
    for top in range(0, height, 4):
        patch = np.tile(profile.astype(np.float32), (min(4, height - top), 1))
        _blend(grey, patch, top, start + round(top * 0.18))
