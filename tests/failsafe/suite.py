"""The fail-safe suite: real lane, bench, inspector and outbox against faults and stalls.

`python -m tests.failsafe.suite --faults 1000 --stalls 1000 --seed 7` prints a table and writes
results/failsafe.json. Every part must have one verdict in the record, by its deadline, and none of
the faulty ones a pass; one part in ten is sound, and must pass.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import structlog

from edge.camera.slot import Slot
from edge.cli.run import SWITCH_S
from edge.clock import monotonic_ns
from edge.health import Health
from edge.inspection.bench import Bench
from edge.inspection.lane import Lane
from edge.inspection.part import Part, Terms
from edge.outbox import Outbox
from edge.trigger.trigger import OnOrder
from export.figures import Figure, save, table
from export.verdict import FAIL_SAFE, Outcome, Reason, Verdict
from tests.failsafe.faults import Fault, draw, frame, judge, scores, stalling

SOUND = 0.1
DEADLINE_MS = 50.0
STALL_MS = 60.0
SETTLE_S = 5.0
FULL = 3


class Ear:
    """Hears verdicts: when each part's came, and of which a result came too late."""

    def __init__(self):
        self.heard: dict[str, list[tuple[int, Verdict]]] = {}
        self.too_late: list[str] = []

    def decided(self, part, verdict):
        self.heard.setdefault(verdict.part, []).append((monotonic_ns(), verdict))

    def lost(self, part):
        self.heard.setdefault(part.name, [])

    def late(self, part, verdict, judgement):
        self.too_late.append(verdict.part)


@dataclass
class Shown:
    """What a run showed."""

    seed: int
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, str] = field(default_factory=dict)
    over_ms: dict[str, float] = field(default_factory=dict)
    passes: int = 0
    sound: int = 0
    sound_passed: int = 0
    due: int = 0
    without: int = 0
    doubled: int = 0
    too_late: int = 0
    unexplained: int = 0


class Rig:
    """A box without cameras and broker."""

    def __init__(self, folder: Path):
        self.health, self.ear = Health(("eye",)), Ear()
        self.outbox = Outbox(folder / "outbox.db")
        self.bench = Bench(self.outbox.record, self.outbox.epoch, self.health, self.ear)
        self.bench.start()
        self.due_ns: dict[str, int] = {}

    def terms(self, judge, room=1000):
        return Terms("eye", judge, DEADLINE_MS, room)

    def run(self, name: str, fault: Fault) -> None:
        """Let one part meet its fault, and wait until the bench is free again."""
        if fault.how == "order":
            self._order(name, fault)
        elif fault.how == "offer":
            self._offer(name, fault.judge, fault.seen)
        else:
            self._behind(name, fault)
        assert self.bench.settled("eye", SETTLE_S)

    def _offer(self, name, judge, seen, room=1000):
        self.due_ns[name] = max(monotonic_ns(), seen.captured_ns + round(DEADLINE_MS * 1e6))
        self.bench.offer(Part(seen, self.terms(judge, room), name))

    def _order(self, name, fault):
        lane = Lane(Slot(), OnOrder(), self.terms(fault.judge), self.bench, self.health)
        self.due_ns[name] = monotonic_ns() + round(DEADLINE_MS * 1e6)
        lane.order(name)

    def _behind(self, name, fault):
        """With other parts in its way, whose verdicts are failures too.

        One model hangs for all of them: after many such looks the bench gives up the first part
        for the next one's sake, which a healthy model would then rightly pass.
        """
        gate = threading.Event()
        hung = judge(lambda: (gate.wait(SETTLE_S), scores())[1])
        others = FULL if fault.how == "full" else 1
        for number in range(others):
            self._offer(f"{name}-before-{number}", hung, frame())
        self._offer(name, hung, frame(), others if fault.how == "full" else 1000)
        threading.Timer(DEADLINE_MS / 1e3 + 0.01, gate.set).start()

    def close(self) -> list[Verdict]:
        """Everything on record."""
        self.bench.stop(SETTLE_S)
        self.outbox.flush(SETTLE_S)
        rows = self.outbox.replay("eye", 1, 10**6, limit=10**6)
        self.outbox.close()
        return [Verdict.from_json(row.body) for row in rows]


def inject(faults: int, seed: int, folder: Path) -> Shown:
    """That many faults, and sound parts among them."""
    chance, shown, rig = random.Random(seed), Shown(seed), Rig(folder)
    sound: set[str] = set()
    for number in range(faults):
        fault = draw(chance)
        shown.kinds[fault.kind] += 1
        rig.run(f"fault-{number}", fault)
        if chance.random() < SOUND:
            sound.add(f"sound-{number}")
            rig.run(f"sound-{number}", Fault("sound", judge(scores), frame()))
    return _judged(shown, rig, sound)


