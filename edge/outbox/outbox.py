"""The outbox's door: `put` returns at once, one thread stores, and only stored rows are seen.

While a commit is on its way to the disk the next verdicts gather and share the one after it, so
nobody waits for the disk. When it refuses, verdicts wait in memory, up to a limit, and are tried
again until it takes them; that is a fault, shown in `faults()`, not an exception.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge import clock
from edge.alarm import Alarms
from edge.messages import OutboxReport, Severity
from edge.outbox import schema
from edge.outbox.ballast import Ballast
from edge.outbox.lock import lock
from edge.outbox.store import Draft, Row, Store
from edge.pulse import Pulse
from edge.topics import check_level
from export.errors import StoreError
from export.verdict import Verdict

GROUP_ROWS = 500
ACKS_ROWS = 500
ACKS_AGE_S = 0.1
MANY_ACKS = 2000  # so many are noted even while new verdicts wait
PRUNE_EVERY_S = 2.0
STILL_S = 30.0  # a slow disk is no reason to start again
FULL_BYTES = 1024**2  # a disk with less room than this is full
RETRY_MIN_S = 0.05
RETRY_MAX_S = 1.0
NOT_WRITABLE, DISK_FULL = "outbox_not_writable", "disk_full"  # alarms
QUARANTINE, DAMAGED = "verdicts_in_quarantine", "record_damaged"
_ASIDE = "verdicts, refused by the broker or damaged on the disk, lie in quarantine"
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """How much is kept, and for how long.

    Attributes:
        keep_s: acknowledged verdicts are kept for replay this long, counted while the box runs.
        budget_bytes: and no more than this; unacknowledged ones are never dropped, the outbox is
            then full as if the disk were.
        memory_rows: verdicts that may wait in memory while the disk refuses.
        ballast_bytes: the reserve that is given up when the disk is full; an hour's verdicts at
            10/s take 12 MB of it, the journal 4 MB.
    """

    keep_s: int = 7 * 86_400
    budget_bytes: int = 2 * 1024**3
    memory_rows: int = 10_000
    ballast_bytes: int = 32 * 1024**2


class Outbox:
    """The durable record of verdicts, of one box.

    Opening it moves a damaged file aside (see `faults`) and counts the boot. Raises StoreError if
    the file can't be used or another process has it.

    Args:
        path: the database; `.lock`, `.epoch` and `.ballast` lie beside it.
        settings: how much is kept.
        alarms: the box's book, in which a full disk or a damaged record is written.
        pulse: told that the writer moves.

    Attributes:
        epoch: life of the record; another number means that the one before was lost.
        boots: how often this record has been opened.
    """

    def __init__(
        self,
        path: Path,
        settings: OutboxSettings | None = None,
        alarms: Alarms | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._settings = settings or OutboxSettings()
        self._alarms = alarms or Alarms()
        self._log = structlog.get_logger("outbox")
        self._path = path
        self._ballast = Ballast(
            path.with_name(path.name + ".ballast"), self._settings.ballast_bytes
        )
        self._door = lock(path)
        try:
            self._damage = self._prepare()
            self._store = Store(path, self._settings.budget_bytes)
        except BaseException:
            os.close(self._door)
            raise
        self.epoch, self.boots = self._store.epoch, self._store.boots
        self._next = {camera: last + 1 for camera, (_, last) in self._store.heads().items()}
        self._depth = self._store.waiting()
        self._quarantined = self._store.quarantined()
        self._drafts: deque[Draft] = deque()
        self._acks: set[int] = set()
        self._poison: dict[int, str] = {}
        self._changed = threading.Condition()
        self._record = threading.Lock()
        self._closing = self._abandoned = False
        self._fault = ""
        self._stored: Callable[[], None] = _nobody
        self._beat = (pulse or Pulse()).stage("outbox", STILL_S)
        self._alarms.set("outbox", DAMAGED, self._damage, Severity.CRITICAL)
        self._writer = threading.Thread(target=self._write_forever, name="outbox", daemon=True)
        self._writer.start()

    def next_seq(self, camera: str) -> int:
        """The seq that the next verdict of `camera` must carry; asking does not use it up."""
        with self._changed:
            return self._next.get(camera, 1)

    def put(self, verdict: Verdict) -> None:
        """Take a verdict for storing; returns without waiting for the disk.

        Raises ValueError if it is longer than 8 KiB, names a camera that can't stand in a topic,
        or doesn't carry this record's epoch and the camera's next seq; StoreError if the outbox is
        closed or its memory is full. Then nothing was taken and the seq is still free.
        """
        draft = Draft(check_level(verdict.camera), verdict.seq, verdict.to_json())
        with self._changed:
            self._admit(verdict)
            self._drafts.append(draft)
            self._next[verdict.camera] = verdict.seq + 1
            self._changed.notify_all()

    def record(self, camera: str, make: Callable[[int], Verdict]) -> Verdict:
        """Put the verdict that `make` builds for the camera's next seq; for several threads."""
        with self._record:
            verdict = make(self.next_seq(camera))
            self.put(verdict)
            return verdict

    def on_stored(self, call: Callable[[], None]) -> None:
        """After each commit `call` is called in the writer's thread; it must be quick."""
        self._stored = call

    def unacked(self, limit: int, after: int = 0) -> list[Row]:
        """The first `limit` stored, unacknowledged rows above `after`, as they were stored.

        One that the disk has spoilt goes to quarantine, so that the rest can move on.
        """
        with self._changed:
            done = self._acks | self._poison.keys()
        rows = self._store.unacked(limit + sum(n > after for n in done), after)
        for row in rows:
            if not row.body and row.n not in done:
                self._log.error("a stored verdict is damaged", camera=row.camera, seq=row.seq)
                self.quarantine(row.n, "damaged on the disk")
        return [row for row in rows if row.body and row.n not in done][:limit]

    def newest(self) -> list[Row]:
        """The newest stored verdict of every camera."""
        return [row for row in self._store.newest() if row.body]

    def replay(self, camera: str, first: int, last: int, limit: int = 50) -> list[Row]:
        """The kept rows of `camera` with seq from `first` to `last`, at most `limit`, by seq."""
        return [row for row in self._store.replay(camera, first, last, limit) if row.body]

    def mark_acked(self, rows: Iterable[int]) -> None:
        """These rows (by n) have arrived at the broker; they stay for replay."""
        with self._changed:
            self._acks.update(rows)
            self._changed.notify_all()

    def quarantine(self, n: int, reason: str) -> None:
        """The broker will not have row `n`: keep it aside so that the rest can move on."""
        with self._changed:
            self._poison[n] = reason
            self._changed.notify_all()

    def depth(self) -> int:
        """Verdicts stored but not acknowledged."""
        with self._changed:
            return max(0, self._depth - len(self._acks) - len(self._poison))

    def heads(self) -> dict[str, tuple[int, int]]:
        """Per camera (oldest kept, newest stored) seq; oldest = newest + 1 if none is kept."""
        return self._store.heads()

    def report(self) -> OutboxReport:
        """The outbox's part of the Health message."""
        bytes_ = self._store.bytes()  # first: `put` must not wait for a question to the disk
        with self._changed:
            return OutboxReport(
                depth=max(0, self._depth - len(self._acks) - len(self._poison)),
                waiting_in_memory=len(self._drafts),
                quarantined=self._quarantined + len(self._poison),
                bytes=bytes_,
                fault=self._fault,
            )

    def faults(self) -> tuple[str, ...]:
        """What is wrong now, and what was wrong at opening; empty when all is well."""
        with self._changed:
            quarantined = self._quarantined + len(self._poison)
            aside = f"{quarantined} {_ASIDE}"
            return tuple(
                text for text in (self._damage, self._fault, aside if quarantined else "") if text
            )

    @property
    def alive(self) -> bool:
        """Whether it can still store; if not, only a new start can mend it."""
        return self._writer.is_alive()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until everything taken so far is on the disk; False if it isn't in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._drafts or self._acks or self._poison), timeout_s
            )

    def close(self, timeout_s: float = 5.0) -> None:
        """Store what waits and close; raises StoreError if verdicts had to be left unstored."""
        with self._changed:
            already, self._closing = self._closing, True
            self._changed.notify_all()
        if already:
            return
        self.flush(timeout_s)
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        self._writer.join()
        self._store.close()
        os.close(self._door)
        if lost := len(self._drafts):
            raise StoreError(
                f"outbox {self._path}: {lost} verdicts could not be stored before closing"
                f" ({self._fault})",
                "make room on its disk; the parts' verdicts are in the log",
            )

    def _prepare(self) -> str:
        """Open the record; on a disk that filled while we were away, at the reserve's expense."""
        try:
            return schema.prepare(self._path)
        except StoreError:
            if not self._give_room():
                raise
            return schema.prepare(self._path)

    def _admit(self, verdict: Verdict) -> None:
        if self._closing:
            raise StoreError(f"outbox {self._path} is closed", "stop inspecting before closing it")
        if not self._writer.is_alive():
            raise StoreError(f"outbox {self._path}: its writer has died: {self._fault}", "restart")
        expected = self._next.get(verdict.camera, 1)
        if (verdict.epoch, verdict.seq) != (self.epoch, expected):
            raise ValueError(
                f"verdict {verdict.camera}/{verdict.epoch}/{verdict.seq} is out of line:"
                f" epoch {self.epoch} and seq {expected} come next"
            )
        if len(self._drafts) >= self._settings.memory_rows:
            raise StoreError(
                f"outbox {self._path}: {len(self._drafts)} verdicts wait for the disk: "
                f"{self._fault or 'it is too slow'}",
                "make room on its disk",
            )

    def _write_forever(self) -> None:
        try:
            self._write_until_closed()
        except Exception as error:  # noqa: BLE001 - the thread's outermost line
            with self._changed:
                self._fault = f"the outbox's writer died: {error!r}"
                self._changed.notify_all()
            self._log.exception("outbox writer died")

    def _write_until_closed(self) -> None:
        size, retry_s, pruned_ns = GROUP_ROWS, RETRY_MIN_S, clock.monotonic_ns()
        self._watch()
        while self._wait_for_work():
            self._beat()
            try:
                self._write(size)
                self._mark(MANY_ACKS if self._drafts else 1)
                size, retry_s = GROUP_ROWS, RETRY_MIN_S
            except sqlite3.OperationalError as error:
                self._refused(error)
                if self._give_room():
                    continue
                self._prune()
                size = max(1, size // 2)
                self._pause(retry_s)
                retry_s = min(RETRY_MAX_S, retry_s * 2)
            if clock.monotonic_ns() - pruned_ns > PRUNE_EVERY_S * _SECOND:
                self._prune()
                self._watch()
                pruned_ns = clock.monotonic_ns()

    def _wait_for_work(self) -> bool:
        """False at the end; acks alone wait a little for company, and idleness isn't for ever."""
        with self._changed:
            while True:
                if self._abandoned:
                    return False
                if self._drafts or self._poison or len(self._acks) >= ACKS_ROWS:
                    return True
                if self._closing:
                    return bool(self._acks)
                if self._acks:
                    self._changed.wait_for(
                        lambda: bool(self._drafts or self._poison or self._closing), ACKS_AGE_S
                    )
                    return True
                if not self._changed.wait(PRUNE_EVERY_S):
                    return True

    def _write(self, size: int) -> None:
        with self._changed:
            drafts = [self._drafts[at] for at in range(min(size, len(self._drafts)))]
            poison = dict(self._poison)
        if not (drafts or poison):
            return
        aside = self._store.write(drafts, poison.items())
        with self._changed:
            for _ in drafts:
                self._drafts.popleft()
            for n in poison:
                self._poison.pop(n, None)
            self._depth += len(drafts) - aside
            self._quarantined += aside
            mended, self._fault = bool(self._fault), ""
            self._changed.notify_all()
        if mended:
            self._alarms.clear("outbox", NOT_WRITABLE)
        if aside:
            self._watch()
        if drafts:
            self._stored()

    def _mark(self, at_least: int = 1) -> None:
        """Note what has arrived, if it is so much; a new verdict doesn't share that commit."""
        with self._changed:
            acks = frozenset(self._acks if len(self._acks) >= at_least else ())
        if not acks:
            return
        marked = self._store.mark(acks)
        with self._changed:
            self._acks -= acks
            self._depth -= marked
            self._changed.notify_all()

    def _refused(self, error: sqlite3.OperationalError) -> None:
        with self._changed:
            if not self._fault:
                self._log.error("outbox refused by the disk", error=str(error))
            self._fault = f"outbox {self._path.name} can't be written: {error}"
        self._alarms.raise_("outbox", NOT_WRITABLE, self._fault, Severity.CRITICAL)

    def _give_room(self) -> bool:
        """Whether the disk was full and the ballast could be given up."""
        try:
            full = self._ballast.free_bytes() < FULL_BYTES and self._ballast.drop()
        except OSError:
            return False
        if full:
            self._log.error("disk full: the reserve was given up", outbox=str(self._path))
            why = "the disk is full: verdicts go on in the reserve, for about an hour at 10/s"
            self._alarms.raise_("box", DISK_FULL, why, Severity.CRITICAL)
        return full

    def _watch(self) -> None:
        """What stands or has passed: the reserve and the quarantine."""
        if not self._ballast.laid and self._ballast.lay():
            self._alarms.clear("box", DISK_FULL)
        elif not self._ballast.laid:
            why = "the disk has no room for the outbox's reserve"
            self._alarms.raise_("box", DISK_FULL, why)
        count = self._quarantined
        why = f"{count} {_ASIDE}" if count else ""
        self._alarms.set("outbox", QUARANTINE, why)

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._abandoned, seconds)

    def _prune(self) -> None:
        try:
            self._mark()
            self._store.prune(self._settings.keep_s)
        except sqlite3.OperationalError as error:
            self._log.warning("outbox could not forget old verdicts", error=str(error))


def _nobody() -> None: ...
