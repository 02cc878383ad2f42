"""The feeder: keeps the store level with the box's record, in a thread of its own.

Looks at the outbox ten times a second, catches up bite by bite after a week away, reads what was
moved aside, forgets what is old. A full disk or a locked file is trouble that is told and tried
again; the daemon never hears of any of it.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge import clock
from edge.store import retention, schema
from edge.store.feed import BITE, Bite, Feed, salvaged
from edge.store.intake import Intake
from edge.store.retention import Keep
from export.verdict import Verdict

LOOK_S = 0.1
BREATH_S = 0.01  # between the bites of a backlog: the line has the processor first
TIDY_S = 30.0
RETRY_S = 2.0
_SECOND = 1_000_000_000

Hear = Callable[[Sequence[Verdict]], None]


@dataclass(frozen=True, slots=True)
class FeederReport:
    """How the feeder does: `trouble` says why it stands still, `taken` counts since the start."""

    taken: int
    catching_up: bool
    trouble: str


class Feeder:
    """Feeds the store at `path` from the outbox at `outbox`.

    Args:
        path: the store's file; `schema.prepare` is called on it.
        outbox: the box's record, which need not exist yet.
        keep: what is kept.
        hear: called in the feeder's thread with what was taken in; quick.

    Raises:
        StoreError: the store can't be opened.
    """

    def __init__(self, path: Path, outbox: Path, keep: Keep, hear: Hear) -> None:
        schema.prepare(path)
        self._path, self._keep, self._hear = path, keep, hear
        self._feed = Feed(outbox)
        self._intake = Intake(path)
        self._log = structlog.get_logger("store")
        self._lock = threading.Lock()
        self._pins: list[tuple[str, int, int]] = []
        self._taken, self._catching_up, self._trouble = 0, False, ""
        self._tidied_ns = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it after the bite in hand, and close the store."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._feed.close()
        self._intake.close()

    def pin(self, keys: Iterable[tuple[str, int, int]]) -> None:
        """These verdicts are labelled: never forget them. From any thread."""
        with self._lock:
            self._pins += keys

    def report(self) -> FeederReport:
        """How it does."""
        with self._lock:
            return FeederReport(self._taken, self._catching_up, self._trouble or self._feed.trouble)

    def step(self) -> bool:
        """Take the next bite, pin, tidy; whether it was a full one, so that there may be more."""
        self._pin()
        self._read_asides()
        bite = self._feed.bite(self._intake.read_to)
        if bite is not None:
            self._take(bite)
        self._tidy()
        return bite is not None and len(bite.rows) >= BITE

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                more = self.step()
                with self._lock:
                    self._trouble, self._catching_up = "", more
                self._stopping.wait(BREATH_S if more else LOOK_S)
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                told = f"the verdict store can't be written: {error}"
                with self._lock:
                    fresh, self._trouble = told != self._trouble, told
                if fresh:
                    self._log.warning("store not written", why=str(error))
                self._stopping.wait(RETRY_S)

    def _take(self, bite: Bite) -> None:
        new = self._intake.take(bite)
        with self._lock:
            self._taken += len(new)
        if new:
            self._hear(new)

    def _read_asides(self) -> None:
        """What a damaged record still gives stands nowhere else: read it before what came after."""
        for path in self._feed.asides():
            if self._intake.known_aside(path.name):
                continue
            before = self._taken
            for bite in salvaged(path, self._intake.read_to):
                self._take(bite)
            self._intake.note_aside(path.name)
            self._log.warning("read a damaged record", file=path.name, new=self._taken - before)

    def _pin(self) -> None:
        with self._lock:
            pins, self._pins = self._pins, []
        if not pins:
            return
        try:
            self._intake.pin(pins)
        except sqlite3.Error:
            with self._lock:
                self._pins += pins
            raise

    def _tidy(self) -> None:
        now_ns = clock.monotonic_ns()
        if now_ns - self._tidied_ns < TIDY_S * _SECOND:
            return
        self._tidied_ns = now_ns
        self._intake.note_tide()
        self.forget()

    def forget(self) -> int:
        """Forget what is old or has no room, for as long as there is any; returns how many."""
        db, gone = self._intake.connection, 0
        while not self._stopping.is_set():
            self._pin()  # somebody labels while there is much to forget
            short = retention.room_is_short(db, self._path, self._keep)
            count = retention.forget(db, self._intake.lived_s(), self._keep, short=short)
            gone += count
            if not count:
                break
            self._stopping.wait(BREATH_S)
        return gone
