"""A picture that repeats itself: a live sensor's noise never does.

Knows no clock: how often a source repeats itself while it is well is learnt at commissioning
(an H.264 stream of a still scene, a camera slower than its interface).
"""

import numpy as np

from edge.camera_health.sample import Sample

CHANGED = 0.005  # share of the pixels that at least change in a live picture
_LOW, _HIGH = 2, 253  # a pixel at the end of its range has no noise to show
LEAST_PIXELS = 64


def changed(before: Sample, after: Sample) -> float | None:
    """Share of the small picture's pixels that changed; None where all are black or white.

    A clock burnt into a frozen picture changes few of them.
    """
    if before.colour.shape != after.colour.shape:
        return 1.0
    alive = (after.grey > _LOW) & (after.grey < _HIGH)
    count = int(np.count_nonzero(alive))
    if count < LEAST_PIXELS:
        return None
    return float(np.count_nonzero((before.grey != after.grey) & alive)) / count


class Repeats:
    """How many frames in a row show the same picture as the one before."""

    def __init__(self) -> None:
        self._last: Sample | None = None
        self.count = 0

    def see(self, sample: Sample) -> int:
        """Take the next sample; returns how often its picture has now been repeated."""
        before, self._last = self._last, sample
        share = None if before is None else changed(before, sample)
        if share is not None:
            self.count = self.count + 1 if share < CHANGED else 0
        return self.count
