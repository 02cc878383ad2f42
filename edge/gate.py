"""A gate: parts that move through the picture, each triggered once, where it is nearest a line.

Something is in front of the backdrop: its extent along the axis of motion is followed from frame
to frame, and when its centre has reached the line, the nearer of the last two frames is the one
to judge. Works in either direction. Part of the pure core.
"""

from dataclasses import dataclass, field

import numpy as np

from edge.backdrop import ALONG, Backdrop, Mask, small
from edge.frame import Frame, Unusable
from edge.trigger import Triggered

THIN = 0.04  # share of the picture across the axis that a part covers at least
PATIENCE = 3  # frames that a part may be out of sight
PARKED_FRAMES = 300  # a thing that stands so long has become scenery
STILL = 1.5  # small pixels: less is no motion
HOLE_FRAMES = 2
REACH = 0.45  # share of the picture that a part may move between two frames


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Where parts are judged and how small they may be, as fractions along the axis 'x' or 'y'."""

    axis: str = "x"
    line: float = 0.5
    min_size: float = 0.05
    contrast: float = 20.0

    def __post_init__(self) -> None:
        if self.axis not in ("x", "y") or not 0 < self.line < 1 or not 0 < self.min_size <= 1:
            raise ValueError(f"{self} does not describe a line within the picture")


@dataclass(frozen=True, slots=True)
class _Extent:
    """Columns `first` to `last` of the small picture that something covers."""

    first: int
    last: int

    @property
    def centre(self) -> float:
        return (self.first + self.last) / 2

    @property
    def at_border(self) -> bool:
        return self.first <= 1 or self.last >= ALONG - 2


@dataclass(slots=True)
class _Track:
    """One thing followed; centres in small pixels, the one before with the frame it was seen in."""

    extent: _Extent
    number: int
    frame: Frame
    born_at: float
    fired: bool
    seen: int = 1
    travelled: float = 0.0
    steps: list[float] = field(default_factory=list[float])

    @property
    def centre(self) -> float:
        return self.extent.centre


class Gate:
    """Finds each part of a moving line once."""

    def __init__(self, settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self._line = self.settings.line * (ALONG - 1)
        self._least = max(2.0, self.settings.min_size * ALONG)
        self._backdrop = Backdrop(self.settings.contrast)
        self._tracks: list[_Track] = []
        self._speed: float | None = None  # small pixels per frame number, of all parts alike
        self._last_number = -1

    def see(self, seen: Frame | Unusable) -> list[Triggered]:
        """Look at the next frame; a frame that can't be used is passed over."""
        if isinstance(seen, Unusable):
            return []
        picture = small(seen.pixels, self.settings.axis)
        mask = self._backdrop.front(picture)
        extents = self._extents(mask)
        pairs, new = self._match(extents, seen.number)
        fired = [self._follow(track, extent, seen) for track, extent in pairs]
        fired += [self._begin(extent, seen) for extent in new]
        self._forget(seen.number)
        for track in list(self._tracks):
            if self._is_scenery(track, seen.number) and (
                track.seen >= PARKED_FRAMES
                or self._backdrop.is_hole(picture, mask, track.extent.first, track.extent.last)
            ):
                self._backdrop.absorb(picture, track.extent.first, track.extent.last)
                self._tracks.remove(track)
        self._last_number = seen.number
        return [Triggered(frame) for frame in fired if frame is not None]

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
        if track.seen > HOLE_FRAMES and abs(track.travelled) < STILL:
            return track.centre
        return track.centre + (self._speed or 0.0) * (number - track.number)

    def _follow(self, track: _Track, extent: _Extent, frame: Frame) -> Frame | None:
        """Move a track on; returns the frame to judge if the part has now reached the line."""
        before, before_frame = track.centre, track.frame
        after = extent.centre
        inside = not (track.extent.at_border or extent.at_border)
        if inside and abs(after - before) > STILL:
            self._learn_speed((after - before) / (frame.number - track.number))
        track.travelled += after - before
        track.extent, track.number, track.frame = extent, frame.number, frame
        track.seen += 1
        if track.fired or not _crossed(track.born_at, before, after, self._line):
            return None
        track.fired = True
        return frame if abs(after - self._line) <= abs(before - self._line) else before_frame

    def _begin(self, extent: _Extent, frame: Frame) -> Frame | None:
        """Follow something new; if it came in and passed the line unseen, judge it at once."""
        track = _Track(extent, frame.number, frame, extent.centre, fired=False)
        self._tracks.append(track)
        if self._speed is None or frame.number - self._last_number < 2:
            return None
        before = extent.centre - self._speed * (frame.number - self._last_number)
        outside = not 0 <= before <= ALONG
        if outside and (before - self._line) * (extent.centre - self._line) < 0:
            track.fired = True
            return frame
        return None

    def _learn_speed(self, speed: float) -> None:
        self._speed = speed if self._speed is None else 0.7 * self._speed + 0.3 * speed

    def _forget(self, number: int) -> None:
        """Drop what has left the picture or wasn't seen for a while."""
        self._tracks = [track for track in self._tracks if number - track.number <= PATIENCE]

    @staticmethod
    def _is_scenery(track: _Track, number: int) -> bool:
        still = abs(track.travelled) < STILL
        return still and track.seen > HOLE_FRAMES and track.number == number


def _crossed(born_at: float, before: float, after: float, line: float) -> bool:
    """Whether a centre that began on one side of the line has come to it from that side."""
    if abs(born_at - line) < STILL:
        return False
    side = 1.0 if born_at > line else -1.0
    return side * (after - line) <= 0 < side * (before - line) + 1e-9
