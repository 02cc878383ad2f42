"""The archive above the boxes: every verdict of many boxes, each once, in PostgreSQL.

One follower for each box hands its verdicts over in order; one writer commits what has come
together as a group. A follower goes on only when its verdict is committed, so that what its place
says is done is on the database's disk. Without the database the followers wait, and catch up by
replay. A verdict that the database can't hold is set aside in a table of its own, as it came: no
box waits for another's.
"""

import queue
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
import structlog

from edge.consumer.watch import Watcher, WatchReport, prefix_of
from edge.mqtt.address import BrokerSettings
from edge.topics import Topics
from export.errors import ConfigError, StoreError
from export.file_name import file_name
from export.verdict import Verdict

SCHEMA: LiteralString = """
CREATE TABLE IF NOT EXISTS verdict (
    box         text        NOT NULL,
    camera      text        NOT NULL,
    epoch       bigint      NOT NULL,
    seq         bigint      NOT NULL,
    captured_at timestamptz NOT NULL,
    arrived_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome     text        NOT NULL,
    reason      text        NOT NULL,
    score       real,
    body        jsonb       NOT NULL,
    PRIMARY KEY (box, camera, epoch, seq)
);
CREATE INDEX IF NOT EXISTS verdict_by_time ON verdict (captured_at);
CREATE TABLE IF NOT EXISTS verdict_aside (
    box        text        NOT NULL,
    camera     text        NOT NULL,
    epoch      bigint      NOT NULL,
    seq        bigint      NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    why        text        NOT NULL,
    body       bytea       NOT NULL,
    PRIMARY KEY (box, camera, epoch, seq)
);
"""
INSERT: LiteralString = """
INSERT INTO verdict (box, camera, epoch, seq, captured_at, outcome, reason, score, body)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
ASIDE: LiteralString = """
INSERT INTO verdict_aside (box, camera, epoch, seq, why, body)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
GROUP = 1000
RETRY_S = 1.0


@dataclass(slots=True)
class _Row:
    """A verdict on its way; `kept` is set once it is committed."""

    values: tuple[Any, ...]
    kept: threading.Event = field(default_factory=threading.Event)


class Archive:
    """Keeps what it is handed in the database at `address`, until `stop`.

    Args:
        address: postgresql://user@host/name; the password comes from libpq's own places.

    Attributes:
        trouble: why nothing can be written; "" when all is well.
        aside: verdicts that were set aside since the start.

    Raises:
        ConfigError: the address is none, or holds a password.
        StoreError: the database can't be reached at the start.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("postgresql", "postgres"):
            raise ConfigError(
                "the database's address is none of PostgreSQL's", "postgresql://USER@HOST/NAME"
            )
        if parts.password:
            raise ConfigError(
                "the database's address holds a password", "put it into ~/.pgpass (PGPASSFILE)"
            )
        self.trouble, self.aside = "", 0
        self._address = address
        self._rows: queue.SimpleQueue[_Row | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._log = structlog.get_logger("archive")
        try:
            self._db: psycopg.Connection | None = self._connected()
        except psycopg.Error as error:
            raise StoreError(
                f"the database can't be used: {error}", "check address, user and rights"
            ) from error
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._thread.start()

    def keep(self, box: str, verdict: Verdict) -> None:
        """Have a verdict of the box below the prefix `box` committed; returns when it is.

        Raises:
            StoreError: the archive was stopped first.
        """
        body = verdict.model_dump_json(exclude={"replay"})
        row = _Row(
            (box, verdict.camera, verdict.epoch, verdict.seq, verdict.captured_at,
             verdict.outcome.value, verdict.reason.value, _real(verdict.score), body)
        )  # fmt: skip
        self._rows.put(row)
        while not row.kept.wait(0.2):
            if self._stopping.is_set() or not self._thread.is_alive():
                raise StoreError("the archive ended before a verdict was kept", "start it again")

    def stop(self) -> None:
        """Commit what has come, and close the database."""
        self._stopping.set()
        self._rows.put(None)
        self._thread.join()
        if self._db is not None:
            self._db.close()

    def _connected(self) -> psycopg.Connection:
        db = psycopg.connect(
            self._address, connect_timeout=5, client_encoding="utf8",
            application_name="linewarden archive",
        )  # fmt: skip
        with db.transaction():
            db.execute(SCHEMA)
        return db

    def _run(self) -> None:
        while (row := self._rows.get()) is not None:
            group = [row]
            while len(group) < GROUP:
                try:
                    more = self._rows.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._rows.put(None)
                    break
                group.append(more)
            self._commit(group)

    def _commit(self, group: Sequence[_Row]) -> None:
        while True:
            try:
                self._db = self._db or self._connected()
                self._write(self._db, group)
            except psycopg.Error as error:
                if self._db is not None:
                    self._db.close()
                    self._db = None
                if not self.trouble:
                    self._log.warning("the database takes nothing", why=str(error))
                self.trouble = str(error)
                if self._stopping.wait(RETRY_S):
                    return
            else:
                self.trouble = ""
                for row in group:
                    row.kept.set()
                return

    def _write(self, db: psycopg.Connection, group: Sequence[_Row]) -> None:
        """All together; where one can't be held, one by one."""
        try:
            with db.transaction(), db.cursor() as cursor:
                cursor.executemany(INSERT, [row.values for row in group])
        except psycopg.DataError:
            with db.transaction():
                aside = [why for row in group if (why := _put(db, row))]
            self.aside += len(aside)
            for why in aside:
                self._log.error("a verdict is set aside: the database can't hold it", why=why)


