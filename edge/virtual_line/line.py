"""The virtual line itself: which part comes when, and any frame of it by its number.

A frame is the same bytes whether it is reached by playing or asked for alone. Holds no clock:
whoever plays it keeps the pace.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import count

import cv2
import numpy as np

from edge.virtual_line import belt
from edge.virtual_line.defect import Kind
from edge.virtual_line.design import DESIGNS, REACH
from edge.virtual_line.optics import Optics
from edge.virtual_line.passage import Passage
from edge.virtual_line.plan import FRAMES_PER_PITCH, Plan, Stream
from edge.virtual_line.sprite import Sprite, render
from edge.virtual_line.texture import Textures
from edge.virtual_line.truth import PartTruth
from export.preprocess import Pixels, Region

# Holds any part at its centre frame, however it lies, and nothing of its neighbours.
# A square on the default 1280x1024.
REGION = Region(0.1875, 0.109375, 0.625, 0.78125)
_Window = tuple[slice, slice]
_KEPT = 3  # sprites in memory: two can be in a frame, and a third enters


class VirtualLine:
    """A conveyor that carries `parts` parts past a camera, left to right.

    Args:
        seed: chooses everything; the same arguments give the same bytes (with the same versions
            of numpy and OpenCV on the same kind of processor).
        parts: how many parts pass.
        width, height: the frame in pixels, 1.2 to 2 times as wide as high.
        defect_rate: share of defective parts, 0..1; drawn part by part.
        defects: the kinds that occur, each as often as the others.
        designs: names of the designs that occur (see DESIGNS).
        defect_size: factor on the defects' usual extents, 0.1..2 (a missing hole has its own).
        defect_contrast: factor on how strongly they show, above 0, at most 1.
        noise: sensor noise, standard deviation in grey levels.
        drift: by how much the lamps wander, as a share of their brightness.
        blur_px: how far a part moves during the exposure, pixels.
        extent_px: the defects' least and largest extent in the frame's pixels, instead of a
            factor (a missing hole still has its own).

    Raises:
        CameraError: an argument is out of its range.
    """

    def __init__(
        self,
        seed: int,
        parts: int,
        width: int = 1280,
        height: int = 1024,
        *,
        defect_rate: float = 0.2,
        defects: Sequence[Kind] = tuple(Kind),
        designs: Sequence[str] = tuple(DESIGNS),
        defect_size: float = 1.0,
        defect_contrast: float = 1.0,
        noise: float = 2.0,
        drift: float = 0.08,
        blur_px: int = 3,
        extent_px: tuple[float, float] | None = None,
    ) -> None:
        plan = Plan(
            seed, parts, width, height, defect_rate, tuple(defects), tuple(designs), defect_size,
            defect_contrast, noise, drift, blur_px, extent_px,
        )  # fmt: skip
        self._plan = plan
        self._parts = Passage(plan, parts)
        self._textures = Textures.make(plan.rng(Stream.TEXTURES))
        self._optics = Optics(width, height, noise, drift, plan.rng(Stream.OPTICS))
        belts = plan.rng(Stream.BELT)
        self._belt = belt.loop(width, height, belts)
        self._rails = belt.rails(width, height, belts)
        self._margin = round((REACH + 60) * plan.scale)
        self._sprite = lru_cache(_KEPT)(self._make)

    @cached_property
    def truth(self) -> tuple[PartTruth, ...]:
        """What each part is, in the order in which they pass."""
        return tuple(self._parts)

    @property
    def speed(self) -> int:
        """Pixels that the belt moves from one frame to the next."""
        return self._plan.speed

    @property
    def frame_count(self) -> int:
        """Frames until the last part has left the picture."""
        return self._parts[-1].centre_frame + FRAMES_PER_PITCH

    def numbers(self, first: int = 0) -> Iterator[int]:
        """Numbers of the frames from `first` until the last part has left the picture."""
        for number in count(first):
            if not self._parts.any_after(number - FRAMES_PER_PITCH):
                return
            yield number

    def frames(self) -> Iterator[Pixels]:
        """Every frame from the first, HxWx3 uint8 BGR, each an array of its own."""
        for number in self.numbers():
            yield self.frame(number)

    def stills(self) -> Iterator[Pixels]:
        """One frame for each part: the one in which it is nearest the middle."""
        for part in self._parts:
            yield self.frame(part.centre_frame)

    def frame(self, number: int) -> Pixels:
        """Frame `number`, HxWx3 uint8 BGR; before the first part and after the last, bare belt."""
        return self._take(number, None)

    def twin(self, index: int) -> Pixels:
        """The still of part `index` as it would be had nothing gone wrong with it."""
        return self._take(self._parts[index].centre_frame, index)

    def mask(self, index: int) -> Pixels:
        """Where the still of part `index` shows its defect: HxW uint8, 0 or 255."""
        part = self._parts[index]
        mask = np.zeros((self._plan.height, self._plan.width), dtype=np.uint8)
        sprite = self._sprite(index, part.defect is not None)
        here, there = self._overlap(sprite, part.x_px, part.y_px)
        mask[here] = np.where(sprite.mark[there] > 127, 255, 0)
        return mask

    def _take(self, number: int, healed: int | None) -> Pixels:
        scene = self._belt_at(number)
        for part in self._near(number):
            sprite = self._sprite(part.index, part.defect is not None and part.index != healed)
            x = part.x_px + (number - part.centre_frame) * self.speed
            here, there = self._overlap(sprite, x, part.y_px)
            if here[1].start >= here[1].stop:  # this narrow part has left, or has yet to come
                continue
            under = scene[here]
            cv2.multiply(under, sprite.keep[there], dst=under, scale=1 / 255)
            cv2.add(under, sprite.light[there], dst=under)
        rail = len(self._rails[0])
        scene[:rail], scene[-rail:] = self._rails
        self._optics.expose(scene, number, self._plan.rng(Stream.FRAME, number))
        return scene

    def _belt_at(self, number: int) -> Pixels:
        width, turn = self._plan.width, self._belt.shape[1]
        left = -number * self.speed % turn
        if left + width <= turn:
            return self._belt[:, left : left + width].copy()
        return np.concatenate([self._belt[:, left:], self._belt[:, : left + width - turn]], axis=1)

    def _near(self, number: int) -> Iterator[PartTruth]:
        """The parts that can be in frame `number`."""
        near = self._parts.between(number - FRAMES_PER_PITCH, number + FRAMES_PER_PITCH)
        for part in near:
            x = part.x_px + (number - part.centre_frame) * self.speed
            if -self._margin < x < self._plan.width + self._margin:
                yield part

    def _overlap(self, sprite: Sprite, x: int, y: int) -> tuple[_Window, _Window]:
        """Rows and columns of the frame, and of the sprite whose middle lies at (x, y)."""
        high, wide = sprite.mark.shape
        left, top = x - wide // 2, y - high // 2
        columns = slice(max(0, left), min(self._plan.width, left + wide))
        rows = slice(max(0, top), min(self._plan.height, top + high))
        inside = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        return (rows, columns), inside

    def _make(self, index: int, flawed: bool) -> Sprite:
        item, plan = self._plan.item(index), self._plan
        return render(
            item.design, item.pose, item.surface, self._textures,
            defect=item.defect if flawed else None, blur_px=plan.blur_px,
        )  # fmt: skip
