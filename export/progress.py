"""How far a long command is: one line per phase, with the time left. Silent where asked."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

_PERIOD_S = 0.5
_PERIOD_LOG_S = 15.0


class Progress:
    """Progress on a stream: rewritten in place on a terminal, a line now and then in a log.

    Attributes:
        spent: seconds by what they were spent on, phases and what is `measured` within them.
    """

    def __init__(self, stream: TextIO | None = sys.stderr) -> None:
        self._stream = stream
        self.spent: defaultdict[str, float] = defaultdict(float)

    def say(self, text: str) -> None:
        """One line that stays."""
        if self._stream is not None:
            self._stream.write(text + "\n")
            self._stream.flush()

    @contextmanager
    def phase(self, name: str, total: int, *, had: int = 0) -> Generator[Callable[..., None]]:
        """A phase of `total` steps; yields what to call after each (or after n, with a remark).

        The first `had` were done before, in a time that says nothing of the others'.
        """
        with self.measured(name):
            if self._stream is None:
                yield lambda *_: None
                return
            line = _Line(self._stream, name, total, had)
            yield line.advance
            line.end()

    @contextmanager
    def measured(self, name: str) -> Generator[None]:
        """Count the time within as spent on `name`, silently."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] += time.perf_counter() - began


class _Line:
    """One phase's line."""

    def __init__(self, stream: TextIO, name: str, total: int, had: int) -> None:
        self._stream, self._name, self._total = stream, name, total
        self._period_s = _PERIOD_S if stream.isatty() else _PERIOD_LOG_S
        self._begun = self._told = time.monotonic()
        self._done = self._had = had
        self._width = 0

    def advance(self, steps: int = 1, remark: str = "") -> None:
        """Count `steps` more as done."""
        self._done += steps
        now = time.monotonic()
        if now - self._told < self._period_s:
            return
        self._told = now
        left = (now - self._begun) * (self._total - self._done) / max(1, self._done - self._had)
        self._write(f"{self._done}/{self._total}, {_clock(left)} left{remark}", last=False)

    def end(self) -> None:
        """Close the line with the time taken."""
        took = time.monotonic() - self._begun
        self._write(f"{self._done} in {_clock(took)}", last=True)

    def _write(self, text: str, *, last: bool) -> None:
        text = f"{self._name}: {text}"
        if self._stream.isatty():
            padding = " " * max(0, self._width - len(text))
            self._stream.write(f"\r{text}{padding}" + ("\n" if last else ""))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
