"""What computes on this box, in words: scores are equal to the byte only where these are equal."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from export.sample import Computed

RUNTIMES = ("onnxruntime-gpu", "onnxruntime", "onnxruntime-openvino")
CPUINFO = Path("/proc/cpuinfo")


def computer(provider: str, threads: int) -> Computed:
    """This box, running models on `provider` with `threads` threads."""
    runtimes = ("openvino",) if provider.startswith("openvino") else RUNTIMES
    return Computed(
        provider=provider,
        threads=threads,
        runtime=_runtime(runtimes),
        processor=_processor()[:128],
    )


def _runtime(runtimes: Sequence[str]) -> str:
    for name in runtimes:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "unknown"


def _processor() -> str:
    if CPUINFO.exists():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
