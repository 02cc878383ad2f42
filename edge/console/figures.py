"""The figures of a day: first-pass yield, rejects by type, p-chart; and what is usual before it.

First-pass yield is the share of parts that passed at once: fails and reviews both lack (FPY without
rework). Days begin at midnight of the box's own time zone.
"""

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.clock import local
from edge.console.control_chart import Chart, chart
from edge.store import tally
from edge.store.tally import Span

HOUR = 4  # quarters
REFERENCE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Rejects:
    """Parts that didn't pass for one reason: a defect type, or the reason where there is none."""

    kind: str
    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One day's figures. `first_pass` is None while no part was judged."""

    span: Span
    parts: int
    passed: int
    failed: int
    reviewed: int
    rejects: tuple[Rejects, ...]

    @property
    def first_pass(self) -> float | None:
        """First-pass yield."""
        return self.passed / self.parts if self.parts else None


def midnight(at_ms: int) -> datetime:
    """The beginning of the day that `at_ms` lies in, in the box's time zone."""
    day = local(at_ms).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return day.astimezone()  # with that hour's own offset, should the clock be changed today


def day(at_ms: int, back: int = 0) -> Span:
    """The day of `at_ms`, or the one `back` days before."""
    begin = midnight(_ms(midnight(at_ms) - timedelta(days=back) + timedelta(hours=12)))
    end = midnight(_ms(begin + timedelta(hours=36)))
    return Span(_ms(begin), _ms(end))


def figures(db: sqlite3.Connection, span: Span, camera: str = "") -> Figures:
    """The figures of a span."""
    rows = tally.by_mark(db, span, camera)
    counts = tally.outcomes(rows)
    lacking: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.outcome != "pass":
            lacking[row.kind, "" if row.kind else row.reason] += row.n
    rejects = tuple(Rejects(kind, why, n) for (kind, why), n in lacking.most_common())
    return Figures(span, counts.total(), counts["pass"], counts["fail"], counts["review"], rejects)


def p_chart(db: sqlite3.Connection, span: Span, camera: str = "", step: int = HOUR) -> Chart:
    """The span's p-chart; what is usual is learnt from the REFERENCE_DAYS before it."""
    before = Span(_ms(local(span.since_ms) - timedelta(days=REFERENCE_DAYS)), span.since_ms)
    shown = tally.by_time(db, span, step, camera)
    return chart(shown, tally.by_time(db, before, step, camera))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
