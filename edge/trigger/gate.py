"""A gate: parts that move through the picture, each triggered once, where it is nearest a line.

Something is in front of the backdrop: its extent along the axis of motion is followed from frame
to frame, and when its centre has reached the line, the nearer of the last two frames is the one
to judge; further ones from about the line may be asked for (`shots`). Works in either direction.
Parts must come apart: nearer to one another than `min_size` they are one thing, and where that
fills the view the gate says so (`trouble`). Part of the pure core.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np

from edge.frame import Frame, Unusable
from edge.trigger.backdrop import ALONG, Backdrop, Mask, Picture, small
from edge.trigger.shots import Marks, Seen, Shots
from edge.trigger.trigger import Another, Triggered

THIN = 0.04  # share of the picture across the axis that a part covers at least
PATIENCE = 3  # looks during which a part may be out of sight
PARKED_LOOKS = 300  # a thing that stands so long has become scenery
STILL = 1.5  # small pixels: less is no motion
HOLE_LOOKS = 1  # that a thing must have stood to be looked at as a hole in the backdrop
SPEEDS = 9  # steps that the belt's speed is the median of
CROWDED = (
    "something fills the view along the axis of motion: parts nearer to one another than min_size, "
    "or larger than the view, count as one"
)
REACH = 0.45  # share of the picture that a part may move between two frames


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Where parts are judged and how small they may be, as fractions along the axis 'x' or 'y'.

    Attributes:
        axis: along which they move.
        line: where they are judged.
        min_size: the smallest part, and the smallest gap: parts nearer than that are one.
        contrast: grey levels from the belt's.
        frames: of each part.
        spread: over which these are spread, the line in the middle.
    """

    axis: str = "x"
    line: float = 0.5
    min_size: float = 0.05
    contrast: float = 20.0
    frames: int = 1
    spread: float = 0.25

    def __post_init__(self) -> None:
        if self.axis not in ("x", "y") or not 0 < self.line < 1 or not 0 < self.min_size <= 1:
            raise ValueError(f"{self} does not describe a line within the picture")
        if self.frames < 1 or not 0 < self.spread <= 1:
            raise ValueError(f"{self} does not describe frames about a line")

    def marks(self) -> Marks:
        """Places of the further frames, in small pixels."""
        steps = max(1, self.frames // 2)  # on either side
        step = self.spread / 2 * ALONG / steps
        return Marks(self.line * (ALONG - 1), step, self.frames, self.axis, ALONG)


@dataclass(frozen=True, slots=True)
class _Extent:
    """Columns `first` to `last` of the small picture that something covers."""

    first: int
    last: int

    @property
    def centre(self) -> float:
        return (self.first + self.last) / 2

    def near(self, other: "_Extent") -> bool:
        """Whether `other` has the same edges, but for a pixel of noise."""
        return abs(self.first - other.first) <= 1 and abs(self.last - other.last) <= 1

    @property
    def at_border(self) -> bool:
        return self.first <= 1 or self.last >= ALONG - 2


@dataclass(slots=True, eq=False)
class _Track:
    """One thing followed; centres in small pixels, the one before with the frame it was seen in."""

    extent: _Extent
    number: int
    frame: Frame
    born_at: float
    anchor: _Extent
    shots: Shots
    fired: Triggered | None = None
    still: int = 0
    missed: int = 0
    travelled: float = 0.0

    @property
    def centre(self) -> float:
        return self.extent.centre

    @property
    def seen(self) -> Seen:
        return Seen(self.frame, self.centre, whole=not self.extent.at_border)

    def fire(self, best: Seen, *, upwards: bool) -> Triggered:
        """It is at the line, best seen so."""
        others = self.shots.reached(best, upwards=upwards)
        self.fired = Triggered(best.frame, others=others, more=self.shots.open)
        return self.fired


class Gate:
    """Finds each part of a moving line once.

    Attributes:
        trouble: that something fills the view from end to end, so that parts can't be counted.
    """

    def __init__(self, settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self._marks = self.settings.marks()
        self._line = self._marks.line
        self._least = max(2.0, self.settings.min_size * ALONG)
        self._backdrop = Backdrop(self.settings.contrast)
        self._tracks: list[_Track] = []
        self._steps: deque[float] = deque(maxlen=SPEEDS)
        self._last_number = -1
        self._filled = 0
        self.trouble = ""

    @property
    def _speed(self) -> float | None:
        """Of the belt, in small pixels per frame number; all parts move alike."""
        return median(self._steps) if self._steps else None

    def see(self, seen: Frame | Unusable) -> list[Triggered | Another]:
        """Look at the next frame; a frame that can't be used is passed over."""
        if isinstance(seen, Unusable):
            return []
        picture = small(seen.pixels, self.settings.axis)
        mask = self._backdrop.front(picture)
        extents = self._extents(mask)
        self._look_for_gaps(extents)
        pairs, new = self._match(extents, seen.number)
        before = list(self._tracks)
        told = [one for track, extent in pairs for one in self._follow(track, extent, seen)]
        told += [one for extent in new for one in self._begin(extent, seen)]
        told += self._forget(seen.number)
        self._clear_scenery(picture, mask, seen.number)
        self._last_number = seen.number
        told += [
            Another(track.fired, None, last=True)
            for track in before
            if track.fired and track.shots.open and track not in self._tracks
        ]
        return told

    def _look_for_gaps(self, extents: list[_Extent]) -> None:
        filled = any(one.first <= 1 and one.last >= ALONG - 2 for one in extents)
        self._filled = self._filled + 1 if filled else 0
        self.trouble = CROWDED if self._filled > PATIENCE else ""

    def _clear_scenery(self, picture: Picture, mask: Mask, number: int) -> None:
        """What stands for long, or is but a hole in the backdrop, is taken into the backdrop."""
        for track in list(self._tracks):
            if track.number != number or track.still < HOLE_LOOKS:
                continue
            first, last = track.extent.first, track.extent.last
            # What came with the belt is a part, however long the belt stands.
            parked = track.still >= PARKED_LOOKS and not self._was_moving(track)
            if parked or self._backdrop.is_hole(picture, mask, first, last):
                self._backdrop.absorb(picture, first, last)
                self._tracks.remove(track)

    def _extents(self, mask: Mask) -> list[_Extent]:
        """Runs of covered columns, joined over gaps smaller than the smallest part."""
        covered = np.flatnonzero(mask.mean(axis=0) >= THIN)
        if not covered.size:
            return []
        breaks = np.flatnonzero(np.diff(covered) > self._least)
        firsts = covered[np.concatenate(([0], breaks + 1))]
        lasts = covered[np.concatenate((breaks, [covered.size - 1]))]
        return [
            _Extent(int(first), int(last))
            for first, last in zip(firsts, lasts, strict=True)
            if last - first + 1 >= self._least
        ]

    def _match(
        self, extents: list[_Extent], number: int
    ) -> tuple[list[tuple[_Track, _Extent]], list[_Extent]]:
        """Pair tracks with extents, nearest to where they are expected first."""
        options = sorted(
            (abs(self._expected(track, number) - extent.centre), row, column)
            for row, track in enumerate(self._tracks)
            for column, extent in enumerate(extents)
        )
        pairs: list[tuple[_Track, _Extent]] = []
        rows: set[int] = set()
        columns: set[int] = set()
        for distance, row, column in options:
            within = distance <= REACH * ALONG * (0.5 if self._speed is not None else 1)
            if within and row not in rows and column not in columns:
                rows.add(row)
                columns.add(column)
                pairs.append((self._tracks[row], extents[column]))
        return pairs, [extent for index, extent in enumerate(extents) if index not in columns]

    def _expected(self, track: _Track, number: int) -> float:
        """Where its centre should be by now: carried on by the belt unless it stands still."""
        if track.still >= HOLE_LOOKS:
            return track.centre
        return track.centre + (self._speed or 0.0) * (number - track.number)

    def _follow(
        self, track: _Track, extent: _Extent, frame: Frame
    ) -> Iterator[Triggered | Another]:
        """Move a track on; the frame to judge if the part has now reached the line, or another."""
        was, now = track.seen, Seen(frame, extent.centre, whole=not extent.at_border)
        before, after, speed = was.centre, now.centre, self._speed
        inside = not (track.extent.at_border or extent.at_border)
        if inside and abs(after - before) > STILL:
            self._steps.append((after - before) / (frame.number - track.number))
        track.travelled += after - before
        near = track.anchor.near(extent)
        track.still, track.anchor = (track.still + 1, track.anchor) if near else (0, extent)
        track.extent, track.number, track.frame, track.missed = extent, frame.number, frame, 0
        was_open = track.shots.open
        more = track.shots.moved(was, now)
        if track.fired and was_open:
            yield from _further(track.fired, more, still=track.shots.open)
        backwards = speed is not None and speed * (after - before) < 0
        if track.fired or backwards or not _crossed(track.born_at, before, after, self._line):
            return
        nearer = now if abs(after - self._line) <= abs(before - self._line) else was
        yield track.fire(nearer, upwards=after > before)

    def _begin(self, extent: _Extent, frame: Frame) -> Iterator[Triggered]:
        """Follow something new; if it came in and passed the line unseen, judge it at once."""
        track = _Track(extent, frame.number, frame, extent.centre, extent, Shots(self._marks))
        self._tracks.append(track)
        if self._speed is None or frame.number - self._last_number < 2:
            return
        before = extent.centre - self._speed * (frame.number - self._last_number)
        outside = not 0 <= before <= ALONG
        if outside and (before - self._line) * (extent.centre - self._line) < 0:
            yield track.fire(track.seen, upwards=self._speed > 0)

    def _forget(self, number: int) -> list[Triggered]:
        """Drop what is out of sight; what passed the line unseen is judged as it was last seen."""
        kept: list[_Track] = []
        passed: list[Triggered] = []
        for track in self._tracks:
            track.missed += track.number != number
            expected = self._expected(track, number)
            unseen = track.missed and not track.fired and self._was_moving(track)
            if unseen and _crossed(track.born_at, track.centre, expected, self._line):
                passed.append(track.fire(track.seen, upwards=track.travelled > 0))
            if track.missed <= PATIENCE and 0 <= expected <= ALONG:
                kept.append(track)
        self._tracks = kept
        return passed

    def _was_moving(self, track: _Track) -> bool:
        """Whether it went with the belt, as a part does."""
        return self._speed is not None and track.travelled * self._speed > 0


def _crossed(born_at: float, before: float, after: float, line: float) -> bool:
    """Whether a centre that began on one side of the line has come to it from that side."""
    if abs(born_at - line) < STILL:
        return False
    side = 1.0 if born_at > line else -1.0
    return side * (after - line) <= 0 < side * (before - line) + 1e-9


def _further(of: Triggered, frames: list[Frame], *, still: bool) -> Iterator[Another]:
    """What was taken behind the line, and that it was the last if no more are to come."""
    for count, frame in enumerate(frames, 1):
        yield Another(of, frame, last=count == len(frames) and not still)
    if not frames and not still:
        yield Another(of, None, last=True)
