"""A child process that eats hostile input, so that a crash, a hang or a hunger is seen and blamed.

The parent tells it one input at a time; it answers with what became of it, the processor time it
took and by how much its memory grew meanwhile. One that dies, or doesn't answer, is replaced.
`python -m tests.fuzz.ward MODULE` runs `MODULE.Eater().eat(told)` for each line on its input.
"""

import importlib
import json
import resource
import select
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HANG_S = 20.0  # of the wall clock, on a machine that others use too; a second of work is the limit
START_S = 60.0
ADDRESS_BYTES = 4 << 30  # beyond what it has when it is ready: a bomb must not take the machine
REFUSED, TAKEN, CRASHED, HUNG = "refused", "taken", "crashed", "hung"


@dataclass(frozen=True, slots=True)
class Meal:
    """What became of one input: `how` is refused, taken, crashed or hung."""

    how: str
    detail: str = ""
    cpu_s: float = 0.0
    grown_bytes: int = 0
    more: dict[str, Any] = field(default_factory=dict)


class Ward:
    """One child after the other, fed by `feed`.

    Args:
        module: has an `Eater`, whose `eat(told)` returns (how, detail) or raises.
        hang_s: without an answer for so long, the child is killed.
    """

    def __init__(self, module: str, hang_s: float = HANG_S) -> None:
        self._module, self._hang_s = module, hang_s
        self._child: subprocess.Popen[bytes] | None = None
        self.children = 0

    def feed(self, told: dict[str, Any]) -> Meal:
        """Give it one input."""
        child = self._ready()
        child.stdin.write(json.dumps(told).encode() + b"\n")
        child.stdin.flush()
        answer = self._answer(self._hang_s)
        if answer is None:
            self._child = None
            child.kill()
            code = child.wait()
            if code == -9:
                return Meal(HUNG, f"no answer within {self._hang_s:g} s")
            return Meal(CRASHED, f"the process ended with {code}")
        return Meal(**answer)

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.ward", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
            )
            self.children += 1
            assert self._answer(START_S) == {"how": "ready"}
        return self._child

    def _answer(self, timeout_s: float) -> dict[str, Any] | None:
        out = self._child.stdout
        if not select.select([out], [], [], timeout_s)[0]:
            return None
        line = out.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.stdin.close()
            self._child.stdout.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def memory(*names: str) -> list[int]:
    """Fields of /proc/self/status in bytes, such as VmRSS and VmHWM."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [int(told[name].split()[0]) * 1024 for name in names]


def _eaten(eater: Any, told: dict[str, Any]) -> dict[str, Any]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from now: proc(5)
    (before,), began = memory("VmRSS"), time.process_time()
    try:
        how, detail, *more = eater.eat(told)
    except BaseException:  # noqa: BLE001 - the very thing that is looked for
        how, detail, more = CRASHED, traceback.format_exc()[-2000:], []
    spent = time.process_time() - began
    (peak,) = memory("VmHWM")
    return {
        "how": how,
        "detail": detail,
        "cpu_s": spent,
        "grown_bytes": max(0, peak - before),
        "more": more[0] if more else {},
    }


def main(module: str) -> None:
    """Eat until there is no more."""
    eater = importlib.import_module(module).Eater()
    (size,) = memory("VmSize")
    room = getattr(eater, "address_bytes", ADDRESS_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (size + room, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout
    print(json.dumps({"how": "ready"}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(_eaten(eater, json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
