import shutil
import sqlite3
import threading
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import clock
from edge.outbox import Outbox
from edge.outbox import schema as outbox_schema
from edge.store import retention, schema, tally
from edge.store.feed import Bite, Feed
from edge.store.feeder import Feeder
from edge.store.intake import Intake
from edge.store.retention import Keep
from tests.edge.store.recorded import PLENTY, Recorded
from tests.edge.verdicts import verdict


@pytest.fixture
def box(tmp_path):
    """A record and the store that follows it."""
    made = Recorded(tmp_path)
    yield made
    made.close()


def test_what_the_box_records_is_in_the_store(box):
    """Every verdict, in order, with the cameras apart."""
    epoch = box.record(3)
    box.record(2, "side")
    assert box.kept() == [
        *(("cam", epoch, seq) for seq in (1, 2, 3)),
        *(("side", epoch, seq) for seq in (1, 2)),
    ]


def test_a_console_that_was_away_takes_up_where_it_was(box):
    """Stopped and started again, each verdict once."""
    epoch = box.record(520)
    box.kept()
    box.close()
    box.record(20)
    assert box.kept() == [("cam", epoch, seq) for seq in range(1, 541)]


def test_the_record_need_not_exist_yet(box):
    """A console that starts before the box says so, and reads once there is something."""
    box.open()
    assert not box.feeder.step()
    assert "has not run" in box.feeder.report().trouble
    box.record(2)
    assert len(box.kept()) == 2
    assert box.feeder.report().trouble == ""


def test_a_running_box_is_followed(box):
    """Verdicts come in while the daemon writes, and it never meets a lock."""
    outbox = Outbox(box.path)
    arrived = threading.Event()
    feeder = Feeder(
        box.store, box.path, PLENTY, lambda new: arrived.set() if new[-1].seq == 50 else None
    )
    feeder.start()
    for _ in range(50):
        outbox.record("cam", lambda seq: verdict(outbox.epoch, seq))
    assert arrived.wait(10)
    assert outbox.faults() == ()
    outbox.close()
    feeder.stop()


def test_what_the_box_forgot_is_a_gap_that_is_shown(box):
    """A console that was away too long knows which verdicts it never saw."""
    epoch = box.record(10)
    box.kept()
    box.close()
    box.record(20)
    box.forget_delivered(25)
    db = box.catch_up()
    gaps = [(gap.camera, gap.epoch, gap.first, gap.last) for gap in tally.gaps(db)]
    assert gaps == [("cam", epoch, 11, 25)]
    assert [key[2] for key in box.kept()] == [*range(1, 11), *range(26, 31)]


def test_a_damaged_record_is_read_to_where_it_breaks(box):
    """What was moved aside stands nowhere else: it comes first, then the new life of the record."""
    first = box.record(5)
    box.kept()
    box.close()
    box.record(5)
    with closing(sqlite3.connect(box.path)) as db:  # a row of another's making: damage to be found
        db.execute("UPDATE sqlite_sequence SET seq = 10")
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_schema SET sql = sql || ' ' WHERE name = 'done'")
        db.commit()
    aside = box.folder / "outbox.db.damaged-9999999999"
    box.path.rename(aside)
    (box.folder / "outbox.db.epoch").write_text(f"{first}\n")
    second = box.record(2)
    assert second > first
    assert box.kept() == [
        *(("cam", first, seq) for seq in range(1, 11)),
        *(("cam", second, seq) for seq in (1, 2)),
    ]
    assert box.kept() == box.kept()


def test_a_record_moved_aside_while_the_console_runs_is_noticed(box):
    """The new file of the same name is another life: it is read from its first row."""
    first = box.record(4)
    box.kept()
    for suffix in ("", "-wal", "-shm"):
        old = box.path.with_name(box.path.name + suffix)
        if old.exists():
            old.rename(box.folder / f"outbox.db.damaged-1{suffix}")
    second = box.record(3)
    assert second > first
    assert [key[1:] for key in box.kept()] == [
        *((first, seq) for seq in range(1, 5)),
        *((second, seq) for seq in range(1, 4)),
    ]


def test_a_damaged_body_is_counted_and_the_rest_goes_on(box):
    """One verdict that can't be read is one counted gap, not the end."""
    box.record(3)
    with closing(sqlite3.connect(box.path)) as db:
        db.execute("DROP TRIGGER verdict_is_immutable")
        db.execute("UPDATE verdict SET body = x'00ff' WHERE seq = 2")
        db.commit()
    db = box.catch_up()
    assert tally.contents(db).unreadable == 1
    assert [(gap.first, gap.last) for gap in tally.gaps(db)] == [(2, 2)]
    assert [key[2] for key in box.kept()] == [1, 3]


def test_a_later_version_of_the_record_is_not_guessed_at(box):
    """The console says that it must be updated, and takes nothing."""
    box.record(2)
    with closing(sqlite3.connect(box.path)) as db:
        db.execute(f"PRAGMA user_version = {outbox_schema.VERSION + 1}")
    assert box.kept() == []
    assert "update the console" in box.feeder.report().trouble


