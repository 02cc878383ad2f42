"""A catalog bundle whose model goes by colour, made in milliseconds, for tests of what reads it.

The category is the strongest colour; presentation grows with brightness; pictures darker than a
tenth are none of ours; the embedding is the picture in 4 by 4 fields.
"""

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.catalog import CatalogDescription, CatalogParity, CatalogSample, PresentationBasis
from export.catalog_bundle import CatalogBundle, write_catalog
from export.catalog_golden import CATALOG_OUTPUTS, CatalogGolden
from export.manifest import (
    GOLDEN,
    MODEL,
    Data,
    InputOfModel,
    NoveltyBasis,
    Provenance,
    RegionOfFrame,
    Weights,
)
from export.signature import PrivateKey

SIDE = 32
CATEGORIES = ("blue", "green", "red")


def catalog_graph() -> onnx.ModelProto:
    """The model."""
    constants = {
        "scale": np.array(1 / 255, np.float32),
        "inside": np.array([2, 3]),
        "colours": np.array([1]),
        "sharp": np.array(20, np.float32),
        "steep": np.array(8, np.float32),
        "half": np.array(0.5, np.float32),
        "dim": np.array(0.1, np.float32),
        "flat": np.array([0, -1]),
        "most": np.array([1]),
        "tiny": np.array(1e-6, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["frames"], ["raw"], to=TensorProto.FLOAT),
        node("Mul", ["raw", "scale"], ["light"]),
        node("Transpose", ["light"], ["x"], perm=[0, 3, 1, 2]),
        node("ReduceMean", ["x", "inside"], ["mean"], keepdims=0),
        node("Mul", ["mean", "sharp"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
        node("ReduceMax", ["mean", "most"], ["bright"], keepdims=0),
        node("Sub", ["bright", "half"], ["above"]),
        node("Mul", ["above", "steep"], ["show"]),
        node("Sigmoid", ["show"], ["presentation"]),
        node("Add", ["bright", "tiny"], ["some"]),
        node("Div", ["dim", "some"], ["novelty"]),
        node("AveragePool", ["x"], ["fields"], kernel_shape=[8, 8], strides=[8, 8]),
        node("Reshape", ["fields", "flat"], ["vector"]),
        node("Add", ["vector", "tiny"], ["solid"]),
        node("LpNormalization", ["solid"], ["embedding"], axis=1, p=2),
    ]
    shapes = {"probabilities": ["n", 3], "presentation": ["n"], "novelty": ["n"]}
    shapes["embedding"] = ["n", 48]
    graph = helper.make_graph(
        nodes,
        "catalog",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shapes[n]) for n in CATALOG_OUTPUTS],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def catalog_bundle(out: Path, key: PrivateKey, *, golden_presentation: float | None = None):
    """Write the bundle; `golden_presentation` plants a wrong known answer."""
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[..., 2] = 204
    _, png = cv2.imencode(".png", picture)
    logits = np.exp(20 * np.array([0, 0, 0.8]))
    known = golden_presentation
    if known is None:
        known = float(1 / (1 + np.exp(-8 * 0.3)))
    sample = CatalogSample(
        file="golden/00.png", source="made", label="red", presentation=known,
        probabilities=tuple(float(p) for p in logits / logits.sum()), novelty=0.125,
    )  # fmt: skip
    contents = {
        MODEL: catalog_graph().SerializeToString(),
        GOLDEN: CatalogGolden(samples=(sample,)).model_dump_json().encode(),
        "golden/00.png": png.tobytes(),
    }
    return write_catalog(out, description(), contents, key)


def description() -> CatalogDescription:
    """A valid manifest without files."""
    basis = NoveltyBasis(
        false_alarm_rate=0.02, confidence=0.95, good_parts=9, alarms=0, bound=0.3, proven=False,
        more_parts=140, words="0 of 9 products seem novel",
    )  # fmt: skip
    return CatalogDescription(
        name="colours",
        version=1,
        created_at="2026-01-01T00:00:00Z",
        categories=CATEGORIES,
        input=InputOfModel(
            width=SIDE, height=SIDE, region=RegionOfFrame(x=0, y=0, width=1, height=1)
        ),
        outputs=CATALOG_OUTPUTS,
        novel_above=1.0,
        novelty=basis,
        presentation=PresentationBasis(
            shown=3, rejected=3, source="studio and reject", words="3 shown, 3 not"
        ),
        metrics=(),
        confusion={},
        data=Data(fingerprint="0" * 64, parts=9, counts={}),
        recipe={},
        provenance=Provenance(
            run="made", arch="none", seed=0,
            weights=Weights(source="none", name="none", sha256=None),
            linewarden="0", python="3", torch="0", onnx="0", opset=20,
        ),
        parity=CatalogParity(
            pictures=1, max_abs_probability=0, max_abs_presentation=0, max_novelty=0,
            max_abs_embedding=0, tolerance=1e-3, runtime="none",
        ),
    )  # fmt: skip


__all__ = ["CATEGORIES", "SIDE", "CatalogBundle", "catalog_bundle", "catalog_graph", "description"]
