"""The outbox's file: one writing connection, one reading, and every SQL statement there is.

Knows no threads beyond a lock on the reader; the caller sees to it that only one thread writes.
Rows are aged by the time the record was open, counted by the monotonic clock and kept in the file:
a wall clock that starts in 1970 or jumps makes nothing older.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge import clock
from edge.outbox import schema
from edge.outbox.packing import pack, unpack

NEARLY_FULL = 0.9  # of the budget: above it, acknowledged verdicts are forgotten, oldest first
PRUNE_ROWS = 1000
_AMONG = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Draft:
    """A verdict on its way to the disk: its wire form and what orders it."""

    camera: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A stored verdict. `n` orders all cameras' rows as they were stored.

    Its body is empty if the disk no longer gives what was stored.
    """

    n: int
    camera: str
    seq: int
    body: bytes


class Store:
    """An opened outbox file (schema.prepare has made it sound).

    Args:
        path: the database.
        budget_bytes: what its pages may take; beyond it SQLite itself says "full".
    """

    def __init__(self, path: Path, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._writer = schema.connect(path)
        self._reader = schema.connect(path)
        self._reader.execute("PRAGMA query_only = 1")
        self._lock = threading.Lock()
        pages = max(1, budget_bytes // schema.PAGE_BYTES)
        self._writer.execute(f"PRAGMA max_page_count = {pages:d}")
        self.epoch = schema.meta(self._writer, "epoch")
        self.boots = schema.meta(self._writer, "boots")
        self._lived_s = schema.meta(self._writer, "lived_s")
        self._opened_ns = clock.monotonic_ns()

    def write(self, drafts: Sequence[Draft], poison: Iterable[tuple[int, str]] = ()) -> int:
        """Verdicts, and what is set aside, in one commit that has reached the disk, or nothing.

        sqlite3.OperationalError when the disk refuses. Returns how many were set aside.
        """
        now_s = self.lived_s()
        rows = [(draft.camera, draft.seq, now_s, pack(draft.body)) for draft in drafts]
        reasons = list(poison)
        with _transaction(self._writer) as db:
            db.executemany(
                "INSERT INTO verdict (camera, seq, stored_at, body) VALUES (?, ?, ?, ?)", rows
            )
            aside = db.executemany(
                "INSERT OR IGNORE INTO quarantine SELECT n, ?2 FROM waiting WHERE n = ?1", reasons
            ).rowcount
            db.executemany("DELETE FROM waiting WHERE n = ?", [(n,) for n, _ in reasons])
            db.execute("UPDATE meta SET value = ? WHERE key = 'lived_s'", (now_s,))
        return max(0, aside)

    def mark(self, acked: Iterable[int]) -> int:
        """These have arrived; returns how many of them waited.

        The disk is not waited for: a power cut may forget the last of it, and then those are sent
        again, which consumers bear. One statement for all, since each step of one gives the
        interpreter's lock away and may wait for it long.
        """
        rows = (json.dumps(sorted(acked)),)
        self._writer.execute("PRAGMA synchronous = NORMAL")
        try:
            with _transaction(self._writer) as db:
                db.execute(
                    "INSERT OR IGNORE INTO done SELECT n FROM waiting"
                    " WHERE n IN (SELECT value FROM json_each(?))",
                    rows,
                )
                return db.execute(
                    "DELETE FROM waiting WHERE n IN (SELECT value FROM json_each(?))", rows
                ).rowcount
        finally:
            self._writer.execute("PRAGMA synchronous = FULL")

    def lived_s(self) -> int:
        """Seconds that this record has been open, over all its boots: what ages are counted by."""
        return self._lived_s + (clock.monotonic_ns() - self._opened_ns) // 1_000_000_000

    def aside(self, limit: int = 1000) -> list[tuple[Row, str]]:
        """What lies in quarantine, oldest first, each with its reason."""
        with self._lock:
            found = self._reader.execute(
                "SELECT v.n, v.camera, v.seq, v.body, q.reason FROM quarantine q"
                " JOIN verdict v ON v.n = q.n ORDER BY q.n LIMIT ?",
                (limit,),
            ).fetchall()
        return [(_row(*told), why) for *told, why in found]

    def release(self, rows: Sequence[int] | None = None) -> int:
        """Let these quarantined rows (None: all) wait again; returns how many it were."""
        return self._end_quarantine("waiting", rows)

    def drop(self, rows: Sequence[int] | None = None) -> int:
        """Never send these quarantined rows (None: all); they stay for replay. Returns how many."""
        return self._end_quarantine("done", rows)

    def prune(self, older_than_s: int) -> int:
        """Forget acknowledged verdicts past their age, or the oldest when space is short.

        At most PRUNE_ROWS a call, never one that waits or lies in quarantine; returns how many.
        """
        (newest,) = self._writer.execute("SELECT COALESCE(MAX(n), 0) FROM verdict").fetchone()
        short = self.bytes() > NEARLY_FULL * self._budget_bytes
        end = newest if short else self._first_since(self.lived_s() - older_than_s, newest)
        with _transaction(self._writer) as db:
            old = db.execute(
                "SELECT n FROM done WHERE n < ? ORDER BY n LIMIT ?", (end, PRUNE_ROWS)
            ).fetchall()
            db.executemany("DELETE FROM verdict WHERE n = ?", old)
            db.executemany("DELETE FROM done WHERE n = ?", old)
        return len(old)

    def unacked(self, limit: int, after: int) -> list[Row]:
        """The first `limit` waiting rows above `after`, in the order they were stored."""
        return self._rows(
            "SELECT v.n, v.camera, v.seq, v.body FROM waiting w JOIN verdict v ON v.n = w.n"
            " WHERE w.n > ? ORDER BY w.n LIMIT ?",
            (after, limit),
        )

    def replay(self, camera: str, first: int, last: int, limit: int) -> list[Row]:
        """What is kept of `camera` from seq `first` to `last`, quarantined rows left out."""
        return self._rows(
            "SELECT v.n, v.camera, v.seq, v.body FROM verdict v"
            " WHERE v.camera = ? AND v.seq BETWEEN ? AND ?"
            " AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.n = v.n)"
            " ORDER BY v.seq LIMIT ?",
            (camera, first, last, limit),
        )

    def newest(self) -> list[Row]:
        """The newest stored verdict of every camera, unless it lies in quarantine."""
        return self._rows(
            # CROSS JOIN: few heads first, then one look-up each (sqlite.org/optoverview.html, 7.3);
            # the planner begins with the verdicts otherwise, all of them
            "SELECT v.n, v.camera, v.seq, v.body FROM head h"
            " CROSS JOIN verdict v ON v.camera = h.camera AND v.seq = h.seq"
            " WHERE NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.n = v.n)",
            (),
        )

    def heads(self) -> dict[str, tuple[int, int]]:
        """Per camera the oldest seq kept and the newest stored; nothing kept → newest + 1."""
        with self._lock:
            found = self._reader.execute(
                "SELECT camera, (SELECT MIN(v.seq) FROM verdict v WHERE v.camera = h.camera), seq"
                " FROM head h"
            ).fetchall()
        return {
            camera: (newest + 1 if oldest is None else oldest, newest)
            for camera, oldest, newest in found
        }

    def waiting(self) -> int:
        """How many rows wait for their acknowledgement."""
        return self._number("SELECT COUNT(*) FROM waiting")

    def quarantined(self) -> int:
        """How many rows the broker would not have."""
        return self._number("SELECT COUNT(*) FROM quarantine")

    def bytes(self) -> int:
        """Bytes of pages in use."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * schema.PAGE_BYTES

    def close(self) -> None:
        """Close both connections; the last one out folds the write-ahead log in."""
        with self._lock:
            self._reader.close()
        self._writer.close()

    def _first_since(self, lived_s: int, newest: int) -> int:
        """The n of the first row stored at `lived_s` or later, by halving: ages follow n."""
        low, high = 0, newest
        while low < high:
            middle = (low + high) // 2
            n, stored_at = self._writer.execute(
                "SELECT n, stored_at FROM verdict WHERE n > ? ORDER BY n LIMIT 1", (middle,)
            ).fetchone() or (newest, lived_s)
            low, high = (n, high) if stored_at < lived_s else (low, middle)
        return min(low + 1, newest)

    def _end_quarantine(self, into: str, rows: Sequence[int] | None) -> int:
        with _transaction(self._writer) as db:
            if rows is None:
                db.execute(f"INSERT OR IGNORE INTO {into} SELECT n FROM quarantine")  # noqa: S608 - our own word
                return db.execute("DELETE FROM quarantine").rowcount
            wanted = [(n,) for n in rows]
            db.executemany(
                f"INSERT OR IGNORE INTO {into} SELECT n FROM quarantine WHERE n = ?",  # noqa: S608
                wanted,
            )
            return max(0, db.executemany("DELETE FROM quarantine WHERE n = ?", wanted).rowcount)

    def _number(self, statement: str) -> int:
        with self._lock:
            return int(self._reader.execute(statement).fetchone()[0])

    def _rows(self, statement: str, values: tuple[object, ...]) -> list[Row]:
        with self._lock:
            found = self._reader.execute(statement, values).fetchall()
        return [_row(*told) for told in found]


def _row(n: int, camera: str, seq: int, packed: bytes) -> Row:
    try:
        return Row(n, camera, seq, unpack(packed))
    except ValueError:
        return Row(n, camera, seq, b"")


class _transaction:  # noqa: N801 - reads as a verb at its use
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK if anything raises."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
