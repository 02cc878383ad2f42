"""How long the box would take to judge one part: the exported graph in ONNX Runtime, one thread.

The head and the fine-tuned network share one graph, so one figure speaks for both; nearest good
sample adds a comparison that is small beside the trunk.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from export import to_onnx
from export.preprocess import Input
from trainer.backbone import Network, normalise

REPEATS = 20


def latency_ms(arch: str, classes: int, to: Input) -> float | None:
    """Milliseconds per picture, median; None where ONNX Runtime isn't installed."""
    try:
        import onnxruntime  # noqa: PLC0415 - the workstation may do without
    except ImportError:
        return None
    network = Network(arch, classes).eval()
    with tempfile.TemporaryDirectory(prefix="linewarden-") as folder:
        path = Path(folder) / "model.onnx"
        to_onnx.to_onnx(to_onnx.Graph(network, normalise, 1.0), to.height, to.width, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    picture = np.full((1, to.height, to.width, 3), 127, np.uint8)
    name = session.get_inputs()[0].name
    taken: list[float] = []
    for _ in range(REPEATS + 3):
        begun = time.perf_counter()
        session.run(None, {name: picture})
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken[3:])
