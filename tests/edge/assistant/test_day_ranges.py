from datetime import date, time, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.assistant.calendar import Span
from edge.assistant.day_ranges import NO_ORDER, plain_ranges
from edge.assistant.replies import reply
from edge.assistant.slots import Slots
from edge.assistant.vocabulary import Measure
from tests.edge.assistant.test_reading import CALENDAR, NOW, read
from tests.edge.assistant.test_slots import read as slots

WEDNESDAY = date(2026, 11, 25)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TAGE = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [("from 20 to 22 November", 20, 22), ("20 to 22 Nov", 20, 22), ("vom 20. bis 22. November", 20, 22), ("20. bis 22.11.", 20, 22),
     ("20.-22.11.", 20, 22), ("20.-22.11.2026", 20, 22), ("between 20 and 22 November", 20, 22), ("November 20 to 22", 20, 22),
     ("zwischen dem 20. und 22.11.", 20, 22), ("20.11. bis 22.11.", 20, 22), ("20 Nov to 22 Nov", 20, 22),
     ("last week from Monday to Wednesday", 16, 18), ("letzte Woche Mo bis Mi", 16, 18), ("von Montag bis Mittwoch letzter Woche", 16, 18),
     ("between Monday and Wednesday last week", 16, 18), ("KW 47 Donnerstag bis Sonntag", 19, 22), ("letzte Woche Do bis So", 19, 22),
     ("this week from Monday to Tuesday", 23, 24), ("Montag in KW 47", 16, 16), ("Tuesday this week", 24, 24),
     ("calendar week 47", 16, 22), ("week 47", 16, 22), ("47. KW", 16, 22), ("KW 47/2026", 16, 22)],
)  # fmt: skip
def test_days_that_share_a_month_or_week(said, first, last):
    """All of November; nothing of the text is left."""
    told = read(said)
    (span,) = told.spans
    assert span.since_ms == CALENDAR.begin(date(2026, 11, first))
    assert span.until_ms == CALENDAR.begin(date(2026, 11, last) + timedelta(days=1))
    assert (told.rest, told.trouble) == ("", "")


@pytest.mark.parametrize(
    ("said", "days"),
    [("on Monday and Tuesday last week", (16, 17)), ("am Montag, Dienstag und Mittwoch letzter Woche", (16, 17, 18)),
     ("20 and 22 November", (20, 22)), ("am 20. und 22.11.", (20, 22)), ("Monday last week or Monday this week", (16, 23))],
)  # fmt: skip
def test_days_beside_each_other_are_several(said, days):
    """A week that is said once is of all of them."""
    assert read(said.replace(",", "")).spans == tuple(CALENDAR.day(date(2026, 11, one)) for one in days)  # fmt: skip


@pytest.mark.parametrize(
    "said",
    ["this week from monday to friday", "last week from wednesday to monday", "letzte woche montag bis montag", "friday this week"],
)  # fmt: skip
def test_what_reaches_beyond_today_or_back_has_no_order(said):
    """No other week is taken instead."""
    assert plain_ranges(said, WEDNESDAY) == NO_ORDER


@pytest.mark.parametrize("said", ["how did we do on monday last week", "so montag letzte woche", "parts sat on monday last week"])  # fmt: skip
def test_a_word_that_is_no_day_there_is_none(said):
    """`Do` and `so` are Thursday and Sunday only beside `bis`."""
    assert read(said).spans == (CALENDAR.day(date(2026, 11, 16)),)


@pytest.mark.parametrize(("said", "day"), [("gab es So?", 22), ("waren fehlerhaft Do", 19)])
def test_a_day_of_two_letters_at_the_end_is_one(said, day):
    """Written large, where no small word stands; `How Did We Do?` is none."""
    assert slots(f"Wie viele Teile {said}").spans == (CALENDAR.day(date(2026, 11, day)),)
    assert slots("How Many Parts Did We Do?").spans == slots("how many parts did we do").spans


@pytest.mark.parametrize("said", ["from 8 to 10", "20 november 8 to 10", "kw 99 montag"])
def test_what_is_no_range_of_days_is_left(said):
    """Hours, and days of no week."""
    assert plain_ranges(said, WEDNESDAY) == said


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [("vom 30. bis 2.11.", (10, 30), (11, 2)), ("from 28 to 3 November", (10, 28), (11, 3)), ("vom 28. bis 3.11.2026", (10, 28), (11, 3)),
     ("between 28 and 3 November", (10, 28), (11, 3)), ("vom 28. bis 3. November 2026", (10, 28), (11, 3)), ("from 22 to 20 November", (10, 22), (11, 20))],
)  # fmt: skip
def test_days_over_the_end_of_a_month_begin_in_the_month_before(said, since, until):
    """The month that is said is the second day's."""
    told = read(said)
    (span,) = told.spans
    assert span.since_ms == CALENDAR.begin(date(2026, *since))
    assert span.until_ms == CALENDAR.day(date(2026, *until)).until_ms
    assert told.rest == ""


@pytest.mark.parametrize("said", ["vom 28. bis 3.1.2026", "from 28 to 3 January 2026", "from 28 to 3 January"])  # fmt: skip
def test_days_over_the_end_of_a_year_begin_in_the_year_before(said):
    """Also where no year is said."""
    (span,) = read(said).spans
    assert span.since_ms == CALENDAR.begin(date(2025, 12, 28))
    assert span.until_ms == CALENDAR.day(date(2026, 1, 3)).until_ms