def stall(stalls: int, busy: int, seed: int, folder: Path) -> Shown:
    """That many parts whose result comes after their deadline, the model asleep, then busy."""
    chance, shown, rig = random.Random(seed), Shown(seed), Rig(folder)
    for number in range(stalls + busy):
        spin = number >= stalls
        shown.kinds["busy" if spin else "asleep"] += 1
        late = judge(stalling(chance.uniform(STALL_MS, 1.5 * STALL_MS) / 1e3, spin=spin))
        rig.run(f"{'busy' if spin else 'asleep'}-{number}", Fault("stall", late, frame()))
    return _judged(shown, rig, set())


def _judged(shown: Shown, rig: Rig, sound: set[str]) -> Shown:
    record = rig.close()
    counted = Counter(verdict.part for verdict in record)
    heard = rig.ear.heard
    shown.due = len(rig.due_ns) - len(sound)
    shown.without = len(rig.due_ns.keys() - counted.keys())
    shown.doubled = sum(count > 1 for count in counted.values())
    shown.doubled += sum(len(told) > 1 for told in heard.values())
    shown.too_late = len(set(rig.ear.too_late))
    shown.sound = len(sound)
    for verdict in record:
        if verdict.part in sound:
            shown.sound_passed += verdict.outcome is Outcome.PASS
            continue
        shown.passes += verdict.outcome is Outcome.PASS
        shown.unexplained += verdict.reason not in FAIL_SAFE
        shown.outcomes[verdict.part] = verdict.reason
        at_ns, _ = heard[verdict.part][0]
        shown.over_ms[verdict.part] = (at_ns - rig.due_ns[verdict.part]) / 1e6
    return shown


def figures(faults: Shown, stalls: Shown) -> list[Figure]:
    """Both runs as figures with their targets."""
    over = list(faults.over_ms.values())
    reasons = Counter(str(reason) for reason in faults.outcomes.values())
    waited = [ms for part, ms in faults.over_ms.items() if faults.outcomes[part] != Reason.LATE]
    return [
        Figure("faults", faults.kinds.total(), "", note=_counted(faults.kinds)),
        Figure("fail-safe verdicts", len(over), "", f"== {faults.due}", _counted(reasons)),
        Figure("faulty parts passed", faults.passes + stalls.passes, "", "== 0"),
        Figure("parts without a verdict", faults.without + stalls.without, "", "== 0"),
        Figure("parts with two", faults.doubled + stalls.doubled, "", "== 0"),
        Figure("verdicts not fail-safe", faults.unexplained + stalls.unexplained, "", "== 0"),
        Figure("sound parts passed", faults.sound_passed, "", f"== {faults.sound}"),
        Figure("fault: after the deadline, p99.9", _quantile(over, 0.999), "ms", "<= 5"),
        Figure("fault: after the deadline, worst", max(over, default=0.0), "ms"),
        Figure("fault, no stall: before the deadline, median", -_quantile(waited, 0.5), "ms"),
        Figure("stalled triggers", stalls.kinds.total(), "", note=_counted(stalls.kinds)),
        *_lateness("asleep", stalls, "<= 5", "the model hangs in native code"),
        *_lateness("busy", stalls, "", "it holds the interpreter itself: nothing is promised"),
        Figure("late results kept, not published", stalls.too_late, "", f"== {stalls.due}"),
    ]


def _lateness(how: str, stalls: Shown, target: str, note: str) -> list[Figure]:
    late = [ms for part, ms in stalls.over_ms.items() if part.startswith(how)]
    return [
        Figure(f"stall {how}: after the deadline, median", _quantile(late, 0.5), "ms", "", note),
        Figure(f"stall {how}: after the deadline, p99.9", _quantile(late, 0.999), "ms", target),
        Figure(f"stall {how}: after the deadline, worst", max(late, default=0.0), "ms"),
    ]


def _circumstances(realtime: bool) -> Figure:
    how = "SCHED_FIFO 1" if realtime else "the usual priority"
    return Figure("load average before", os.getloadavg()[0], "", "", f"run with {how}")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def _quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share, method="inverted_cdf")) if values else 0.0


def suite(faults: int, stalls: int, seed: int) -> list[Figure]:
    """Both runs, each with a record of its own."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with tempfile.TemporaryDirectory() as folder:
            first = inject(faults, seed, Path(folder) / "faults")
            second = stall(stalls, stalls // 5, seed, Path(folder) / "stalls")
    finally:
        sys.setswitchinterval(interval_s)
        structlog.reset_defaults()
    return figures(first, second)


def main() -> None:
    """Run it and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--stalls", type=int, default=1000)
    parser.add_argument(
        "--realtime", action="store_true", help="ahead of whatever else runs (needs the right)"
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    if asked.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    print(f"seed {asked.seed}")
    found = [_circumstances(asked.realtime)]
    found += suite(asked.faults, asked.stalls, asked.seed)
    print(table(found))
    print(f"written to {save('failsafe', found, seed=asked.seed)}")
    sys.exit(any(figure.holds is False for figure in found))


if __name__ == "__main__":
    main()
