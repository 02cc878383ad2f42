"""A day without a broker: everything is stored, then drained, while live verdicts stay live.

`python -m tests.chaos.outage --verdicts 864000` (a day at 10/s) prints a table and writes
results/outage.json. The real outbox and broker thread in a process of their own, a real mosquitto,
and a listener that uses none of our code and ticks off every seq.
"""

import argparse
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from export.figures import Figure, save, table
from tests.broker import Mosquitto, free_port
from tests.chaos.ear import Ear
from trainer.progress import Progress

PREFIX = "acme/plant1/area1/line1/cell1"
RATE = 5.0  # per camera, of two: the 10/s of the promise
NORMAL_S = 20.0
PATIENCE_S = 3600.0
DAY_BYTES, DAY = 600_000_000, 864_000
_SEQ = re.compile(rb'"seq":(\d+)')
_DECIDED = re.compile(rb'"decided_at":"([^"]+)"')


@dataclass
class Heard:
    """What the listener heard: seqs per camera, live latencies, inversions."""

    seqs: dict[str, set[int]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    verdicts: int = 0  # different ones
    inversions: int = 0
    doubles: int = 0
    live_s: list[float] = field(default_factory=list)
    changed_s: float = 0.0

    def hear(self, topic: str, body: bytes) -> None:
        """One message on a verdicts or last topic."""
        camera, kind = topic.split("/")[-2:]
        if kind == "last":
            decided = datetime.fromisoformat(_DECIDED.search(body)[1].decode())
            self.live_s.append((datetime.now(UTC) - decided).total_seconds())
            return
        seq, seen = int(_SEQ.search(body)[1]), self.seqs.setdefault(camera, set())
        if seq in seen:
            self.doubles += 1
        else:
            self.verdicts += 1
            self.inversions += seq < self.last.get(camera, 0)
            self.changed_s = time.monotonic()
        seen.add(seq)
        self.last[camera] = max(seq, self.last.get(camera, 0))


class Outage:
    """One box that gathers a backlog and drains it."""

    def __init__(self, folder: Path, backlog: int) -> None:
        self._folder, self._backlog = folder, backlog
        self._broker = Mosquitto(folder, port=free_port(), log=False)
        self._heard = Heard()
        self._box: subprocess.Popen[str] | None = None
        self._progress = Progress()
        self._first: dict[str, int] = {}

    def run(self) -> list[Figure]:
        """An outage, its drain, and normal life after it; returns the figures."""
        ears = self._listen()
        try:
            stored = self._gather()
            self._first = waiting_from(self._folder / "outbox.db")
            self._open(ears)
            drain, live = self._drain()
            normal = self._normal()
        finally:
            for ear in ears:
                ear.stop()
            self._end_box()
            self._broker.kill()
        return [*stored, *drain, *self._judged(), *_latencies(live, normal)]

    def _gather(self) -> list[Figure]:
        """The outage: the box stores, and nobody takes it."""
        self._start_box()
        with self._progress.phase("stored", self._backlog) as step:
            for line in self._told():
                if line[0] == "filled":
                    break
                step(int(line[1]))
        rows, seconds, size = int(line[1]), float(line[2]), int(line[3])
        budget = f"<= {DAY_BYTES * self._backlog // DAY}"
        return [
            Figure("verdicts stored without a broker", self._backlog, ""),
            Figure("stored at", rows / seconds, "1/s"),
            Figure("database and its journal", size, "bytes", budget),
        ]

    def _open(self, ears: list[Ear]) -> None:
        """The broker is back; the box sleeps until the plant listens, so that it hears all."""
        box = psutil.Process(self._pid)
        box.suspend()
        self._broker.start()
        for ear in ears:
            assert ear.listening.wait(10)
        box.resume()
        self._say("go on")

    def _drain(self) -> tuple[list[Figure], list[float]]:
        """Until the backlog is heard: the figures, and how late the newest verdicts came."""
        began = time.monotonic()
        while self._heard.verdicts < 10:
            time.sleep(0.01)
        first, had = time.monotonic(), self._heard.verdicts
        processes = [psutil.Process(pid) for pid in (self._pid, self._broker.pid, os.getpid())]
        spent = [_cpu_s(process) for process in processes]
        before = peak = processes[0].memory_info().rss
        self._heard.live_s.clear()
        with self._progress.phase("drained", self._backlog) as step:
            while (heard := self._heard.verdicts) < self._backlog:
                assert time.monotonic() - first < PATIENCE_S, f"{heard} of {self._backlog} came"
                time.sleep(0.2)
                step(self._heard.verdicts - heard)
                peak = max(peak, processes[0].memory_info().rss)
        took = self._heard.changed_s - first
        live = sorted(self._heard.live_s)
        cores = [(_cpu_s(p) - s) / took for p, s in zip(processes, spent, strict=True)]
        return [
            Figure("connected and the first verdict", first - began, "s", "<= 5"),
            Figure("drained at", (self._backlog - had) / took, "1/s", ">= 2000"),
            Figure("processor of the box while draining", cores[0], "cores"),
            Figure("processor of the broker", cores[1], "cores"),
            Figure("processor of the listener", cores[2], "cores"),
            Figure("memory grown while draining", (peak - before) / 2**20, "MiB", "<= 50"),
        ], live

    def _normal(self) -> list[float]:
        """Live latencies without a backlog, on the same record and the same disk."""
        time.sleep(2.0)
        self._heard.live_s.clear()
        time.sleep(NORMAL_S)
        return sorted(self._heard.live_s)

    def _judged(self) -> list[Figure]:
        missing = sum(
            len(set(range(self._first[camera], max(seqs) + 1)) - seqs)
            for camera, seqs in self._heard.seqs.items()
        )
        return [
            Figure("missing", missing, "", "== 0"),
            Figure("out of order", self._heard.inversions, "", "== 0"),
            Figure("heard twice", self._heard.doubles, ""),
        ]

    def _listen(self) -> list[Ear]:
        """Two connections, as a plant has them: one for the record, one for the present."""
        asked = ((f"{PREFIX}/+/verdicts", 1), (f"{PREFIX}/+/last", 1))
        ears = [Ear(self._broker.port, [wish], self._heard.hear) for wish in asked]
        for ear in ears:
            ear.start()
        return ears

    def _start_box(self) -> None:
        box = [sys.executable, "-m", "tests.chaos.minimal", str(self._folder / "outbox.db")]
        more = ["--rate", str(RATE), "--backlog", str(self._backlog)]
        with (self._folder / "box.log").open("ab") as errors:
            self._box = subprocess.Popen(
                [*box, self._broker.url, PREFIX, *more],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    @property
    def _pid(self) -> int:
        assert self._box
        return self._box.pid

    def _told(self) -> Iterator[list[str]]:
        """What the box says, in words, line by line."""
        assert self._box
        assert self._box.stdout
        for line in self._box.stdout:
            yield line.split()
        raise AssertionError((self._folder / "box.log").read_text()[-2000:])

    def _say(self, line: str) -> None:
        assert self._box
        assert self._box.stdin
        self._box.stdin.write(line + "\n")
        self._box.stdin.flush()

    def _end_box(self) -> None:
        if self._box is None:
            return
        self._box.terminate()
        self._box.communicate(timeout=30)
        self._box = None


def waiting_from(path: Path) -> dict[str, int]:
    """The first seq of each camera that waits in the outbox's file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        rows = "SELECT camera, MIN(seq) FROM waiting w JOIN verdict v ON v.n = w.n GROUP BY camera"
        return dict(db.execute(rows).fetchall())


def outage(verdicts: int, folder: Path | None = None) -> list[Figure]:
    """Run one outage; a record that a broken-off run left in `folder` is filled further."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return Outage(folder, verdicts).run()
    with tempfile.TemporaryDirectory(prefix="outage-") as fresh:
        return Outage(Path(fresh), verdicts).run()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="python -m tests.chaos.outage --verdicts 50000"
    )
    parser.add_argument("--verdicts", type=int, default=50_000)
    parser.add_argument("--name", default="outage", help="of the file in results/")
    parser.add_argument("--folder", type=Path, help="keep the record here; resumes filling it")
    asked = parser.parse_args()
    figures = outage(asked.verdicts, asked.folder)
    print(table(figures))
    print(f"written to {save(asked.name, figures, seed=0)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


def _latencies(live: list[float], normal: list[float]) -> list[Figure]:
    """Of the newest verdicts: while draining, over without a backlog."""

    def ratio(share: float, target: str) -> Figure:
        times = [1e3 * _quantile(ordered, share) for ordered in (live, normal)]
        note = f"{times[0]:.1f} ms against {times[1]:.1f} ms"
        name = f"live latency p{100 * share:.0f} over normal"
        return Figure(name, times[0] / times[1], "times", target, note)

    count = Figure("live verdicts during the drain", len(live), "")
    return [count, ratio(0.5, "<= 1.5"), ratio(0.95, "")]


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _cpu_s(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


if __name__ == "__main__":
    sys.exit(main())