@pytest.mark.parametrize("said", ["Nachtschicht vom 31. auf den 1. November", "Nachtschicht vom 31. auf den 1.11.", "in der Nacht vom 31. auf den 1. November"])  # fmt: skip
def test_a_night_over_the_end_of_a_month(said):
    """It began on the last day of October."""
    (night,) = (one for one in CALENDAR.shifts if one.name == "night")
    assert read(said).spans == (CALENDAR.shift(night, date(2026, 10, 31)),)


@pytest.mark.parametrize(
    "said",
    ["Rejects from 6 to 10 November 20", "Ausschuss vom 6. bis 10. November 20", "Rejects November 28 to 3",
     "Rejects from 22 November to 20 November", "Ausschuss vom 22.11. bis 20.11.", "Rejects from Monday to Monday"],
)  # fmt: skip
def test_days_in_no_order_are_refused(said):
    """A year or a day; of which month; from later to earlier."""
    assert not slots(said).clear


@pytest.mark.parametrize("said", ["Friday to Monday", "Freitag bis Montag"])
def test_days_of_the_week_run_forward(said):
    """Asked on a Sunday: Friday of the week before, until last Monday."""
    (span,) = read(said, NOW + timedelta(days=4)).spans
    assert span.since_ms == CALENDAR.begin(date(2026, 11, 20))
    assert span.until_ms == CALENDAR.day(date(2026, 11, 23)).until_ms


@pytest.mark.parametrize(("language", "clocks", "empty"), [("en", "clocks were changed", "time is empty"), ("de", "Uhr umgestellt", "Zeit ist leer")])  # fmt: skip
def test_clocks_are_said_to_have_changed_only_in_their_night(language, clocks, empty):
    """An empty span of another day, or of days that run back, is one that ends before it begins."""
    spring, summer = (CALENDAR.begin(date(2026, month, 29), time(3)) for month in (3, 7))
    spans = (Span(spring, spring), Span(summer, summer), Span(spring, spring - 48 * 3_600_000))
    desk = SimpleNamespace(calendar=CALENDAR)
    told = [reply(Slots(Measure.COUNT, spans=(one,)), desk, language).text for one in spans]
    assert [clocks in one for one in told] == [True, False, False]
    assert [empty in one for one in told] == [False, True, True]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "said",
    ["do bis " * 71, "so bis " * 71, "do-" * 125, "so-" * 160, "von montag bis " * 33, "mo bis " * 71, "montag und " * 40 + "letzte woche",
     "since the " * 50, "bis zu der " * 45 + "gestern", "1. bis " * 70, "vom 30. bis 2.11. " * 27],
)  # fmt: skip
def test_hostile_repetitions_are_read_to_an_end(said):
    """No pattern tries every way of taking them apart."""
    assert not slots(said).clear


@pytest.mark.parametrize(
    ("said", "begun"),
    [("in the night shift from Monday to Tuesday", 23), ("Nachtschicht Montag auf Dienstag", 23), ("Nachtschicht Mo/Di", 23),
     ("in der Nacht von Montag auf Dienstag", 23), ("in der Nacht von Mittwoch auf Donnerstag", 18), ("Monday to Tuesday night shift", 23),
     ("night shift from 23 to 24 November", 23), ("in der Nacht vom 23. auf den 24. November", 23), ("Nachtschicht vom 23. auf den 24.11.", 23)],
)  # fmt: skip
def test_a_night_between_two_days_is_the_shift_that_began_on_the_first(said, begun):
    """English and German, by names and by numbers."""
    told = read(said)
    (night,) = (one for one in CALENDAR.shifts if one.name == "night")
    assert told.spans == (CALENDAR.shift(night, date(2026, 11, begun)),)
    assert told.rest == ""


@pytest.mark.parametrize(
    "said",
    ["Nachtschicht von Montag auf Mittwoch", "night shift from Monday to Wednesday", "Nachtschicht von Montag bis Dienstag",
     "Nachtschicht vom 23. bis 24. November", "early shift from Monday to Tuesday", "night shifts from Monday to Tuesday"],
)  # fmt: skip
def test_nights_that_could_be_several_are_not_one(said):
    """Days further apart, `bis`, a shift that ends on its day."""
    assert len(read(said).spans) > 1


@given(st.integers(0, 6), st.integers(0, 6), st.sampled_from([DAYS, TAGE]))
def test_every_two_days_of_last_week_are_a_span_within_it(first, last, names):
    """In order; others are refused."""
    link = "to" if names is DAYS else "bis"
    week = "last week" if names is DAYS else "letzte Woche"
    told = read(f"{week} {names[first]} {link} {names[last]}")
    (whole,) = read(week).spans
    if first < last:
        (span,) = told.spans
        assert whole.since_ms <= span.since_ms < span.until_ms <= whole.until_ms
        assert span.until_ms == CALENDAR.begin(date(2026, 11, 17) + timedelta(days=last))
    else:
        assert (told.spans, told.rest) == ((), NO_ORDER)


@given(st.dates(date(2026, 1, 1), date(2026, 11, 25)), st.integers(1, 27))
def test_a_range_of_a_month_is_as_many_days(begin, count):
    """Whatever clocks do in it: it ends where the day after begins."""
    end = begin + timedelta(days=count)
    if end.month != begin.month or end > NOW.date():
        return
    (span,) = read(f"from {begin.day} to {end.day} {MONTHS[begin.month - 1]}").spans
    assert (span.since_ms, span.until_ms) == (CALENDAR.begin(begin), CALENDAR.day(end).until_ms)
