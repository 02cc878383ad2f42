"""Laws of the outbox: nothing taken is lost, nothing stored changes, no seq is skipped."""

import hashlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.outbox import Outbox, OutboxSettings
from edge.outbox.packing import unpack
from export.errors import StoreError
from tests.edge.verdicts import verdict

CAMERAS = ("left", "right")
WRITER = Path(__file__).with_name("outbox_writer.py")


@pytest.fixture
def path(tmp_path):
    """Where the outbox lies."""
    return tmp_path / "outbox.db"


def put(outbox, count=1, camera="cam", **more):
    """Put the next `count` verdicts of a camera."""
    for _ in range(count):
        outbox.put(verdict(outbox.epoch, outbox.next_seq(camera), camera, **more))


class OutboxMachine(RuleBasedStateMachine):
    """Any order of putting, acknowledging, setting aside, closing and opening again."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.bodies = {camera: [] for camera in CAMERAS}
        self.order, self.done, self.aside = [], set(), set()

    @initialize()
    def open(self):
        self.outbox = Outbox(self.path)
        self.epoch, self.boots = self.outbox.epoch, 1

    @rule(camera=st.sampled_from(CAMERAS), count=st.integers(1, 5), part=st.text(max_size=9))
    def put(self, camera, count, part):
        for _ in range(count):
            said = self.outbox.record(
                camera, lambda seq: verdict(self.epoch, seq, camera, part=f"p{part}")
            )
            self.bodies[camera].append(said.to_json())
            self.order.append((camera, said.seq))

    @rule(camera=st.sampled_from(CAMERAS), off=st.sampled_from([-2, -1, 1, 5]))
    def out_of_line(self, camera, off):
        seq = self.outbox.next_seq(camera) + off
        if seq >= 1:
            with pytest.raises(ValueError, match="out of line"):
                self.outbox.put(verdict(self.epoch, seq, camera))

    @rule(count=st.integers(1, 6))
    def acknowledge(self, count):
        self.outbox.flush()
        rows = self.outbox.unacked(count)
        self.outbox.mark_acked(row.n for row in rows)
        self.done |= {(row.camera, row.seq) for row in rows}

    @rule()
    def set_aside(self):
        self.outbox.flush()
        for row in self.outbox.unacked(1):
            self.outbox.quarantine(row.n, "too big")
            self.aside.add((row.camera, row.seq))

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def tamper(self, data):
        """What is stored can't be changed, not even with SQL."""
        self.outbox.flush()
        with (
            closing(sqlite3.connect(self.path)) as other,
            pytest.raises(sqlite3.IntegrityError, match="never changes"),
        ):
            other.execute("UPDATE verdict SET body = ? WHERE n = ?", (b"", 1))

    @rule()
    def reopen(self):
        self.outbox.close()
        self.outbox = Outbox(self.path)
        self.boots += 1
        assert (self.outbox.epoch, self.outbox.boots) == (self.epoch, self.boots)

    @invariant()
    def nothing_is_lost(self):
        if not hasattr(self, "outbox"):
            return
        assert self.outbox.flush()
        waiting = [k for k in self.order if k not in self.done | self.aside]
        assert [(r.camera, r.seq) for r in self.outbox.unacked(1000)] == waiting
        assert self.outbox.depth() == len(waiting)
        assert self.outbox.report().quarantined == len(self.aside)
        for camera, bodies in self.bodies.items():
            kept = self.outbox.replay(camera, 1, 10_000, limit=10_000)
            expected = {s: b for s, b in enumerate(bodies, 1) if (camera, s) not in self.aside}
            assert {row.seq: row.body for row in kept} == expected
            assert self.outbox.next_seq(camera) == len(bodies) + 1
            if bodies:
                assert self.outbox.heads()[camera] == (1, len(bodies))

    def teardown(self):
        if hasattr(self, "outbox"):
            self.outbox.close()
        self.folder.cleanup()


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)


