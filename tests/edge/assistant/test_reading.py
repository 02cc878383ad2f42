from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge.assistant.calendar import Calendar, shifts
from edge.assistant.reading import spoken_spans
from export.terms import fold

ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(
    ZONE, shifts({"early": "06:00-14:00", "late": "14:00-22:00", "night": "22:00-06:00"})
)
NOW = datetime(2026, 11, 25, 10, 30, tzinfo=ZONE)  # a Wednesday
SAID = {
    "yesterday": ("24.11. 00:00", "25.11. 00:00"),
    "vorgestern": ("23.11. 00:00", "24.11. 00:00"),
    "in the early shift yesterday": ("24.11. 06:00", "24.11. 14:00"),
    "Frühschicht vom 24.11.": ("24.11. 06:00", "24.11. 14:00"),
    "yesterday's night shift": ("24.11. 22:00", "25.11. 06:00"),
    "last night": ("24.11. 22:00", "25.11. 06:00"),
    "letzte Schicht": ("24.11. 22:00", "25.11. 06:00"),
    "this shift": ("25.11. 06:00", "25.11. 14:00"),
    "between 6 and 8": ("25.11. 06:00", "25.11. 08:00"),
    "gestern zwischen 22 und 2 Uhr": ("24.11. 22:00", "25.11. 02:00"),
    "from 10 pm yesterday until 4 am today": ("24.11. 22:00", "25.11. 04:00"),
    "between 0:00 and 24:00 on 2026-11-20": ("20.11. 00:00", "21.11. 00:00"),
    "since 6:00": ("25.11. 06:00", "25.11. 10:30"),
    "gestern nach 15 Uhr": ("24.11. 15:00", "25.11. 00:00"),
    "today before 7:20": ("25.11. 00:00", "25.11. 07:20"),
    "last two hours": ("25.11. 08:30", "25.11. 10:30"),
    "in den letzten 90 Minuten": ("25.11. 09:00", "25.11. 10:30"),
    "on Monday": ("23.11. 00:00", "24.11. 00:00"),
    "letzten Mittwoch": ("18.11. 00:00", "19.11. 00:00"),
    "last week": ("16.11. 00:00", "23.11. 00:00"),
    "diese Woche": ("23.11. 00:00", "26.11. 00:00"),
    "KW 46": ("09.11. 00:00", "16.11. 00:00"),
    "on the 24th of November": ("24.11. 00:00", "25.11. 00:00"),
    "am 3. Dezember": ("03.12. 00:00", "04.12. 00:00"),
    "from Monday to Tuesday": ("23.11. 00:00", "25.11. 00:00"),
    "yesterday afternoon": ("24.11. 12:00", "24.11. 18:00"),
    "vor 2 Tagen": ("23.11. 00:00", "24.11. 00:00"),
    "8 to 10 today": ("25.11. 08:00", "25.11. 10:00"),
    "heute 8 bis 10": ("25.11. 08:00", "25.11. 10:00"),
    "8-10 yesterday": ("24.11. 08:00", "24.11. 10:00"),
    "8 to 10 yesterday evening": ("24.11. 20:00", "24.11. 22:00"),
    "am 24. November 8 bis 10": ("24.11. 08:00", "24.11. 10:00"),
    "seit heute früh um 6": ("25.11. 06:00", "25.11. 10:30"),
    "seit gestern Abend um 8": ("24.11. 20:00", "25.11. 10:30"),
    "since 6 this morning": ("25.11. 06:00", "25.11. 10:30"),
    "since yesterday 8": ("24.11. 08:00", "25.11. 10:30"),
    "until 6 yesterday": ("24.11. 00:00", "24.11. 06:00"),
    "from 10 pm to 6 am today": ("24.11. 22:00", "25.11. 06:00"),
}


def read(text, now=NOW):
    """What is understood of a text."""
    return spoken_spans(CALENDAR, fold(text), round(now.timestamp() * 1000))


def ends_of(text):
    """Both ends of the one span that a text means, in words; nothing of the text is left."""
    told = read(text)
    (span,) = told.spans
    assert (told.rest, told.trouble) == ("", "")
    return tuple(f"{CALENDAR.local(ms):%d.%m. %H:%M}" for ms in (span.since_ms, span.until_ms))


@pytest.mark.parametrize("text", SAID)
def test_a_span_is_what_people_mean_by_it(text):
    """Days, shifts, hours and weeks, in English and German, and nothing of the text is left."""
    assert ends_of(text) == SAID[text]


@pytest.mark.parametrize(
    "text",
    ["compare early and late shift yesterday", "Vergleiche Früh- und Spätschicht gestern",
     "yesterday's early shift or yesterday's late shift"],
)  # fmt: skip
def test_two_shifts_of_one_day(text):
    """A day that is said once counts for both."""
    told = read(text)
    assert [(span.shift, CALENDAR.local(span.since_ms).day) for span in told.spans] == [
        ("early", 24), ("late", 24),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "hours"),
    [("2026-10-25", 25), ("2026-03-29", 23), ("night shift of 24 October 2026", 9),
     ("night shift of 28 March 2026", 7), ("between 2:00 and 3:00 on 2026-10-25", 2),
     ("between 1:00 and 2:00 on 2026-10-25", 1), ("between 1:00 and 4:00 on 2026-03-29", 2)],
)  # fmt: skip
def test_where_the_clocks_change_hours_are_counted_as_they_pass(text, hours):
    """A day of 23 or 25 hours; an hour that comes twice counts wholly."""
    (span,) = read(text, datetime(2026, 11, 1, 12, tzinfo=ZONE)).spans
    assert span.until_ms - span.since_ms == hours * 3_600_000


def test_a_time_that_does_not_exist_is_empty():
    """In the night in which clocks go forward, 2:15 to 2:45 never comes."""
    (span,) = read("between 2:15 and 2:45 on 2026-03-29").spans
    assert span.empty or span.until_ms - span.since_ms <= 1_800_000


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("32.11.", "no such day"), ("30 February", "no such day"), ("2027-01-01", "future"),
     ("between 25:10 and 26:00", "no such time"), ("12 to 14 today", "future"), ("heute von 12 bis 14 Uhr", "future")],
)  # fmt: skip
def test_a_time_that_cannot_be_meant_is_told(text, trouble):
    """It isn't turned into another that can."""
    assert read(text).trouble == trouble


@pytest.mark.parametrize(
    "text", ["10 to 8 today", "gestern 22 bis 2", "8 to 10 parts today", "heute um 8", "8 to 10"]
)
def test_bare_numbers_that_could_be_anything_are_left(text):
    """Back on the dial or over midnight, numbers of parts, a moment, and no day beside them."""
    assert {"8", "22"} & set(read(text).rest.split())


def test_what_is_not_a_time_is_left():
    """The rest of the question stays."""
    assert read("how many parts failed yesterday").rest == "how many parts failed"
    assert read("tomorrow").rest == "tomorrow"


def test_shifts_are_read_from_the_settings():
    """Hours as 06:00-14:00; anything else is an error that names the shift."""
    assert [one.name for one in CALENDAR.shifts] == ["early", "late", "night"]
    with pytest.raises(ValueError, match="shift early"):
        shifts({"early": "6 to 14"})