def test_the_feed_never_writes(box):
    """Not a byte of the record's files changes when it is read, and it couldn't."""
    box.record(5)
    before = {one.name: one.read_bytes() for one in box.folder.iterdir() if one.is_file()}
    feed = Feed(box.path)
    assert len(feed.bite(lambda _epoch: 0).rows) == 5
    with pytest.raises(sqlite3.OperationalError):
        feed._db.execute("DELETE FROM verdict")
    feed.close()
    after = {one.name: one.read_bytes() for one in box.folder.iterdir() if one.is_file()}
    assert {name: after[name] for name in before} == before


def test_trouble_with_its_own_file_is_told_and_tried_again(box, monkeypatch):
    """A full disk stops the store, not the box; when there is room it catches up."""
    box.record(3)
    feeder = box.open()
    full = threading.Event()
    full.set()
    take = feeder._intake.take

    def refuse(bite):
        if full.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        return take(bite)

    monkeypatch.setattr(feeder._intake, "take", refuse)
    monkeypatch.setattr("edge.store.feeder.RETRY_S", 0.01)
    arrived = threading.Event()
    feeder._hear = lambda _new: arrived.set()
    feeder.start()
    while "disk is full" not in feeder.report().trouble:
        pass
    full.clear()
    assert arrived.wait(10)


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_however_it_comes_each_verdict_is_there_once(tmp_path_factory, data):
    """Any bites, in any order, with repeats and holes: kept + gaps = 1..newest, none twice."""
    folder = tmp_path_factory.mktemp("intake")
    schema.prepare(folder / "v.db")
    intake = Intake(folder / "v.db")
    taken = set()
    for _ in range(data.draw(st.integers(1, 6))):
        seqs = data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=12))
        bite = Bite(1, [(n, verdict(1, seq).to_json()) for n, seq in enumerate(seqs, 1)])
        new = [one.seq for one in intake.take(bite)]
        assert set(new) == set(seqs) - taken
        assert len(new) == len(set(new))
        taken |= set(seqs)
    db = intake.connection
    missing = {s for gap in tally.gaps(db) for s in range(gap.first, gap.last + 1)}
    assert missing == set(range(1, max(taken) + 1)) - taken
    everything = tally.by_mark(db, tally.Span(0, 2**45))
    assert sum(row.n for row in everything) == len(taken) == tally.contents(db).verdicts
    assert tally.contents(db).conflicts == 0
    intake.close()
    shutil.rmtree(folder)


def test_two_versions_of_one_verdict_are_a_contradiction(tmp_path):
    """The first one stands, and it is counted."""
    schema.prepare(tmp_path / "v.db")
    intake = Intake(tmp_path / "v.db")
    intake.take(Bite(1, [(1, verdict(1, 1, score=0.1).to_json())]))
    assert intake.take(Bite(1, [(2, verdict(1, 1, score=0.2).to_json())])) == []
    assert tally.contents(intake.connection).conflicts == 1
    intake.close()


def test_nothing_labelled_is_forgotten(box):
    """Over its quota the store gives its oldest, and keeps what somebody spoke about."""
    box.keep = Keep(seconds=10**9, bytes=1, leave_free=0)
    epoch = box.record(1200)
    box.open()
    box.feeder.pin([("cam", epoch, 7), ("cam", epoch, 1100)])
    box.catch_up()
    box.feeder.forget()
    assert [key[2] for key in box.kept()] == [7, 1100]
    db = schema.reader(box.store)
    assert tally.contents(db).verdicts == 2
    assert sum(row.n for row in tally.by_mark(db, tally.Span(0, 2**45))) == 1200


def test_a_label_that_comes_while_much_is_forgotten_counts(box, monkeypatch):
    """It is heard between any two bites of forgetting, not after all of them."""
    box.keep = Keep(seconds=10**9, bytes=1, leave_free=0)
    epoch, forget = box.record(1200), retention.forget
    feeder = box.open()
    feeder._tidied_ns = clock.monotonic_ns()
    box.catch_up()

    def labelled_meanwhile(*args, **more):
        count = forget(*args, **more)
        feeder.pin([("cam", epoch, 1100)])
        return count

    monkeypatch.setattr("edge.store.retention.forget", labelled_meanwhile)
    feeder.forget()
    assert [key[2] for key in box.kept()] == [1100]


def test_age_is_time_that_the_store_was_open(box):
    """Verdicts go when the store has lived long enough since, whatever their clock said."""
    box.keep = Keep(seconds=5000, bytes=10**12, leave_free=0)
    box.record(3, captured_at="1970-01-01T00:00:01Z")
    box.catch_up()
    box.feeder._intake.note_tide()
    assert box.feeder.forget() == 0
    box.feeder._intake._lived_s += 4000
    box.feeder._intake.note_tide()
    box.record(2)
    box.catch_up()
    box.feeder._intake._lived_s += 2000
    box.feeder._intake.note_tide()
    assert box.feeder.forget() == 3
    assert [key[2] for key in box.kept()] == [4, 5]
