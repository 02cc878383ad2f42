"""What heatmap and novelty cost: the exported graph against itself without them.

One thread of ONNX Runtime on ResNet-18 at 224 pixels, one picture at a time, by turns, so that
what else the machine does falls on both. Processor time, not the clock's.
"""

import statistics
import time
from pathlib import Path
from typing import Any, cast

import onnxruntime
from onnx.utils import extract_model

from benchmarks.rig import make_bundle
from export.figures import Figure
from export.manifest import MODEL
from export.parity import made_up_frames
from export.preprocess import Pixels

ROUNDS = 100
TOLD = ("probabilities", "score")
_ort: Any = cast("Any", onnxruntime)  # untyped; contained here


def session(model: Path) -> Any:
    """The graph on one thread."""
    options = _ort.SessionOptions()
    options.intra_op_num_threads = 1
    return _ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def cpu_s(graph: Any, picture: Pixels) -> float:
    """Seconds of processor time for one picture."""
    started = time.process_time()
    graph.run(None, {"frames": picture})
    return time.process_time() - started


def measure(folder: Path) -> list[Figure]:
    """The figures, medians over rounds that alternate."""
    path, _key = make_bundle(folder)
    bare = folder / "bare.onnx"
    extract_model(str(path / MODEL), str(bare), ["frames"], list(TOLD))
    alone, whole = session(bare), session(path / MODEL)
    pictures = made_up_frames(224, 224)
    ratios: list[float] = []
    for number in range(ROUNDS):
        picture = pictures[number % len(pictures)][None]
        base = cpu_s(alone, picture)
        ratios.append(cpu_s(whole, picture) / base)
    quartiles = statistics.quantiles(ratios[5:], n=4)
    spread = f"quartiles {quartiles[0]:.3f} to {quartiles[2]:.3f}"
    cost = statistics.median(ratios[5:])
    size = ((path / MODEL).stat().st_size - bare.stat().st_size) / 1e6
    return [
        Figure("model with heatmap and novelty to without", cost, "", "<= 1.05", spread),
        Figure("what they add to the bundle", size, "MB"),
    ]
