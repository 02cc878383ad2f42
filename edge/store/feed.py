"""The outbox's file as the store reads it: read only, in short bites, never in the daemon's way.

In SQLite's write-ahead mode a reader holds no writer up; a bite is one short SELECT, so that the
journal can be folded in between. The file may be absent, replaced by a new life of the record, or
moved aside because it was damaged: what a damaged one still gives is read to where it breaks.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from edge.outbox import schema

BITE = 500
DAMAGED = ".damaged-"


@dataclass(frozen=True, slots=True)
class Bite:
    """Rows of one life of the record: (n, packed body), by n."""

    epoch: int
    rows: list[tuple[int, bytes]]


class Feed:
    """Follows the outbox at `path`.

    Attributes:
        trouble: why nothing can be read, in words; "" when all is well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = "not looked yet"
        self._db: sqlite3.Connection | None = None
        self._inode = 0

    def bite(self, read_to: Callable[[int], int], limit: int = BITE) -> Bite | None:
        """The next rows after `read_to(epoch)`; None if there are none, or `trouble` says why."""
        try:
            db = self._opened()
            if db is None:
                return None
            epoch = schema.meta(db, "epoch")
            rows = _rows(db, read_to(epoch), limit)
        except (OSError, sqlite3.Error, TypeError) as error:
            self._give_up(f"the box's record {self.path} can't be read: {error}")
            return None
        self.trouble = ""
        return Bite(epoch, rows) if rows else None

    def asides(self) -> list[Path]:
        """Damaged files that lie beside the outbox, the eldest first."""
        found = self.path.parent.glob(f"{self.path.name}{DAMAGED}*")
        return sorted(one for one in found if one.name.rpartition("-")[2].isdigit())

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
        self._db, self._inode = None, 0

    def _opened(self) -> sqlite3.Connection | None:
        """The connection to the file that lies at `path` now, or None if there is no record."""
        if not self.path.exists():
            self._give_up(f"there is no record {self.path} yet: the box has not run")
            return None
        inode = self.path.stat().st_ino
        if self._db is None or inode != self._inode:
            self.close()
            self._db, self._inode = _connect(self.path), inode
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > schema.VERSION:
            self._give_up(
                f"the box's record is of version {version}, the console knows {schema.VERSION}:"
                " update the console"
            )
            return None
        return self._db

    def _give_up(self, why: str) -> None:
        self.trouble = why
        self.close()


def salvaged(path: Path, read_to: Callable[[int], int]) -> Iterator[Bite]:
    """What a damaged outbox still gives after what was read, bite by bite, until it breaks.

    If its epoch can't be read the rows are given from the first, under epoch -1: each body says
    its own.
    """
    try:
        with closing(_connect(path)) as db:
            epoch = _epoch(db)
            after = read_to(epoch) if epoch >= 0 else 0
            while rows := _rows(db, after, BITE):
                yield Bite(epoch, rows)
                after = rows[-1][0]
    except (OSError, sqlite3.Error):
        return


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=1.0)
    db.execute("PRAGMA query_only = 1")
    return db


def _epoch(db: sqlite3.Connection) -> int:
    try:
        return schema.meta(db, "epoch")
    except (sqlite3.Error, TypeError):
        return -1


def _rows(db: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, bytes]]:
    return db.execute(
        "SELECT n, body FROM verdict WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
    ).fetchall()
