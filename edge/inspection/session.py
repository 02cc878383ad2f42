"""ONNX Runtime behind the inspector's `Scorer` port: loads by path, runs where it was told to.

A provider that can't be had is an error, never a quiet fall back to the processor. Knows
nothing of bundles, thresholds or frames.
"""

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

from edge.inspection.inspector import Floats, Scores
from export.errors import ProviderError
from export.preprocess import Pixels

_ort: Any = cast("Any", onnxruntime)  # untyped; contained here

PROVIDERS: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
# TensorFloat-32 rounds to 10 bits of mantissa: faster, but golden samples would drift.
_OPTIONS: Mapping[str, Mapping[str, str]] = {"cuda": {"use_tf32": "0"}}
_RUNTIMES = frozenset({"onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"})
_FATAL = 4  # ONNX Runtime's log severity; its errors reach us as exceptions anyway


def refuse_two_runtimes(installed: Sequence[str] | None = None) -> None:
    """Raise ProviderError if more than one ONNX Runtime distribution is installed.

    They own the same import name and overwrite each other's files (microsoft/onnxruntime#26996).

    Args:
        installed: names of distributions; None asks Python.
    """
    if installed is None:
        installed = [dist.name for dist in distributions()]
    found = sorted(_RUNTIMES.intersection(name.lower().replace("_", "-") for name in installed))
    if len(found) > 1:
        raise ProviderError(
            f"{' and '.join(found)} are both installed and overwrite each other",
            f"pip uninstall {' '.join(found)}, then install the one that you want",
        )


class OnnxScorer:
    """One model on one device.

    Args:
        model_path: the ONNX file; loaded by path, since bytes would resolve external tensors
            against the working directory.
        providers: names of PROVIDERS, the wanted one first. Without "cpu" among them, every
            operator must run on the device; with it last, the rest may run on the processor.
        threads: threads within one operator. One is the measured default: on a busy box a second
            thread's spinning costs more than it gives.
        spinning: let idle threads spin instead of sleeping.
        name: what to call the model in errors, if its path doesn't say.

    Raises:
        ProviderError: unknown or unavailable provider, two runtimes, a model it can't load.
    """

    def __init__(
        self,
        model_path: Path,
        providers: Sequence[str] = ("cpu",),
        threads: int = 1,
        *,
        spinning: bool = False,
        name: str = "",
    ) -> None:
        name = name or str(model_path)
        self._session = open_session(model_path, providers, threads, spinning=spinning, name=name)
        self.providers = tuple(cast("list[str]", self._session.get_providers()))
        self._outputs: list[str] = [output.name for output in self._session.get_outputs()]
        _check_outputs(self._outputs, name)

    def score(self, batch: Pixels) -> Scores:
        """Score (N, H, W, 3) uint8 BGR pictures of the model's input size."""
        values = cast("list[Floats]", self._session.run(None, {"frames": batch}))
        named = dict(zip(self._outputs, values, strict=True))
        return Scores(
            named["probabilities"], named["score"], named["heatmap"], named.get("novelty")
        )


def open_session(
    model_path: Path, providers: Sequence[str], threads: int, *, spinning: bool, name: str
) -> Any:
    """An ONNX Runtime session on the first of the providers, or none; takes and raises as above."""
    refuse_two_runtimes()
    wanted = _wanted(providers)
    _ort.set_default_logger_severity(_FATAL)
    options = _ort.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    if "cpu" not in providers:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    session = _open(model_path, options, wanted, name)
    found = cast("list[str]", session.get_providers())
    if found[0] != wanted[0][0]:
        raise ProviderError(
            f"{providers[0]!r} was asked for, but ONNX Runtime runs {name} on {', '.join(found)}",
            f"install the driver and libraries of {providers[0]!r}, or set providers to 'cpu'",
        )
    return session


def _wanted(providers: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    unknown = [name for name in providers if name not in PROVIDERS]
    if unknown or not providers:
        raise ProviderError(
            f"providers {list(providers)} are not all known", f"choose from {', '.join(PROVIDERS)}"
        )
    available = cast("list[str]", _ort.get_available_providers())
    for name in providers:
        if PROVIDERS[name] not in available:
            raise ProviderError(
                f"this ONNX Runtime was built without {name!r} (it has {', '.join(available)})",
                "install the ONNX Runtime package made for it, or set providers to 'cpu'",
            )
    return [(PROVIDERS[name], dict(_OPTIONS.get(name, {}))) for name in providers]


def _open(
    model_path: Path,
    options: Any,
    wanted: list[tuple[str, dict[str, str]]],
    name: str,
) -> Any:
    try:
        return _ort.InferenceSession(os.fspath(model_path), options, providers=wanted)
    except Exception as error:
        # ONNX Runtime's exceptions share no base below Exception.
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ProviderError(
            f"ONNX Runtime can't run {name} on {wanted[0][0]}: {first}",
            "check the driver, or set providers to 'cpu'; if that fails too, export again",
        ) from error


def _check_outputs(outputs: Sequence[str], name: str) -> None:
    absent = {"probabilities", "score", "heatmap"}.difference(outputs)
    if absent:
        raise ProviderError(
            f"{name} has no output {', '.join(sorted(absent))}",
            "export it with `linewarden export`",
        )


def blank(height: int, width: int) -> Pixels:
    """A black (1, height, width, 3) batch, to warm a session up with."""
    return np.zeros((1, height, width, 3), np.uint8)
