"""A day without a broker: everything is stored, then drained, while live verdicts stay live.

`python -m tests.chaos.outage --verdicts 864000` (a day at 10/s) prints a table and writes
results/outage.json. The real outbox and broker thread in a process of their own, a real mosquitto,
and a listener that uses none of our code and ticks off every seq.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from export.figures import Figure, save, table
from tests.broker import Mosquitto, free_port

PREFIX = "acme/plant1/area1/line1/cell1"
RATE = 5.0  # per camera, of two: the 10/s of the promise
NORMAL_S = 20.0
DAY_BYTES, DAY = 600_000_000, 864_000
_SEQ = re.compile(rb'"seq":(\d+)')
_DECIDED = re.compile(rb'"decided_at":"([^"]+)"')


@dataclass
class Heard:
    """What the listener heard: seqs per camera, live latencies, inversions."""

    seqs: dict[str, set[int]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    inversions: int = 0
    doubles: int = 0
    live_s: list[float] = field(default_factory=list)
    changed_s: float = 0.0

    @property
    def verdicts(self) -> int:
        """Different verdicts."""
        return sum(map(len, self.seqs.values()))

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
        self._peak = 0
        self._over = threading.Event()

    def run(self) -> list[Figure]:
        """Normal life, then an outage, then the drain; returns the figures."""
        self._broker.start()
        ear = self._listen()
        try:
            self._start_box(0)
            time.sleep(1.0)
            self._heard.live_s.clear()
            time.sleep(NORMAL_S)
            normal = sorted(self._heard.live_s)
            self._end_box()
            self._broker.kill()
            self._start_box(self._backlog)
            return self._drain(normal)
        finally:
            self._over.set()
            ear.loop_stop()
            self._end_box()
            self._broker.kill()

    def _drain(self, normal: list[float]) -> list[Figure]:
        assert self._box
        assert self._box.stdout
        assert self._box.stdin
        told = self._box.stdout.readline().split()
        fill_s, size = float(told[2]), int(told[3])
        process = psutil.Process(self._box.pid)
        before = process.memory_info().rss
        self._broker.start()
        began, had = time.monotonic(), self._heard.verdicts
        self._box.stdin.write("go on\n")
        self._box.stdin.flush()
        while not self._heard.last or self._heard.verdicts - had < 10:
            time.sleep(0.01)
        first_s = time.monotonic()
        self._heard.live_s.clear()
        cpu, peak = process.cpu_times(), before
        while self._heard.verdicts - had < self._backlog and time.monotonic() - began < 3600:
            time.sleep(0.05)
            peak = max(peak, process.memory_info().rss)
        drained_s = time.monotonic() - first_s
        cpu_s = sum(process.cpu_times()[:2]) - sum(cpu[:2])
        live = sorted(self._heard.live_s)
        time.sleep(2.0)
        missing = sum(
            len(set(range(1, max(seqs) + 1)) - seqs) for seqs in self._heard.seqs.values()
        )
        at = f"{_quantile(live, 0.5) * 1e3:.1f} ms against {_quantile(normal, 0.5) * 1e3:.1f} ms"
        tail = (
            f"{_quantile(live, 0.95) * 1e3:.1f} ms against {_quantile(normal, 0.95) * 1e3:.1f} ms"
        )
        target = f"<= {DAY_BYTES * self._backlog // DAY}"
        return [
            Figure("verdicts stored without a broker", self._backlog, ""),
            Figure("stored at", self._backlog / fill_s, "1/s"),
            Figure("database and its journal", size, "bytes", target),
            Figure("connected and the first verdict", first_s - began, "s", "<= 5"),
            Figure("drained at", self._backlog / drained_s, "1/s", ">= 2000"),
            Figure("processor of the box while draining", cpu_s / drained_s, "cores"),
            Figure("memory grown while draining", (peak - before) / 2**20, "MiB", "<= 50"),
            Figure("missing", missing, "", "== 0"),
            Figure("out of order", self._heard.inversions, "", "== 0"),
            Figure("heard twice", self._heard.doubles, ""),
            Figure("live verdicts during the drain", len(live), ""),
            Figure(
                "live latency p50 over normal", _ratio(live, normal, 0.5), "times", "<= 1.5", at
            ),
            Figure("live latency p95 over normal", _ratio(live, normal, 0.95), "times", "", tail),
        ]

    def _listen(self) -> paho.Client:
        ear = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        ear.reconnect_delay_set(0.05, 0.2)
        ear.on_connect = lambda client, *_: client.subscribe(
            [(f"{PREFIX}/+/verdicts", 1), (f"{PREFIX}/+/last", 0)]
        )
        ear.on_message = lambda _client, _data, message: self._heard.hear(
            message.topic, message.payload
        )
        ear.connect_async("127.0.0.1", self._broker.port, keepalive=5)
        ear.loop_start()
        return ear

    def _start_box(self, backlog: int) -> None:
        box = [sys.executable, "-m", "tests.chaos.minimal", str(self._folder / "outbox.db")]
        more = ["--rate", str(RATE), "--backlog", str(backlog)]
        self._box = subprocess.Popen(
            [*box, self._broker.url, PREFIX, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self._folder / "box.log").open("ab"),
            text=True,
        )

    def _end_box(self) -> None:
        if self._box is None:
            return
        self._box.terminate()
        self._box.communicate(timeout=30)
        self._box = None


def outage(verdicts: int) -> list[Figure]:
    """Run one outage in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="outage-") as folder:
        return Outage(Path(folder), verdicts).run()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=50_000)
    parser.add_argument("--name", default="outage")
    asked = parser.parse_args()
    figures = outage(asked.verdicts)
    print(table(figures))
    print(f"written to {save(asked.name, figures, seed=0)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _ratio(live: list[float], normal: list[float], share: float) -> float:
    return _quantile(live, share) / _quantile(normal, share)


if __name__ == "__main__":
    sys.exit(main())
