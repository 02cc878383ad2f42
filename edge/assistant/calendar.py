"""The plant's days and shifts: wall clock in, moments out.

A day has 23, 24 or 25 hours. Where the clocks change, an hour that comes twice counts wholly, and
one that doesn't come is empty. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Span:
    """From `since_ms` up to `until_ms`, milliseconds since 1970, UTC.

    Attributes:
        shift: the shift's name, if it is one.
        whole: it was said as whole days, without a time of day.
    """

    since_ms: int
    until_ms: int
    shift: str = ""
    whole: bool = False

    @property
    def empty(self) -> bool:
        """Whether no moment lies in it."""
        return self.until_ms <= self.since_ms


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of every day: when it begins and ends, and what it is called."""

    name: str
    begin: time
    end: time
    words: tuple[str, ...] = ()


SHIFT_WORDS = {
    "early": ("early", "morning", "first", "frueh"),
    "late": ("late", "afternoon", "evening", "second", "spaet"),
    "night": ("night", "third", "nacht"),
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The plant's days and shifts."""

    zone: tzinfo
    shifts: tuple[Shift, ...] = ()

    def local(self, at_ms: int) -> datetime:
        """A moment in the plant's time."""
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)

    def begin(self, day: date, at: time = time()) -> int:
        """The moment of a wall clock time; of one that comes twice the first."""
        return _ms(datetime.combine(day, at, self.zone))

    def end(self, day: date, at: time = time()) -> int:
        """The moment up to which a wall clock time reaches.

        Inside an hour that comes twice: the second, so that all of what was named is in it.
        """
        last = datetime.combine(day, at, self.zone)
        before = last - timedelta(minutes=1)  # on the wall clock
        twice = before.utcoffset() != before.replace(fold=1).utcoffset()
        return _ms(last.replace(fold=1) if twice else last)

    def day(self, day: date) -> Span:
        """A whole day: 23, 24 or 25 hours."""
        return Span(self.begin(day), self.begin(day + timedelta(days=1)), whole=True)

    def shift(self, shift: Shift, day: date) -> Span:
        """The shift that begins on `day`."""
        over = timedelta(days=shift.end <= shift.begin)
        return Span(self.begin(day, shift.begin), self.end(day + over, shift.end), shift.name)

    def running(self, now_ms: int, back: int = 0) -> Span | None:
        """The shift that runs now, or the one `back` before."""
        today = self.local(now_ms).date()
        begun: list[Span] = []
        for shift in self.shifts:
            for ago in range(4):
                span = self.shift(shift, today - timedelta(days=ago))
                if span.since_ms <= now_ms:
                    begun.append(span)
        begun.sort(key=lambda span: span.since_ms, reverse=True)
        if begun and begun[0].until_ms <= now_ms:
            back -= 1  # no shift runs: the last one is the newest that began
        return begun[back] if 0 <= back < len(begun) else None

    def newest(self, shift: Shift, now_ms: int) -> Span:
        """The newest of this shift that has begun."""
        today = self.local(now_ms).date()
        spans = (self.shift(shift, today - timedelta(days=ago)) for ago in range(3))
        return next(span for span in spans if span.since_ms <= now_ms)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was understood of time, and what was left.

    Attributes:
        trouble: why a time can't be meant, in a word: `future`, `no such day`; "" if all is well.
    """

    spans: tuple[Span, ...]
    rest: str
    trouble: str = ""


def shifts(told: Mapping[str, str]) -> tuple[Shift, ...]:
    """Shifts as the settings write them, `{early = "06:00-14:00"}`; raises ValueError."""
    found: list[Shift] = []
    for name, hours in told.items():
        match = re.fullmatch(r"(\d\d):(\d\d) ?[-\u2013] ?(\d\d):(\d\d)", hours)
        if match is None:
            raise ValueError(f"shift {name}: {hours!r} is not written as 06:00-14:00")
        h1, m1, h2, m2 = (int(one) for one in match.groups())
        found.append(
            Shift(name, time(h1, m1), time(h2 % 24, m2), SHIFT_WORDS.get(name, (name.lower(),)))
        )
    return tuple(found)


def weekday(today: date, number: int, *, past: bool) -> date:
    """The newest day of this number (Monday is 0); `past`: before today."""
    back = (today.weekday() - number) % 7
    return today - timedelta(days=back or (7 if past else 0))


def said_day(year: str | None, month: int, day: int, today: date) -> date | None:
    """A date as it is said; without a year the last one of that name. None if there is none."""
    try:
        if year is not None:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        found = date(today.year, month, day)
        return found.replace(year=found.year - 1) if found > today else found
    except ValueError:
        return None


def wall_time(hour: int, minute: int, half: str) -> time:
    """A time of day as it is said, `half` being am, pm or neither; raises ValueError if none."""
    if half and half[0] in "ap":
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} {half}")
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    return time(0 if (hour, minute) == (24, 0) else hour, minute)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
