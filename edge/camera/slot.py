"""The place between a camera and its line: room for one item, handed from thread to thread.

A live source never waits: a newer item replaces the one not yet taken, and that is counted. A
played source (`lossless`) waits instead. It knows nothing of frames.
"""

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Slot(Generic[Item]):
    """Room for one item between one producer and one consumer.

    Args:
        lossless: whether `put` waits for the room to be free instead of replacing what is there.
    """

    def __init__(self, *, lossless: bool = False) -> None:
        self.lossless = lossless
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._full = False
        self._closed = False
        self._overwritten = 0

    @property
    def overwritten(self) -> int:
        """How many items were replaced before anybody took them."""
        with self._changed:
            return self._overwritten

    @property
    def finished(self) -> bool:
        """Whether it is closed and nothing is left to take."""
        with self._changed:
            return self._closed and not self._full

    def put(self, item: Item) -> bool:
        """Leave `item`; returns False, without leaving it, if the slot is or gets closed."""
        with self._changed:
            while self.lossless and self._full and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            self._overwritten += self._full
            self._item, self._full = item, True
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float) -> Item | None:
        """The item, waited for up to `timeout_s`; None if none came or the slot is finished."""
        with self._changed:
            self._changed.wait_for(lambda: self._full or self._closed, timeout_s)
            item, self._item, self._full = self._item, None, False
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Let nothing more in; what is there may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
