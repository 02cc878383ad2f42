"""A broker that will not have some verdicts, again and again: what is held, what is set aside.

`python -m tests.chaos.refusals --rounds 20 --seed 7` prints a table and writes
results/refusals.json. Rounds of denied rights (one camera's verdicts are held, in order, and go
when they may), of a limit on messages that the broker doesn't announce (verdicts that are too long
go to quarantine, the rest moves on), and of kill -9 of the broker between. At the end the
quarantine is released, and a consumer that starts afresh must get everything.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from edge.outbox.quarantine import Quarantine
from export.figures import Figure, save, table
from tests.chaos.ledger import Heard, quarantined
from tests.chaos.minimal import CAMERAS
from tests.chaos.stage import EVERYTHING, PREFIX, Stage, wait
from tests.chaos.storm import minimal
from trainer.progress import Progress

LARGE = 0.02  # of the verdicts
LIMIT_BYTES = 1200
ROUND_S = 40.0
SETTLE_S = 90.0
MUST_BE_NONE = (
    "promises broken",
    "gaps in seq",
    "contradictions",
    "lost",
    "delivered twice",
    "delivered out of order",
    "live inversions",
    "given up that was not in quarantine",
    "set aside by a denial",
    "missing after the release",
    "out of order after the release",
)


class Refusals:
    """Rounds of refusals on one stage."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage, self._dice = stage, random.Random(seed)
        self._rounds: Counter[str] = Counter()
        self._recoveries: list[float] = []
        self._aside_by_denial = 0

    def run(self, rounds: int) -> list[Figure]:
        """All of it; returns the figures."""
        self._stage.start()
        self._await_flow(time.monotonic())
        kinds = {"denied": self._deny, "too long": self._limit, "broker killed": self._kill}
        with Progress().phase("rounds", rounds) as step:
            for number in range(rounds):
                kind = list(kinds)[number % len(kinds)]
                self._rounds[kind] += 1
                self._await_flow(kinds[kind]())
                step(1)
        self._stage.settle(SETTLE_S)
        aside = set(self._stage.ledger.aside)
        late = list(self._stage.ledger.late)  # what is released comes late, as it must
        released = self._release(aside)
        self._stage.hush()
        counts = {**self._stage.ledger.judge(), **released}
        # One that is too long is refused alone, and those in flight behind it were heard: MQTT
        # answers each by itself. If the limit falls before it is set aside, it is heard after them.
        short = sum(length <= LIMIT_BYTES for length in late)
        counts["live inversions"] = short
        counts["too long for a while, heard after its followers"] = len(late) - short
        counts["given up that was not in quarantine"] = len(self._given_up() - aside)
        counts["set aside by a denial"] = self._aside_by_denial
        return self._figures(counts, len(aside))

    def _deny(self) -> float:
        """One camera's verdicts may not be published for a while: none of them is set aside."""
        before, denied = self._aside(), self._dice.choice(CAMERAS)
        self._stage.allow(f"topic deny {PREFIX}/{denied}/verdicts\n{EVERYTHING}")
        time.sleep(self._dice.uniform(0.5, 4.0))
        self._aside_by_denial += self._aside() - before
        self._stage.allow()
        return time.monotonic()

    def _limit(self) -> float:
        """Long messages end the connection, until one was set aside."""
        before = self._aside()
        self._stage.limit(LIMIT_BYTES)
        assert wait(lambda: self._aside() > before, ROUND_S), "nothing was set aside"
        self._stage.limit()
        return time.monotonic()

    def _kill(self) -> float:
        self._stage.broker.restart()
        return time.monotonic()

    def _release(self, aside: set[tuple[str, int, int]]) -> dict[str, int]:
        """Let what was set aside go, and see whether everybody gets it."""
        ledger, late, given_up = self._stage.ledger, Heard(), []
        self._stage.end_box()
        with Quarantine(self._stage.database) as quarantine:
            assert quarantine.release() >= len(aside)
        self._stage.start_box()
        newcomer = self._stage.consumer(late, given_up).start()
        wait(lambda: not (ledger.due - late.bodies.keys()), SETTLE_S)
        wait(lambda: not (aside - ledger.heard.bodies.keys()), SETTLE_S)
        newcomer.stop()
        unheard = aside - ledger.heard.bodies.keys()
        return {
            "missing after the release": len(unheard | (ledger.due - late.bodies.keys())),
            "out of order after the release": late.inversions + late.again + len(given_up),
        }

    def _await_flow(self, since: float) -> None:
        first = [self._stage.await_live(since, ROUND_S, camera) for camera in CAMERAS]
        assert None not in first, f"no verdict {ROUND_S:.0f} s after {dict(self._rounds)}"
        self._recoveries.append(max(filter(None, first)) - since)

    def _aside(self) -> int:
        return len(quarantined(self._stage.database))

    def _given_up(self) -> set[tuple[str, int, int]]:
        gaps = [lost.gap for lost in self._stage.lost]
        return {(g.camera, g.epoch, seq) for g in gaps for seq in range(g.first, g.last + 1)}

    def _figures(self, counts: dict[str, int], aside: int) -> list[Figure]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self._rounds.items())
        return [
            Figure("rounds", self._rounds.total(), "", note=kinds),
            Figure("set aside as too long", aside, "", ">= 1"),
            *(Figure(n, c, "", "== 0" if n in MUST_BE_NONE else "") for n, c in counts.items()),
            Figure("until verdicts flow again, worst", max(self._recoveries[1:]), "s", "<= 10"),
        ]


def refusals(rounds: int, seed: int) -> list[Figure]:
    """Run them in a folder of their own."""
    box = partial(minimal, large=LARGE)
    with tempfile.TemporaryDirectory(prefix="refusals-") as folder:
        stage = Stage(Path(folder), box, "outbox.db")
        try:
            return Refusals(stage, seed).run(rounds)
        finally:
            stage.close()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="python -m tests.chaos.refusals --rounds 20"
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"{asked.rounds} rounds of refusals, seed {asked.seed}", flush=True)
    figures = refusals(asked.rounds, asked.seed)
    print(table(figures))
    print(f"written to {save('refusals', figures, seed=asked.seed)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
