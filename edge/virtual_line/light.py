"""Light on a part: a lamp above, a bright ring around the lens, and metal that mirrors them.

Two terms: the lamps mirrored by the slope of the surface (a map from slope to radiance), and the
glint of tool marks, which spreads across the marks and not along them (J. Kajiya and T. Kay,
"Rendering fur with three dimensional textures", 1989). Knows nothing of belts or cameras.
"""

from dataclasses import dataclass
from functools import cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.virtual_line.design import Finish, Metal
from edge.virtual_line.part import Solid
from edge.virtual_line.planes import Plane, angle, blur, length, sample, slopes
from edge.virtual_line.texture import Textures, crop

Pixels = NDArray[np.uint8]
LAMP = (-0.58, -0.76)  # towards the lamp in the picture: from the upper left
_STEEPEST = 1.6  # slope at the rim of the map from slope to radiance
_MIRROR = 512  # side of that map
_WIDE = 1 / 3800  # how much the view widens for each nominal pixel from the part's centre


@dataclass(frozen=True, slots=True)
class Surface:
    """How this one part's surface differs from the next: what no drawing fixes.

    Attributes:
        tilt: slope of the whole face along x and y.
        marks: depth of the tool marks, 1 as usual.
        bright: factor on the whole part.
        warmth: -1..1, a shade bluer or yellower.
        start: where in the bank of streaks its marks begin.
        pick: picks its cast grain and worn patches.
    """

    tilt: tuple[float, float]
    marks: float
    bright: float
    warmth: float
    start: tuple[float, float]
    pick: int


@cache
def _mirror() -> Plane:
    """Radiance seen in a mirror that leans by a slope of (x, y), 512x512 over +-1.6."""
    line = np.linspace(-_STEEPEST, _STEEPEST, _MIRROR, dtype=np.float32)
    slope_x, slope_y = np.meshgrid(line, line)
    nz2 = 1 / (1 + slope_x**2 + slope_y**2)
    rx, ry = 2 * nz2 * slope_x, 2 * nz2 * slope_y
    out = np.sqrt(rx * rx + ry * ry)
    towards = (rx * LAMP[0] + ry * LAMP[1]) / np.maximum(out, 1e-3)
    dome = 0.46 + 0.16 * (rx * LAMP[0] + ry * LAMP[1])
    ring = 0.5 * np.exp(-(((out - 0.62) / 0.17) ** 2)) * (0.45 + 0.55 * towards)
    lamp = np.exp(-(((rx - 0.62 * LAMP[0]) / 0.2) ** 2 + ((ry - 0.62 * LAMP[1]) / 0.2) ** 2))
    bar = 0.4 * np.exp(-(((rx - 0.75) / 0.12) ** 2 + ((ry - 0.2) / 0.45) ** 2))
    floor = np.clip((out - 0.72) / 0.28, 0, 1) * np.where(nz2 < 0.56, 1.0, 0.75)
    total = (dome + ring + 1.05 * lamp + bar) * (1 - 0.72 * floor)
    return blur(total.astype(np.float32), 3)


def shade(solid: Solid, surface: Surface, textures: Textures) -> Plane:
    """Brightness of every pixel of the canvas: 0 black, 1 white paper; glints go beyond."""
    metal, scale = solid.design.metal, np.float32(solid.pose.scale)
    rng = np.random.default_rng(surface.pick)
    grain = crop(textures.grain, solid.u.shape, rng)
    worn = crop(textures.clouds, solid.u.shape, rng)
    dull = _dull(solid)
    streak, along_x, along_y = _tool_marks(solid, surface, textures)
    streak *= (np.float32(1) - dull) * np.float32(surface.marks)
    height = blur(solid.height, 1.1) * scale
    coarse = grain * dull
    lean_x, lean_y = slopes(height + coarse * (np.float32(0.2) * scale))
    np.subtract(solid.x * np.float32(_WIDE) + np.float32(surface.tilt[0]), lean_x, out=lean_x)
    np.subtract(solid.y * np.float32(_WIDE) + np.float32(surface.tilt[1]), lean_y, out=lean_y)

    glint = _glint(lean_x, lean_y, along_x, along_y)
    del along_x, along_y  # megabytes each, at the peak of memory
    glint *= np.float32(metal.gloss) * (np.float32(1) - dull)
    glint *= np.clip(np.float32(1) + np.float32(0.3) * streak, 0.1, 2.2)
    light = _reflect(lean_x, lean_y)
    del lean_x, lean_y, dull
    light *= np.float32(1) + np.float32(0.055) * (streak + coarse) + np.float32(0.018) * worn
    light += glint
    light *= solid.albedo * _crevice(height)
    light *= np.float32(metal.bright * surface.bright)
    return _tear(light, solid.scar)


def _dull(solid: Solid) -> Plane:
    """Where there are no tool marks: 1 on skin as cast, nearly 1 on broken and stained metal."""
    dull = solid.rough * np.float32(0.85)
    if solid.design.cast is not None:
        dull = np.maximum(dull, solid.design.cast(solid.u, solid.v))
    return dull


