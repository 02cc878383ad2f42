"""A consumer that was away while the line went on: how fast does it have what it missed?

A real mosquitto, the smallest box, whose record is delivered, and 400 new verdicts a second; then
`edge.consumer.watch.Watcher` from the first verdict. `python -m benchmarks.catching_up`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from edge.consumer.watch import Watcher
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import Topics
from export.figures import Figure, save, table
from tests.broker import Mosquitto

PREFIX, RATE = "acme/plant", 200  # verdicts of each of two cameras, a second
PATIENCE_S = 300.0
SLICES = 4


def started(folder: Path, url: str, missed: int) -> subprocess.Popen[str]:
    """A box that has stored `missed` verdicts, and now sends them and makes more."""
    words = [sys.executable, "-m", "tests.chaos.minimal", folder / "outbox.db", url, PREFIX]
    box = subprocess.Popen(
        [*map(str, words), "--rate", str(RATE), "--backlog", str(missed)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert box.stdin is not None
    assert box.stdout is not None
    while not box.stdout.readline().startswith("filled"):
        assert box.poll() is None, "the box ended"
    box.stdin.write("\n")
    box.stdin.flush()
    return box


def waited(condition: Callable[[], bool]) -> float:
    """Wait until it holds; returns the seconds, at most PATIENCE_S."""
    began = time.monotonic()
    while not condition() and time.monotonic() - began < PATIENCE_S:
        time.sleep(0.05)
    return time.monotonic() - began


def measure(missed: int, folder: Path) -> list[Figure]:
    """Catch up once; the rate of the last quarter shows whether a long gap slows it down."""
    got, at_s = 0, [0.0] * SLICES

    def take(_verdict: object) -> None:
        nonlocal got
        got += 1
        if got % (missed // SLICES) == 0 and got // (missed // SLICES) <= SLICES:
            at_s[got // (missed // SLICES) - 1] = time.monotonic()

    with Mosquitto(folder, "autosave_on_changes false", persistence=True, log=False) as broker:
        url = f"mqtt://127.0.0.1:{broker.port}"
        box = started(folder, url, missed)
        settings, topics = BrokerSettings(BrokerUrl.parse(url)), Topics(PREFIX)
        try:
            with Watcher(settings, topics, lambda _: None) as watcher:
                waited(lambda: (told := watcher.health) is not None and told.outbox.depth < 100)
            began = time.monotonic()
            with Watcher(settings, topics, take, from_start=True) as watcher:
                waited(lambda: got >= missed)
                counts = watcher.report().counts
        finally:
            box.terminate()
            box.wait()
    assert got >= missed, f"{got} of {missed} after {PATIENCE_S:.0f} s"
    last = (missed / SLICES) / (at_s[-1] - at_s[-2])
    return [
        Figure("missed", missed, "verdicts", "", f"{2 * RATE} new ones a second meanwhile"),
        Figure("caught up after", at_s[-1] - began, "s"),
        Figure("of the first quarter", (missed / SLICES) / (at_s[0] - began), "/s"),
        Figure("of the last quarter", last, "/s", ">= 800", "twice what is new"),
        Figure("had to be asked for again", counts.postponed, "verdicts"),
        Figure("lost", counts.lost, "", "== 0"),
    ]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missed", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(asked.missed, Path(folder))
    print(table(figures))
    print(save("catching-up", figures, seed=0))
    return int(not all(figure.holds is not False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
