"""Every variant of a bundle on every provider of this box, each in a process of its own, by turns.

A process each, so that memory is one model's, and a provider that crashes takes nobody along; by
turns, so that what else the box does falls on all. Knows no camera and no broker.
"""

import multiprocessing
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from edge.clock import monotonic_ns
from edge.inspection.armed import prove
from edge.inspection.engine import scorer_of
from edge.inspection.session import blank
from edge.inspection.variants import SUITED
from export.bundle import open_bundle
from export.errors import LinewardenError
from export.signature import PublicKey

PER_TURN = 5
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What one variant did on one provider; without figures if it doesn't run or hold there.

    Attributes:
        difference: largest to a golden sample's known answer.
        median_ms, p99_ms: of the wall clock, one picture at a time.
        cpu_ms: median processor time.
        memory_mib: most that the process took, the runtime included.
        problem: why there are no figures.
    """

    variant: str
    provider: str
    runs: int = 0
    median_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None
    memory_mib: float | None = None
    difference: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a child is to run."""

    bundle: Path
    keys: tuple[bytes, ...]
    variant: str
    provider: str
    threads: int


def contest(
    bundle: Path,
    trusted: Sequence[PublicKey],
    providers: Sequence[str],
    *,
    rounds: int = 20,
    threads: int = 1,
) -> tuple[Entry, ...]:
    """Let every variant run where it may, `rounds` times five pictures each.

    Raises:
        SignatureError, BundleError: the bundle isn't to be trusted.
    """
    opened = open_bundle(bundle, trusted)
    keys = tuple(key.raw for key in trusted)
    asked = [
        Ask(bundle, keys, variant, provider, threads)
        for provider in providers
        for variant in opened.variants
        if variant in SUITED[provider]
    ]
    runners = [_Runner(one) for one in asked]
    try:
        for _ in range(rounds):
            for runner in runners:
                runner.turn()
        return tuple(runner.entry() for runner in runners)
    finally:
        for runner in runners:
            runner.end()


class _Runner:
    """One child, and what it has told so far."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._child: BaseProcess = context.Process(target=_run, args=(ask, theirs), daemon=True)
        self._child.start()
        theirs.close()
        self._told: list[tuple[float, float]] = []
        self._memory_mib = 0.0
        ready = self._answer()
        self._difference = ready.get("difference")
        self._problem: str = ready.get("problem", "")

    def turn(self) -> None:
        """A few pictures more."""
        if self._problem:
            return
        self._pipe.send(PER_TURN)
        told = self._answer()
        self._problem = told.get("problem", "")
        self._told += told.get("spent", [])
        self._memory_mib = told.get("memory_mib", self._memory_mib)

    def entry(self) -> Entry:
        """What came of it."""
        ask = self._ask
        if self._problem or not self._told:
            return Entry(ask.variant, ask.provider, problem=self._problem or "it was never run")
        wall, cpu = zip(*self._told, strict=True)
        return Entry(
            ask.variant,
            ask.provider,
            len(wall),
            median(wall),
            float(np.percentile(wall, 99)),
            median(cpu),
            self._memory_mib,
            self._difference,
        )

    def end(self) -> None:
        """End the child, whatever it is at."""
        self._child.kill()
        self._child.join()
        self._pipe.close()

    def _answer(self) -> dict[str, Any]:
        try:
            if self._pipe.poll(PATIENCE_S):
                return self._pipe.recv()
        except EOFError:
            return {"problem": "its process died"}
        return {"problem": f"no answer within {PATIENCE_S:g} s"}


def _run(ask: Ask, pipe: Connection) -> None:
    """The child: get ready, say so, then run as often as is asked."""
    try:
        bundle = open_bundle(ask.bundle, [PublicKey(raw) for raw in ask.keys])
        bundle = bundle.as_variant(ask.variant)
        scorer = scorer_of(bundle, (ask.provider,), ask.threads)
        difference = prove(bundle, scorer)
    except LinewardenError as error:
        pipe.send({"problem": error.problem})
        return
    batch = blank(bundle.input.height, bundle.input.width)
    scorer.score(batch)
    pipe.send({"difference": difference})
    while True:
        try:
            count: int = pipe.recv()
        except EOFError:
            return
        spent: list[tuple[float, float]] = []
        for _ in range(count):
            began_ns, cpu = monotonic_ns(), time.process_time()
            scorer.score(batch)
            cpu_ms = 1000 * (time.process_time() - cpu)
            spent.append(((monotonic_ns() - began_ns) / 1e6, cpu_ms))
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send({"spent": spent, "memory_mib": most})
