"""Figures of the store: how many of what, over any span, from the counts by quarter hours.

Nothing here counts verdicts one by one, so that a month is as quick as a shift. Spans are cut at
quarter hours; counts of what retention has forgotten are still in them.
"""

import sqlite3
from collections import Counter
from dataclasses import dataclass

from edge.store.retention import used_bytes
from edge.store.schema import SLOT_MS


@dataclass(frozen=True, slots=True)
class Span:
    """From `since_ms` up to `until_ms`, milliseconds since 1970 in UTC, cut at quarter hours."""

    since_ms: int
    until_ms: int

    @property
    def slots(self) -> tuple[int, int]:
        """The first quarter hour, and the one after the last."""
        return self.since_ms // SLOT_MS, -(-self.until_ms // SLOT_MS)


@dataclass(frozen=True, slots=True)
class Row:
    """How many verdicts of one mark."""

    camera: str
    outcome: str
    reason: str
    kind: str
    n: int


@dataclass(frozen=True, slots=True)
class Group:
    """Parts judged in one step of time, and how many of them didn't pass."""

    at_ms: int
    parts: int
    rejects: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Verdicts that the box had forgotten before they were read."""

    camera: str
    epoch: int
    first: int
    last: int
    noticed_ms: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What the store holds. `verdicts` counts what is kept, `bytes` what it takes."""

    verdicts: int
    bytes: int
    oldest_ms: int | None
    newest_ms: int | None
    unreadable: int
    conflicts: int


def by_mark(db: sqlite3.Connection, span: Span, camera: str = "") -> list[Row]:
    """Counts of every mark in the span, the most first."""
    rows = db.execute(
        "SELECT c.name, m.outcome, m.reason, m.kind, (SELECT SUM(q.n) FROM quarter q"
        " WHERE q.mark = m.id AND q.slot >= ?1 AND q.slot < ?2) AS parts"
        " FROM mark m JOIN camera c ON c.id = m.camera"
        " WHERE (?3 = '' OR c.name = ?3) AND parts > 0 ORDER BY parts DESC",
        (*span.slots, camera),
    ).fetchall()
    return [Row(*row) for row in rows]


def outcomes(rows: list[Row]) -> Counter[str]:
    """Parts by outcome."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.outcome] += row.n
    return counts


def by_time(db: sqlite3.Connection, span: Span, step: int, camera: str = "") -> list[Group]:
    """Parts and rejects (fails and reviews) per `step` quarter hours, empty ones left out."""
    rows = db.execute(
        "SELECT q.slot / ?4 * ?4, SUM(q.n), SUM(CASE m.outcome WHEN 'pass' THEN 0 ELSE q.n END)"
        " FROM mark m JOIN camera c ON c.id = m.camera"
        " CROSS JOIN quarter q ON q.mark = m.id AND q.slot >= ?1 AND q.slot < ?2"
        " WHERE ?3 = '' OR c.name = ?3 GROUP BY 1 ORDER BY 1",
        (*span.slots, camera, step),
    ).fetchall()
    return [Group(slot * SLOT_MS, parts, rejects) for slot, parts, rejects in rows]


def cameras(db: sqlite3.Connection) -> list[str]:
    """Every camera that ever gave a verdict."""
    return [name for (name,) in db.execute("SELECT name FROM camera ORDER BY name")]


def kinds(db: sqlite3.Connection) -> list[str]:
    """Every defect type that ever stopped a part."""
    rows = db.execute("SELECT DISTINCT kind FROM mark WHERE kind <> '' ORDER BY kind")
    return [name for (name,) in rows]


def gaps(db: sqlite3.Connection, limit: int = 50) -> list[Gap]:
    """What is missing, the last noticed first."""
    rows = db.execute(
        "SELECT c.name, g.epoch, g.first, g.last, g.noticed_ms FROM gap g"
        " JOIN camera c ON c.id = g.camera ORDER BY g.noticed_ms DESC, g.first DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [Gap(*row) for row in rows]


def contents(db: sqlite3.Connection) -> Contents:
    """What the store holds."""
    meta: dict[str, int] = dict(db.execute("SELECT key, value FROM meta").fetchall())
    (verdicts,) = db.execute("SELECT COALESCE(SUM(n), 0) FROM cell").fetchone()
    (oldest,) = db.execute("SELECT MIN(at_ms) FROM verdict").fetchone()
    (newest,) = db.execute("SELECT MAX(at_ms) FROM verdict").fetchone()
    return Contents(verdicts, used_bytes(db), oldest, newest, meta["unreadable"], meta["conflicts"])
