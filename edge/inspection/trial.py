"""The child of a qualification: tries one bundle under limits of memory and time, tells, and ends.

Started by qualification.py, told what to do on its standard input, answers with one line of JSON
on its standard output. It may hang, crash or be killed at any time: that is what it is for.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from edge.inspection.armed import prove
from edge.inspection.engine import open_scorer
from edge.inspection.inspector import Scorer
from edge.inspection.session import blank
from edge.inspection.variants import AUTO, candidates, fastest, in_words, race
from export.bundle import Bundle, open_bundle
from export.confined import limit_clock, limit_memory, limit_time, own_bytes
from export.errors import BundleError, LinewardenError
from export.manifest import FP32
from export.signature import PublicKey

PATIENCE, LEAST_S = 4, 60.0  # of the clock, for one second of processor time: others work as well
_PR_SET_PDEATHSIG = 1


def tried(told: dict[str, Any]) -> dict[str, Any]:
    """Try a bundle, and say what it took; raises LinewardenError if it is refused."""
    keys = [PublicKey(bytes.fromhex(raw)) for raw in told["keys"]]
    limits, before = told["limits"], own_bytes("VmRSS")
    _limit(limits["cpu_s"])
    bundle = open_bundle(Path(told["bundle"]), keys)
    tries = candidates(bundle, told["providers"][0], told["variant"])
    cpu_s, memory_bytes = allowance(tries, **limits)
    _limit(cpu_s)
    if told["limit_memory"]:
        limit_memory(memory_bytes)
    try:
        scorers, left_out = _proved(tries, told)
        medians_ms = race(scorers, blank(bundle.input.height, bundle.input.width))
    except MemoryError as error:
        raise BundleError(
            f"{bundle.path} needs more than {memory_bytes >> 20} MiB of memory",
            "export it again with a smaller input or network",
        ) from error
    chosen = fastest(medians_ms)
    return {
        "digest": bundle.digest,
        "score_ms": medians_ms[chosen],
        "memory_bytes": max(0, own_bytes("VmHWM") - before),
        "variant": chosen,
        "why": in_words(chosen, medians_ms, left_out),
    }


def _limit(cpu_s: float) -> None:
    limit_time(cpu_s)
    limit_clock(max(LEAST_S, PATIENCE * cpu_s))


def _proved(
    tries: Sequence[Bundle], told: dict[str, Any]
) -> tuple[dict[str, Scorer], tuple[str, ...]]:
    """The variants that hold here, at work, and why the others don't.

    FP32, or the one that was asked for by name, must hold: where it fails, so does the trial.
    """
    scorers: dict[str, Scorer] = {}
    left_out: list[str] = []
    with contextlib.ExitStack() as sealed:
        models = [sealed.enter_context(one.sealed_model()) for one in tries]
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # from here on it writes no file
        for one, model in zip(tries, models, strict=True):
            name = str(one.model_path)
            try:
                scorer = open_scorer(model, told["providers"], told["threads"], name=name)
                prove(one, scorer)
            except LinewardenError as error:
                if one.variant == FP32 or told["variant"] != AUTO:
                    raise
                left_out.append(f"{one.variant} is left out: {error.problem}")
            else:
                scorers[one.variant] = scorer
    return scorers, tuple(left_out)


def allowance(tries: Sequence[Bundle], cpu_s: float, memory_bytes: int) -> tuple[float, int]:
    """Seconds and bytes that the trial of these variants may take, given a small model's."""
    each = [one.allowance(cpu_s, memory_bytes) for one in tries]
    spare = len(tries) - 1
    return (
        sum(seconds for seconds, _ in each) - spare * cpu_s,
        sum(size for _, size in each) - spare * memory_bytes,
    )


def main() -> None:
    """Read what to try, try it, tell."""
    tell = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the answer
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
    os.write(tell, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
