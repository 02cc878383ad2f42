"""Dropped frames: fewer come than the camera gave at commissioning.

Counted over about a second, since a busy box delivers frames in bursts. Time is the frames' own.
"""

from collections import deque

LEAST_FRAMES, MOST_FRAMES = 5, 120
GAP_PERIODS = 40  # after so long a gap it was a stall, which is dealt with elsewhere


class Pace:
    """Share of the frames that should have come lately and didn't.

    Args:
        period_ns: from frame to frame at commissioning, monotonic nanoseconds.
    """

    def __init__(self, period_ns: int) -> None:
        self._period_ns = max(1, period_ns)
        count = round(1e9 / self._period_ns)
        self._window = max(LEAST_FRAMES, min(MOST_FRAMES, count))
        self._times: deque[int] = deque(maxlen=self._window + 1)

    def see(self, captured_ns: int) -> float:
        """Take the next frame's time; returns the share that is missing, 0..1."""
        times = self._times
        if times and captured_ns - times[-1] > GAP_PERIODS * self._period_ns:
            times.clear()
        times.append(captured_ns)
        if len(times) <= self._window:
            return 0.0
        due = (times[-1] - times[0]) / self._period_ns
        return max(0.0, 1 - self._window / due) if due > 0 else 0.0
