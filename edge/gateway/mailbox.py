"""A mailbox: what one teller has still to tell, bounded, with what found no room counted.

Filled by the thread that follows the box, emptied by the teller's own: a system that stands still
costs the others nothing. Of a full box the oldest verdict gives way, since the newest says what is;
health and state are only ever the last ones.
"""

import threading
from collections import deque
from collections.abc import Callable

from edge.messages import Health, State
from export.verdict import Verdict


class Mailbox:
    """For one teller.

    Args:
        room: verdicts that may wait; 0: none are wanted.

    Attributes:
        dropped: verdicts that found no room.
        health: the box's newest.
        state: the box's newest.
    """

    def __init__(self, room: int) -> None:
        self.dropped = 0
        self.health: Health | None = None
        self.state: State | None = None
        self._waiting: deque[Verdict] = deque()
        self._room, self._lock = room, threading.Lock()
        self._ring: Callable[[], None] = _nobody

    def on_news(self, ring: Callable[[], None]) -> None:
        """Call `ring` whenever something came; it must be quick."""
        self._ring = ring

    def put(self, verdict: Verdict) -> None:
        """A verdict; never waits."""
        if not self._room:
            return
        with self._lock:
            if len(self._waiting) >= self._room:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(verdict)
        self._ring()

    def tell(self, state: State | None, health: Health | None) -> None:
        """How the box is."""
        self.state, self.health = state, health
        self._ring()

    def take(self, most: int) -> list[Verdict]:
        """The verdicts that wait, oldest first, at most so many."""
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    @property
    def online(self) -> bool:
        """Whether the box is."""
        return self.state is not None and self.state.state == "online"

    def __len__(self) -> int:
        return len(self._waiting)


def _nobody() -> None: ...