def _put(db: psycopg.Connection, row: _Row) -> str:
    """Insert a row, or set it aside; returns why it can't be held, or ""."""
    try:
        with db.transaction():
            db.execute(INSERT, row.values)
    except psycopg.DataError as error:
        box, camera, *number = row.values[:4]
        told = [_plain(one) for one in (box, camera, str(error))]
        db.execute(ASIDE, (*told[:2], *number, told[2], row.values[-1].encode()))
        return f"{box}/{camera} {number}: {told[2]}"
    return ""


def _plain(text: str) -> str:
    """What every database can hold, whatever its encoding."""
    return text.replace("\0", "\\0").encode("ascii", "backslashreplace").decode()


def _real(score: float | None) -> float | None:
    """As PostgreSQL's real has it: what is smaller than its least number is refused there."""
    return None if score is None else struct.unpack("f", struct.pack("f", score))[0]


class Followers:
    """One follower for each box, all feeding one archive.

    Args:
        settings: of the broker above.
        boxes: their prefixes.
        archive: takes the verdicts.
        places: a folder in which each follower notes its place.
    """

    def __init__(
        self, settings: BrokerSettings, boxes: Sequence[str], archive: Archive, places: Path
    ) -> None:
        places.mkdir(parents=True, exist_ok=True)
        at = {box: _place(places, box) for box in boxes}
        self._all = {
            box: Watcher(
                settings, Topics(box), _keeper(archive, box), from_start=True, position=place
            )
            for box, place in at.items()
        }

    def start(self) -> None:
        """Start each."""
        for one in self._all.values():
            one.start()

    def stop(self) -> None:
        """Stop each; raises the first error that one ended with."""
        errors: list[Exception] = []
        for one in self._all.values():
            try:
                one.stop()
            except StoreError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def reports(self) -> dict[str, WatchReport]:
        """{prefix: how it goes}."""
        return {box: one.report() for box, one in self._all.items()}

    def trouble(self) -> dict[str, str]:
        """{prefix: why it isn't connected}."""
        return {box: one.trouble for box, one in self._all.items() if one.trouble}

    def running(self) -> bool:
        """Whether every follower runs."""
        return all(one.running for one in self._all.values())


def _keeper(archive: Archive, box: str) -> Callable[[Verdict], None]:
    def keep(verdict: Verdict) -> None:
        archive.keep(box, verdict)

    return keep


def _place(places: Path, box: str) -> Path:
    """A box's file; one of the name that it had at first, which two boxes could share, is moved."""
    place = places / f"{file_name(box)}.json"
    before = places / f"{box.replace('/', '_')}.json"
    if place != before and not place.exists() and before.exists() and prefix_of(before) == box:
        before.rename(place)
    return place
