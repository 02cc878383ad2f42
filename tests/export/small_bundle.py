"""A bundle whose model is a mean brightness, made in milliseconds, for tests of what reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.bundle import Bundle, write_bundle
from export.golden import Golden, Sample
from export.manifest import (
    GOLDEN,
    MODEL,
    Basis,
    Data,
    Description,
    InputOfModel,
    Metric,
    Parity,
    Provenance,
    RegionOfFrame,
    Weights,
)
from export.signature import PrivateKey
from export.verdict import Thresholds

WIDTH, HEIGHT = 24, 16
THRESHOLDS = Thresholds(pass_below=0.3, fail_above=0.7)
CLASSES = ("good", "bright")


def small_graph(extra: Sequence[onnx.NodeProto] = (), gain: float = 1.0) -> onnx.ModelProto:
    """Score is the picture's mean brightness times `gain`; `extra` nodes compute for nothing."""
    constants = {
        "scale": np.array(gain / 255, np.float32),
        "one": np.array(1.0, np.float32),
        "inside": np.array([1, 2, 3]),
        "colours": np.array([3]),
        "last": np.array([1]),
    }
    nodes = [
        helper.make_node("Cast", ["frames"], ["raw"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["raw", "scale"], ["bright"]),
        helper.make_node("ReduceMean", ["bright", "colours"], ["heatmap"], keepdims=0),
        helper.make_node("ReduceMean", ["bright", "inside"], ["score"], keepdims=0),
        helper.make_node("Sub", ["one", "score"], ["good"]),
        helper.make_node("Unsqueeze", ["good", "last"], ["first"]),
        helper.make_node("Unsqueeze", ["score", "last"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["probabilities"], axis=1),
        *extra,
    ]
    outputs = {"probabilities": ["n", 2], "score": ["n"], "heatmap": ["n", HEIGHT, WIDTH]}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", HEIGHT, WIDTH, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
         for name, dims in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def description(**changes: Any) -> Description:
    """A valid manifest without files."""
    fields: dict[str, Any] = {
        "name": "small",
        "version": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "classes": CLASSES,
        "input": InputOfModel(
            width=WIDTH, height=HEIGHT, region=RegionOfFrame(x=0, y=0, width=1, height=1)
        ),
        "outputs": ("probabilities", "score", "heatmap"),
        "thresholds": THRESHOLDS,
        "basis": Basis(
            split="calibration", escape_budget=0.05, overkill_budget=0.1, review_budget=0.1,
            confidence=0.95, n_defect=59, n_good=100, escapes=0, overkills=2, reviews=3,
            defect_parts=59, good_parts=100,
            escape_bound=0.0495, overkill_bound=0.0617, method="exact",
            words="0 of 59 defective parts missed",
        ),
        "metrics": {"fp32": (
            Metric(name="auroc", value=0.98, low=0.96, high=0.99, confidence=0.95, split="test"),
            Metric(name="overkill", value=0.02, low=0.0, high=0.07, confidence=0.95, split="test",
                   k=2, n=100),
        )},
        "data": Data(fingerprint="0" * 64, parts=14, counts={"train": {"good": 9, "bright": 5}}),
        "recipe": {"epochs": 3},
        "provenance": Provenance(
            run="small", arch="mean", seed=0, weights=Weights(source="none", name="-", sha256=None),
            linewarden="0.1.0", python="3.11", torch="2", onnx="1", opset=20,
        ),
        "parity": Parity(pictures=1, max_abs_probability=0.0, max_abs_score=0.0,
                         max_abs_heatmap=0.0, tolerance=1e-3, runtime="-"),
    }  # fmt: skip
    return Description(**{**fields, **changes})


def golden_files(level: int = 51, gain: float = 1.0) -> dict[str, bytes]:
    """One golden sample: a flat picture of `level`, whose score is level/255 times `gain`."""
    score = gain * level / 255
    picture = np.full((2 * HEIGHT, 2 * WIDTH, 3), level, np.uint8)
    sample = Sample(
        file="golden/00.png", source="flat.png", label="good", outcome="pass",
        probabilities=(1 - score, score), score=score,
    )  # fmt: skip
    return {
        GOLDEN: Golden(samples=(sample,)).model_dump_json().encode(),
        "golden/00.png": cv2.imencode(".png", picture)[1].tobytes(),
    }


def small_bundle(
    out: Path,
    key: PrivateKey,
    model: onnx.ModelProto | None = None,
    golden_gain: float = 1.0,
    **changes: Any,
) -> Bundle:
    """Write a signed bundle at `out`; its golden sample answers as a model of `golden_gain`."""
    body = (model or small_graph()).SerializeToString()
    files = {MODEL: body, **golden_files(gain=golden_gain)}
    return write_bundle(out, description(**changes), files, key)
