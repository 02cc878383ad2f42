"""Laws of age, reserve and quarantine: clocks lie, disks fill, brokers refuse; verdicts stay."""

import json
import os
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from edge import clock
from edge.alarm import Alarms
from edge.cli.outbox import outbox as command
from edge.config import example
from edge.outbox import Outbox, OutboxSettings, packing, schema
from edge.outbox import outbox as door
from edge.outbox.quarantine import Quarantine
from export.errors import StoreError
from tests.edge.verdicts import verdict


def put(outbox, count=1):
    """Store the next `count` verdicts."""
    for _ in range(count):
        outbox.record("cam", lambda seq: verdict(outbox.epoch, seq))
    assert outbox.flush(10)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"seq":1}' * 900])
def test_what_is_packed_comes_out_again(body):
    """Every JSON body survives; a damaged one is an error and not another verdict."""
    assert packing.unpack(packing.pack(body)) == body


@given(st.integers(1, 2**53 - 1), st.floats(0, 1), st.text(max_size=60), st.data())
def test_a_packed_verdict_is_small_and_its_damage_is_seen(seq, score, detail, data):
    """Half the bytes at most, and no changed byte makes another verdict of it.

    The last bits before the checksum may mean nothing: changed, they change nothing.
    """
    body = verdict(1, seq, score=score, detail=detail).to_json()
    packed = packing.pack(body)
    assert packing.unpack(packed) == body
    assert len(packed) < len(body) / 2 + 4 * len(detail)
    place = data.draw(st.integers(0, len(packed) - 1))
    damaged = bytearray(packed)
    damaged[place] ^= data.draw(st.integers(1, 255))
    if damaged[:1] == packing.PLAIN:
        return
    try:
        assert packing.unpack(bytes(damaged)) == body
    except ValueError as error:
        assert "damaged" in str(error)  # noqa: PT017 - either is right


def test_a_wall_clock_that_jumps_makes_nothing_older(tmp_path, monkeypatch):
    """1970 at the start, NTP later, an hour back and forth: what was acknowledged stays."""
    hour, now = 3_600_000_000_000, [0]
    monkeypatch.setattr(clock, "wall_ns", lambda: now[0])
    path = tmp_path / "outbox.db"
    for wall in (0, 1_795_000_000_000_000_000, hour, 1_795_000_000_000_000_000 - hour):
        now[0] = wall
        outbox = Outbox(path, OutboxSettings(keep_s=60))
        put(outbox, 5)
        outbox.mark_acked(row.n for row in outbox.unacked(10))
        now[0] += hour
        assert outbox.flush(10)
        assert outbox._store.prune(60) == 0
        outbox.close()
    outbox = Outbox(path)
    assert outbox.heads() == {"cam": (1, 20)}
    outbox.close()


def test_what_was_acknowledged_ages_while_the_record_is_open(tmp_path, monkeypatch):
    """Age is running time, over restarts; what waits is never too old."""
    real, more_s = clock.monotonic_ns, [0]
    monkeypatch.setattr(clock, "monotonic_ns", lambda: real() + more_s[0] * 1_000_000_000)
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    put(outbox, 10)
    outbox.mark_acked([1, 2, 3, 5])
    assert outbox.flush(10)
    more_s[0] += 100
    put(outbox, 4)
    outbox.close()
    outbox = Outbox(path)
    assert outbox._store.prune(200) == 0
    more_s[0] += 150
    assert outbox._store.prune(200) == 4
    assert [row.seq for row in outbox.unacked(99)] == [4, *range(6, 15)]
    assert [row.seq for row in outbox.replay("cam", 1, 99)] == [4, *range(6, 15)]
    outbox.close()


