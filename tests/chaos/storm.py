"""A storm: a box, a broker and a consumer through many faults, then judged by the ledger.

`python -m tests.chaos.storm --faults 60 --seed 7` prints a table and writes results/chaos.json.
The seed fixes which faults come, when and for how long; a failure prints it.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from edge.consumer.watch import Watcher
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import Topics
from export.figures import Figure, save, table
from tests.broker import Mosquitto, free_port
from tests.chaos.ledger import Ledger, committed
from tests.chaos.proxy import Proxy
from tests.chaos.real import DATABASE, real
from tests.listener import Listener

PREFIX = "acme/plant1/area1/line1/cell1"
RATE = 40.0
RECOVER_S = 20.0
SETTLE_S = 60.0
MUST_BE_NONE = (
    "promises broken",
    "gaps in seq",
    "published before stored",
    "contradictions",
    "lost",
    "delivered twice",
    "delivered out of order",
    "live inversions",
    "orphaned processes",
)

Command = Callable[[Path, str], list[str]]


def minimal(folder: Path, url: str) -> list[str]:
    """The command of the smallest box."""
    box = [sys.executable, "-m", "tests.chaos.minimal"]
    return [*box, str(folder / "outbox.db"), url, PREFIX, "--rate", str(RATE)]


@dataclass
class Outcome:
    """What a storm showed."""

    seed: int
    faults: Counter[str]
    seconds: float
    counts: dict[str, int]
    recoveries: list[tuple[str, float]] = field(default_factory=list)

    def figures(self) -> list[Figure]:
        """As figures with their targets."""
        started = sorted(took for kind, took in self.recoveries if kind == "kill box")
        others = sorted(took for kind, took in self.recoveries if kind != "kill box")
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        counted = [
            Figure(name, count, "", "== 0" if name in MUST_BE_NONE else "")
            for name, count in self.counts.items()
        ]
        return [
            Figure("faults", self.faults.total(), "", note=kinds),
            *counted,
            Figure("recovery from network and broker p50", _quantile(others, 0.50), "s"),
            Figure("recovery from network and broker p95", _quantile(others, 0.95), "s", "<= 2"),
            Figure("recovery from network and broker max", _quantile(others, 1), "s", "<= 5"),
            Figure("recovery from kill -9 of the box p50", _quantile(started, 0.50), "s"),
            Figure("recovery from kill -9 of the box max", _quantile(started, 1), "s", "<= 5"),
            Figure("duration", self.seconds, "s"),
        ]

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing doubled, nothing out of order."""
        return not any(self.counts[name] for name in MUST_BE_NONE)


