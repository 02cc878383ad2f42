"""The designs that the line carries: outline, relief, holes, finish and metal of each.

Outlines are signed distances (negative inside the material), in nominal pixels: the part as a
frame 1024 pixels high shows it. Knows nothing of pose, defects or light.
Distance functions after I. Quilez, "2D distance functions".
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from edge.virtual_line.planes import Plane, angle, length, ramp

REACH = 290  # no design is farther than this from its centre, in nominal pixels


class Finish(StrEnum):
    """How the surface was machined, which decides the run of its tool marks."""

    TURNED = "turned"
    BRUSHED = "brushed"
    MILLED = "milled"
    ROUND = "round"  # turned about an axis that lies in the picture


@dataclass(frozen=True, slots=True)
class Metal:
    """Colour as BGR factors, and how bright the surface is against bare steel."""

    tint: tuple[float, float, float]
    bright: float
    gloss: float


STEEL = Metal((1.012, 1.0, 0.992), 1.0, 1.0)
BLUED_STEEL = Metal((1.03, 0.995, 0.97), 0.86, 0.85)
ALUMINIUM = Metal((1.0, 1.0, 1.0), 1.14, 0.8)
BRASS = Metal((0.66, 0.92, 1.08), 1.05, 0.9)
CAST_IRON = Metal((1.0, 0.995, 0.985), 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Hole:
    """A hole or slot with round ends: through the part, or blind and `depth` pixels deep."""

    x: float
    y: float
    radius: float
    half_length: float = 0.0
    turn_deg: float = 0.0
    depth: float | None = None
    removable: bool = True

    def distance(self, u: Plane, v: Plane) -> Plane:
        """Signed distance to the hole's rim, negative inside the hole."""
        across, down = u - np.float32(self.x), v - np.float32(self.y)
        if self.half_length:
            cos, sin = _direction(self.turn_deg)
            across, down = across * cos + down * sin, down * cos - across * sin
            across = np.maximum(np.abs(across) - np.float32(self.half_length), 0)
        return length(across, down) - np.float32(self.radius)

    @property
    def extent(self) -> float:
        """Pixels from end to end."""
        return 2 * (self.radius + self.half_length)


Shape = Callable[[Plane, Plane], Plane]


@dataclass(frozen=True, slots=True)
class Design:
    """One kind of part.

    `half` is half its width and height, `reach` its farthest point from the centre; `relief` is
    in pixels of height; `cast` is 1 where the surface is left as cast, 0 where machined.
    """

    name: str
    half: tuple[float, float]
    reach: float
    metal: Metal
    finish: Finish
    outline: Shape
    relief: Shape
    holes: tuple[Hole, ...]
    bevel: float
    turn_deg: float
    cast: Shape | None = None


def _direction(degrees: float) -> tuple[np.float32, np.float32]:
    return np.float32(np.cos(np.deg2rad(degrees))), np.float32(np.sin(np.deg2rad(degrees)))


def _ring(
    count: int, radius: float, at: float, start_deg: float = 0.0, *, removable: bool = True
) -> tuple[Hole, ...]:
    turns = np.deg2rad(start_deg + 360 / count * np.arange(count))
    return tuple(
        Hole(at * float(np.cos(turn)), at * float(np.sin(turn)), radius, removable=removable)
        for turn in turns
    )


def _box(u: Plane, v: Plane, half: tuple[float, float], corner: float) -> Plane:
    x = np.abs(u) - np.float32(half[0] - corner)
    y = np.abs(v) - np.float32(half[1] - corner)
    outside = length(np.maximum(x, 0), np.maximum(y, 0))
    return outside + np.minimum(np.maximum(x, y), 0) - np.float32(corner)


def _flange_outline(u: Plane, v: Plane) -> Plane:
    return length(u, v) - np.float32(268)


def _flange_relief(u: Plane, v: Plane) -> Plane:
    r = length(u, v)
    hub = ramp(r, 138, 127) * np.float32(12)
    groove = (ramp(r, 233, 239) - ramp(r, 246, 252)) * np.float32(-4)
    return hub + groove


def _bracket_outline(u: Plane, v: Plane) -> Plane:
    body = _box(u, v, (245, 140), 26)
    notch = _box(u, v - np.float32(-140), (58, 34), 14)
    return np.maximum(body, -notch)


def _bracket_relief(u: Plane, v: Plane) -> Plane:
    pad = ramp(_box(u + np.float32(172), v - np.float32(2), (56, 122), 16), 5, -5)
    return pad * np.float32(8)