def test_what_was_promised_survives_kill_9(path):
    """A row seen in the file before kill -9 is there after it; the seq goes on without a gap."""
    promised: dict[tuple[str, int], str] = {}
    dice = random.Random(7)
    for boot in range(1, 21):
        writer = subprocess.Popen(
            [sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline().split()[2] == str(boot)
        time.sleep(dice.uniform(0, 0.12))
        writer.kill()
        for line in writer.stdout.read().splitlines():
            if len(words := line.split()) == 3 and len(words[2]) == 64:
                key = (words[0], int(words[1]))
                assert promised.setdefault(key, words[2]) == words[2], "a stored body changed"
        writer.wait()
        writer.stdout.close()
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT camera, seq, body FROM verdict ORDER BY n").fetchall()
    kept = {(camera, seq): hashlib.sha256(unpack(body)).hexdigest() for camera, seq, body in rows}
    assert len(promised) > 100
    assert [key for key in promised if kept.get(key) != promised[key]] == []
    for camera in ("left", "right"):
        seqs = [seq for name, seq, _ in rows if name == camera]
        assert seqs == list(range(1, len(seqs) + 1))


def test_full_disk_keeps_verdicts_in_memory_until_there_is_room(path):
    """When SQLite says "full", verdicts wait, it is a fault, and they are stored once it can."""
    outbox = Outbox(path, OutboxSettings(budget_bytes=100_000))
    put(outbox, 400)
    while "full" not in outbox.report().fault:  # a group of a few may yet find room, and clears it
        assert not outbox.flush(0.1)
    assert outbox.report().waiting_in_memory > 0
    outbox._store._writer.execute("PRAGMA max_page_count = 100000")
    assert outbox.flush(5)
    assert outbox.faults() == ()
    assert [row.seq for row in outbox.unacked(1000)] == list(range(1, 401))
    outbox.close()


def test_full_memory_refuses_and_keeps_the_seq_free(path):
    """With disk and memory full `put` raises, and the refused verdict leaves no gap."""
    outbox = Outbox(path, OutboxSettings(budget_bytes=120_000, memory_rows=20))
    while not outbox.report().fault:
        if outbox.report().waiting_in_memory < 10:
            put(outbox)
    with pytest.raises(StoreError, match="wait for the disk"):
        put(outbox, 5000)
    free = outbox.next_seq("cam")
    with pytest.raises(StoreError):
        put(outbox)
    assert outbox.next_seq("cam") == free
    outbox._store._writer.execute("PRAGMA max_page_count = 100000")
    assert outbox.flush(5)
    put(outbox)
    outbox.close()


def test_closing_says_what_could_not_be_stored(path):
    """Verdicts that had to be left in memory at closing are an error with their number."""
    outbox = Outbox(path, OutboxSettings(budget_bytes=60_000))
    put(outbox, 300)
    with pytest.raises(StoreError, match=r"\d+ verdicts could not be stored"):
        outbox.close(timeout_s=0.3)


def test_a_limit_on_the_file_is_a_full_disk(path):
    """RLIMIT_FSIZE (the disk refuses in the middle of a write) loses nothing that was stored."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from edge.outbox import Outbox; from tests.edge.verdicts import verdict\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "outbox = Outbox(Path(sys.argv[1]))\n"
        "soft = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, soft[1]))\n"
        "for _ in range(2000):\n"
        "    outbox.record('cam', lambda seq: verdict(outbox.epoch, seq))\n"
        "assert not outbox.flush(1.0) and outbox.report().fault, outbox.report()\n"
        "stored = outbox.heads().get('cam', (0, 0))[1]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, soft)\n"
        "assert outbox.flush(10), outbox.report()\n"
        "assert not outbox.report().fault\n"
        "print(stored, [r.seq for r in outbox.unacked(9999)] == list(range(1, 2001)))\n"
        "outbox.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "True"


def test_acknowledged_verdicts_make_room_before_the_disk_is_full(path):
    """Short of space the outbox forgets acknowledged verdicts, oldest first, and never others."""
    outbox = Outbox(path, OutboxSettings(budget_bytes=200_000))
    for _ in range(30):
        put(outbox, 50)
        assert outbox.flush(10)
        outbox.mark_acked(row.n for row in outbox.unacked(1000))
    assert outbox.flush(10)
    oldest, newest = outbox.heads()["cam"]
    assert newest == 1500
    assert oldest > 1
    assert [r.seq for r in outbox.replay("cam", 1, newest, 9999)] == list(range(oldest, newest + 1))
    outbox.close()


def test_seq_goes_on_after_everything_was_forgotten(path):
    """A holiday longer than the retention doesn't start the seq again."""
    outbox = Outbox(path, OutboxSettings(keep_s=-10))
    put(outbox, 5)
    outbox.flush()
    outbox.mark_acked(row.n for row in outbox.unacked(10))
    outbox.close()
    outbox = Outbox(path, OutboxSettings(keep_s=-10))
    outbox._store.prune(-10)
    assert outbox.next_seq("cam") == 6
    assert outbox.heads()["cam"][1] == 5
    outbox.close()


@pytest.mark.parametrize("how", ["overwritten", "emptied", "headless", "journal alone"])
def test_a_damaged_file_is_set_aside_with_a_fault_and_a_new_epoch(path, how):
    """Damage is found at opening; the file is kept, the new record has a later epoch."""
    outbox = Outbox(path)
    put(outbox, 300)
    outbox.close()
    epoch = outbox.epoch
    good = path.read_bytes()
    if how == "overwritten":
        path.write_bytes(good[:8192] + b"\xff" * 40_000 + good[48_192:])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "headless":
        path.write_bytes(b"no database at all" + good[18:])
    else:
        path.rename(path.with_name("outbox.db-wal"))
    outbox = Outbox(path)
    assert "damaged" in outbox.faults()[0]
    assert outbox.epoch > epoch
    assert outbox.boots == 1
    assert outbox.next_seq("cam") == 1
    assert list(path.parent.glob("outbox.db.damaged-*"))
    outbox.close()
    path.write_bytes(b"again")
    again = Outbox(path)
    assert again.epoch > outbox.epoch
    again.close()


def test_every_prefix_of_the_journal_is_a_sound_record(path, tmp_path):
    """A journal torn anywhere leaves the first verdicts, without a gap, and no damage."""
    outbox = Outbox(path)
    for _ in range(40):
        put(outbox)
        outbox.flush()
    journal = path.with_name("outbox.db-wal").read_bytes()
    base = path.read_bytes()
    outbox.close()
    dice = random.Random(3)
    for number in range(25):
        copy = tmp_path / f"torn{number}" / "outbox.db"
        copy.parent.mkdir()
        copy.write_bytes(base)
        torn = bytearray(journal[: dice.randrange(len(journal))])
        if torn and number % 2:
            torn[dice.randrange(len(torn)) :] = b"\x00" * 512
        copy.with_name("outbox.db-wal").write_bytes(torn)
        again = Outbox(copy)
        seqs = [row.seq for row in again.unacked(100)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert again.faults() == ()
        again.close()


def test_one_outbox_has_one_process(path):
    """A second opening is refused: two writers would both think themselves next."""
    outbox = Outbox(path)
    with pytest.raises(StoreError, match="in use"):
        Outbox(path)
    outbox.close()
    Outbox(path).close()


def test_a_later_version_is_refused(path):
    """A file of a later version isn't touched and isn't called damaged."""
    Outbox(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="version 99"):
        Outbox(path)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"epoch": 1}, "out of line"), ({"seq": 2}, "out of line"), ({"camera": "a/b"}, "topic")],
)
def test_what_does_not_belong_is_refused(path, change, match):
    """A wrong epoch, a wrong seq and an impossible camera are refused before anything is taken."""
    outbox = Outbox(path)
    wrong = {"epoch": outbox.epoch, "seq": 1, "camera": "cam", **change}
    with pytest.raises(ValueError, match=match):
        outbox.put(verdict(**wrong))
    assert outbox.next_seq("cam") == 1
    outbox.close()
    with pytest.raises(StoreError, match="closed"):
        put(outbox)


