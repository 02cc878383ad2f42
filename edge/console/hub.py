"""The hub: one picture of the line as it is now, made once for all who watch.

The feeder tells it of verdicts; four times a second, if anything is new, a snapshot is made in each
language that somebody reads, and whoever waits gets it. A watcher that is slow finds the newest
snapshot when it comes back: nothing is queued for it, and nobody waits for it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from export.verdict import Verdict

TICK_S = 0.25
REFRESH_S = 2.0  # figures and ages, when nothing else is new
TICKER = 24


@dataclass(frozen=True, slots=True)
class Now:
    """What the hub itself knows: each camera's last verdict, and the last of all."""

    cameras: dict[str, Verdict]
    ticker: tuple[Verdict, ...]


Draw = Callable[[Now, str], bytes]


class Hub:
    """Makes snapshots with `draw(now, language)` and hands them to watchers.

    Attributes:
        number: of the newest snapshot.
    """

    def __init__(self, draw: Draw) -> None:
        self.number = 0
        self._draw = draw
        self._lock = threading.Lock()
        self._cameras: dict[str, Verdict] = {}
        self._ticker: deque[Verdict] = deque(maxlen=TICKER)
        self._bodies: dict[str, bytes] = {}
        self._readers: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._dirty = threading.Event()
        self._stopping = threading.Event()
        self._log = structlog.get_logger("hub")
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> None:
        """Start making snapshots; to be called in the event loop that watchers wait in."""
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._thread.start()

    def stop(self) -> None:
        """Stop; whoever waits is let go."""
        self._stopping.set()
        self._dirty.set()
        if self._thread.ident is not None:
            self._thread.join()

    def hear(self, verdicts: Sequence[Verdict]) -> None:
        """Verdicts came, in order; from any thread, and it returns at once."""
        with self._lock:
            for verdict in verdicts:
                self._cameras[verdict.camera] = verdict
            self._ticker.extendleft(verdicts[-TICKER:])
        self._dirty.set()

    def touch(self) -> None:
        """Something else that is shown has changed."""
        self._dirty.set()

    def now(self) -> Now:
        """What is known now."""
        with self._lock:
            return Now(dict(self._cameras), tuple(self._ticker))

    def joined(self, language: str) -> None:
        """A watcher who reads this language came."""
        with self._lock:
            self._readers[language] = self._readers.get(language, 0) + 1
        self._dirty.set()

    def left(self, language: str) -> None:
        """One went."""
        with self._lock:
            self._readers[language] -= 1

    @property
    def watchers(self) -> int:
        """How many watch."""
        with self._lock:
            return sum(self._readers.values())

    async def next(self, language: str, after: int) -> tuple[int, bytes]:
        """The newest snapshot in the language, once it is newer than number `after`."""
        while True:
            with self._lock:
                body = self._bodies.get(language)
                if body is not None and self.number > after:
                    return self.number, body
            assert self._news is not None
            await self._news.wait()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._dirty.wait(REFRESH_S)
            if self._stopping.wait(TICK_S):
                return
            self._dirty.clear()
            try:
                self._make()
            except Exception:  # noqa: BLE001 - outermost line of the thread
                # Watchers see that nothing comes and say so; the next tick tries again.
                self._log.exception("no snapshot could be made")

    def _make(self) -> None:
        with self._lock:
            languages = [code for code, count in self._readers.items() if count > 0]
        if not languages:
            return
        now = self.now()
        bodies = {code: self._draw(now, code) for code in languages}
        with self._lock:
            self._bodies = bodies
            self.number += 1
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        assert self._news is not None
        self._news.set()
        self._news.clear()
