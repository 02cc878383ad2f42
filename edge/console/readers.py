"""Connections that read the verdict store, lent one request each.

Opening one takes longer than most questions; a few are kept for the next to ask.
"""

import queue
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge.store import schema

KEPT = 4


class Readers:
    """Lends connections to the store at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(KEPT)

    @contextmanager
    def lend(self) -> Generator[sqlite3.Connection]:
        """A connection for one request."""
        try:
            db = self._idle.get_nowait()
        except queue.Empty:
            db = schema.reader(self._path)
        try:
            yield db
        except BaseException:
            db.close()  # whatever it was in the middle of
            raise
        try:
            self._idle.put_nowait(db)
        except queue.Full:
            db.close()

    def close(self) -> None:
        """Close those that nobody has."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
