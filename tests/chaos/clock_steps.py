"""The real box while its wall clock starts in 1970 and jumps about: only labels may follow.

`python -m tests.chaos.clock_steps --steps 12 --seed 7` prints a table and writes
results/clock.json. Debian's libfaketime shifts the realtime clock of the daemon and leaves the
monotonic one. In every other step a capture is stopped: it must be missed and replaced, and in the
steps between none may be. The captures are not shifted: libfaketime 0.9.10 breaks time.sleep, which
only they use (clock_nanosleep until a monotonic time fails with EINVAL or hangs).
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import psutil
import pytest

from export.figures import Figure, save, table
from export.verdict import Reason
from tests.broker import Mosquitto
from tests.chaos.ear import Ear
from tests.chaos.real import COMMAND
from tests.edge.box import PREFIX, Box
from trainer.progress import Progress

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
UNSHIFT = "import os; del os.environ['LD_PRELOAD']"  # of what the daemon starts
CAMERAS = ("left", "right")
SHIFTS_S = (0, 3600, -3600)
FIRST_S, STEP_S, REPLACED_S = 60.0, 3.0, 30.0
CAMERA = """
[cameras.{name}]
bundle = "bundle"
deadline_ms = 2000.0
source = {{ kind = "virtual", seed = 1, parts = 300, fps = 10.0, width = 320, height = 256 }}
"""


def needs_faketime(test):
    """Skip `test` where libfaketime is not installed."""
    reason = "libfaketime is not installed (Debian: apt install faketime)"
    return pytest.mark.skipif(LIBRARY is None, reason=reason)(test)


class ClockSteps:
    """One box whose wall clock is ours."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._dice = folder, random.Random(seed)
        self._offset = folder / "offset"
        self._broker = Mosquitto(folder, log=False)
        self._box: psutil.Process | None = None
        self._seqs: dict[str, list[int]] = defaultdict(list)
        self._newest: dict[str, float] = {}
        self._years: Counter[str] = Counter()
        self._late = self._births = 0
        self._health: dict = {}
        self._stalls = 0
        self._began_s = time.time()

    def run(self, steps: int) -> list[Figure]:
        """Start in 1970, step `steps` times, stop; returns the figures."""
        self._shift(-time.time() + 60)
        ear = Ear(self._broker.start().port, [(f"{PREFIX}/#", 1)], self._hear)
        ear.start()
        assert ear.listening.wait(10)
        self._start()
        assert self._box
        try:
            self._await_verdicts(time.monotonic(), FIRST_S)
            with Progress().phase("steps", steps) as step:
                for number in range(steps):
                    self._step(number)
                    step(1)
            figures = self._figures(steps)
            self._box.send_signal(signal.SIGTERM)
            code = self._box.wait(20)
        finally:
            if self._box.is_running():
                self._box.kill()
            ear.stop()
            self._broker.kill()
        return [*figures, Figure("exit code", int(code or 0), "", "== 0")]

    def _step(self, number: int) -> None:
        """One jump; in every other one a capture hangs afterwards."""
        in_1970 = number % 4 == 3
        self._shift(-time.time() + 60 if in_1970 else self._dice.choice(SHIFTS_S))
        time.sleep(STEP_S)
        if number % 2:
            assert self._box
            self._dice.choice(self._box.children()).suspend()
            self._stalls += 1
            time.sleep(0.5)
        self._await_verdicts(time.monotonic(), REPLACED_S)

    def _shift(self, seconds: float) -> None:
        new = self._folder / "offset.new"
        new.write_text(f"{seconds:+.0f}\n")
        new.replace(self._offset)

    def _start(self) -> None:
        box = Box(self._folder)
        settings = box.write("".join(CAMERA.format(name=n) for n in CAMERAS), self._broker.url)
        shifted = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        run = ["run", "--config", str(settings), "--forever"]
        with (self._folder / "box.log").open("ab") as errors:
            self._box = psutil.Popen(
                [sys.executable, "-c", f"{UNSHIFT}; {COMMAND}", *run],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, **shifted},
            )

    def _await_verdicts(self, since: float, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while not all(self._newest.get(camera, 0) > since for camera in CAMERAS):
            if time.monotonic() > until:
                raise AssertionError((self._folder / "box.log").read_text()[-3000:])
            time.sleep(0.05)

    def _hear(self, topic: str, payload: bytes) -> None:
        kind = topic.rsplit("/", 1)[-1]
        body = json.loads(payload)
        if kind == "verdicts":
            self._seqs[body["camera"]].append(body["seq"])
            self._newest[body["camera"]] = time.monotonic()
            self._years[body["decided_at"][:4]] += 1
            self._late += body["reason"] == Reason.LATE
        elif kind == "state":
            self._births += body["state"] == "online"
        elif kind == "health":
            self._health = body

    def _figures(self, steps: int) -> list[Figure]:
        time.sleep(1.5)
        seqs = self._seqs.values()
        broken = sum(heard != list(range(1, len(heard) + 1)) for heard in seqs)
        replaced = sum(one["reconnects"] for one in self._health["cameras"].values())
        years = ", ".join(f"{count} in {year}" for year, count in sorted(self._years.items()))
        return [
            Figure("steps of the wall clock", steps, ""),
            Figure("verdicts", sum(map(len, seqs)), "", note=years),
            Figure("verdicts labelled 1970", self._years["1970"], "", ">= 1"),
            Figure("starts of the box", self._health["boots"], "", "== 1"),
            Figure("connections to the broker", self._births, "", "== 1"),
            Figure("cameras whose seq is broken", broken, "", "== 0"),
            Figure("verdicts after their deadline", self._late, "", "== 0"),
            Figure("stalls planted", self._stalls, ""),
            Figure("captures replaced, missed or too many", replaced - self._stalls, "", "== 0"),
        ]


def clock_steps(steps: int, seed: int) -> list[Figure]:
    """Run them in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="clock-") as folder:
        return ClockSteps(Path(folder), seed).run(steps)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="python -m tests.chaos.clock_steps --steps 12"
    )
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    if LIBRARY is None:
        parser.error("libfaketime is not installed; on Debian: apt install faketime")
    print(f"{asked.steps} steps of the clock, seed {asked.seed}", flush=True)
    figures = clock_steps(asked.steps, asked.seed)
    print(table(figures))
    print(f"written to {save('clock', figures, seed=asked.seed)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
