"""Reading times as people say them: `last night`, `Frühschicht vom 24.11.`, `between 2 and 3`.

English and German, over text that export/terms.py has folded. What is understood is taken out of
the text, so that whoever called sees what is left. Pure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from edge.assistant.calendar import Calendar, Shift, Span, Spoken, said_day, wall_time, weekday
from edge.assistant.day_phrases import plain_days
from edge.assistant.day_ranges import NO_ORDER
from edge.assistant.span_parts import PART, SpanParts, before
from edge.assistant.time_doubts import BEYOND_A_TIME, PART_OF_NOTHING, UNSURE_HOURS, beyond, unlike
from edge.assistant.time_phrases import plain_times, told_hours
from edge.assistant.time_words import (
    DAYS,
    LAST,
    MONTHS,
    NUMBERS,
    OF,
    PARTS_OF_DAY,
    THIS,
    UNIT_S,
    N,
    compiled,
    named_shift,
)
from edge.assistant.weeks import WEEK_NUMBER, units, week

_COMPARED = r"(?<!\w)(?:compar|vergl|versus|vs|against|gegen)"


def spoken_spans(calendar: Calendar, text: str, now_ms: int) -> Spoken:
    """The spans that folded `text`, said at `now_ms`, speaks of, and the text without them."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(calendar.zone)
    return _Reading(calendar, now, plain_times(plain_days(text, now.date()))).read()


