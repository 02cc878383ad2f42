"""`make bench-watchers`: the daemon's latency with the console and 20 live clients, and without.

The clients run on the same machine. How the line is measured: benchmarks/beside.py.
"""

import http.client
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.beside import beside, process, write_settings
from benchmarks.rig import make_bundle
from demo.broker import free_port
from edge.console.accounts.book import Book
from edge.console.accounts.roles import Role
from export.figures import Figure, save, table

CLIENTS = 20
PASSWORD = "measuring only"  # noqa: S105 - of a console that lives for minutes


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


def measure(folder: Path) -> list[Figure]:
    """Both latencies, and their ratio."""
    make_bundle(folder)
    port = free_port()
    settings = write_settings(folder, f"[console]\nport = {port}")
    book = Book(folder / "console", 86_400)
    book.add("bench", "a client", Role.VIEWER, PASSWORD)
    cookie = f"session={book.log_in('a client', PASSWORD, 'bench')}"
    book.close()
    return beside(settings, lambda: watched(settings, port, cookie), f"with {CLIENTS} live clients")


def main() -> None:
    """Measure, print the table, write results/watchers.json."""
    with tempfile.TemporaryDirectory(prefix="linewarden-bench-") as folder:
        figures = measure(Path(folder))
    print(f"\n{table(figures)}\n\n{save('watchers', figures, seed=0)}")
    if slipped := [figure.name for figure in figures if figure.holds is False]:
        raise SystemExit(f"bench-watchers: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
