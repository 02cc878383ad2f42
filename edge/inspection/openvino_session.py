"""OpenVINO behind the inspector's `Scorer` port: its own runtime, beside ONNX Runtime's.

The package `openvino` shares no file with ONNX Runtime, unlike `onnxruntime-openvino`, which
would take its place. Nothing is left to hints: the precision that is asked for is the one in
use, or arming fails. Knows nothing of bundles, thresholds or frames.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, cast

from edge.inspection.inspector import Floats, Scores
from export import machine_code
from export.errors import ProviderError
from export.preprocess import Pixels

# On a processor with bfloat16 OpenVINO would round FP32 models to it unasked.
PRECISION = {"openvino": "f32", "openvino-bf16": "bf16"}
_DEVICE = "CPU"
_NEEDED = ("probabilities", "score", "heatmap")


class OpenVinoScorer:
    """One model on this processor, by OpenVINO.

    Args:
        model_path: the ONNX file.
        provider: a name of PRECISION.
        threads: threads within one inference.
        name: what to call the model in errors, if its path doesn't say.

    Raises:
        ProviderError: OpenVINO isn't installed, can't load the model, or computes in another
            precision than was asked for.
    """

    def __init__(
        self, model_path: Path, provider: str = "openvino", threads: int = 1, *, name: str = ""
    ) -> None:
        runtime = _runtime()
        name = name or str(model_path)
        wanted = PRECISION[provider]
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": wanted,
            "INFERENCE_NUM_THREADS": str(threads),
            "NUM_STREAMS": "1",
            "ENABLE_CPU_PINNING": "NO",  # other work of the box would share the pinned core
        }
        try:
            core = runtime.Core()
            # By its content: a sealed copy has no suffix, by which OpenVINO would tell what it is.
            # No tensor in another file can be meant: a bundle with one was refused before.
            model = core.read_model(model_path.read_bytes())
            compiled = core.compile_model(model, _DEVICE, settings)
            used = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
            devices = tuple(compiled.get_property("EXECUTION_DEVICES"))
        except Exception as error:
            # OpenVINO's exceptions share no base below Exception.
            first = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
            raise ProviderError(
                f"OpenVINO can't run {name}: {first}",
                machine_code.remedy(
                    "linewarden", "set [engine] provider to 'cpu'; if that fails too, export again"
                ),
            ) from error
        if used != wanted or devices != (_DEVICE,):
            raise ProviderError(
                f"{provider!r} was asked for, but OpenVINO runs {name} in {used} on "
                f"{', '.join(devices)}",
                "set [engine] provider to 'openvino' or 'cpu'",
            )
        self.providers = (provider,)
        self._at = _places(compiled, name)
        self._request: Any = compiled.create_infer_request()

    def score(self, batch: Pixels) -> Scores:
        """Score (N, H, W, 3) uint8 BGR pictures of the model's input size."""
        self._request.infer({"frames": batch}, share_inputs=True)
        named: dict[str, Floats] = {
            name: cast("Floats", self._request.get_output_tensor(at).data.copy())
            for name, at in self._at.items()
        }
        return Scores(
            named["probabilities"], named["score"], named["heatmap"], named.get("novelty")
        )


def _places(compiled: Any, model: str) -> dict[str, int]:
    """Where each output stands; a tensor may have several names, and of several outputs one."""
    told = [cast("set[str]", output.get_names()) for output in compiled.outputs]
    found = {
        name: at for name in (*_NEEDED, "novelty") for at, names in enumerate(told) if name in names
    }
    if absent := [name for name in _NEEDED if name not in found]:
        raise ProviderError(
            f"{model} has no output {', '.join(absent)}", "export it with `linewarden export`"
        )
    return found


def _runtime() -> Any:
    try:
        return import_module("openvino")  # an extra that most boxes lack
    except ImportError as error:
        raise ProviderError(
            "OpenVINO is not installed",
            "pip install 'linewarden[edge,openvino]', or set [engine] provider to 'cpu'",
        ) from error
