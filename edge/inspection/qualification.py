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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.config import Appliance
from export.bundle import CPU_S, MEMORY_BYTES
from export.confined import end
from export.errors import BundleError, LinewardenError, ProviderError, SignatureError
from export.manifest import FP32
from export.signature import PublicKey, load_public

# Where the device's driver reserves address space by the hundred GB, that can't be limited.
UNLIMITED = frozenset({"cuda", "tensorrt"})
PATIENCE, LEAST_S = 4, 60.0  # of the wall clock, for one of processor time: others work as well
COMPILING_S = 1800.0  # TensorRT builds its engine for minutes
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


def begin(appliance: Appliance, paths: Mapping[str, Path] | None = None) -> dict[Path, "Trial"]:
    """The trials of all of a box's bundles, side by side; raises SignatureError for a bad key.

    Args:
        appliance: the settings.
        paths: {camera: its bundle}, where that isn't the settings'.
    """
    keys = [load_public(path) for path in appliance.trust.keys]
    engine = appliance.engine
    cameras = appliance.cameras.items()
    bundles = {(paths or {}).get(name, camera.bundle) for name, camera in cameras}
    told = (keys, (engine.provider,), engine.threads)
    return {path: Trial(path, *told, variant=engine.variant) for path in bundles}


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
        self._bundle, self._limits = bundle, limits or Limits()
        self._wall_s = max(LEAST_S, PATIENCE * self._limits.cpu_s)
        if "tensorrt" in providers:
            self._wall_s = max(self._wall_s, COMPILING_S)
        told = {
            "bundle": str(bundle.absolute()),
            "keys": [key.raw.hex() for key in keys],
            "providers": list(providers),
            "threads": threads,
            "variant": variant,
            "limits": asdict(self._limits),
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
        answer = self._answer()
        self.abandon()
        if "refused" in answer:
            kind = _KINDS.get(answer["refused"], BundleError)
            raise kind(answer["problem"], answer["remedy"])
        if "digest" not in answer:
            raise BundleError(
                f"{self._bundle} {self._end(answer)} when it was tried: it is not for this box",
                "export it again; if it is right and just large, try it on a larger box",
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
        """The child's one line, or {} if it ended without one, or None of it came in time."""
        assert self._child.stdout is not None
        out = self._child.stdout.fileno()
        if not select.select([out], [], [], self._wall_s)[0]:
            return {"late": True}
        line = os.read(out, ANSWER_BYTES)
        if line:
            return json.loads(line)
        self._child.wait()
        return {}

    def _end(self, answer: dict[str, Any]) -> str:
        if answer.get("late"):
            return f"gave no answer within {self._wall_s:.0f} s"
        if "memory" in answer:
            return f"needed more than {answer['memory'] >> 20} MiB of memory"
        return end(self._child.returncode, self._limits.cpu_s)
