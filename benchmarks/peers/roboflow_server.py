"""Roboflow inference's own HTTP server with one local ONNX classifier; runs in its own virtualenv.

`python roboflow_server.py CACHE PORT`: CACHE/linewarden/1 holds best.onnx, class_names.txt and
environment.json. The server, its model class and its pre-processing are the package's; only the
registry is ours, since its own asks a hub which class a model is. Knows nothing of Linewarden.
"""

import os
import sys

CACHE, PORT = sys.argv[1], int(sys.argv[2])
os.environ.update(
    MODEL_CACHE_DIR=CACHE, OFFLINE_MODE="True", USE_INFERENCE_MODELS="False",
    MODELS_CACHE_AUTH_ENABLED="False", TELEMETRY_OPT_OUT="True", METRICS_ENABLED="False",
    ONNXRUNTIME_EXECUTION_PROVIDERS="[CPUExecutionProvider]", DISABLE_VERSION_CHECK="True",
    ENABLE_STREAM_API="False", NOTEBOOK_ENABLED="False", LOG_LEVEL="ERROR",
    CORE_MODELS_ENABLED="False", API_LOGGING_ENABLED="False", ALLOW_OFFLINE_MODEL_CACHE_AUTH_BYPASS="True",
)  # fmt: skip

for page in ("static", "_next/static"):  # the wheel lacks the landing page that the server mounts
    os.makedirs(f"{CACHE}/inference/landing/out/{page}", exist_ok=True)
os.chdir(CACHE)

import onnxruntime  # noqa: E402 - the environment is read at import

_options = onnxruntime.SessionOptions


def one_thread() -> onnxruntime.SessionOptions:
    """As ours: one thread for a model."""
    options = _options()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


onnxruntime.SessionOptions = one_thread

import uvicorn  # noqa: E402
from inference.core.interfaces.http.http_api import HttpInterface  # noqa: E402
from inference.core.managers.base import ModelManager  # noqa: E402
from inference.core.registries.base import ModelRegistry  # noqa: E402
from inference.models.resnet import ResNetClassification  # noqa: E402


class OneModel(ModelRegistry):
    """Every model is the one in the cache."""

    def __init__(self) -> None:
        super().__init__({})

    def get_model(self, *_args: object, **_more: object) -> type[ResNetClassification]:
        """Its class."""
        return ResNetClassification


uvicorn.run(
    HttpInterface(ModelManager(model_registry=OneModel())).app,
    host="127.0.0.1",
    port=PORT,
    log_level="error",
)
