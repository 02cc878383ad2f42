"""Qualification: a bundle is tried in a child process before this one loads its model.

A signed model may still hang, or take all the memory there is: whoever signed it may have been
careless, or robbed. The child (`edge/inspection/trial.py`) opens the bundle, loads the model and
judges the golden samples under limits; here it is started, waited for and understood. Imports no
runtime, so that a box starts its trials first and the rest of itself meanwhile.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from export.bundle import CPU_S, MEMORY_BYTES
from export.confined import end
from export.errors import BundleError, LinewardenError, ProviderError, SignatureError
from export.manifest import FP32
from export.signature import PublicKey

# Where the device's driver reserves address space by the hundred GB, that can't be limited.
UNLIMITED = frozenset({"cuda", "tensorrt"})
COMPILING_S = 1800.0  # TensorRT builds its engine for minutes
AT_ALL_S = 24 * 3600.0  # the child ends itself by then, whatever its model
ANSWER_BYTES = 65_536
_KINDS: dict[str, type[LinewardenError]] = {
    kind.__name__: kind for kind in (BundleError, SignatureError, ProviderError)
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a trial may take, for a small model; Bundle.allowance adds what its size asks for.

    Attributes:
        cpu_s: seconds of processor time.
        memory_bytes: address space beyond the child's own before the model is loaded.
    """

    cpu_s: float = CPU_S
    memory_bytes: int = MEMORY_BYTES


@dataclass(frozen=True, slots=True)
class Report:
    """A bundle that has passed: which it was, and what it took.

    Attributes:
        digest: SHA-256 of the manifest, as in BundleRef.
        score_ms: median of one picture's scoring.
        memory_bytes: by how much the child grew, with every variant that it tried.
        variant: the one that is to judge here.
        why: it is that one, in words.
    """

    digest: str
    score_ms: float
    memory_bytes: int
    variant: str = FP32
    why: str = ""


class Trial:
    """One bundle on trial, begun when this is made; `passed` waits for its end.

    Args:
        bundle: the bundle's folder.
        keys: whose signature is believed.
        providers: as `edge.inspection.session.OnnxScorer` takes them.
        threads: as well.
        limits: what the trial may take.
        variant: of the bundle, or "auto": the child finds the fastest that holds.
    """

    def __init__(
        self,
        bundle: Path,
        keys: Sequence[PublicKey],
        providers: Sequence[str] = ("cpu",),
        threads: int = 1,
        *,
        limits: Limits | None = None,
        variant: str = FP32,
    ) -> None:
        self._bundle, limits = bundle, limits or Limits()
        if "tensorrt" in providers:
            limits = replace(limits, cpu_s=max(limits.cpu_s, COMPILING_S))
        told = {
            "bundle": str(bundle.absolute()),
            "keys": [key.raw.hex() for key in keys],
            "providers": list(providers),
            "threads": threads,
            "variant": variant,
            "limits": asdict(limits),
            "limit_memory": UNLIMITED.isdisjoint(providers),
            "parent": os.getpid(),
        }
        self._nowhere = tempfile.TemporaryDirectory(prefix="linewarden-trial-")
        self._child = self._spawn(told)

    def passed(self) -> Report:
        """Wait for the end.

        Raises:
            SignatureError, BundleError, ProviderError: as the child refused it; BundleError also
                if it died or met a limit.
        """
        try:
            answer = self._answer()
        finally:
            self.abandon()
        if "refused" in answer:
            kind = _KINDS.get(answer["refused"], BundleError)
            raise kind(answer["problem"], answer["remedy"])
        if "digest" not in answer:
            raise BundleError(
                f"{self._bundle} {end(self._child.returncode)} when it was tried",
                "export it again; if it is right and just large, it needs a larger box",
            )
        return Report(**answer)

    def abandon(self) -> None:
        """End the child, whatever it is at; again does nothing."""
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()
        if self._child.stdout:
            self._child.stdout.close()
        self._nowhere.cleanup()

    def _spawn(self, told: dict[str, Any]) -> "subprocess.Popen[bytes]":
        """The child, in an empty folder: a model finds nothing there (cwd is no place to look)."""
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "edge.inspection.trial"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._nowhere.name,
            process_group=0,
        )
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError), child.stdin as spec:
            spec.write(json.dumps(told).encode())
        return child

    def _answer(self) -> dict[str, Any]:
        """The child's one line, or {} if it ended without one."""
        assert self._child.stdout is not None
        out = self._child.stdout.fileno()
        if select.select([out], [], [], AT_ALL_S)[0] and (line := os.read(out, ANSWER_BYTES)):
            return json.loads(line)
        self._child.wait()
        return {}