def test_putting_does_not_wait_for_the_disk(path):
    """While the disk holds a commit up, `put` returns at once."""
    outbox = Outbox(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.perf_counter()
        put(outbox, 100)
        assert time.perf_counter() - began < 0.5
        other.execute("ROLLBACK")
    assert outbox.flush(10)
    assert outbox.depth() == 100
    outbox.close()


def test_putting_does_not_wait_for_a_question_to_the_disk(path):
    """Whoever asks how the record does may wait for a slow disk; a verdict never does."""
    outbox = Outbox(path)
    asks = threading.Thread(target=outbox.report)
    with outbox._store._lock:  # as while another question is being read
        asks.start()
        time.sleep(0.02)
        puts = threading.Thread(target=put, args=(outbox,))
        puts.start()
        puts.join(0.2)
        waits = puts.is_alive()
    asks.join()
    puts.join()
    outbox.close()
    assert not waits


def test_a_long_record_is_no_slower_to_ask(path):
    """No question that the broker's thread asks reads more of a long record than of a short one."""
    outbox = Outbox(path)
    took = []
    for _ in range(2):
        put(outbox, 600, "left")
        put(outbox, 600, "right")
        assert outbox.flush()
        took.append(
            [
                steps(outbox, ask)
                for ask in (
                    outbox.newest,
                    outbox.heads,
                    lambda: outbox.unacked(20, 1000),
                    lambda: outbox.replay("right", 500, 520),
                )
            ]
        )
    outbox.close()
    assert all(later <= before + 3 for before, later in zip(*took, strict=True)), took


def steps(outbox, ask):
    """Instructions of SQLite's machine that `ask` takes, in tens."""
    reader, count = outbox._store._reader, 0

    def one():
        nonlocal count
        count += 1

    reader.set_progress_handler(one, 10)
    ask()
    reader.set_progress_handler(None, 10)
    return count


def test_what_has_arrived_is_noted_without_the_disk_yet_survives_kill_9(path):
    """Acknowledgements are there after kill -9: that nothing waits is true of the file at once."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from edge.outbox import Outbox; from tests.edge.verdicts import verdict\n"
        "outbox = Outbox(Path(sys.argv[1]))\n"
        "for _ in range(700):\n"
        "    outbox.record('cam', lambda seq: verdict(outbox.epoch, seq))\n"
        "assert outbox.flush()\n"
        "outbox.mark_acked(row.n for row in outbox.unacked(600))\n"
        "assert outbox.flush() and outbox.depth() == 100\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    outbox = Outbox(path)
    assert [row.seq for row in outbox.unacked(1000)] == list(range(601, 701))
    outbox.close()
