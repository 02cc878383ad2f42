"""The limiter: so many tries a minute for each key, and then none until one has aged.

In memory, by the monotonic clock. A try counts whether or not it succeeds: a guesser with an
account of his own gains nothing by logging in between.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from edge import clock

KEYS = 10_000  # remembered; beyond it the one that tried longest ago is forgotten
_SECOND = 1_000_000_000


class Limiter:
    """At most `tries` in any `window_s` seconds for each key."""

    def __init__(
        self, tries: int, window_s: float, now_ns: Callable[[], int] = clock.monotonic_ns
    ) -> None:
        self._tries, self._window_ns, self._now_ns = tries, round(window_s * _SECOND), now_ns
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Count a try; 0 if it may go on, else in how many seconds the next may."""
        now_ns = self._now_ns()
        with self._lock:
            times = self._seen.setdefault(key, deque())
            self._seen.move_to_end(key)
            while times and times[0] <= now_ns - self._window_ns:
                times.popleft()
            if len(times) >= self._tries:
                return (times[0] + self._window_ns - now_ns) / _SECOND
            times.append(now_ns)
            while len(self._seen) > KEYS:
                self._seen.popitem(last=False)
            return 0.0
