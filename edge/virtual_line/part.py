"""A part in its pose, as planes: where its material ends, how high it stands, how it is marked.

Carving gives the edge, raising gives the height; a defect may step in after each. Light falls on
the result in light.py. Knows nothing of belts, frames or colours.
"""

from dataclasses import dataclass, field

import numpy as np

from edge.virtual_line.design import Design, Hole
from edge.virtual_line.planes import Plane, ramp

_MARGIN = 44  # room for the shadow around the farthest edge, nominal pixels


@dataclass(frozen=True, slots=True)
class Pose:
    """How a part lies: turned by `turn_deg` (clockwise as seen), drawn at `scale` pixels a pixel.

    `x` and `y` are the fraction of a pixel between its centre and the canvas's.
    """

    turn_deg: float
    scale: float
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True, eq=False)
class Solid:
    """A part while it is made; every plane covers the same canvas, whose middle is its centre.

    Attributes:
        x, y: place in the picture from the part's centre, nominal pixels: a row and a column.
        u, v: place in the part's own frame, nominal pixels.
        edge: signed distance to the material's edge, nominal pixels, negative inside.
        height: nominal pixels above the face.
        albedo: factor on the brightness of the surface.
        scar: 0..1, where the surface is torn open (bright in the dark field, dark in the bright).
        rough: 0..1, where tool marks and gloss are gone.
        stain: 0..1 cover of `stain_bgr`.
        mark: 0..1, where a defect changed anything.
    """

    design: Design
    pose: Pose
    x: Plane
    y: Plane
    u: Plane
    v: Plane
    edge: Plane
    height: Plane
    albedo: Plane
    scar: Plane
    rough: Plane
    stain: Plane
    mark: Plane
    stain_bgr: tuple[float, float, float] = field(default=(1.0, 1.0, 1.0))


def canvas(design: Design, pose: Pose) -> tuple[int, int]:
    """Rows and columns, both even, that hold the part in its pose and its shadow."""
    across, down = design.half
    cos, sin = abs(_cos(pose)), abs(_sin(pose))
    wide = min(across * cos + down * sin, design.reach) + _MARGIN
    high = min(across * sin + down * cos, design.reach) + _MARGIN
    return 2 * int(np.ceil(high * pose.scale)), 2 * int(np.ceil(wide * pose.scale))


def carve(design: Design, pose: Pose, missing: Hole | None = None) -> Solid:
    """Cut the outline and every hole but `missing`."""
    rows, columns = canvas(design, pose)
    x = _offsets(columns, pose.x, pose.scale)[None, :]
    y = _offsets(rows, pose.y, pose.scale)[:, None]
    cos, sin = np.float32(_cos(pose)), np.float32(_sin(pose))
    u, v = x * cos + y * sin, y * cos - x * sin
    height, scar, rough, stain, mark = (np.zeros_like(u) for _ in range(5))
    solid = Solid(
        design, pose, x, y, u, v, design.outline(u, v), height, np.ones_like(u), scar, rough,
        stain, mark,
    )  # fmt: skip
    for hole in design.holes:
        if hole is not missing and hole.depth is None:
            window = around(solid, hole.x, hole.y, hole.extent / 2 + 12)
            bore = hole.distance(u[window], v[window])
            solid.edge[window] = np.maximum(solid.edge[window], -bore)
    return solid


def _cos(pose: Pose) -> float:
    return float(np.cos(np.deg2rad(pose.turn_deg)))


def _sin(pose: Pose) -> float:
    return float(np.sin(np.deg2rad(pose.turn_deg)))


def _offsets(count: int, start: float, scale: float) -> Plane:
    line = np.arange(count, dtype=np.float32) - np.float32((count - 1) / 2 + start)
    return line * np.float32(1 / scale)


def raise_relief(solid: Solid, missing: Hole | None = None) -> None:
    """Give the carved part its height: relief, blind holes, and a bevel along every edge."""
    design = solid.design
    solid.height = design.relief(solid.u, solid.v)
    for hole in design.holes:
        if hole is not missing and hole.depth is not None:
            window = around(solid, hole.x, hole.y, hole.extent / 2 + 8)
            rim = hole.distance(solid.u[window], solid.v[window])
            solid.height[window] -= np.float32(hole.depth) * ramp(rim, 1, -4)
            solid.albedo[window] *= np.float32(1) - np.float32(0.35) * ramp(rim, 0, -5)
    into = np.clip(solid.edge * np.float32(-1 / design.bevel), 0, 1)
    solid.height += np.float32(0.85 * design.bevel) * into * (np.float32(2) - into)


def place(solid: Solid, u: float, v: float) -> tuple[float, float]:
    """Column and row of the canvas where the part's (u, v) lies."""
    pose = solid.pose
    rows, columns = solid.u.shape
    x = (u * _cos(pose) - v * _sin(pose)) * pose.scale + pose.x + (columns - 1) / 2
    y = (u * _sin(pose) + v * _cos(pose)) * pose.scale + pose.y + (rows - 1) / 2
    return x, y


def around(solid: Solid, u: float, v: float, reach: float) -> tuple[slice, slice]:
    """Rows and columns of the canvas that hold all within `reach` of (u, v), nominal pixels."""
    x, y = place(solid, u, v)
    extent = reach * solid.pose.scale
    return _span(y, extent, solid.u.shape[0]), _span(x, extent, solid.u.shape[1])


def _span(middle: float, extent: float, size: int) -> slice:
    return slice(max(0, int(middle - extent)), min(size, int(np.ceil(middle + extent)) + 1))
