"""A picture that repeats itself: a live sensor's noise never does.

Looked for among the last RING pictures: a driver that hangs may go round its buffers for ever.
Knows no clock: how often a source repeats itself while it is well is learnt at commissioning
(an H.264 stream of a still scene, a camera slower than its interface).
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from edge.camera_health.sample import Sample

CHANGED = 0.005  # share of the pixels that at least change in a live picture
_LOW, _HIGH = 2, 253  # a pixel at the end of its range has no noise to show
LEAST_PIXELS = 64
RING = 8  # as many buffers as a driver usually has


def changed(before: Sample, after: Sample, alive: NDArray[np.bool_]) -> float:
    """Share of the small picture's `alive` pixels that changed.

    A clock burnt into a frozen picture changes few of them.
    """
    if before.colour.shape != after.colour.shape:
        return 1.0
    different = (before.grey != after.grey) & alive
    return float(np.count_nonzero(different)) / float(np.count_nonzero(alive))


class Repeats:
    """How many frames in a row show the same picture as one shortly before."""

    def __init__(self) -> None:
        self._last: deque[Sample] = deque(maxlen=RING)
        self.count = 0

    def see(self, sample: Sample) -> int:
        """Take the next sample; returns how often in a row a picture has now been repeated."""
        alive = (sample.grey > _LOW) & (sample.grey < _HIGH)
        if self._last and np.count_nonzero(alive) >= LEAST_PIXELS:  # else it is black or white
            before = reversed(self._last)
            repeated = any(changed(one, sample, alive) < CHANGED for one in before)
            self.count = self.count + 1 if repeated else 0
        self._last.append(sample)
        return self.count
