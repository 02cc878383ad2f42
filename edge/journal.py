"""The log: lines for a person at a terminal, JSON for a machine, always on standard error.

A reader that stands still, or a full disk, holds up or breaks whoever writes to it. The line must
not be held up: its log is written by a thread of its own (`Aside`).
"""

import atexit
import contextlib
import io
import logging
import os
import queue
import sys
import threading
from typing import TextIO, cast

import structlog

WAITING = 2000  # lines; more are dropped and counted
LAST_S = 1.0  # for what waits at the end


class Aside(io.TextIOBase):
    """Takes text for a descriptor and returns at once; what can't be written is dropped.

    Attributes:
        lost: pieces of text that were dropped and not yet told of.
    """

    def __init__(self, descriptor: int) -> None:
        self.lost = 0
        self._descriptor = descriptor
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str, /) -> int:
        """Take a piece of text; never waits, never raises."""
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.lost += 1
        return len(text)

    def end(self, timeout_s: float = LAST_S) -> None:
        """Write what waits, for so long."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None:
            if not self._written(text):
                self.lost += 1
            elif (lost := self.lost) and self._written(f'{{"event":"log lost","pieces":{lost}}}\n'):
                self.lost -= lost

    def _written(self, text: str) -> bool:
        left = text.encode(errors="backslashreplace")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            return False
        return True


def begin(level: str = "info", *, as_json: bool | None = None, aside: bool = False) -> None:
    """Set the log up for this process.

    Args:
        level: the least level that is written: debug, info, warning or error.
        as_json: None decides by whether standard error is a terminal.
        aside: whether nobody may wait for it, or fail with it.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    # Plain traces: the pretty ones print local variables, whole frames among them, and take 0.3 s.
    plain = structlog.dev.plain_traceback
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=plain)
    )
    fixed = _aside() if aside else None
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: structlog.WriteLogger(fixed or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _aside() -> TextIO | None:
    """Standard error, by a thread; None where it is no descriptor but an object in memory."""
    try:
        made = Aside(sys.stderr.fileno())
    except (OSError, ValueError):
        return None
    atexit.register(made.end)
    return cast("TextIO", made)
