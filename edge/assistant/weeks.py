"""Weeks and months as spans: this one, the last, and weeks by their number. Pure."""

from datetime import date, timedelta

from edge.assistant.calendar import Calendar, Span
from edge.assistant.time_words import LAST, THIS

WEEK_NUMBER = r"(?:calendar week|cw|kw|kalenderwoche) ?(\d{1,2})(?:(?: ?/ ?| of | in | )(20\d\d))?"


def units(calendar: Calendar, today: date) -> tuple[tuple[str, Span], ...]:
    """(how it is said, its span) of this and the last week and month, seen from `today`."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    tomorrow = today + timedelta(days=1)
    return tuple(
        (words, Span(calendar.begin(since), calendar.begin(until), whole=True))
        for words, since, until in (
            (rf"{THIS} (?:week|woche)", monday, tomorrow),
            (rf"{LAST} (?:week|woche)", monday - timedelta(days=7), monday),
            (rf"{THIS} (?:month|monat)s?", first, tomorrow),
            (rf"{LAST} (?:month|monat)s?", before, first),
        )
    )


def monday_of(number: int, year: str | None, today: date) -> date | None:
    """The Monday of a calendar week, of this year if none is said; None if there is none."""
    try:
        return date.fromisocalendar(int(year) if year else today.isocalendar().year, number, 1)
    except ValueError:
        return None


def week(number: int, year: str | None, calendar: Calendar, today: date) -> Span | None:
    """A calendar week as a span, of this year if none is said; None if there is none."""
    monday = monday_of(number, year, today)
    if monday is None:
        return None
    until = calendar.begin(monday + timedelta(days=7))
    return Span(calendar.begin(monday), until, whole=True)
