"""The line's latency beside something else on the same machine, and without it, by turns.

A real daemon (ResNet-18, one thread, a virtual line at 8 parts/s) judges throughout; windows with
the company alternate with windows without, so that what else the machine does falls on both. The
figure is capture to verdict, as each verdict itself tells it.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil

from edge.outbox import OUTBOX_FILE
from edge.outbox.packing import unpack
from edge.store import entry
from edge.store.feed import Feed
from export.figures import Figure
from export.verdict import Verdict

ROUNDS, WINDOW_S, SETTLE_S = 4, 30.0, 4.0
LINEWARDEN = Path(sys.executable).with_name("linewarden")
_APPLIANCE = """\
[station]
prefix = "bench"
[trust]
keys = {keys}
[samples]
picture = "jpg"
[cameras.belt]
bundle = "bundle"
deadline_ms = 5000
open_s = 120.0
source = {{ kind = "virtual", parts = 4000, fps = 8, width = 1280, height = 1024 }}
{company}
"""

Window = tuple[float, float]  # milliseconds since 1970


@contextmanager
def process(*words: str) -> Iterator[psutil.Process]:
    """A program of ours while it runs."""
    running = subprocess.Popen(
        [str(LINEWARDEN), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(20)


def write_settings(folder: Path, company: str, keys: Sequence[str] = ("signing.pub",)) -> Path:
    """The settings of a box with one camera, and with the company's own section."""
    settings = folder / "appliance.toml"
    settings.write_text(_APPLIANCE.format(keys=json.dumps(keys), company=company))
    return settings


def beside(
    settings: Path,
    company: Callable[[], AbstractContextManager[psutil.Process]],
    named: str,
    target: str = "< 1.1",
) -> list[Figure]:
    """Both latencies, their ratio, and the company's share of a processor.

    Args:
        settings: of the box; its store is beside them.
        company: what runs beside the line, while it is entered.
        named: what to call that.
        target: of the ratio of the 99th percentiles.
    """
    alone: list[Window] = []
    seen: list[Window] = []
    worked: list[float] = []
    outbox = settings.parent / "store" / OUTBOX_FILE
    with process("run", "--config", str(settings)):
        while not (outbox.exists() and len(_latencies(outbox)) > 50):
            time.sleep(1)
        for number in range(ROUNDS):
            print(f"\rround {number + 1} of {ROUNDS} ", end="", flush=True)
            alone.append(_window())
            with company() as other:
                before = sum(other.cpu_times()[:2])
                seen.append(_window())
                share = (sum(other.cpu_times()[:2]) - before) / (SETTLE_S + WINDOW_S)
                worked.append(100 * share)
    print()
    used = Figure(f"processor used {named}", statistics.median(worked), "% of a core")
    return [*_compared(_latencies(outbox), alone, seen, named, target), used]


def _window() -> Window:
    """Let WINDOW_S pass; returns from when to when."""
    time.sleep(SETTLE_S)
    begin = time.time()
    time.sleep(WINDOW_S)
    return 1000 * begin, 1000 * time.time()


def _latencies(outbox: Path) -> list[tuple[int, float]]:
    """(captured, capture to verdict in ms) of every verdict recorded."""
    feed, found, read_to = Feed(outbox), [], [0]
    while bite := feed.bite(lambda _epoch: read_to[0]):
        read_to[0] = bite.rows[-1][0]
        for _, packed in bite.rows:
            verdict = Verdict.from_json(unpack(packed))
            found.append((entry.at_ms(verdict, 0), verdict.latency_ms.total))
    feed.close()
    return found


def _compared(
    told: list[tuple[int, float]],
    alone: list[Window],
    seen: list[Window],
    named: str,
    target: str,
) -> list[Figure]:
    """The figures of all windows of a kind together."""

    def within(windows: list[Window]) -> list[float]:
        return [ms for at, ms in told if any(a <= at < b for a, b in windows)]

    figures: list[Figure] = []
    for name, values in (("alone", within(alone)), (named, within(seen))):
        cuts = statistics.quantiles(values, n=100)
        figures.append(Figure(f"the line {name}, median", statistics.median(values), "ms"))
        note = f"{len(values)} parts"
        figures.append(Figure(f"the line {name}, p99", cuts[98], "ms", note=note))
    ratio = figures[3].value / figures[1].value
    figures.append(Figure(f"p99 {named}, to alone", ratio, "", target))
    return figures
