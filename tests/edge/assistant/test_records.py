from dataclasses import replace
from datetime import timedelta

import pytest

from edge.assistant.calendar import Span
from edge.assistant.records import NotKept, Records
from edge.assistant.vocabulary import Which
from edge.store import schema
from tests.assistant.suite import november


@pytest.fixture(scope="module")
def line():
    """A recorded line."""
    return november()


def span(begin, end):
    """Between two moments."""
    return Span(round(begin.timestamp() * 1000), round(end.timestamp() * 1000))


@pytest.mark.parametrize("minutes", [1, 7, 14, 15, 16, 30, 44, 90, 600])
def test_counts_are_exact_to_the_minute(line, minutes):
    """Whole quarter hours from the counts, ragged ends one by one: together the truth."""
    for begin in (line.at(1, 6, 3), line.at(1, 7), line.at(2, 23, 52)):
        end = begin + timedelta(minutes=minutes)
        told = Records(line.db).tally(span(begin, end))
        assert told.parts == line.count((begin, end))[1]
        assert told.chosen(Which.FAILED) == line.count((begin, end), outcome="fail")[0]


def test_what_is_no_longer_kept_to_the_minute_is_refused(line):
    """Once verdicts were forgotten, whole hours still count and minutes don't."""
    line = replace(line, rows=[])  # a line of its own, since some of it is forgotten
    db = schema.connect(line.path)
    day = line.day(5)
    ends = [round(one.timestamp() * 1000) for one in day]
    db.execute("DELETE FROM verdict WHERE at_ms >= ? AND at_ms < ?", ends)
    db.close()
    records = Records(line.db)
    assert records.tally(span(*day)).parts == line.count(day)[1]
    with pytest.raises(NotKept):
        records.tally(span(day[0], day[0] + timedelta(minutes=37)))
    answer = line.clerk().ask(f"How many parts failed between 6:07 and 7:20 on {day[0]:%Y-%m-%d}?")
    assert "no longer" in answer.text


def test_late_parts_are_those_without_a_result_before_the_deadline(line):
    """Not all that are fail-safe; they are searched for by their reason."""
    whole = line.begin, line.now
    late = {"reasons": ("no_result_before_the_deadline",)}
    records = Records(line.db)
    assert records.tally(span(*whole)).chosen(Which.LATE) == line.count(whole, **late)[0] > 0
    found = records.last(Which.LATE, (), (), None)
    assert found is not None
    assert found.verdict.reason == "no_result_before_the_deadline"


def test_a_change_of_bundle_is_found_where_it_was(line):
    """The first verdict of the new bundle on each camera, at its moment."""
    changes = Records(line.db).bundle_changes(span(*line.day(1)), ())
    first = [
        next(row for row in line.rows if row.version == 4 and row.camera == camera)
        for camera in ("top", "side")
    ]
    assert {one.key for one in changes} == {row.key for row in first}
    answer = line.clerk().ask("Was the bundle changed yesterday?")
    assert answer.as_dict()["figures"] == {"changes": 2}


def test_records_cannot_be_written(line):
    """The connection refuses."""
    import sqlite3

    with pytest.raises(sqlite3.OperationalError):
        line.db.execute("DELETE FROM verdict")