def _tool_marks(solid: Solid, surface: Surface, textures: Textures) -> tuple[Plane, Plane, Plane]:
    """The streaks, and the direction (x, y) in the picture along which they run."""
    u, v, turn = solid.u, solid.v, np.deg2rad(solid.pose.turn_deg)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    if solid.design.finish is Finish.TURNED:
        r = np.maximum(length(u, v), np.float32(1))
        streak = textures.along(angle(u, v) * np.float32(1024 / (2 * np.pi)), r, surface.start)
        a, b = -v / r, u / r
    elif solid.design.finish is Finish.MILLED:
        reach = np.float32(330)
        chord = np.sqrt(np.maximum(reach * reach - v * v, 1))
        streak = textures.along(v + np.float32(400), u - chord + np.float32(610), surface.start)
        feed = np.cos((u - chord) * np.float32(2 * np.pi / 23) + np.float32(surface.start[0]))
        streak = np.float32(0.75) * streak + np.float32(0.55) * feed
        a, b = -v / reach, chord / reach
    else:
        streak = textures.along(v + np.float32(400), u + np.float32(400), surface.start)
        a, b = np.zeros_like(u), np.ones_like(u)
    return streak, a * cos - b * sin, a * sin + b * cos


def _reflect(lean_x: Plane, lean_y: Plane) -> Plane:
    """The lamps as the leaning surface mirrors them."""
    step, middle = np.float32(_MIRROR / 2 / _STEEPEST), np.float32(_MIRROR / 2 - 0.5)
    return sample(_mirror(), lean_x * step + middle, lean_y * step + middle)


def _glint(lean_x: Plane, lean_y: Plane, along_x: Plane, along_y: Plane) -> Plane:
    """Glint of tool marks running along (x, y): bright where they lie across a lamp's direction."""
    total = np.zeros_like(lean_x)
    face = np.float32(2) * (along_x * lean_x + along_y * lean_y)
    for lamp_x, lamp_y, spread, power in (
        (0.62 * LAMP[0], 0.62 * LAMP[1], 0.13, 0.66),
        (0.66, -0.3, 0.08, 0.25),
    ):
        off = face + along_x * np.float32(lamp_x)
        off += along_y * np.float32(lamp_y)
        off *= off
        off *= np.float32(0.5 / spread**2)  # a Lorentzian: the tails are long on real tool marks
        off += np.float32(1)
        off *= off
        total += np.float32(power) / off
    return total


def _crevice(height: Plane) -> Plane:
    """Less light where the surroundings stand higher."""
    return np.clip(np.float32(1) - np.float32(0.045) * (blur(height, 9) - height), 0.35, 1)


def _tear(light: Plane, scar: Plane) -> Plane:
    """Torn metal scatters: it is dark where the surface mirrors a lamp, bright elsewhere."""
    if not scar.any():
        return light
    around = blur(light, 10)
    target = np.where(
        around > np.float32(0.72), around * np.float32(0.3), around + np.float32(0.75)
    )
    return light + (target - light) * scar


def colour(light: Plane, solid: Solid, metal: Metal, surface: Surface) -> Pixels:
    """Brightness to HxWx3 uint8 BGR, through the film curve and the metal's tint."""
    grey = cv2.convertScaleAbs(light, alpha=128)
    curve = np.arange(256, dtype=np.float32) / 128
    curve = 244 * (1 - np.exp(-1.7 * curve)) / (1 - np.exp(-1.7 * 1.99))
    shift_blue = 1 - 0.025 * surface.warmth
    tint = np.array(metal.tint) * np.array([shift_blue, 1, 2 - shift_blue])
    # Shadows keep less of the metal's colour than its glints: they mirror the grey hall.
    depth = np.clip(curve / 130, 0.35, 1)[:, None]
    table = np.clip(curve[:, None] * (1 + (tint - 1) * depth), 6, 242).astype(np.uint8)
    picture = cv2.LUT(cv2.merge([grey, grey, grey]), table.reshape(256, 1, 3))
    if solid.stain.any():
        for channel, factor in enumerate(solid.stain_bgr):
            cover = np.float32(1) - solid.stain * np.float32(1 - factor)
            picture[:, :, channel] = cv2.convertScaleAbs(picture[:, :, channel] * cover)
    return np.asarray(picture, np.uint8)


def shadow(cover: Plane, scale: float) -> Plane:
    """How much of the lamps' light the part keeps from the belt under and beside it, 0..1."""
    rows, columns = cover.shape
    small = cv2.resize(cover, (columns // 4, rows // 4), interpolation=cv2.INTER_AREA)
    total = np.zeros_like(small)
    for far, soft, dark in ((17, 11, 0.5), (4, 4.5, 0.42)):
        x, y = (-far * scale * part / 4 for part in LAMP)
        move = np.array([[1, 0, x], [0, 1, y]], dtype=np.float32)
        moved = cv2.warpAffine(small, move, (small.shape[1], small.shape[0]))
        total += dark * cv2.GaussianBlur(moved, (0, 0), soft * scale / 4)
    total = np.minimum(total, np.float32(0.88))
    return cast("Plane", cv2.resize(total, (columns, rows), interpolation=cv2.INTER_LINEAR))
