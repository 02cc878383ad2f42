"""The quarantine of a stopped box: what the broker would not have, to be let go again or given up.

For an operator, offline: a running box holds the lock of its record, and then this is refused.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from edge.outbox import schema
from edge.outbox.lock import lock
from edge.outbox.store import Row, Store
from export.errors import StoreError


class Quarantine:
    """The verdicts set aside in the outbox at `path`, until `close`.

    Raises StoreError if there is no such record, a running box has it, or it is another version's.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise StoreError(f"there is no outbox {path}", "name a box that has run before")
        self._path, self._door = path, lock(path)
        try:
            self._store = self._open()
        except BaseException:
            os.close(self._door)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def list(self, limit: int = 1000) -> list[tuple[Row, str]]:
        """What lies here, oldest first, each with the reason."""
        return self._store.aside(limit)

    def release(self, rows: Sequence[int] | None = None) -> int:
        """Let rows (by n; None: all) be sent again when the box starts; returns how many."""
        return self._store.release(rows)

    def drop(self, rows: Sequence[int] | None = None) -> int:
        """Never send rows (by n; None: all); they stay for replay. Returns how many."""
        return self._store.drop(rows)

    def close(self) -> None:
        """Let the box have its record again."""
        self._store.close()
        os.close(self._door)

    def _open(self) -> Store:
        try:
            with closing(schema.connect(self._path)) as db:
                (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == schema.VERSION:
                return Store(self._path, 2**62)
        except sqlite3.Error as error:
            raise StoreError(
                f"outbox {self._path} can't be read: {error}", "start the box: it moves it aside"
            ) from error
        raise StoreError(
            f"outbox {self._path} is of version {version}, not {schema.VERSION}",
            "start the box once with this version of linewarden",
        )
