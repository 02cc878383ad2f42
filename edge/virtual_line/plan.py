"""The plan of a line: its checked settings, and what they say of every part before it is made.

Each part draws from a generator of its own, seeded by (seed, what, index), so that no part
depends on whether another was looked at. Knows nothing of pixels' colours.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from edge.virtual_line.defect import EXTENT, Defect, Kind, draw
from edge.virtual_line.design import DESIGNS, Design
from edge.virtual_line.light import Surface
from edge.virtual_line.part import Pose
from edge.virtual_line.truth import PartTruth
from export.errors import CameraError

FRAMES_PER_PITCH = 6


class Stream(IntEnum):
    """What a generator is for: each has random numbers of its own."""

    TEXTURES = 1
    OPTICS = 2
    BELT = 3
    PART = 4
    DEFECT = 5
    PITCH = 6
    FRAME = 7


@dataclass(frozen=True, slots=True)
class Item:
    """One part as it will be made."""

    design: Design
    pose: Pose
    surface: Surface
    defect: Defect | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A line's settings, as `edge.virtual_line.VirtualLine` explains them.

    Raises:
        CameraError: a setting is out of its range.
    """

    seed: int
    parts: int
    width: int
    height: int
    defect_rate: float
    defects: tuple[Kind, ...]
    designs: tuple[str, ...]
    defect_size: float
    defect_contrast: float
    noise: float
    drift: float
    blur_px: int
    extent_px: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        high = self.height
        self._need(self.seed >= 0, "seed", "0 or more")
        self._need(1 <= self.parts <= 10_000_000, "parts", "1 to 10 million")
        self._need(256 <= high <= 4096, "height", "256 to 4096 pixels")
        wide_enough = 1.2 * high <= self.width <= 2 * high
        self._need(wide_enough, "width", f"1.2 to 2 times the height of {high}")
        self._need(0 <= self.defect_rate <= 1, "defect_rate", "0 to 1")
        self._need(0.1 <= self.defect_size <= 2, "defect_size", "0.1 to 2")
        self._need(0 < self.defect_contrast <= 1, "defect_contrast", "above 0, at most 1")
        self._need(0 <= self.noise <= 5, "noise", "0 to 5 grey levels")
        self._need(0 <= self.drift <= 0.5, "drift", "0 to 0.5")
        self._need(1 <= self.blur_px <= 50, "blur_px", "1 to 50 pixels")
        low, most = self.extent_px or (1.0, 1.0)
        self._need(1 <= low <= most <= 400, "extent_px", "1 to 400 pixels, the smaller first")
        self._need(_known(self.defects, list(Kind)), "defects", f"some of {', '.join(Kind)}")
        self._need(_known(self.designs, DESIGNS), "designs", f"some of {', '.join(DESIGNS)}")

    def _need(self, holds: bool, name: str, wanted: str) -> None:
        if not holds:
            raise CameraError(
                f"the virtual line can't have {name} = {getattr(self, name)!r}",
                f"choose {name} within: {wanted}",
            )

    @property
    def scale(self) -> float:
        """Pixels of a frame for one nominal pixel of a design."""
        return self.height / 1024

    @property
    def speed(self) -> int:
        """Pixels that the belt moves from one frame to the next."""
        return round(0.703 * self.width / FRAMES_PER_PITCH)

    def rng(self, stream: Stream, index: int = 0) -> np.random.Generator:
        """The generator of one part, frame or bank."""
        return np.random.default_rng([self.seed, stream, index])

    def item(self, index: int) -> Item:
        """What part `index` is and how it lies."""
        rng = self.rng(Stream.PART, index)
        design = DESIGNS[self.designs[int(rng.integers(len(self.designs)))]]
        pose = Pose(
            turn_deg=float(rng.uniform(-design.turn_deg, design.turn_deg)),
            scale=self.scale * float(rng.uniform(0.98, 1.02)),
            x=float(rng.uniform(-0.5, 0.5)),
            y=float(rng.uniform(-0.5, 0.5)),
        )
        surface = Surface(
            tilt=(float(rng.normal(0, 0.009)), float(rng.normal(0, 0.009))),
            marks=float(rng.uniform(0.7, 1.3)),
            bright=float(rng.uniform(0.95, 1.05)),
            warmth=float(rng.uniform(-1, 1)),
            start=(float(rng.uniform(0, 500)), float(rng.uniform(0, 190))),
            pick=int(rng.integers(2**31)),
        )
        return Item(design, pose, surface, self._defect(design, index))

    def _defect(self, design: Design, index: int) -> Defect | None:
        rng = self.rng(Stream.DEFECT, index)
        if rng.random() >= self.defect_rate:
            return None
        kind = self.defects[int(rng.integers(len(self.defects)))]
        return draw(design, kind, self._extent(kind), self.defect_contrast, rng)

    def _extent(self, kind: Kind) -> tuple[float, float]:
        """How large defects of `kind` are, from and to, nominal pixels."""
        if self.extent_px is not None:
            return self.extent_px[0] / self.scale, self.extent_px[1] / self.scale
        low, high = EXTENT.get(kind, (0.0, 0.0))
        return self.defect_size * low, self.defect_size * high

    def ways(self) -> Iterator[int]:
        """How far the belt has run when each part in turn is at the middle, pixels."""
        way = FRAMES_PER_PITCH * self.speed
        for index in range(self.parts):
            way += self._spacing(index)[0]
            yield way

    def centre_frame(self, way: int) -> int:
        """The frame that is nearest to where the belt has run so far."""
        return round(way / self.speed)

    def truth(self, index: int, way: int) -> PartTruth:
        """What part `index` is, and where it is in the frame in which it passes the middle."""
        item, centre_frame = self.item(index), self.centre_frame(way)
        return PartTruth(
            index=index,
            part=f"{item.design.name}-{index:06d}",
            design=item.design.name,
            defect=item.defect.kind if item.defect else None,
            size_px=round(item.defect.extent * item.pose.scale, 1) if item.defect else 0.0,
            contrast=round(item.defect.contrast, 3) if item.defect else 0.0,
            centre_frame=centre_frame,
            x_px=self.width // 2 + centre_frame * self.speed - way,
            y_px=self.height // 2 + self._spacing(index)[1],
            turn_deg=round(item.pose.turn_deg, 2),
        )

    def _spacing(self, index: int) -> tuple[int, int]:
        """How far part `index` lies behind the one before it, and off the belt's middle; pixels."""
        rng = self.rng(Stream.PITCH, index)
        pitch = FRAMES_PER_PITCH * self.speed * float(rng.uniform(0.95, 1.1))
        behind = round(pitch * (2 if rng.random() < 0.04 else 1))
        return behind, round(float(rng.uniform(-18, 18)) * self.scale)


def _known(chosen: tuple[str, ...], among: Collection[str]) -> bool:
    return bool(chosen) and all(name in among for name in chosen)
