"""`make bench-watchers`: the daemon's latency with the console and 20 live clients, and without.

A real daemon (ResNet-18, one thread, a virtual line) judges throughout; windows with the console
and its clients alternate with windows without, so that what else the machine does falls on both.
The clients run on the same machine, at the lowest priority. The figure is capture to verdict, as
each verdict itself tells it.
"""

import http.client
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.rig import make_bundle
from demo.broker import free_port
from edge.console.accounts.book import Book
from edge.console.accounts.roles import Role
from edge.outbox import OUTBOX_FILE
from edge.outbox.packing import unpack
from edge.store import entry
from edge.store.feed import Feed
from export.figures import Figure, save, table
from export.verdict import Verdict

CLIENTS, ROUNDS, WINDOW_S, SETTLE_S = 20, 4, 30.0, 4.0
PASSWORD = "measuring only"  # noqa: S105 - of a console that lives for minutes
LINEWARDEN = Path(sys.executable).with_name("linewarden")
APPLIANCE = """\
[station]
prefix = "bench"
[trust]
keys = ["signing.pub"]
[console]
port = {port}
[samples]
picture = "jpg"
[cameras.belt]
bundle = "bundle"
deadline_ms = 5000
open_s = 120.0
source = {{ kind = "virtual", parts = 4000, fps = 8, width = 1280, height = 1024 }}
"""

Window = tuple[float, float]  # milliseconds since 1970


@contextmanager
def process(*words: str) -> Iterator[psutil.Process]:
    """A program while it runs."""
    running = subprocess.Popen(
        [str(LINEWARDEN), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(20)


def watch(port: int, cookie: str, stop: threading.Event, got: list[int]) -> None:
    """One client of the live view, until it is told to stop."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    wire.request("GET", "/live/events", headers={"cookie": cookie})
    answer = wire.getresponse()
    while not stop.is_set() and (line := answer.readline()):
        got.append(len(line))
    wire.close()


@contextmanager
def watched(settings: Path, port: int, cookie: str) -> Iterator[psutil.Process]:
    """The console with its clients, once all of them are served."""
    with process("console", "--config", str(settings)) as console:
        stop, got = threading.Event(), [[] for _ in range(CLIENTS)]
        wait_for(port)
        threads = [
            threading.Thread(target=watch, args=(port, cookie, stop, one), daemon=True)
            for one in got
        ]
        for thread in threads:
            thread.start()
        while not all(len(one) > 3 for one in got):
            time.sleep(0.1)
        yield console
        stop.set()
        for thread in threads:
            thread.join(5)


def wait_for(port: int) -> None:
    """Until the console answers."""
    for _ in range(600):
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            wire.request("GET", "/login")
            wire.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            wire.close()
    raise SystemExit("the console does not answer")


def window() -> Window:
    """Let WINDOW_S pass; returns from when to when."""
    time.sleep(SETTLE_S)
    begin = time.time()
    time.sleep(WINDOW_S)
    return 1000 * begin, 1000 * time.time()


def latencies(outbox: Path) -> list[tuple[int, float]]:
    """(captured, capture to verdict in ms) of every verdict recorded."""
    feed, found, read_to = Feed(outbox), [], [0]
    while bite := feed.bite(lambda _epoch: read_to[0]):
        read_to[0] = bite.rows[-1][0]
        for _, packed in bite.rows:
            verdict = Verdict.from_json(unpack(packed))
            found.append((entry.at_ms(verdict, 0), verdict.latency_ms.total))
    feed.close()
    return found


def measure(folder: Path) -> list[Figure]:
    """Both latencies, and their ratio."""
    make_bundle(folder)
    port, settings = free_port(), folder / "appliance.toml"
    settings.write_text(APPLIANCE.format(port=port))
    book = Book(folder / "console", 86_400)
    book.add("bench", "a client", Role.VIEWER, PASSWORD)
    cookie = f"session={book.log_in('a client', PASSWORD, 'bench')}"
    book.close()
    alone: list[Window] = []
    seen: list[Window] = []
    worked: list[float] = []
    outbox = folder / "store" / OUTBOX_FILE
    with process("run", "--config", str(settings)):
        while not (outbox.exists() and len(latencies(outbox)) > 50):
            time.sleep(1)
        for number in range(ROUNDS):
            print(f"\rround {number + 1} of {ROUNDS} ", end="", flush=True)
            alone.append(window())
            with watched(settings, port, cookie) as console:
                before = sum(console.cpu_times()[:2])
                seen.append(window())
                share = (sum(console.cpu_times()[:2]) - before) / (SETTLE_S + WINDOW_S)
                worked.append(100 * share)
    print()
    used = Figure("the console's processor, 20 clients", statistics.median(worked), "% of a core")
    return [*compared(latencies(outbox), alone, seen), used]


def compared(
    told: list[tuple[int, float]], alone: list[Window], seen: list[Window]
) -> list[Figure]:
    """The figures of all windows of a kind together."""

    def within(windows: list[Window]) -> list[float]:
        return [ms for at, ms in told if any(a <= at < b for a, b in windows)]

    without, with_it = within(alone), within(seen)
    figures: list[Figure] = []
    for name, values in (("without the console", without), ("with 20 live clients", with_it)):
        cuts = statistics.quantiles(values, n=100)
        figures.append(Figure(f"{name}, median", statistics.median(values), "ms"))
        figures.append(Figure(f"{name}, p99", cuts[98], "ms", note=f"{len(values)} parts"))
    ratio = figures[3].value / figures[1].value
    figures.append(Figure("p99 with clients to without", ratio, "", "< 1.1"))
    return figures


def main() -> None:
    """Measure, print the table, write results/watchers.json."""
    with tempfile.TemporaryDirectory(prefix="linewarden-bench-") as folder:
        figures = measure(Path(folder))
    print(f"\n{table(figures)}\n\n{save('watchers', figures, seed=0)}")
    if slipped := [figure.name for figure in figures if figure.holds is False]:
        raise SystemExit(f"bench-watchers: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