def test_a_record_of_the_first_version_is_taken_over(tmp_path):
    """Plain bodies stay readable; what was acknowledged then can be forgotten now."""
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    put(outbox, 5)
    outbox.mark_acked([1, 2])
    assert outbox.flush()
    outbox.close()
    db = schema.connect(path)
    db.executescript(
        "DROP TABLE done; DELETE FROM meta WHERE key = 'lived_s'; PRAGMA user_version = 1;"
    )
    db.close()
    again = Outbox(path)
    assert (again.epoch, again.boots) == (outbox.epoch, 2)
    assert [row.seq for row in again.unacked(9)] == [3, 4, 5]
    assert again._store.prune(-10) == 2
    again.close()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MB: room for the record, its journal and twice the reserve."""
    folder = tmp_path / "disk"
    folder.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def hog(folder):
    """Fill the disk to the last byte, as frames or logs would."""
    with (folder / "hog").open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


@pytest.mark.parametrize("times", [3, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.timeout(900)
def test_a_full_disk_costs_no_verdict(small_disk, times, monkeypatch):
    """The reserve is given up, verdicts go on, alarms come and go, the reserve is laid again."""
    monkeypatch.setattr(door, "PRUNE_EVERY_S", 0.2)
    alarms, path = Alarms(), small_disk / "outbox.db"
    kept = OutboxSettings(ballast_bytes=1_500_000)
    outbox = Outbox(path, kept, alarms)
    for pragma in ("wal_autocheckpoint = 8", "journal_size_limit = 0"):  # room is needed at once
        outbox._store._writer.execute(f"PRAGMA {pragma}").fetchall()
    names = lambda: {alarm.name for alarm in alarms.standing()}  # noqa: E731
    for _ in range(times):
        put(outbox, 20)
        assert until(lambda: outbox._ballast.laid)
        hog(small_disk)
        put(outbox, 300)  # flushed: on the disk, not in memory
        assert "disk_full" in names()
        assert not outbox._ballast.laid
        outbox.mark_acked(row.n for row in outbox.unacked(1000))
        (small_disk / "hog").unlink()
        began = time.monotonic()
        assert until(lambda: not names())
        assert time.monotonic() - began < 5
    count = times * 320
    assert outbox.next_seq("cam") == count + 1
    outbox.close()
    again = Outbox(path, OutboxSettings(ballast_bytes=0))
    oldest, newest = again.heads()["cam"]
    kept = [row.seq for row in again.replay("cam", 1, count, count)]
    assert (newest, kept) == (count, list(range(oldest, count + 1)))
    again.close()


def test_a_box_starts_on_a_full_disk(small_disk):
    """The reserve serves the start as well."""
    path = small_disk / "outbox.db"
    Outbox(path, OutboxSettings(ballast_bytes=1_500_000)).close()
    hog(small_disk)
    alarms = Alarms()
    outbox = Outbox(path, OutboxSettings(ballast_bytes=1_500_000), alarms)
    put(outbox, 10)
    assert [alarm.name for alarm in alarms.standing()] == ["disk_full"]
    outbox.close()


def until(condition, timeout=10.0):
    """Wait until `condition()` holds; returns whether it does."""
    end = time.monotonic() + timeout
    while time.monotonic() < end and not condition():
        time.sleep(0.02)
    return condition()


@pytest.fixture
def stopped(tmp_path):
    """The settings of a stopped box with verdicts 2 and 3 of 4 in quarantine."""
    config = tmp_path / "appliance.toml"
    config.write_text(example())
    from edge.config import load
    from edge.outbox import OUTBOX_FILE

    path = load(config).appliance.store.folder / OUTBOX_FILE
    outbox = Outbox(path, OutboxSettings(ballast_bytes=0))
    put(outbox, 4)
    outbox.quarantine(2, "too big")
    outbox.quarantine(3, "too big")
    assert outbox.flush()
    outbox.close()
    return config, path


def test_the_operator_lists_releases_and_drops(stopped):
    """Released verdicts wait again, dropped ones stay for replay and are never sent."""
    config, path = stopped
    run = lambda *words: CliRunner().invoke(command, [*words, "--config", str(config)])  # noqa: E731
    listed = run("list")
    assert listed.exit_code == 1
    assert listed.output.count("too big") == 2
    assert run("release", "--row", "2").exit_code == 0
    assert run("release", "--row", "2").exit_code == 1
    assert "1 verdicts will not be sent" in run("drop").output
    assert run("list").exit_code == 0
    outbox = Outbox(path, OutboxSettings(ballast_bytes=0))
    assert [row.seq for row in outbox.unacked(9)] == [1, 2, 4]
    assert [row.seq for row in outbox.replay("cam", 1, 9)] == [1, 2, 3, 4]
    assert json.loads(outbox.replay("cam", 3, 3)[0].body)["seq"] == 3
    outbox.close()


def test_a_running_box_keeps_its_quarantine_to_itself(stopped):
    """Two writers would break the record; no record is an error in one sentence."""
    outbox = Outbox(stopped[1], OutboxSettings(ballast_bytes=0))
    with pytest.raises(StoreError, match="in use"):
        Quarantine(stopped[1])
    outbox.close()
    with pytest.raises(StoreError, match="no outbox"):
        Quarantine(stopped[1].with_name("other.db"))