class Storm:
    """One box between a proxy and a broker, a plain listener and a consumer of ours."""

    def __init__(self, folder: Path, seed: int, command: Command, database: str) -> None:
        self._seed, self._dice = seed, random.Random(seed)
        self._folder, self._command = folder, command
        self._database = folder / database
        self._errors = (folder / "box.log").open("ab")
        self.ledger = Ledger()
        self.recoveries: list[tuple[str, float]] = []
        self.faults: Counter[str] = Counter()
        port = free_port()
        self._brokers = [self._broker(port, name) for name in ("forgetful", "persistent")]
        self._broker_now = self._brokers[0].start()
        self._box_proxy, self._consumer_proxy = Proxy(port), Proxy(port)
        self._box: subprocess.Popen[bytes] | None = None
        self._listener = Listener(port, f"{PREFIX}/+/verdicts")
        self._heard = 0
        self._orphans: list[psutil.Process] = []
        self.watcher = Watcher(
            BrokerSettings(BrokerUrl("127.0.0.1", self._consumer_proxy.port)),
            Topics(PREFIX),
            lambda verdict: self.ledger.deliver(verdict.to_json()),
            from_start=True,
        )

    def run(self, faults: int) -> Outcome:
        """Start everything, let `faults` faults happen, wait for calm, judge."""
        began = time.monotonic()
        self._listener.start()
        self.watcher.start()
        self._start_box()
        self._await_flow("start", time.monotonic())
        for number in range(faults):
            time.sleep(self._dice.uniform(0.2, 1.0))
            if number == faults // 2:
                self._change_broker()
            self._fault()
            self._write_down()
        self._settle()
        counts = self.ledger.judge()
        counts["orphaned processes"] = sum(child.is_running() for child in self._orphans)
        seconds = time.monotonic() - began
        return Outcome(self._seed, self.faults, seconds, counts, self.recoveries[1:])

    def close(self) -> None:
        """End everything that was started."""
        self.watcher.stop()
        if self._box is not None:
            self._box.terminate()
            try:
                self._box.wait(10)
            except subprocess.TimeoutExpired:
                self._box.kill()
                self._box.wait()
        self._listener.stop()
        self._broker_now.kill()
        self._box_proxy.close()
        self._consumer_proxy.close()
        self._errors.close()

    def _fault(self) -> None:
        kinds = {
            "kill box": (3, self._kill_box),
            "kill broker": (2, self._kill_broker),
            "cut": (2, self._cut),
            "torn": (2, self._tear),
            "black hole": (1, self._swallow),
            "cut consumer": (1, self._cut_consumer),
        }
        (kind,) = self._dice.choices(list(kinds), [weight for weight, _ in kinds.values()])
        self.faults[kind] += 1
        self._await_flow(kind, kinds[kind][1]())

    def _kill_box(self) -> float:
        assert self._box is not None
        self._orphans += psutil.Process(self._box.pid).children(recursive=True)
        self._box.kill()
        self._box.wait()
        self.ledger.promise(committed(self._database))
        at = time.monotonic()
        self._start_box()
        return at

    def _kill_broker(self) -> float:
        self._broker_now.kill()
        time.sleep(self._dice.uniform(0.0, 1.5))
        at = time.monotonic()
        self._broker_now.start()
        return at

    def _cut(self) -> float:
        self._box_proxy.cut()
        return time.monotonic()

    def _tear(self) -> float:
        self._box_proxy.tear()
        return time.monotonic()

    def _swallow(self) -> float:
        self._box_proxy.swallow()
        time.sleep(self._dice.uniform(0.5, 4.0))
        self._box_proxy.heal()
        return time.monotonic()

    def _cut_consumer(self) -> float:
        self._consumer_proxy.cut()
        return time.monotonic()

    def _change_broker(self) -> None:
        self._broker_now.kill()
        self._broker_now = self._brokers[1].start()

    def _broker(self, port: int, name: str) -> Mosquitto:
        folder = self._folder / name
        folder.mkdir()
        return Mosquitto(folder, port=port, persistence=name == "persistent")

    def _start_box(self) -> None:
        url = f"mqtt://127.0.0.1:{self._box_proxy.port}"
        self._box = subprocess.Popen(
            self._command(self._folder, url), stdout=self._errors, stderr=self._errors
        )

    def _await_flow(self, kind: str, since: float) -> None:
        """Wait until a plain subscriber hears a live verdict again; note how long it took."""

        def flows(listener: Listener) -> bool:
            return any(
                at > since and b'"replay":false' in body
                for _, body, _, at in listener.messages[-20:]
            )

        if not self._listener.wait_for(flows, RECOVER_S):
            raise AssertionError(f"no verdict {RECOVER_S:.0f} s after: {kind}")
        first = min(m[3] for m in self._listener.messages if m[3] > since)
        self.recoveries.append((kind, first - since))

    def _write_down(self) -> None:
        """Move what the plain subscriber heard into the ledger."""
        messages = self._listener.messages
        end = len(messages)
        for _, body, _, _ in messages[self._heard : end]:
            self.ledger.hear(body)
        self._heard = end

    def _say_why(self) -> None:
        """The consumer did not get everything: show where it stands."""
        watcher = self.watcher
        print(f"not settled: {watcher.trouble!r} {watcher.report()} {watcher.health}")
        print(f"  gaps {watcher._follower.gaps()[:5]}, questions {watcher._asker._open}")
        print((self._folder / "box.log").read_text(errors="replace")[-1500:])

    def _settle(self) -> None:
        """Wait until the consumer has everything that is in the file now."""
        promised = committed(self._database)
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until:
            got = {key for key, _ in list(self.ledger.delivered)}
            if not promised.keys() - got:
                break
            time.sleep(0.2)
        else:
            self._say_why()
        self.watcher.stop()
        self._write_down()
        self.ledger.promise(promised)
        self.ledger.due = set(promised)
        later = committed(self._database)
        self.ledger.promise({key: later.get(key, "") for key in promised})
        seen = self.ledger.heard.keys() | {key for key, _ in self.ledger.delivered}
        self.ledger.promised.update({key: later[key] for key in seen if key in later})


def storm(faults: int, seed: int, box: str = "real") -> Outcome:
    """Run one storm over a `minimal` or `real` box, in a folder of its own."""
    command, database = (real, DATABASE) if box == "real" else (minimal, "outbox.db")
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        weather = Storm(Path(folder), seed, command, database)
        try:
            return weather.run(faults)
        finally:
            weather.close()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--box", choices=("minimal", "real"), default="real")
    asked = parser.parse_args()
    print(f"storm of {asked.faults} faults, seed {asked.seed}, {asked.box} box", flush=True)
    outcome = storm(asked.faults, asked.seed, asked.box)
    figures = outcome.figures()
    print(table(figures))
    print(f"written to {save('chaos', figures, seed=asked.seed)}")
    return 0 if outcome.sound else 1


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


if __name__ == "__main__":
    sys.exit(main())
