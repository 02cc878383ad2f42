"""The line's records, asked by parameters: every figure that the assistant shows is formed here.

Exact to the millisecond: whole quarter hours come from the store's counts, the ragged ends are
counted verdict by verdict. What is no longer kept that finely is refused, not rounded. Reads only.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.assistant.calendar import Calendar, Span
from edge.assistant.vocabulary import Which
from edge.outbox.packing import unpack
from edge.store import search, tally
from edge.store.schema import SLOT_MS
from edge.store.search import Found, Search
from export.verdict import FAIL_SAFE, BundleRef, Outcome, Reason, Verdict

MOST_BODIES = 20_000  # verdicts looked into for one question
HISTORY = 8


class NotKept(Exception):  # noqa: N818 - told to whoever asked, no fault of ours
    """The records no longer hold what was asked for so finely."""


@dataclass(frozen=True, slots=True)
class Cell:
    """How many parts of one mark, judged in one quarter hour."""

    slot: int
    camera: str
    outcome: str
    reason: str
    kind: str
    n: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The parts of a span, counted."""

    span: Span
    cells: tuple[Cell, ...]

    @property
    def parts(self) -> int:
        """All of them."""
        return sum(cell.n for cell in self.cells)

    def outcome(self, outcome: Outcome) -> int:
        """Those with this outcome."""
        return sum(cell.n for cell in self.cells if cell.outcome == outcome.value)

    @property
    def rejects(self) -> int:
        """Those that didn't pass at once: failed, or for review."""
        return self.parts - self.outcome(Outcome.PASS)

    def chosen(self, which: Which, kinds: Sequence[str] = ()) -> int:
        """Those that are meant; of defect types: those that didn't pass for one of them."""
        return sum(cell.n for cell in self.cells if meant(cell, which, kinds))

    def of_camera(self, camera: str) -> "Tally":
        """One camera's."""
        return Tally(self.span, tuple(cell for cell in self.cells if cell.camera == camera))

    def kinds(self) -> list[tuple[str, int]]:
        """Defect types, the most frequent first; of as many, by name."""
        counts: Counter[str] = Counter()
        for cell in self.cells:
            if cell.outcome != Outcome.PASS and cell.kind:
                counts[cell.kind] += cell.n
        return sorted(counts.items(), key=lambda one: (-one[1], one[0]))

    def hours(self, calendar: Calendar) -> list[tuple[int, "Tally"]]:
        """(the moment at which it begins, its parts) of every clock hour with parts in it.

        An hour that comes twice, when the clocks change, stands twice.
        """
        grouped: dict[int, list[Cell]] = {}
        for cell in self.cells:
            at = calendar.local(cell.slot * SLOT_MS)
            begin = cell.slot * SLOT_MS - at.minute * 60_000
            grouped.setdefault(begin, []).append(cell)
        return [
            (begin, Tally(Span(begin, begin + 3_600_000), tuple(cells)))
            for begin, cells in sorted(grouped.items())
        ]


def meant(cell: Cell, which: Which, kinds: Sequence[str]) -> bool:
    """Whether a cell's parts are meant."""
    if kinds and (cell.kind not in kinds or cell.outcome == Outcome.PASS):
        return False
    return {
        Which.ALL: True,
        Which.PASSED: cell.outcome == Outcome.PASS,
        Which.FAILED: cell.outcome == Outcome.FAIL,
        Which.REVIEW: cell.outcome == Outcome.REVIEW,
        Which.REJECTS: cell.outcome != Outcome.PASS,
        Which.NOVEL: cell.reason == Reason.NOVEL,
        Which.FAIL_SAFE: cell.reason in FAIL_SAFE,
        Which.LATE: cell.reason == Reason.LATE,
    }[which]


