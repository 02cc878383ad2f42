"""What the store forgets: verdicts past their age, or the oldest when room is short.

What somebody labelled never goes, and the counts by quarter hours stay. Age is the time that the
store was open since a verdict was taken in, so that a clock that jumps makes nothing older.
"""

import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edge.store import schema

ROWS = 1000  # a call: the daemon's disk is the same one
NEARLY_FULL = 0.95
RESERVE_BYTES = 16 * 1024**2  # of free pages, to write in when the disk has no more


@dataclass(frozen=True, slots=True)
class Keep:
    """How long, how much, and what the disk must have left."""

    seconds: int
    bytes: int
    leave_free: int


def used_bytes(db: sqlite3.Connection) -> int:
    """What the store's pages take that hold something."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    return (pages - free) * size


def room_is_short(db: sqlite3.Connection, path: Path, keep: Keep) -> bool:
    """Whether the oldest must go before their time: the quota is nearly used, or the disk is short.

    On a short disk only until the file has free pages of its own to write in: it takes no more from
    the daemon, but can't give any back.
    """
    if used_bytes(db) > NEARLY_FULL * keep.bytes:
        return True
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    return free * size < RESERVE_BYTES and shutil.disk_usage(path.parent).free < keep.leave_free


def forget(db: sqlite3.Connection, lived_s: int, keep: Keep, *, short: bool) -> int:
    """Forget at most ROWS verdicts; returns how many.

    Args:
        db: the writing connection.
        lived_s: seconds that the store was open.
        keep: for how long.
        short: the oldest go, whatever their age.
    """
    (begin,) = db.execute("SELECT value FROM meta WHERE key = 'forgotten_to'").fetchone()
    end = _newest(db) if short else _older_than(db, lived_s - keep.seconds)
    with schema.transaction(db):
        rows = db.execute(
            "SELECT id, camera, epoch, seq, mark, percent FROM verdict"
            " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
            (begin, end, ROWS),
        ).fetchall()
        if not rows:
            return 0
        pinned = _pinned(db, rows)
        gone = [row for row in rows if row[0] not in pinned]
        db.executemany("DELETE FROM verdict WHERE id = ?", [(row[0],) for row in gone])
        db.executemany(
            "UPDATE cell SET n = n - ?3 WHERE mark = ?1 AND percent = ?2",
            [(*key, n) for key, n in Counter((row[4], row[5]) for row in gone).items()],
        )
        db.execute("DELETE FROM cell WHERE n <= 0")
        db.execute("UPDATE meta SET value = ? WHERE key = 'forgotten_to'", (rows[-1][0],))
        db.execute(
            "DELETE FROM tide WHERE lived_s < (SELECT MAX(lived_s) FROM tide WHERE id <= ?)",
            (rows[-1][0],),
        )
    return len(gone)


def _older_than(db: sqlite3.Connection, lived_s: int) -> int:
    """The last verdict that had been taken in by `lived_s`."""
    (last,) = db.execute(
        "SELECT COALESCE(MAX(id), 0) FROM tide WHERE lived_s <= ?", (lived_s,)
    ).fetchone()
    return int(last)


def _newest(db: sqlite3.Connection) -> int:
    (last,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM verdict").fetchone()
    return int(last)


def _pinned(db: sqlite3.Connection, rows: list[tuple[int, ...]]) -> set[int]:
    names: dict[int, str] = dict(db.execute("SELECT id, name FROM camera").fetchall())
    return {
        row[0]
        for row in rows
        if db.execute(
            "SELECT 1 FROM pinned WHERE camera = ? AND epoch = ? AND seq = ?",
            (names[row[1]], row[2], row[3]),
        ).fetchone()
    }
