"""A sprite: one part made, lit and coloured once, ready to be laid on any frame's belt."""

from dataclasses import dataclass

import cv2
import numpy as np

from edge.virtual_line.defect import Defect, cut, mar
from edge.virtual_line.design import Design, Hole
from edge.virtual_line.light import Pixels, Surface, colour, shade, shadow
from edge.virtual_line.part import Pose, Solid, around, carve, raise_relief
from edge.virtual_line.planes import Plane, ramp, subpixel
from edge.virtual_line.texture import Textures


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A part as it is laid on a belt: belt x keep / 255 + light.

    Attributes:
        light: HxWx3 uint8 BGR, what the part adds.
        keep: HxWx3 uint8, the share of the belt that stays visible, its shadow included.
        mark: HxW uint8, 255 where a defect changed the part.
    """

    light: Pixels
    keep: Pixels
    mark: Pixels


def render(
    design: Design, pose: Pose, surface: Surface, textures: Textures,
    *, defect: Defect | None = None, blur_px: int = 3,
) -> Sprite:  # fmt: skip
    """Make one part.

    Args:
        design: what it should be.
        pose: how it lies.
        surface: how its surface differs from the next part's.
        textures: the line's banks.
        defect: what went wrong, if anything.
        blur_px: how far it moves during the exposure, in pixels to the right.
    """
    missing = defect.missing if defect else None
    solid = carve(design, pose, missing)
    cut(solid, defect, textures)
    raise_relief(solid, missing)
    _harmless_marks(solid, surface)
    mar(solid, defect, textures)
    if missing:
        _mark_missing(solid, missing)
    return _finish(solid, surface, textures, blur_px)


def _finish(solid: Solid, surface: Surface, textures: Textures, blur_px: int) -> Sprite:
    scale = solid.pose.scale
    cover = np.clip(np.float32(0.5) - solid.edge * np.float32(scale), 0, 1)
    metal = colour(shade(solid, surface, textures), solid, solid.design.metal, surface)
    stays = (np.float32(1) - cover) * (np.float32(1) - shadow(cover, scale))
    keep = cv2.convertScaleAbs(stays, alpha=255)
    cover3 = cv2.convertScaleAbs(cover, alpha=255)
    light = cv2.multiply(metal, cv2.merge([cover3] * 3), scale=1 / 255)
    smear = (max(1, blur_px), 1)
    return Sprite(
        np.asarray(cv2.blur(light, smear), np.uint8),
        np.asarray(cv2.merge([cv2.blur(keep, smear)] * 3), np.uint8),
        np.asarray(cv2.blur(cv2.convertScaleAbs(solid.mark, alpha=255), smear), np.uint8),
    )


def _mark_missing(solid: Solid, hole: Hole) -> None:
    window = around(solid, hole.x, hole.y, hole.extent / 2 + 2)
    rim: Plane = hole.distance(solid.u[window], solid.v[window])
    solid.mark[window] = ramp(rim, 1, -1)


def _harmless_marks(solid: Solid, surface: Surface) -> None:
    """What handling leaves on every good part: hairlines and rubbed spots, faint and shallow."""
    rng = np.random.default_rng(surface.pick + 1)
    scale, (rows, columns) = solid.pose.scale, solid.u.shape
    lines = np.zeros((rows, columns), dtype=np.uint8)
    for _ in range(int(rng.integers(0, 6))):
        start = rng.uniform(0.15, 0.85, 2) * (columns, rows)
        way, run = rng.uniform(0, 2 * np.pi), rng.uniform(15, 90) * scale
        end = start + run * np.array([np.cos(way), np.sin(way)])
        cv2.line(
            lines, subpixel(*start), subpixel(*end), int(rng.integers(60, 200)), 1, cv2.LINE_AA, 4
        )
    for _ in range(int(rng.integers(0, 25))):
        at = subpixel(*(rng.uniform(0.12, 0.88, 2) * (columns, rows)))
        cv2.circle(lines, at, int(rng.uniform(0.5, 1.6) * 16 * scale), 120, -1, cv2.LINE_AA, 4)
    solid.albedo += lines * np.float32(rng.uniform(-0.12, 0.12) / 255)