class Records:
    """Asks the verdict store through a connection that can't write."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(cameras, defect types)."""
        return tuple(tally.cameras(self._db)), tuple(tally.kinds(self._db))

    def is_part(self, name: str) -> bool:
        """Whether a part of exactly this name was ever judged."""
        row = self._db.execute("SELECT 1 FROM verdict WHERE part = ? LIMIT 1", (name,)).fetchone()
        return row is not None

    def part(self, name: str) -> list[Found]:
        """The verdicts on a part, the newest first."""
        rows = self._db.execute(
            "SELECT c.name, v.epoch, v.seq FROM verdict v JOIN camera c ON c.id = v.camera"
            " WHERE v.part = ? ORDER BY v.at_ms DESC, v.id DESC LIMIT ?",
            (name, HISTORY),
        ).fetchall()
        found = [search.one(self._db, *row) for row in rows]
        return [one for one in found if one is not None]

    def tally(self, span: Span, cameras: Sequence[str] = ()) -> Tally:
        """The parts of a span; raises NotKept if its ends are no longer known to the minute."""
        if span.empty:
            return Tally(span, ())
        first, last = -(-span.since_ms // SLOT_MS), span.until_ms // SLOT_MS
        if first > last:
            cells = self._counted(span.since_ms, span.until_ms)
        else:
            cells = self._quarters(first, last)
            if span.since_ms < first * SLOT_MS:
                cells += self._counted(span.since_ms, first * SLOT_MS)
            if last * SLOT_MS < span.until_ms:
                cells += self._counted(last * SLOT_MS, span.until_ms)
        return Tally(span, tuple(c for c in cells if not cameras or c.camera in cameras))

    def last(
        self, which: Which, kinds: Sequence[str], cameras: Sequence[str], span: Span | None
    ) -> Found | None:
        """The newest verdict of those that are meant."""
        wanted = Search(
            cameras=tuple(cameras),
            kinds=tuple(kinds),
            outcomes=_outcomes(which, kinds),
            reasons=_reasons(which),
        )
        if span is not None:
            wanted = replace(wanted, since_ms=span.since_ms, until_ms=span.until_ms)
        page = search.find(self._db, wanted)
        while not page.found and page.next is not None:
            page = search.find(self._db, wanted, page.next)
        return page.found[0] if page.found else None

    def oldest_ms(self) -> int | None:
        """When the records begin; to the quarter hour, where its verdicts are forgotten."""
        (slot,) = self._db.execute("SELECT MIN(slot) FROM quarter").fetchone()
        if slot is None:
            return None
        begin = int(slot) * SLOT_MS
        try:
            self._counted(begin, begin + SLOT_MS)
        except NotKept:
            return begin
        (first,) = self._db.execute(
            "SELECT MIN(at_ms) FROM verdict WHERE at_ms >= ?", (begin,)
        ).fetchone()
        return int(first)

    def running(self, cameras: Sequence[str]) -> list[tuple[Found, BundleRef | None]]:
        """Each camera's newest verdict, and the bundle that judged it."""
        names = cameras or tally.cameras(self._db)
        found = [search.last_of(self._db, name) for name in names]
        return [(one, one.verdict.bundle) for one in found if one is not None]

    def bundle_changes(self, span: Span, cameras: Sequence[str]) -> list[Verdict]:
        """The first verdict after each change of a camera's bundle within the span, in order.

        Raises:
            NotKept: more verdicts lie in the span than are looked into for one question.
        """
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM verdict WHERE at_ms >= ? AND at_ms < ? LIMIT ?)",
            (span.since_ms, span.until_ms, MOST_BODIES + 1),
        ).fetchone()
        if count > MOST_BODIES:
            raise NotKept(f"more than {MOST_BODIES}")
        rows = self._db.execute(
            "SELECT body FROM verdict WHERE at_ms >= ? AND at_ms < ? ORDER BY at_ms, id",
            (span.since_ms, span.until_ms),
        )
        before: dict[str, BundleRef | None] = {}
        changes: list[Verdict] = []
        for (body,) in rows:
            told = Verdict.from_json(unpack(body))
            if told.bundle is None or (cameras and told.camera not in cameras):
                continue
            if before.setdefault(told.camera, told.bundle) != told.bundle:
                changes.append(told)
            before[told.camera] = told.bundle
        return changes

    def _quarters(self, first: int, last: int) -> list[Cell]:
        rows = self._db.execute(
            "SELECT q.slot, c.name, m.outcome, m.reason, m.kind, q.n FROM mark m"
            " JOIN camera c ON c.id = m.camera"
            " CROSS JOIN quarter q ON q.mark = m.id AND q.slot >= ? AND q.slot < ?",
            (first, last),
        )
        return [Cell(*row) for row in rows]

    def _counted(self, since_ms: int, until_ms: int) -> list[Cell]:
        """Part of one or two quarter hours, counted; NotKept if some of it was forgotten."""
        for slot in range(since_ms // SLOT_MS, -(-until_ms // SLOT_MS)):
            whole = sum(cell.n for cell in self._quarters(slot, slot + 1))
            (kept,) = self._db.execute(
                "SELECT COUNT(*) FROM verdict WHERE at_ms >= ? AND at_ms < ?",
                (slot * SLOT_MS, (slot + 1) * SLOT_MS),
            ).fetchone()
            if kept != whole:
                raise NotKept("quarter hours")
        rows = self._db.execute(
            "SELECT v.at_ms / ?, c.name, m.outcome, m.reason, m.kind, COUNT(*) FROM verdict v"
            " JOIN mark m ON m.id = v.mark JOIN camera c ON c.id = v.camera"
            " WHERE v.at_ms >= ? AND v.at_ms < ? GROUP BY 1, v.mark",
            (SLOT_MS, since_ms, until_ms),
        )
        return [Cell(*row) for row in rows]


def _outcomes(which: Which, kinds: Sequence[str]) -> tuple[str, ...]:
    rejects = (Outcome.FAIL.value, Outcome.REVIEW.value)
    told = {
        Which.PASSED: (Outcome.PASS.value,),
        Which.FAILED: (Outcome.FAIL.value,),
        Which.REVIEW: (Outcome.REVIEW.value,),
        Which.REJECTS: rejects,
    }
    return told.get(which, rejects if kinds else ())


def _reasons(which: Which) -> tuple[str, ...]:
    if which is Which.NOVEL:
        return (Reason.NOVEL.value,)
    if which is Which.LATE:
        return (Reason.LATE.value,)
    return tuple(sorted(one.value for one in FAIL_SAFE)) if which is Which.FAIL_SAFE else ()