@dataclass(slots=True)
class _Reading:
    """One reading of one text. Days, times and shifts are replaced by marks, then put together."""

    calendar: Calendar
    now: datetime
    text: str
    days: list[date] = field(default_factory=list[date])
    times: list[time] = field(default_factory=list[time])
    shifts: list[tuple[bool, Shift]] = field(default_factory=list[tuple[bool, Shift]])
    spans: list[tuple[int, Span]] = field(default_factory=list[tuple[int, Span]])
    trouble: str = ""
    doubts: set[str] = field(default_factory=set[str])
    spent: set[int] = field(default_factory=set[int])  # days that a time of day or a shift used up
    weekdays: set[int] = field(default_factory=set[int])  # days that were said by their names
    parts: SpanParts = field(default_factory=SpanParts)
    _shift_days: date | None = None
    _waiting: list[tuple[int, Shift, int | None]] = field(
        default_factory=list[tuple[int, Shift, int | None]]
    )

    @property
    def now_ms(self) -> int:
        return round(self.now.timestamp() * 1000)

    def read(self) -> Spoken:
        self._take(PART, self.parts.mark)
        self._relative()
        self._calendar_units()
        self._named_shifts()
        self._dates()
        self._clock_times()
        self._ranges()
        self._rest()
        told = dict.fromkeys(span for _, span in sorted(self.spans, key=lambda one: one[0]))
        if any(span.since_ms > self.now_ms for span in told) and not self.trouble:
            self.trouble = "future"
        rest = re.sub(r"\x02(\d+);", lambda m: f"{self.times[int(m[1])]:%H:%M}", self.text)
        rest = re.sub(r"[\x01-\x04]\d+;", " ", rest)  # a time that no span took stays
        self.doubts |= {
            PART_OF_NOTHING if self.parts.astray(told) else "",
            unlike(told, self.now_ms),
        }
        rest = " ".join((rest, *sorted(self.doubts)))
        return Spoken(tuple(told), " ".join(rest.split()), self.trouble)

    def _take(self, pattern: str, use: Callable[[re.Match[str]], str | None]) -> None:
        """Replace each match by what `use` returns; None lets it stand."""

        def replaced(match: re.Match[str]) -> str:
            found = use(match)
            return match[0] if found is None else f" {found} "

        self.text = compiled(pattern).sub(replaced, self.text)

    def _put(self, match: re.Match[str], span: Span | None) -> str | None:
        if span is None:
            return None
        self.doubts.add(beyond(match, span, self.now_ms))
        self.spans.append((match.start(), self.parts.of(before(match), span, self.now_ms)))
        return ""

    def _relative(self) -> None:
        for unit, seconds in UNIT_S.items():
            ago = rf"(?<!\w){OF}(?:the |den |der |die )?{LAST} (?:{N} )?(?:{unit})(?!\w)"
            if seconds in (604_800, 86_400):
                ago = rf"(?<!\w){OF}(?:the |den |der |die )?{LAST} {N} (?:{unit})(?!\w)"
            self._take(ago, lambda m, s=seconds: self._put(m, self._last(m, s)))
            since = rf"(?<!\w)(?:since|seit) {N} (?:{unit})(?!\w)"
            self._take(since, lambda m, s=seconds: self._put(m, self._back(m[1], s)))

    def _last(self, match: re.Match[str], seconds: int) -> Span | None:
        """None where it isn't said how many: `the last hours` could be any number."""
        several = match[0].endswith(("hours", "minutes", "stunden", "minuten"))
        return None if several and match[1] is None else self._back(match[1], seconds)

    def _back(self, count: str | None, seconds: int) -> Span:
        number = 1 if count is None else NUMBERS.get(count) or int(count)
        return Span(self.now_ms - number * seconds * 1000, self.now_ms)

    def _calendar_units(self) -> None:
        for words, span in units(self.calendar, self.now.date()):
            self._take(rf"(?<!\w){OF}{words}(?:'s)?(?!\w)", lambda m, s=span: self._put(m, s))
        self._take(
            rf"(?<!\w){OF}{WEEK_NUMBER}(?!\w)", lambda m: self._put(m, self._week(int(m[1]), m[2]))
        )

    def _week(self, number: int, year: str | None) -> Span | None:
        found = week(number, year, self.calendar, self.now.date())
        self.trouble = self.trouble if found else "no such day"
        return found

    def _named_shifts(self) -> None:
        c = self.calendar
        if not c.shifts:
            return
        shift = r"(?:shift|schicht)(?:'s)?"
        for words, back in ((THIS, 0), (LAST, 1), ("penultimate", 2)):
            self._take(
                rf"(?<!\w){OF}{words} {shift}(?!\w)",
                lambda m, b=back: self._put(m, c.running(self.now_ms, b)),
            )
        for one in c.shifts:
            self._take(
                named_shift(one.words or (one.name,)),
                lambda m, s=one: self._shift_mark(m, s),
            )
            if one.end <= one.begin:
                self._take(
                    rf"(?<!\w){OF}(?:last night|(?:heute|letzte|gestern) nacht|tonight)(?!\w)",
                    lambda m, s=one: self._put(m, c.newest(s, self.now_ms)),
                )

    def _shift_mark(self, match: re.Match[str], shift: Shift) -> str:
        self.shifts.append(("shifts" in match[0], shift))
        return f"\x03{len(self.shifts) - 1};"

    def _dates(self) -> None:
        today = self.now.date()
        self._take(
            r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?![\w-])", lambda m: self._day(m[1], m[2], m[3])
        )
        self._take(
            r"(?<![\w.])(\d{1,2})\. ?(\d{1,2})\.(?: ?(\d{4}|\d\d)(?![\w:]))?",
            lambda m: self._day(m[3], m[2], m[1]),
        )
        for number, names in enumerate(MONTHS, 1):
            self._take(
                rf"(?<!\w)(\d{{1,2}})(?:st|nd|rd|th"
                rf"|\.)? ?(?:of )?(?:{names})\.?(?!\w)(?:,? (\d{{4}}))?",
                lambda m, n=number: self._day(m[2], str(n), m[1]),
            )
            self._take(
                rf"(?<!\w)(?:{names})\.? (\d{{1,2}})(?:st|nd|rd|th)?(?![\w:])(?:,? (\d{{4}}))?",
                lambda m, n=number: self._day(m[2], str(n), m[1]),
            )
        for words, first, last in PARTS_OF_DAY:
            for day, ago in (("this|today|heute", 0), ("yesterday(?:'s)?|gestern", 1)):
                on = today - timedelta(days=ago)
                self._take(
                    rf"(?<!\w)(?:{day}) (?:{words})(?!\w)",
                    lambda m, d=on, a=first, b=last: self._part_of_day(m, d, a, b),
                )
        for words, ago in (
            ("(?:the )?day before yesterday(?:'s)?|vorgestern|vorgestrig\\w+", 2),
            ("yesterday(?:'s)?|gestern|gestrig\\w+", 1),
            ("today(?:'s)?|heute|heutig\\w+", 0),
        ):
            self._take(
                rf"(?<!\w)(?:{words})(?!\w)",
                lambda _m, a=ago: self._day_mark(today - timedelta(days=a)),
            )
        self._take(
            rf"(?<!\w)(?:{N} days? ago|vor {N} tag(?:en)?)(?!\w)",
            lambda m: self._days_ago(m[1] or m[2]),
        )
        for number, names in enumerate(DAYS):
            self._take(
                rf"(?<!\w)({LAST} )?(?:{names})(?:'s)?(?!\w)",
                lambda m, n=number: self._weekday_mark(weekday(today, n, past=bool(m[1]))),
            )

    def _day(self, year: str | None, month: str, day: str) -> str:
        found = said_day(year, int(month), int(day), self.now.date())
        if found is None:
            self.trouble = "no such day"
            return ""
        return self._day_mark(found)

    def _part_of_day(self, match: re.Match[str], day: date, first: int, last: int) -> str:
        """The morning, say; beside a time of day only the day."""
        if re.search(r"\d{1,2}(?::\d\d| ?(?:am|pm|uhr|o'clock))", self.text):
            return self._day_mark(day)
        over = timedelta(days=last // 24)
        c = self.calendar
        self._put(match, Span(c.begin(day, time(first)), c.end(day + over, time(last % 24))))
        return ""

    def _days_ago(self, count: str) -> str:
        return self._day_mark(self.now.date() - timedelta(days=NUMBERS.get(count) or int(count)))

    def _day_mark(self, day: date) -> str:
        self.days.append(day)
        return f"\x01{len(self.days) - 1};"

    def _weekday_mark(self, day: date) -> str:
        self.weekdays.add(len(self.days))
        return self._day_mark(day)

    def _clock_times(self) -> None:
        word = {"noon": time(12), "midday": time(12), "mittags?": time(12),
                "midnight": time(), "mitternacht": time()}  # fmt: skip
        for name, at in word.items():
            self._take(rf"(?<!\w){name}(?!\w)", lambda _m, a=at: self._time_mark(a))
        self.text = told_hours(self.text)
        self._take(
            r"(?<![\w:.])(\d{1,2}):(\d\d)(?: ?(am|pm|uhr))?(?![\w:])",
            lambda m: self._clock(m[1], m[2], m[3]),
        )
        self._take(
            r"(?<![\w:.])(\d{1,2})(?:\.(\d\d))? ?(am|pm|a\.m\.|p\.m\.|uhr"
            r"|o'clock)(?: (\d\d)(?!\w))?(?!\w)",
            lambda m: self._clock(m[1], m[2] or m[4], m[3]),
        )

    def _clock(self, hour: str, minute: str | None, half: str | None) -> str | None:
        try:
            return self._time_mark(wall_time(int(hour), int(minute or 0), half or ""))
        except ValueError:
            self.trouble = "no such time"
            return None

    def _time_mark(self, at: time) -> str:
        self.times.append(at)
        return f"\x02{len(self.times) - 1};"

    def _ranges(self) -> None:
        d, t, s = r"\x01(\d+);", r"\x02(\d+);", r"\x03(\d+);"
        link = r"(?:on |at |um |am |vom |of |the |den |der |from )*"
        begin = rf"(?<!\w)(?:from|between|zwischen|von|vom) {link}"
        to = rf" +(?:to|and|until|till|bis|und|bis zum) +{link}"
        day, at = rf"(?:{link}{d} *)?", rf"{link}{t} *"
        self.text, c = " ".join(self.text.split()), self.calendar
        self._take(
            rf"{begin}{day}{at}{day}{to.replace(' +', ' *', 1)}{day}{at}{day}", self._clock_range
        )
        night = rf"(?:from )?{s} *{OF}{d} *(?:to|into|auf|zu|/) *{link}{OF}{d}"
        self._take(rf"(?<!\w){OF}{night}", self._night_between)
        self._take(rf"{begin}{d}{to}{d}", self._day_range)
        if not re.search(_COMPARED, self.text):
            self._take(rf"{d} *(?:-|to|until|till|through|bis|bis zum) +{link}{d}", self._day_range)
        self._take(
            rf"(?<!\w)(?:since|seit|ab|after|nach|from|starting at) {day}{at}{day}", self._since
        )
        self._take(rf"(?<!\w)(?:until|till|before|bis|vor|up to) {day}{at}{day}", self._until)
        self._take(
            rf"(?<!\w)(?:since|seit) {link}{d}",
            lambda m: self._put(m, Span(c.begin(self.days[int(m[1])]), self.now_ms)),
        )
        self._take(rf"(?<!\w){OF}(?:{d} *{OF})?{s}(?: *{OF}{d})?", self._shift_of)
        self._take(rf"(?<!\w){OF}{d}", lambda m: self._put(m, c.day(self.days[int(m[1])])))

    def _clock_range(self, m: re.Match[str]) -> str | None:
        a1, t1, b1, a2, t2, b2 = (None if g is None else int(g) for g in m.groups())
        first = a1 if a1 is not None else b1
        second = a2 if a2 is not None else b2
        assert t1 is not None
        assert t2 is not None
        begin, end = self.times[t1], self.times[t2]
        if (first is None or second is None) and time() < end <= begin <= time(12):
            self.doubts.add(UNSURE_HOURS)
        if first is None and second is None:
            outer = self._outer_day(m.start())  # `yesterday between 6 and 8`
            begin_day, end_day = outer or self._day_that_began(begin), None
        else:
            begin_day = self.days[first] if first is not None else None
            end_day = self.days[second] if second is not None else None
        if begin_day is None:
            assert end_day is not None
            begin_day, end_day = end_day, end_day + timedelta(days=end <= begin)
            if end <= begin and self.calendar.begin(begin_day, begin) > self.now_ms:
                begin_day, end_day = begin_day - timedelta(days=1), end_day - timedelta(days=1)
        elif end_day is None:
            end_day = begin_day + timedelta(days=end <= begin)
        c = self.calendar
        return self._put(m, Span(c.begin(begin_day, begin), c.end(end_day, end)))

    def _day_that_began(self, at: time) -> date:
        """Today if it was that time already, or else yesterday."""
        today = self.now.date()
        return today if self.calendar.begin(today, at) <= self.now_ms else today - timedelta(days=1)

    def _day_range(self, m: re.Match[str]) -> str | None:
        first, last = self.days[int(m[1])], self.days[int(m[2])]
        if last < first and int(m[1]) in self.weekdays:
            first -= timedelta(days=7)  # on a Sunday `Friday to Monday`
        if last < first or (last == first and int(m[1]) in self.weekdays):
            self.doubts.add(NO_ORDER)
            return None
        c = self.calendar
        return self._put(m, Span(c.begin(first), c.begin(last + timedelta(days=1)), whole=True))

    def _night_between(self, m: re.Match[str]) -> str | None:
        """`Night shift from 23 to 24 November`: the first's; of days further apart none is sure."""
        several, shift = self.shifts[int(m[1])]
        first, second = self.days[int(m[2])], self.days[int(m[3])]
        if several or shift.end > shift.begin or second - first != timedelta(days=1):
            return None
        return self._put(m, self.calendar.shift(shift, first))

    def _since(self, m: re.Match[str]) -> str | None:
        day = m[1] or m[3]
        at = self.times[int(m[2])]
        begun = (
            self.days[int(day)] if day else self._outer_day(m.start()) or self._day_that_began(at)
        )
        onward = re.match(r" ?(?:ab|from|starting at) ", m[0])
        if day and onward and begun != self.now.date():
            self.doubts.add(BEYOND_A_TIME)  # `ab gestern 14 Uhr`: until now, or that midnight?
        open_end = (
            begun == self.now.date() or not day or m[0].lstrip().startswith(("since", "seit"))
        )
        until = self.now_ms if open_end else self.calendar.day(begun).until_ms
        if self.spent and not day:
            until = min(self.now_ms, self.calendar.day(begun).until_ms)
        return self._put(m, Span(self.calendar.begin(begun, at), until))

    def _until(self, m: re.Match[str]) -> str | None:
        day = m[1] or m[3]
        at = self.times[int(m[2])]
        on = self.days[int(day)] if day else self._outer_day(m.start()) or self.now.date()
        return self._put(m, Span(self.calendar.begin(on), self.calendar.end(on, at)))

    def _outer_day(self, at: int) -> date | None:
        """The day that a time of day at this place is of: the nearest before it, or the first."""
        marks = list(re.finditer(r"\x01(\d+);", self.text))
        if not marks:
            return None
        outer = next((one for one in reversed(marks) if one.start() < at), marks[0])
        self.spent.add(int(outer[1]))
        return self.days[int(outer[1])]

    def _shift_of(self, m: re.Match[str]) -> str | None:
        day = m[1] or m[3]
        shift = self.shifts[int(m[2])][1]
        if day is not None:
            self.spent.add(int(day))
            self._shift_days = self.days[int(day)]
            return self._put(m, self.calendar.shift(shift, self.days[int(day)]))
        self.doubts.add(beyond(m, self.calendar.newest(shift, self.now_ms), self.now_ms))
        self._waiting.append((m.start(), shift, before(m)))
        return ""

    def _rest(self) -> None:
        """Days used up by a time of day are no spans; shifts without a day take the one said."""
        spent = [self.calendar.day(self.days[day]) for day in self.spent]
        self.spans = [one for one in self.spans if not (one[1].whole and one[1] in spent)]
        whole = [one for one in self.spans if one[1].whole]
        for place, shift, part in self._waiting:
            if self._shift_days is not None:
                span = self.calendar.shift(shift, self._shift_days)
            elif whole:
                self._apply_days(place, shift, whole, part)
                continue
            else:
                span = self.calendar.newest(shift, self.now_ms)
            self.spans.append((place, self.parts.of(part, span, self.now_ms)))
        if self._waiting and whole and self._shift_days is None:
            self.spans = [one for one in self.spans if one not in whole]

    def _apply_days(
        self, place: int, shift: Shift, whole: list[tuple[int, Span]], part: int | None
    ) -> None:
        for offset, (_, span) in enumerate(whole):
            day = self.calendar.local(span.since_ms).date()
            while self.calendar.begin(day) < span.until_ms:
                told = self.parts.of(part, self.calendar.shift(shift, day), self.now_ms)
                self.spans.append((place + offset, told))
                day += timedelta(days=1)
