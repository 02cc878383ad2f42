"""The intake: takes each verdict into the store once, and knows which are missing.

For the one thread that writes. A bite goes in whole with the place that was read to, or not at all;
whatever comes twice (after a power cut, from a file moved aside) is passed over, and what doesn't
come, since the box had forgotten it before it was read, is a gap that can be shown.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edge import clock
from edge.outbox.packing import unpack
from edge.store import entry, schema
from edge.store.feed import Bite
from export.verdict import Verdict

TIDE_S = 3600


@dataclass(slots=True)
class _Sums:
    """What one bite adds to the counts."""

    cells: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    quarters: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    unreadable: int = 0
    conflicts: int = 0


class Intake:
    """Writes to the store at `path`, which `schema.prepare` has made."""

    def __init__(self, path: Path) -> None:
        self._db = schema.connect(path)
        self._cameras: dict[str, int] = dict(
            self._db.execute("SELECT name, id FROM camera").fetchall()
        )
        self._marks: dict[tuple[int, str, str, str], int] = {
            (camera, outcome, reason, kind): number
            for number, camera, outcome, reason, kind in self._db.execute(
                "SELECT id, camera, outcome, reason, kind FROM mark"
            )
        }
        self._lived_s = self._meta("lived_s")
        self._opened_ns = clock.monotonic_ns()
        self._tide_s = -TIDE_S

    def read_to(self, epoch: int) -> int:
        """The last row (its n in the outbox) that was taken of this life of the record."""
        row = self._db.execute("SELECT read_to FROM source WHERE epoch = ?", (epoch,)).fetchone()
        return int(row[0]) if row else 0

    def take(self, bite: Bite) -> list[Verdict]:
        """Take a bite in; returns the verdicts that were new, in order."""
        now_ms = clock.wall_ns() // 1_000_000
        new: list[Verdict] = []
        cameras, marks = dict(self._cameras), dict(self._marks)
        try:
            with schema.transaction(self._db):
                sums = _Sums()
                for _, packed in bite.rows:
                    if (verdict := self._put(packed, now_ms, sums)) is not None:
                        new.append(verdict)
                self._add(sums)
                if bite.epoch >= 0:
                    self._db.execute(
                        "INSERT INTO source VALUES (?1, ?2) ON CONFLICT (epoch)"
                        " DO UPDATE SET read_to = MAX(read_to, ?2)",
                        (bite.epoch, bite.rows[-1][0]),
                    )
        except BaseException:  # what was learnt of cameras and marks was rolled back too
            self._cameras, self._marks = cameras, marks
            raise
        return new

    def known_aside(self, name: str) -> bool:
        """Whether a file moved aside was read already."""
        found = self._db.execute("SELECT 1 FROM aside WHERE name = ?", (name,)).fetchone()
        return found is not None

    def note_aside(self, name: str) -> None:
        """A file moved aside was read."""
        self._db.execute("INSERT OR IGNORE INTO aside VALUES (?)", (name,))

    def pin(self, keys: Iterable[tuple[str, int, int]]) -> None:
        """These verdicts (camera, epoch, seq) are labelled: they are never forgotten."""
        with schema.transaction(self._db):
            self._db.executemany("INSERT OR IGNORE INTO pinned VALUES (?, ?, ?)", list(keys))

    def lived_s(self) -> int:
        """Seconds that the store was open, over all its starts: what ages are counted by."""
        return self._lived_s + (clock.monotonic_ns() - self._opened_ns) // 1_000_000_000

    def note_tide(self) -> None:
        """Note once an hour which verdict was the newest, so that ages can be told later."""
        now_s = self.lived_s()
        if now_s - self._tide_s < TIDE_S:
            return
        self._tide_s = now_s
        with schema.transaction(self._db):
            self._db.execute(
                "INSERT OR IGNORE INTO tide SELECT ?, COALESCE(MAX(id), 0) FROM verdict", (now_s,)
            )
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'lived_s'", (now_s,))

    @property
    def connection(self) -> sqlite3.Connection:
        """The writing connection, for the same thread's forgetting."""
        return self._db

    def close(self) -> None:
        """Note how long it lived, and close."""
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'lived_s'", (self.lived_s(),))
        self._db.close()

    def _put(self, packed: bytes, now_ms: int, sums: _Sums) -> Verdict | None:
        try:
            verdict = Verdict.from_json(unpack(packed))
        except ValueError:
            sums.unreadable += 1
            return None
        camera = self._camera(verdict.camera)
        kind, percent = entry.kind(verdict), entry.percent(verdict.score)
        mark = self._mark((camera, verdict.outcome.value, verdict.reason.value, kind))
        at_ms = entry.at_ms(verdict, now_ms)
        put = self._db.execute(
            "INSERT OR IGNORE INTO verdict (camera, epoch, seq, at_ms, mark, percent, part, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (camera, verdict.epoch, verdict.seq, at_ms, mark, percent, verdict.part, packed),
        )
        if put.rowcount < 1:
            sums.conflicts += self._contradicts(camera, verdict)
            return None
        sums.cells[mark, percent] += 1
        sums.quarters[mark, at_ms // schema.SLOT_MS] += 1
        self._follow(camera, verdict, now_ms)
        return verdict

    def _follow(self, camera: int, verdict: Verdict, now_ms: int) -> None:
        """Move the camera's head; what lies between is a gap, what lies below fills one."""
        key = (camera, verdict.epoch)
        row = self._db.execute(
            "SELECT seq FROM head WHERE camera = ? AND epoch = ?", key
        ).fetchone()
        head = int(row[0]) if row else 0
        if verdict.seq <= head:
            self._fill(camera, verdict)
            return
        if verdict.seq > head + 1:
            self._db.execute(
                "INSERT OR IGNORE INTO gap VALUES (?, ?, ?, ?, ?)",
                (*key, head + 1, verdict.seq - 1, now_ms),
            )
        self._db.execute(
            "INSERT INTO head VALUES (?, ?, ?)"
            " ON CONFLICT (camera, epoch) DO UPDATE SET seq = excluded.seq",
            (*key, verdict.seq),
        )

    def _fill(self, camera: int, verdict: Verdict) -> None:
        row = self._db.execute(
            "SELECT first, last, noticed_ms FROM gap"
            " WHERE camera = ? AND epoch = ? AND first <= ?3 AND last >= ?3",
            (camera, verdict.epoch, verdict.seq),
        ).fetchone()
        if row is None:
            return
        first, last, noticed_ms = row
        self._db.execute(
            "DELETE FROM gap WHERE camera = ? AND epoch = ? AND first = ?",
            (camera, verdict.epoch, first),
        )
        rest = [(first, verdict.seq - 1), (verdict.seq + 1, last)]
        self._db.executemany(
            "INSERT INTO gap VALUES (?, ?, ?, ?, ?)",
            [(camera, verdict.epoch, a, b, noticed_ms) for a, b in rest if a <= b],
        )

    def _contradicts(self, camera: int, verdict: Verdict) -> bool:
        (body,) = self._db.execute(
            "SELECT body FROM verdict WHERE camera = ? AND epoch = ? AND seq = ?",
            (camera, verdict.epoch, verdict.seq),
        ).fetchone()
        return Verdict.from_json(unpack(body)) != verdict

    def _add(self, sums: _Sums) -> None:
        self._db.executemany(
            "INSERT INTO cell VALUES (?, ?, ?)"
            " ON CONFLICT (mark, percent) DO UPDATE SET n = n + excluded.n",
            [(*key, n) for key, n in sums.cells.items()],
        )
        self._db.executemany(
            "INSERT INTO quarter VALUES (?, ?, ?)"
            " ON CONFLICT (mark, slot) DO UPDATE SET n = n + excluded.n",
            [(*key, n) for key, n in sums.quarters.items()],
        )
        for key, n in (("unreadable", sums.unreadable), ("conflicts", sums.conflicts)):
            if n:
                self._db.execute("UPDATE meta SET value = value + ? WHERE key = ?", (n, key))

    def _camera(self, name: str) -> int:
        if name not in self._cameras:
            put = self._db.execute("INSERT INTO camera (name) VALUES (?)", (name,))
            self._cameras[name] = int(put.lastrowid or 0)
        return self._cameras[name]

    def _mark(self, what: tuple[int, str, str, str]) -> int:
        if what not in self._marks:
            put = self._db.execute(
                "INSERT INTO mark (camera, outcome, reason, kind) VALUES (?, ?, ?, ?)", what
            )
            self._marks[what] = int(put.lastrowid or 0)
        return self._marks[what]

    def _meta(self, key: str) -> int:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return int(row[0])
