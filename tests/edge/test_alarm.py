"""Laws of the book of alarms: only changes are news, nothing grows for ever, nothing is hidden."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.alarm import CLEARED, STANDING, Alarms
from edge.messages import AlarmList, Severity, read


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_only_changes_are_news(steps):
    """Raising what stands and clearing what doesn't is no news; the book equals a set."""
    book, standing, changes = Alarms(), set(), 0
    for name, up in steps:
        news = book.raise_("cam", name) if up else book.clear("cam", name)
        assert news == ((name in standing) != up)
        standing = standing | {name} if up else standing - {name}
        changes += news
    assert {alarm.name for alarm in book.standing()} == standing
    assert book.number == changes


def test_an_alarm_keeps_its_beginning_and_says_its_end():
    """`since` is the first raising, `until` the clearing; both are in the list."""
    now = iter(range(0, 10**12, 10**9))
    book = Alarms(lambda: next(now))
    book.raise_("cam", "frozen", "the picture stands")
    book.raise_("cam", "frozen", "it still stands")
    (told,) = book.told(7, 3).alarms
    assert (told.state, told.since, told.detail) == (
        "raised", "1970-01-01T00:00:00.000000Z", "the picture stands"
    )  # fmt: skip
    book.clear("cam", "frozen")
    (told,) = book.told(7, 3).alarms
    assert (told.state, told.until[-9:]) == ("cleared", "1.000000Z")
    assert book.standing() == ()


def test_a_graver_alarm_is_news():
    """A warning that becomes critical is told again; the other way it stays."""
    book = Alarms()
    assert book.raise_("box", "disk", "nearly full")
    assert book.raise_("box", "disk", "full", Severity.CRITICAL)
    assert not book.raise_("box", "disk", "nearly full")
    assert book.standing()[0].severity is Severity.CRITICAL


def test_the_book_is_bounded_and_counts_what_it_left_out():
    """Neither a thousand alarms nor a thousand clearings make the message grow without end."""
    book = Alarms()
    for number in range(1000):
        book.raise_("cam", f"alarm{number}", "x" * 1000)
    told = book.told(1, 1)
    assert len(told.alarms) == STANDING
    assert told.unlisted == 1000 - STANDING
    for number in range(1000):
        book.clear("cam", f"alarm{number}")
    told = book.told(1, 1)
    assert len(told.alarms) == CLEARED
    assert told.alarms[0].name == f"alarm{STANDING - 1}"


@given(st.integers(100, 9000))
def test_the_message_fits_the_room_it_is_given(room):
    """What doesn't fit is left out, cleared ones first, and counted."""
    book = Alarms()
    for number in range(20):
        book.raise_("cam", f"alarm{number}", "x" * 100)
    for number in range(5):
        book.clear("cam", f"alarm{number}")
    told = book.told(1, 1, room)
    body = told.model_dump_json().encode()
    assert len(body) <= room or not told.alarms
    assert told.unlisted == max(0, 15 - sum(a.state == "raised" for a in told.alarms))
    assert read(AlarmList, body) == told


@pytest.mark.parametrize(("source", "name"), [("", "a"), ("cam", ""), ("cam", "Not A Name")])
def test_what_the_message_cannot_carry_is_refused(source, name):
    """A name that isn't one is the programmer's error, at once."""
    with pytest.raises(ValueError, match="Alarm"):
        Alarms().raise_(source, name)


def test_set_follows_a_sentence():
    """A watcher that has a sentence or none needs no more than `set`."""
    book = Alarms()
    assert book.set("outbox", "disk_full", "no room")
    assert not book.set("outbox", "disk_full", "no room at all")
    assert book.set("outbox", "disk_full", "")
    assert not book.set("outbox", "disk_full", "")


def test_every_thread_may_write_in_it():
    """The number counts every change, whoever made it."""
    book, rung = Alarms(), []
    book.on_change(lambda: rung.append(1))

    def work(source):
        for _ in range(50):
            book.raise_(source, "a")
            book.clear(source, "a")

    threads = [threading.Thread(target=work, args=(f"cam{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.number == len(rung) == 400
