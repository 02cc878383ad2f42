import re
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.assistant.reading import spoken_spans
from edge.assistant.span_parts import PART, SpanPart, span_part
from edge.assistant.time_doubts import PART_OF_NOTHING
from export.terms import fold
from tests.edge.assistant.test_reading import CALENDAR, NOW, ZONE, ends_of, read

HOUR_MS = 3_600_000
DAYS = st.dates(date(2026, 1, 1), date(2026, 11, 20))
SHIFTS = st.sampled_from(CALENDAR.shifts)
PARTS = st.builds(
    SpanPart, st.none() | st.integers(1, 9 * HOUR_MS), st.integers(0, 9), st.booleans(), st.just(True)
)  # fmt: skip
NOW_MS = round(NOW.timestamp() * 1000)
SAID = {
    "the first hour of the late shift yesterday": ("24.11. 14:00", "24.11. 15:00"),
    "erste Stunde Frühschicht heute": ("25.11. 06:00", "25.11. 07:00"),
    "last two hours of the late shift yesterday": ("24.11. 20:00", "24.11. 22:00"),
    "letzte zwei Stunden Spätschicht gestern": ("24.11. 20:00", "24.11. 22:00"),
    "gestern in der letzten halben Stunde der Spätschicht": ("24.11. 21:30", "24.11. 22:00"),
    "in the first half of the night shift": ("24.11. 22:00", "25.11. 02:00"),
    "in der zweiten Hälfte der Nachtschicht": ("25.11. 02:00", "25.11. 06:00"),
    "the third hour of this shift": ("25.11. 08:00", "25.11. 09:00"),
    "in the last 90 minutes of last night": ("25.11. 04:30", "25.11. 06:00"),
    "in der letzten Stunde der letzten Schicht": ("25.11. 05:00", "25.11. 06:00"),
    "the last hour of yesterday": ("24.11. 23:00", "25.11. 00:00"),
    "first hour of the night shift from Monday to Tuesday": ("23.11. 22:00", "23.11. 23:00"),
}


@pytest.mark.parametrize("text", SAID)
def test_a_part_of_a_shift_or_day_is_counted_from_the_end_that_is_said(text):
    """English and German; nothing of the text is left."""
    assert ends_of(text) == SAID[text]


@pytest.mark.parametrize(
    "text",
    ["last hour of this shift", "first ten hours of the early shift yesterday", "the last hour of the shift",
     "first hour of the early shift today and yesterday", "yesterday in the last hour of the day",
     "letzte Stunde der laufenden Schicht", "die ersten neun Stunden der Frühschicht gestern",
     "last two hours in yesterday"],
)  # fmt: skip
def test_a_part_that_is_not_sure_is_named(text):
    """Of a shift that still runs, longer than the shift, of no shift that is said, beside a whole one."""
    assert PART_OF_NOTHING in read(text).rest


@pytest.mark.parametrize(
    "text",
    ["after the first hour of the early shift today", "nach der ersten Stunde der Frühschicht heute",
     "the second last hour of the late shift yesterday", "first hours of the late shift yesterday"],
)  # fmt: skip
def test_what_is_no_part_is_left(text):
    """What comes after it, the last but one, hours of which nobody knows how many."""
    assert re.search(r"first|ersten|second", read(text).rest)


def test_the_last_hours_could_be_any_number():
    """`The last hour` is one."""
    assert read("in the last hours").spans == read("in den letzten Stunden").spans == ()
    assert len(read("in the last hour").spans) == 1


@given(SHIFTS, DAYS, PARTS)
def test_a_part_lies_within_its_span(shift, day, part):
    """And isn't empty; the nights in which clocks change are no exception."""
    whole = CALENDAR.shift(shift, day)
    found = part.of(whole, NOW_MS)
    assert found is None or whole.since_ms <= found.since_ms < found.until_ms <= whole.until_ms


@given(DAYS, st.none() | st.integers(1, 12 * HOUR_MS), st.integers(0, 20))
def test_adjacent_parts_of_a_day_meet_and_do_not_overlap(day, length_ms, skipped):
    """The second hour begins where the first ends."""
    whole = CALENDAR.day(day)
    first = SpanPart(length_ms, skipped, linked=True).of(whole, NOW_MS)
    second = SpanPart(length_ms, skipped + 1, linked=True).of(whole, NOW_MS)
    assert first is None or second is None or first.until_ms == second.since_ms


@given(SHIFTS, DAYS, st.integers(1, 6))
def test_the_first_and_last_hours_are_as_long_as_is_said(shift, day, hours):
    """Hours as they pass, also of a shift of seven or nine."""
    for said in ("first", "last"):
        text = f"{said} {hours} hours of the {shift.name} shift on {day}"
        (span,) = spoken_spans(CALENDAR, fold(text), NOW_MS).spans
        assert span.until_ms - span.since_ms == hours * HOUR_MS
        whole = CALENDAR.shift(shift, day)
        assert (span.since_ms == whole.since_ms) if said == "first" else (span.until_ms == whole.until_ms)  # fmt: skip


def test_halves_of_a_night_in_which_clocks_go_back_are_of_as_many_hours():
    """Nine hours: four and a half each."""
    now = datetime(2026, 11, 1, 12, tzinfo=ZONE)
    spans = [read(f"{one} half of the night shift of 24 October 2026", now).spans[0] for one in ("first", "second")]  # fmt: skip
    assert {one.until_ms - one.since_ms for one in spans} == {4.5 * HOUR_MS}
    assert spans[0].until_ms == spans[1].since_ms


def test_a_day_is_parted_only_where_it_says_of():
    """`The last two hours yesterday` may be those before now."""
    match = re.search(PART, "last two hours on monday")
    assert match is not None
    part = span_part(match)
    assert part is not None
    assert part.of(CALENDAR.day(NOW.date() - timedelta(days=2)), NOW_MS) is None
