"""Finding verdicts: by time, part, type, outcome, score and camera, newest first, page by page.

Three ways, each of bounded work however the 5 million lie: by the part's name, by the (mark,
percent) cells that the filter comes to, or back along the time. A page goes on where the last one
ended, so that the hundredth is as quick as the first.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from edge.outbox.packing import unpack
from export.verdict import Verdict

PAGE = 50
CELLS = 4000  # more than these: back along the time instead
NAMESAKES = 3000  # parts whose names begin alike, looked at one by one
STEPS = 15_000  # verdicts walked over for one page; then it says how far back it got
_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; an empty field asks for nothing.

    Attributes:
        cameras, outcomes, reasons, kinds: any of these (`kinds`: defect types).
        part: how the part's name begins.
        percent_from, percent_to: whole percent of the score, both included.
        since_ms, until_ms: capture, milliseconds since 1970 in UTC; the end is left out.
    """

    cameras: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    part: str = ""
    percent_from: int | None = None
    percent_to: int | None = None
    since_ms: int = -_EVER
    until_ms: int = _EVER

    @property
    def everything(self) -> bool:
        """Whether neither mark nor score is asked for."""
        asked = (self.cameras, self.outcomes, self.reasons, self.kinds)
        return not any(asked) and self.percent_from is None and self.percent_to is None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next begins below (at_ms, id)."""

    at_ms: int
    id: int


@dataclass(frozen=True, slots=True)
class Found:
    """One verdict of the store."""

    id: int
    at_ms: int
    kind: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Page:
    """Verdicts, newest first.

    Attributes:
        next: where to go on; None at the end.
        looked_back_ms: if the page isn't full: everything was looked at back to here.
    """

    found: tuple[Found, ...]
    next: Place | None
    looked_back_ms: int | None = None


_Key = tuple[int, int]  # (at_ms, id)


def joined(names: Iterable[str]) -> str:
    """Several names as one field of a form or link."""
    return ",".join(quote(name, safe=" ") for name in names)


def parted(field: str) -> tuple[str, ...]:
    """The names that such a field holds."""
    return tuple(unquote(name) for name in field.split(",") if name)


def find(db: sqlite3.Connection, search: Search, after: Place | None = None) -> Page:
    """One page of what is looked for."""
    top = (after.at_ms, after.id) if after else (search.until_ms, -1)
    if search.part:
        keys, looked = _namesakes(db, search, top)
    else:
        keys, looked = _among(db, search, top)
    more = len(keys) > PAGE
    keys = keys[:PAGE]
    if more:
        return Page(_read(db, keys), Place(*keys[-1]))
    return Page(_read(db, keys), Place(*looked) if looked else None, looked[0] if looked else None)


def one(db: sqlite3.Connection, camera: str, epoch: int, seq: int) -> Found | None:
    """The verdict of this key, if it is kept."""
    row = db.execute(
        "SELECT v.at_ms, v.id FROM verdict v JOIN camera c ON c.id = v.camera"
        " WHERE c.name = ? AND v.epoch = ? AND v.seq = ?",
        (camera, epoch, seq),
    ).fetchone()
    return _read(db, [row])[0] if row else None


def newest(db: sqlite3.Connection, limit: int) -> tuple[Found, ...]:
    """The last verdicts taken in, the newest first."""
    rows = db.execute("SELECT at_ms, id FROM verdict ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
    return _read(db, rows)


def last_of(db: sqlite3.Connection, camera: str) -> Found | None:
    """The newest verdict of a camera."""
    row = db.execute(
        "SELECT v.at_ms, v.id FROM verdict v JOIN head h"
        " ON h.camera = v.camera AND h.epoch = v.epoch AND h.seq = v.seq"
        " WHERE v.camera = (SELECT id FROM camera WHERE name = ?)"
        " ORDER BY h.epoch DESC LIMIT 1",
        (camera,),
    ).fetchone()
    return _read(db, [row])[0] if row else None


def _among(db: sqlite3.Connection, search: Search, top: _Key) -> tuple[list[_Key], _Key | None]:
    if search.everything:
        return _walk(db, search, top, None)
    cells = _cells(db, search)
    if len(cells) > CELLS:
        return _walk(db, search, top, {cell[:2] for cell in cells})
    return _merge(db, search, top, cells), None


def _cells(db: sqlite3.Connection, search: Search) -> list[tuple[int, int, int]]:
    """(mark, percent, how many) of every cell that the filter comes to, the fullest first."""
    asked: list[str] = []
    values: list[object] = []
    for column, wanted in (
        ("c.name", search.cameras),
        ("m.outcome", search.outcomes),
        ("m.reason", search.reasons),
        ("m.kind", search.kinds),
    ):
        if wanted:
            asked.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    if search.percent_from is not None or search.percent_to is not None:
        asked.append("l.percent BETWEEN ? AND ?")
        values += [max(0, search.percent_from or 0), _or(search.percent_to, 100)]
    where = " AND ".join(asked) or "1"
    asking = (
        "SELECT l.mark, l.percent, l.n FROM cell l JOIN mark m ON m.id = l.mark"  # noqa: S608
        f" JOIN camera c ON c.id = m.camera WHERE {where} ORDER BY l.n DESC"  # columns and ?s only
    )
    return db.execute(asking, values).fetchall()


def _merge(
    db: sqlite3.Connection, search: Search, top: _Key, cells: Sequence[tuple[int, int, int]]
) -> list[_Key]:
    """The newest PAGE + 1 of all cells below `top`: each cell need only beat the worst so far."""
    best: list[_Key] = []
    for mark, percent, _ in cells:
        floor = best[0][0] if len(best) > PAGE else search.since_ms
        rows = db.execute(
            "SELECT at_ms, id FROM verdict WHERE mark = ? AND percent = ?"
            " AND at_ms >= ? AND (at_ms, id) < (?, ?) AND at_ms <= ?"
            " ORDER BY at_ms DESC, id DESC LIMIT ?",
            (mark, percent, max(floor, search.since_ms), *top, top[0], PAGE + 1),
        ).fetchall()
        for row in rows:
            if len(best) <= PAGE:
                heapq.heappush(best, row)
            else:
                heapq.heappushpop(best, row)
    return sorted(best, reverse=True)


def _walk(
    db: sqlite3.Connection, search: Search, top: _Key, cells: set[_Key] | None
) -> tuple[list[_Key], _Key | None]:
    """Back along the time from `top`; (keys, where it stopped, if that is before the end)."""
    found: list[_Key] = []
    rows = db.execute(
        "SELECT at_ms, id, mark, percent, part FROM verdict"
        " WHERE (at_ms, id) < (?, ?) AND at_ms <= ? AND at_ms >= ?"
        " ORDER BY at_ms DESC, id DESC LIMIT ?",
        (*top, top[0], search.since_ms, STEPS),
    )
    for step, (at_ms, number, mark, percent, part) in enumerate(rows, 1):
        if part.startswith(search.part) and (cells is None or (mark, percent) in cells):
            found.append((at_ms, number))
            if len(found) > PAGE:
                return found, None
        if step == STEPS:
            return found, (at_ms, number)
    return found, None


def _namesakes(db: sqlite3.Connection, search: Search, top: _Key) -> tuple[list[_Key], _Key | None]:
    """Parts whose names begin as asked; too many alike are looked for along the time."""
    begin, end = search.part, _after(search.part)
    rows = db.execute(
        "SELECT at_ms, id, mark, percent FROM verdict WHERE part >= ? AND part < ?"
        " AND at_ms >= ? LIMIT ?",
        (begin, end, search.since_ms, NAMESAKES + 1),
    ).fetchall()
    cells = None if search.everything else {cell[:2] for cell in _cells(db, search)}
    if len(rows) > NAMESAKES:
        return _walk(db, search, top, cells)
    keys = [
        (at_ms, number)
        for at_ms, number, mark, percent in rows
        if (at_ms, number) < top and (cells is None or (mark, percent) in cells)
    ]
    return sorted(keys, reverse=True)[: PAGE + 1], None


def _read(db: sqlite3.Connection, keys: Sequence[_Key]) -> tuple[Found, ...]:
    found: list[Found] = []
    for at_ms, number in keys:
        row = db.execute(
            "SELECT m.kind, v.body FROM verdict v JOIN mark m ON m.id = v.mark WHERE v.id = ?",
            (number,),
        ).fetchone()
        if row is not None:  # it may be forgotten meanwhile
            found.append(Found(number, at_ms, row[0], Verdict.from_json(unpack(row[1]))))
    return tuple(found)


def _after(prefix: str) -> str:
    """The least text above everything that begins with `prefix`, as SQLite orders (by UTF-8)."""
    return prefix + "\U0010ffff"


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value