def _gear_outline(u: Plane, v: Plane) -> Plane:
    """A gear of 26 teeth with straight flanks: the radius as a clipped wave of the angle."""
    teeth = np.cos(angle(u, v) * np.float32(26)) * np.float32(2.1)
    rim = np.float32(252) + np.float32(22) * np.clip(teeth, -1, 1)
    # The flanks are steep in the angle, so that the radial excess overstates the distance to them.
    return (length(u, v) - rim) * np.float32(0.72)


def _gear_relief(u: Plane, v: Plane) -> Plane:
    r = length(u, v)
    return (ramp(r, 91, 101) - ramp(r, 204, 214)) * np.float32(-11)


def _gear_cast(u: Plane, v: Plane) -> Plane:
    r = length(u, v)
    return ramp(r, 94, 98) - ramp(r, 206, 210)


_KEYWAY = Hole(0, -58, 13, 14, 90, removable=False)


def _plate_outline(u: Plane, v: Plane) -> Plane:
    return _box(u, v, (212, 212), 44)


def _plate_relief(u: Plane, v: Plane) -> Plane:
    r = length(u, v)
    boss = ramp(r, 148, 137) * np.float32(13)
    lands = sum(
        (ramp(length(u - np.float32(x), v - np.float32(y)), 48, 43) for x, y in _CORNERS),
        start=np.zeros_like(u),
    )
    return boss + lands * np.float32(-5)


_CORNERS = ((-158, -158), (158, -158), (158, 158), (-158, 158))


def _plate_cast(u: Plane, v: Plane) -> Plane:
    return ramp(length(u, v), 138, 142) * ramp(_to_corner(u, v), 43, 46)


def _to_corner(u: Plane, v: Plane) -> Plane:
    """Distance to the nearest of the four corner holes' middles."""
    return length(np.abs(u) - np.float32(158), np.abs(v) - np.float32(158))


_STEPS = (
    (-272.0, -122.0, 62.0),
    (-122.0, 96.0, 98.0),
    (96.0, 206.0, 76.0),
    (206.0, 272.0, 50.0),
)


def _shaft_outline(u: Plane, v: Plane) -> Plane:
    total = np.full_like(u, 1e6)
    for left, right, radius in _STEPS:
        middle, half = (left + right) / 2, (right - left) / 2 + 0.5
        total = np.minimum(total, _box(u - np.float32(middle), v, (half, radius), 5))
    return total


def _shaft_relief(u: Plane, v: Plane) -> Plane:
    radius = np.zeros_like(u)
    for left, right, size in _STEPS:
        off = np.abs(u - np.float32((left + right) / 2))
        radius = np.maximum(
            radius, ramp(off, (right - left) / 2 + 2, (right - left) / 2 - 2) * size
        )
    bow = np.sqrt(np.maximum(radius * radius - v * v, 0))
    neck = ramp(np.abs(u - np.float32(-130)), 9, 5) * np.float32(-5)
    return bow + neck


FLANGE = Design(
    "flange", (268, 268), 268, STEEL, Finish.TURNED, _flange_outline, _flange_relief,
    (Hole(0, 0, 72, removable=False), *_ring(6, 27, 190, 15)), 7, 180,
)  # fmt: skip
BRACKET = Design(
    "bracket", (245, 140), 274, ALUMINIUM, Finish.MILLED, _bracket_outline, _bracket_relief,
    (
        Hole(60, 8, 27, 74), Hole(-172, -66, 26), Hole(-172, 72, 26), Hole(202, -92, 18),
        Hole(202, 98, 18),
    ), 6, 14,
)  # fmt: skip
GEAR = Design(
    "gear", (274, 274), 274, BLUED_STEEL, Finish.TURNED, _gear_outline, _gear_relief,
    (Hole(0, 0, 52, removable=False), _KEYWAY, *_ring(5, 33, 152, 54)), 5, 180, _gear_cast,
)  # fmt: skip
PLATE = Design(
    "plate", (212, 212), 282, CAST_IRON, Finish.TURNED, _plate_outline, _plate_relief,
    (
        Hole(0, 0, 62, removable=False), *(Hole(x, y, 23) for x, y in _CORNERS),
        *_ring(4, 15, 103, removable=False),
    ), 9, 14, _plate_cast,
)  # fmt: skip
SHAFT = Design(
    "shaft", (273, 99), 290, BRASS, Finish.ROUND, _shaft_outline, _shaft_relief,
    (Hole(-12, 0, 25, 52, depth=20), Hole(150, 0, 22, depth=28), Hole(-196, 0, 17, depth=20)),
    6, 11,
)  # fmt: skip
DESIGNS = {design.name: design for design in (FLANGE, BRACKET, GEAR, PLATE, SHAFT)}
