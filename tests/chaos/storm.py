"""A storm: a box, a broker and a consumer through many faults, then judged by the ledger.

`python -m tests.chaos.storm --faults 60 --seed 7` prints a table and writes results/chaos.json.
The seed fixes which faults come, when and for how long; a failure prints it. With `--verdicts` it
goes on after the last fault until there are so many.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from export.figures import Figure, save, table
from tests.chaos.minimal import CAMERAS
from tests.chaos.real import DATABASE, real
from tests.chaos.stage import PREFIX, Command, Stage
from trainer.progress import Progress

RATE = 40.0  # verdicts of each of two cameras, a second
RECOVER_S = 30.0
SETTLE_S = 120.0
STOPPED_S = 4.0  # the longest that a process is stopped; a capture until it is replaced
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
BOX = "kill box"
CAPTURE = "stop capture"


def minimal(folder: Path, url: str, rate: float = RATE, large: float = 0.0) -> list[str]:
    """The command of the smallest box."""
    box = [sys.executable, "-m", "tests.chaos.minimal", str(folder / "outbox.db"), url, PREFIX]
    return [*box, "--rate", str(rate), "--large", str(large)]


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
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        counted = [
            Figure(name, count, "", "== 0" if name in MUST_BE_NONE else "")
            for name, count in self.counts.items()
        ]
        slow = (BOX, CAPTURE)
        others = [took for kind, took in self.recoveries if kind not in slow]
        started = [took for kind, took in self.recoveries if kind == BOX]
        replaced = [took for kind, took in self.recoveries if kind == CAPTURE]
        return [
            Figure("faults", self.faults.total(), "", note=kinds),
            *counted,
            *_spread("recovery from network and broker", others, "<= 2", "<= 5"),
            *_spread("recovery from kill -9 of the box", started, "", "<= 5"),
            *(_spread("recovery of a stopped capture", replaced, "", "<= 10") if replaced else []),
            Figure("duration", self.seconds, "s"),
        ]

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing doubled, nothing out of order."""
        return not any(self.counts[name] for name in MUST_BE_NONE)


