"""Defects of known kind, size and contrast, worked into a part's material.

Each changes what the light falls on (edge, height, surface), so that it looks as its cause would;
each leaves in the part's `mark` where it changed anything. Knows nothing of light or frames.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.virtual_line.design import Design, Hole
from edge.virtual_line.part import Solid, around, place
from edge.virtual_line.planes import Plane, blur, length, ramp, subpixel
from edge.virtual_line.texture import Textures, crop


class Kind(StrEnum):
    """What went wrong with the part; the value is the class's folder name."""

    SCRATCH = "scratch"
    DENT = "dent"
    CHIP = "chip"
    STAIN = "stain"
    MISSING_FEATURE = "missing_feature"


# Extent at size 1 in nominal pixels: a scratch's length, a dent's and a stain's width, how deep a
# chip bites. A missing feature has the size of the hole that isn't there.
EXTENT: dict[Kind, tuple[float, float]] = {
    Kind.SCRATCH: (130.0, 240.0),
    Kind.DENT: (58.0, 88.0),
    Kind.CHIP: (34.0, 56.0),
    Kind.STAIN: (74.0, 130.0),
}


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect: `extent` in nominal pixels, `contrast` 0..1, `pick` seeds its shape and place."""

    kind: Kind
    extent: float
    contrast: float
    pick: int
    missing: Hole | None = None


def draw(
    design: Design, kind: Kind, extent: tuple[float, float], contrast: float,
    rng: np.random.Generator,
) -> Defect:  # fmt: skip
    """A defect of `kind` on `design`, as large as drawn from `extent` (nominal pixels)."""
    pick = int(rng.integers(2**31))
    strength = float(np.clip(contrast * rng.uniform(0.8, 1.0), 0, 1))
    if kind is Kind.MISSING_FEATURE:
        removable = [hole for hole in design.holes if hole.removable]
        hole = removable[int(rng.integers(len(removable)))]
        return Defect(kind, hole.extent, 1.0, pick, hole)
    return Defect(kind, float(rng.uniform(*extent)), strength, pick)


def cut(solid: Solid, defect: Defect | None, textures: Textures) -> None:
    """What a defect takes from the carved edge, before the part has its height."""
    if defect is not None and defect.kind is Kind.CHIP:
        _chip(solid, defect, np.random.default_rng(defect.pick), textures)


def mar(solid: Solid, defect: Defect | None, textures: Textures) -> None:
    """What a defect does to the finished part's height and surface."""
    if defect is not None and defect.kind in _MARS:
        _MARS[defect.kind](solid, defect, np.random.default_rng(defect.pick), textures)


def _spot(solid: Solid, margin: float, rng: np.random.Generator) -> tuple[float, float]:
    """A place (u, v) on the material, `margin` nominal pixels from its edges if there is one."""
    rows, columns = np.nonzero(solid.edge < -min(margin, float(-solid.edge.min()) * 0.9))
    at = int(rng.integers(len(rows)))
    return float(solid.u[rows[at], columns[at]]), float(solid.v[rows[at], columns[at]])


def _lump(
    solid: Solid, at: tuple[float, float], extent: float, *, rough: float,
    rng: np.random.Generator, textures: Textures,
) -> tuple[tuple[slice, slice], Plane]:  # fmt: skip
    """A window, and in it 1 at the middle of an irregular patch falling to 0 at its rim."""
    window = around(solid, *at, extent * 0.85)
    u = solid.u[window] - np.float32(at[0])
    v = solid.v[window] - np.float32(at[1])
    turn, squeeze = rng.uniform(0, np.pi), np.float32(rng.uniform(0.72, 1.0))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    r = length(u * cos + v * sin, (v * cos - u * sin) / squeeze)
    noise = crop(textures.clouds, u.shape, rng)
    patch = np.float32(1) - r * np.float32(2 / extent) + noise * np.float32(rough)
    fade = ramp(r, extent * 0.8, extent * 0.55)
    return window, np.minimum(patch, fade)


def _scratch(solid: Solid, defect: Defect, rng: np.random.Generator, textures: Textures) -> None:
    line, best = np.zeros(solid.u.shape, dtype=np.uint8), -1.0
    for _ in range(12):  # the first that lies on the material over most of its length, or the best
        trial = _stroke(solid, defect.extent, rng)
        on = float((trial[solid.edge < -6] > 0).sum()) / max(1, int((trial > 0).sum()))
        if on > best:
            line, best = trial, on
        if best > 0.9:
            break
    depth = blur(line.astype(np.float32) * np.float32(1 / 255), 0.7 * max(0.5, solid.pose.scale))
    chatter = np.float32(0.2) * crop(textures.clouds, line.shape, rng)
    chatter = chatter + np.float32(0.22) * crop(textures.grain, line.shape, rng)
    depth *= np.clip(np.float32(0.95) + chatter, 0.4, 1)
    solid.height -= depth * np.float32(4 * defect.contrast)
    solid.scar = np.maximum(solid.scar, np.clip(depth * np.float32(1.5 * defect.contrast), 0, 1))
    solid.mark = np.maximum(solid.mark, ramp(depth, 0.05, 0.25) * (solid.edge < 0))


