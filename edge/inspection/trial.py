"""The child of a qualification: tries one bundle under limits of memory and time, tells, and ends.

Started by qualification.py, told what to do on its standard input, answers with one line of JSON
on its standard output. It may hang, crash or be killed at any time: that is what it is for.
"""

import ctypes
import json
import os
import resource
import signal
import statistics
import sys
from pathlib import Path
from typing import Any

import cv2

from edge.clock import monotonic_ns
from edge.inspection.armed import prove
from edge.inspection.inspector import Scorer, Scores
from edge.inspection.session import OnnxScorer
from export.bundle import open_bundle
from export.confined import limit_memory, limit_time, own_bytes
from export.errors import LinewardenError
from export.manifest import MODEL
from export.preprocess import Pixels
from export.signature import PublicKey

_PR_SET_PDEATHSIG = 1


class Timed:
    """A scorer that notes how long it takes."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.spent_ms: list[float] = []

    def score(self, batch: Pixels) -> Scores:
        """As the scorer does."""
        began_ns = monotonic_ns()
        scores = self._scorer.score(batch)
        self.spent_ms.append((monotonic_ns() - began_ns) / 1e6)
        return scores


def tried(told: dict[str, Any]) -> dict[str, Any]:
    """Try a bundle, and say what it took; raises LinewardenError if it is refused."""
    keys = [PublicKey(bytes.fromhex(raw)) for raw in told["keys"]]
    limits, before = told["limits"], own_bytes("VmRSS")
    limit_time(limits["cpu_s"])
    bundle = open_bundle(Path(told["bundle"]), keys)
    cpu_s, memory_bytes = bundle.allowance(**limits)
    limit_time(cpu_s)
    if told["limit_memory"]:
        limit_memory(memory_bytes)
    with bundle.sealed_model() as model:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # from here on it writes no file
        name = str(bundle.path / MODEL)
        scorer = Timed(OnnxScorer(model, told["providers"], told["threads"], name=name))
    prove(bundle, scorer)
    return {
        "digest": bundle.digest,
        "score_ms": statistics.median(scorer.spent_ms),
        "memory_bytes": max(0, own_bytes("VmHWM") - before),
    }


def main() -> None:
    """Read what to try, try it, tell."""
    told = json.load(sys.stdin)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != told["parent"]:
        return
    cv2.setNumThreads(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = tried(told)
    except LinewardenError as error:
        answer = {"refused": type(error).__name__, "problem": error.problem, "remedy": error.remedy}
    except MemoryError:
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        answer = {"memory": limit}
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer is this program's output


if __name__ == "__main__":
    main()
