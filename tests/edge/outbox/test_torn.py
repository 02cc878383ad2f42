"""Power cuts and dying disks: whatever became of the record's files, the box starts and goes on.

`python -m pytest tests/edge/outbox/test_torn.py -m slow` tears 400 records; the seed names each.
"""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.outbox import Outbox
from export.verdict import Verdict
from tests.edge.verdicts import verdict

VERDICTS, SECTOR = 300, 512
SEED = 11


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A record as a power cut leaves it: most of it in the database, the rest in its journal."""
    path = tmp_path_factory.mktemp("record") / "outbox.db"
    outbox = Outbox(path)
    bodies = []
    for number in range(VERDICTS):
        made = outbox.record("cam", lambda seq: verdict(outbox.epoch, seq, part=f"bolt-{seq}"))
        bodies.append(made.to_json())
        if number % 10 == 0:
            outbox.flush()
        if number == VERDICTS // 3:
            outbox.mark_acked(row.n for row in outbox.unacked(50))
        if number == VERDICTS // 2:
            outbox.flush()
            with sqlite3.connect(path) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            other.close()
    outbox.flush()
    kept = path.parent / "kept"
    kept.mkdir()
    for name in ("outbox.db", "outbox.db-wal", "outbox.db.epoch"):
        shutil.copy(path.with_name(name), kept / name)
    epoch = outbox.epoch
    outbox.close()
    return kept, bodies, epoch


def tear(path: Path, dice: random.Random) -> str:
    """Damage the database, its journal, or both, as a torn write or a bad sector does."""
    which = dice.choice([["-wal"], ["-wal"], [""], ["", "-wal"]])
    told = []
    for suffix in which:
        file = path.with_name(f"{path.name}{suffix}")
        body, how = bytearray(file.read_bytes()), dice.randrange(6)
        at = dice.randrange(len(body))
        sector = at // SECTOR * SECTOR
        if how == 0:
            del body[at:]
        elif how == 1:
            del body[sector:]
        elif how == 2:
            length = SECTOR * dice.choice([1, 1, 8, 64])
            body[sector : sector + length] = bytes(min(length, len(body) - sector))
        elif how == 3:
            for _ in range(dice.choice([1, 1, 3, 20])):
                body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        elif how == 4:
            body += dice.randbytes(dice.choice([1, SECTOR, 5000]))
        else:
            other = dice.randrange(len(body)) // SECTOR * SECTOR
            body[sector : sector + SECTOR] = body[other : other + SECTOR]
        file.write_bytes(body)
        told.append(f"{suffix or 'db'} {how} at {at}")
    return ", ".join(told)


def life(path: Path, bodies: list[bytes], epoch: int) -> str:
    """Start a box on the record twice; returns what became of it, and holds every law on the way.

    Either what is left are verdicts as they were stored, from the first on, or the record was set
    aside and a new one begun. The second start finds nothing wrong.
    """
    first = Outbox(path)
    try:
        fresh = first.epoch != epoch
        rows = first.unacked(10_000) + first.newest() + first.replay("cam", 1, 10**6, 10_000)
        assert not (fresh and rows)
        assert not fresh or list(path.parent.glob("outbox.db.damaged-*"))
        for row in rows:
            assert row.body == bodies[row.seq - 1]
        for _ in range(3):
            first.record("cam", lambda seq: verdict(first.epoch, seq, part="after"))
        assert first.flush(10)
        assert first.alive
        first.mark_acked(row.n for row in first.unacked(10_000))
        assert first.flush(10)
        assert first.depth() == 0
        first.report()
        newest = first.heads()["cam"][1]
    finally:
        first.close()
    second = Outbox(path)
    try:
        assert not any("set aside" in told for told in second.faults())
        assert (second.epoch, second.heads()["cam"][1]) == (first.epoch, newest)
        after = second.replay("cam", newest - 2, newest, 10)
        assert [Verdict.from_json(row.body).part for row in after] == ["after"] * 3
    finally:
        second.close()
    return "set aside" if fresh else f"{newest - 3} verdicts"


def storm(record, tmp_path: Path, count: int, seed: int) -> list[str]:
    """Tear `count` copies; returns what became of each."""
    kept, bodies, epoch = record
    became = []
    for number in range(count):
        folder = tmp_path / f"torn{number}"
        shutil.copytree(kept, folder)
        dice = random.Random(f"{seed} {number}")
        told = tear(folder / "outbox.db", dice)
        print(f"seed {seed}, number {number}: {told}")
        became.append(life(folder / "outbox.db", bodies, epoch))
        shutil.rmtree(folder)
    return became


def test_a_torn_record_is_a_prefix_or_is_set_aside(record, tmp_path: Path):
    """After any damage a start gives true verdicts or a new record, and the next start is sound."""
    became = storm(record, tmp_path, 40, SEED)
    assert len(set(became)) > 3


@pytest.mark.slow
def test_many_torn_records(record, tmp_path: Path):
    """The same for 400 of them."""
    became = storm(record, tmp_path, 400, SEED + 1)
    print(sorted(set(became)))
    assert became.count("set aside") < 200
