"""Quality: a day's or a week's figures, with the p-chart and where its limits come from."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from edge.clock import local
from edge.console import figures
from edge.console.accounts.roles import Role
from edge.console.control_chart import Chart
from edge.console.web import live
from edge.console.web.door import Asked, Door
from edge.console.web.language import DASH, Words
from edge.console.web.page import number, page
from edge.store import tally
from edge.store.tally import Span

DAYS_BACK = 365
WIDTH, HEIGHT = 1400, 300  # of the chart's drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 76, 40, 16, 40
FOUR_HOURS = 16


@dataclass(frozen=True, slots=True)
class Mark:
    """One group on the chart, in the drawing's units, with what it says."""

    x: float
    y: float
    low: float
    high: float
    left: float
    right: float
    outside: bool
    rough: bool
    hour: str
    parts: str
    rejects: str
    share: str
    limits: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The chart, ready to be drawn. `ticks`: (y, text); `hours`: (x, text)."""

    marks: tuple[Mark, ...]
    centre_y: float
    centre: str
    from_reference: bool
    ticks: tuple[tuple[float, str], ...]
    hours: tuple[tuple[float, str], ...]


def doors() -> list[Door]:
    """The figures' route."""
    return [Door("/quality", quality, Role.VIEWER)]


def quality(asked: Asked) -> Response:
    """The page: a day, or the week that ends with it, of one camera or all."""
    desk, said = asked.desk, asked.words
    back = number(asked.query, "back", 0, DAYS_BACK) or 0
    week = asked.query.get("span") == "week"
    camera = asked.query.get("camera", "")
    camera = camera if camera in desk.cameras() else ""
    span = figures.day(desk.now_ms(), back)
    if week:
        span = Span(figures.day(desk.now_ms(), back + 6).since_ms, span.until_ms)
    with desk.readers.lend() as db:
        told = figures.figures(db, span, camera)
        chart = figures.p_chart(db, span, camera, FOUR_HOURS if week else figures.HOUR)
        contents = tally.contents(db)
    rejects = [
        (live.rejects_name(one, said), one.n, one.n / max(1, told.parts)) for one in told.rejects
    ]
    return page(
        asked, "quality", told=told, rejects=rejects, drawing=drawn(chart, span, said, week=week),
        escapes=live.escapes(desk.shelf.escapes(), said), back=back, week=week, camera=camera,
        since=local(span.since_ms), until=local(span.until_ms - 1), contents=contents,
    )  # fmt: skip


def drawn(chart: Chart, span: Span, said: Words, *, week: bool) -> Drawing | None:
    """The chart in the drawing's units; None where there is nothing to draw."""
    if chart.centre is None or not chart.points:
        return None
    top = _round_up(chart.top)
    across = (WIDTH - LEFT - RIGHT) / (span.until_ms - span.since_ms)
    step_ms = (FOUR_HOURS if week else figures.HOUR) * 900_000

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - min(1.0, share / top) * (HEIGHT - TOP - BOTTOM), 1)

    def x(at_ms: float) -> float:
        return round(LEFT + (at_ms - span.since_ms) * across, 1)

    marks = tuple(
        Mark(
            x(one.at_ms + step_ms / 2), y(one.share), y(one.low), y(min(one.high, top)),
            x(max(one.at_ms, span.since_ms)), x(min(one.at_ms + step_ms, span.until_ms)),
            one.outside, one.rough,
            f"{said.day(local(one.at_ms))}, {said.time(local(one.at_ms), seconds=False)}",
            said.number(one.parts), said.number(one.rejects), said.percent(one.share, 2),
            f"{said.percent(one.low, 2)} {DASH} {said.percent(one.high, 2)}",
        )
        for one in chart.points
    )  # fmt: skip
    ticks = tuple((y(top * n / 4), said.percent(top * n / 4, 1)) for n in range(5))
    return Drawing(
        marks, y(chart.centre), said.percent(chart.centre, 2), chart.from_reference, ticks,
        _hours(span, said, x, week=week),
    )  # fmt: skip


def _hours(
    span: Span, said: Words, place: Callable[[float], float], *, week: bool
) -> tuple[tuple[float, str], ...]:
    if week:
        noon = [span.since_ms + day * 86_400_000 + 43_200_000 for day in range(7)]
        return tuple((place(at), said.day(local(at)).rsplit(" ", 1)[0]) for at in noon)
    hours = range(0, 25, 4)
    return tuple((place(span.since_ms + hour * 3_600_000), f"{hour:02}:00") for hour in hours)


def _round_up(share: float) -> float:
    """The next handsome top of an axis at or above `share`."""
    for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8):
        if share <= top:
            return top
    return 1.0