def _stroke(solid: Solid, extent: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One stroke of a hard corner across the face, as a uint8 canvas: tapered, nearly straight."""
    scale = solid.pose.scale
    x, y = place(solid, *_spot(solid, 16, rng))
    way, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-0.35, 0.35)
    t = np.linspace(-0.5, 0.5, 33)
    heading = way + bend * t
    step = extent * scale / 32
    points = np.stack([np.cos(heading), np.sin(heading)], axis=1).cumsum(axis=0) * step
    points += np.array([x, y]) - points[16]
    widest = rng.uniform(3.4, 5.0) * scale
    line = np.zeros(solid.u.shape, dtype=np.uint8)
    for start, end, where in zip(points[:-1], points[1:], t[:-1], strict=True):
        width = max(1, round(widest * (1 - abs(2 * where) ** 3)))
        cv2.line(line, subpixel(*start), subpixel(*end), 255, width, cv2.LINE_AA, 4)
    return line


def _dent(solid: Solid, defect: Defect, rng: np.random.Generator, textures: Textures) -> None:
    at = _spot(solid, defect.extent * 0.42, rng)
    window, patch = _lump(solid, at, defect.extent, rough=0.04, rng=rng, textures=textures)
    bowl = ramp(patch, -0.05, 0.95)
    lip = ramp(patch, -0.3, -0.02) - ramp(patch, -0.02, 0.22)
    depth = 0.3 * defect.extent * defect.contrast
    solid.height[window] -= np.float32(depth) * bowl - np.float32(0.07 * depth) * lip
    solid.rough[window] = np.maximum(solid.rough[window], np.float32(0.8) * bowl)
    solid.albedo[window] *= np.float32(1) - np.float32(0.3 * defect.contrast) * bowl
    solid.mark[window] = ramp(patch, -0.1, 0.1) * (solid.edge[window] < 0)


def _stain(solid: Solid, defect: Defect, rng: np.random.Generator, textures: Textures) -> None:
    at = _spot(solid, defect.extent * 0.3, rng)
    window, patch = _lump(solid, at, defect.extent, rough=0.3, rng=rng, textures=textures)
    cover = ramp(patch, 0.0, 0.16)
    tide = cover * (np.float32(1) - np.float32(0.32) * ramp(patch, 0.1, 0.42))
    mottle = crop(textures.grain, patch.shape, rng)
    cover = np.clip(tide * (np.float32(1) + np.float32(0.08) * mottle), 0, 1)
    rust, oil = (0.24, 0.42, 0.66), (0.36, 0.42, 0.45)
    solid.stain_bgr = rust if rng.random() < 0.5 else oil
    solid.stain[window] = np.float32(0.95 * defect.contrast) * cover
    solid.rough[window] = np.maximum(solid.rough[window], np.float32(0.6 * defect.contrast) * cover)
    solid.mark[window] = cover * (solid.edge[window] < 0)


def _chip(solid: Solid, defect: Defect, rng: np.random.Generator, textures: Textures) -> None:
    u, v = _rim(solid, rng)
    window = around(solid, u, v, defect.extent * 2.2)
    before = solid.edge[window].copy()
    out_u, out_v = np.float32(u / np.hypot(u, v)), np.float32(v / np.hypot(u, v))
    du, dv = solid.u[window] - np.float32(u), solid.v[window] - np.float32(v)
    outward = du * out_u + dv * out_v  # all that lies outside the bite has gone with it
    outward *= np.where(outward > 0, np.float32(0.3), np.float32(1))
    r = length(outward, (dv * out_u - du * out_v) * np.float32(rng.uniform(0.7, 0.95)))
    ragged = crop(textures.clouds, r.shape, rng) + np.float32(0.3) * crop(
        textures.grain, r.shape, rng
    )
    bite = np.float32(defect.extent) - r + ragged * np.float32(0.09 * defect.extent)
    solid.edge[window] = np.maximum(before, bite)
    fracture = ramp(bite, -0.26 * defect.extent, -0.1 * defect.extent) * (before < 0)
    solid.rough[window] = np.maximum(solid.rough[window], fracture)
    solid.albedo[window] *= np.float32(1) + np.float32(0.4 * defect.contrast - 0.1) * fracture
    solid.mark[window] = fracture


def _rim(solid: Solid, rng: np.random.Generator) -> tuple[float, float]:
    """A place (u, v) on the outer edge, and where that is toothed, at the tip of a tooth."""
    way = rng.uniform(0, 2 * np.pi)
    hits = [_first_hit(solid, way + aside) for aside in np.linspace(-0.12, 0.12, 9)]
    return max(hits, key=lambda at: float(np.hypot(*at)))


def _first_hit(solid: Solid, way: float) -> tuple[float, float]:
    """Walk inwards along a ray until there is material."""
    x, y = place(solid, 0, 0)
    for out in np.arange(solid.design.reach * solid.pose.scale, 0, -1):
        row, column = round(y + out * np.sin(way)), round(x + out * np.cos(way))
        if not (0 <= row < solid.u.shape[0] and 0 <= column < solid.u.shape[1]):
            continue
        if solid.edge[row, column] < 0:
            return float(solid.u[row, column]), float(solid.v[row, column])
    raise AssertionError(f"{solid.design.name} has no material along a ray from its rim")


_Mar = Callable[[Solid, Defect, np.random.Generator, Textures], None]
_MARS: dict[Kind, _Mar] = {Kind.SCRATCH: _scratch, Kind.DENT: _dent, Kind.STAIN: _stain}