class Storm:
    """Faults drawn by `seed`, one after the other, each followed until verdicts flow again."""

    def __init__(self, stage: Stage, seed: int, pause_s: tuple[float, float] = (0.2, 1.0)) -> None:
        self._stage, self._dice, self._seed = stage, random.Random(seed), seed
        self._pause_s = pause_s
        self.recoveries: list[tuple[str, float]] = []
        self.faults: Counter[str] = Counter()

    def run(self, faults: int, verdicts: int = 0) -> Outcome:
        """Start everything, let `faults` faults happen, wait for calm, judge."""
        began = time.monotonic()
        self._stage.start()
        self._await_flow("start", time.monotonic())
        with Progress().phase("faults", faults) as step:
            for number in range(faults):
                time.sleep(self._dice.uniform(*self._pause_s))
                if number == faults // 2:
                    self._stage.change_broker()
                self._fault()
                step(1, f", {len(self._stage.ledger.heard.bodies)} verdicts")
        self._more(verdicts)
        if not self._stage.settle(SETTLE_S):
            self._say_why()
        self._stage.hush()
        counts = self._stage.ledger.judge()
        counts["orphaned processes"] = self._stage.orphans()
        seconds = time.monotonic() - began
        return Outcome(self._seed, self.faults, seconds, counts, self.recoveries[1:])

    def _more(self, verdicts: int) -> None:
        heard = self._stage.ledger.heard.bodies
        with Progress().phase("verdicts", verdicts) as step:
            step(had := min(len(heard), verdicts))
            while had < verdicts:
                time.sleep(1.0)
                had, before = len(heard), had
                step(had - before)

    def _fault(self) -> None:
        kinds = {
            BOX: (3, self._kill_box),
            "kill broker": (2, self._kill_broker),
            "cut": (2, self._cut),
            "torn": (2, self._tear),
            "black hole": (1, self._swallow),
            "cut consumer": (1, self._cut_consumer),
            "stop box": (1, self._stop_box),
            "stop broker": (1, self._stop_broker),
        }
        if self._stage.captures():
            kinds[CAPTURE] = (1, self._stop_capture)
        (kind,) = self._dice.choices(list(kinds), [weight for weight, _ in kinds.values()])
        self.faults[kind] += 1
        self._await_flow(kind, kinds[kind][1]())

    def _kill_box(self) -> float:
        self._stage.kill_box()
        at = time.monotonic()
        self._stage.start_box()
        return at

    def _kill_broker(self) -> float:
        self._stage.broker.kill()
        time.sleep(self._dice.uniform(0.0, 1.5))
        at = time.monotonic()
        self._stage.broker.start()
        return at

    def _cut(self) -> float:
        self._stage.box_proxy.cut()
        return time.monotonic()

    def _tear(self) -> float:
        self._stage.box_proxy.tear()
        return time.monotonic()

    def _swallow(self) -> float:
        self._stage.box_proxy.swallow()
        time.sleep(self._dice.uniform(0.5, 4.0))
        self._stage.box_proxy.heal()
        return time.monotonic()

    def _cut_consumer(self) -> float:
        self._stage.consumer_proxy.cut()
        return time.monotonic()

    def _stop_box(self) -> float:
        with self._stage.stopped(self._stage.box_pid):
            time.sleep(self._dice.uniform(0.1, STOPPED_S))
        return time.monotonic()

    def _stop_broker(self) -> float:
        with self._stage.stopped(self._stage.broker.pid):
            time.sleep(self._dice.uniform(0.1, STOPPED_S))
        return time.monotonic()

    def _stop_capture(self) -> float:
        """Stopped for good: the box must kill it and start another."""
        captures = sorted(self._stage.captures(), key=lambda child: child.pid)
        self._dice.choice(captures).suspend()
        time.sleep(0.2)  # frames that it had given by then
        return time.monotonic()

    def _await_flow(self, kind: str, since: float) -> None:
        """Wait until a plain subscriber hears live verdicts of all again; note how long it took."""
        first = [self._stage.await_live(since, RECOVER_S, camera) for camera in CAMERAS]
        if None in first:
            self._say_why()
            raise AssertionError(f"no verdict {RECOVER_S:.0f} s after: {kind}; seed {self._seed}")
        self.recoveries.append((kind, max(filter(None, first)) - since))

    def _say_why(self) -> None:
        """The consumer did not get everything: show where it stands."""
        watcher = self._stage.watcher
        print(f"not settled: {watcher.trouble!r} {watcher.report()} {watcher.health}")
        print(f"  missing {sorted(self._stage.ledger.missing())[:5]}")
        print((self._stage.folder / "box.log").read_text(errors="replace")[-1500:])


def storm(faults: int, seed: int, box: str = "real", rate: float = RATE, verdicts=0) -> Outcome:
    """Run one storm over a `minimal` or `real` box, in a folder of its own."""
    small: Command = partial(minimal, rate=rate)
    command, database = (real, DATABASE) if box == "real" else (small, "outbox.db")
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        stage = Stage(Path(folder), command, database)
        try:
            return Storm(stage, seed).run(faults, verdicts)
        finally:
            stage.close()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="python -m tests.chaos.storm --faults 60 --box minimal"
    )
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--verdicts", type=int, default=0, help="at least so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--box", choices=("minimal", "real"), default="real")
    parser.add_argument("--rate", type=float, default=RATE, help="of each camera; minimal box only")
    parser.add_argument("--name", default="chaos", help="of the file in results/")
    asked = parser.parse_args()
    print(f"storm of {asked.faults} faults, seed {asked.seed}, {asked.box} box", flush=True)
    outcome = storm(asked.faults, asked.seed, asked.box, asked.rate, asked.verdicts)
    figures = outcome.figures()
    print(table(figures))
    print(f"written to {save(asked.name, figures, seed=asked.seed)}")
    return 0 if outcome.sound else 1


def _spread(name: str, took_s: list[float], p95: str, worst: str) -> list[Figure]:
    ordered = sorted(took_s)
    return [
        Figure(f"{name} p50", _quantile(ordered, 0.50), "s"),
        Figure(f"{name} p95", _quantile(ordered, 0.95), "s", p95),
        Figure(f"{name} max", _quantile(ordered, 1), "s", worst),
    ]


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


if __name__ == "__main__":
    sys.exit(main())
