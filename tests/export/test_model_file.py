"""A model file may compute and nothing else, told without the `onnx` package."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from export.errors import BundleError
from export.model_file import check_model
from tests.export.small_bundle import small_graph

GOOD = small_graph().SerializeToString()


def _body() -> onnx.GraphProto:
    return helper.make_graph(
        [], "body", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, [])]
    )


def _external(tensor: onnx.TensorProto) -> onnx.TensorProto:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def _external_initializer() -> onnx.ModelProto:
    model = small_graph()
    _external(model.graph.initializer[0])
    return model


def _external_attribute() -> onnx.ModelProto:
    tensor = _external(numpy_helper.from_array(np.zeros(3, np.float32), "t"))
    return small_graph([helper.make_node("Constant", [], ["c"], value=tensor)])


def _location_only() -> onnx.ModelProto:
    model = small_graph()
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    return model


def _external_sparse() -> onnx.ModelProto:
    model = small_graph()
    sparse = model.graph.sparse_initializer.add()
    _external(sparse.values)
    return model


def _external_sparse_attribute(*, several: bool) -> onnx.ModelProto:
    sparse = onnx.SparseTensorProto()
    _external(sparse.indices)
    node = helper.make_node("Constant", [], ["c"])
    attribute = node.attribute.add()
    attribute.name = "sparse_value"
    if several:
        attribute.sparse_tensors.append(sparse)
    else:
        attribute.sparse_tensor.CopyFrom(sparse)
    return small_graph([node])


def _functions() -> onnx.ModelProto:
    model = small_graph()
    model.functions.append(
        helper.make_function("mine", "F", [], ["y"], [], [helper.make_opsetid("", 20)])
    )
    return model


def _training() -> onnx.ModelProto:
    model = small_graph()
    model.training_info.add()
    return model


def _hidden_in_second_graph() -> bytes:
    # protobuf merges a field that comes twice: what the second half adds must be seen too
    more = onnx.ModelProto()
    more.graph.node.append(helper.make_node("Loop", ["", ""], ["x"], body=_body()))
    return GOOD + more.SerializeToString()


HOSTILE = {
    "loop": small_graph([helper.make_node("Loop", ["", ""], ["x"], body=_body())]),
    "if": small_graph(
        [helper.make_node("If", ["c"], ["x"], then_branch=_body(), else_branch=_body())]
    ),
    "scan": small_graph([helper.make_node("Scan", [], ["x"], body=_body(), num_scan_inputs=1)]),
    "graphs attribute": small_graph([helper.make_node("Relu", ["one"], ["x"], many=[_body()])]),
    "custom operator": small_graph(
        [helper.make_node("PyOp", ["one"], ["x"], domain="ai.onnx.contrib")]
    ),
    "external initializer": _external_initializer(),
    "external attribute": _external_attribute(),
    "external by location only": _location_only(),
    "external sparse": _external_sparse(),
    "external sparse attribute": _external_sparse_attribute(several=False),
    "external sparse attributes": _external_sparse_attribute(several=True),
    "functions": _functions(),
    "training": _training(),
}
BYTES = {
    "empty": b"",
    "text": b"not a model at all",
    "no graph": onnx.ModelProto(ir_version=10).SerializeToString(),
    "cut off": GOOD[:-5],
    "second graph": _hidden_in_second_graph(),
    "endless varint": b"\xff" * 40,
    **{name: model.SerializeToString() for name, model in HOSTILE.items()},
}


def test_a_plain_model_passes(tmp_path: Path):
    """A graph of standard operators with its tensors inside passes."""
    path = tmp_path / "model.onnx"
    path.write_bytes(GOOD)
    check_model(path)


@pytest.mark.parametrize("kind", BYTES)
def test_a_hostile_model_is_refused(tmp_path: Path, kind: str):
    """Control flow, foreign operators, other files and damage are refused, naming the file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(BYTES[kind])
    with pytest.raises(BundleError, match=r"model\.onnx"):
        check_model(path)


def test_a_missing_model_is_refused(tmp_path: Path):
    """A file that isn't there is a BundleError."""
    with pytest.raises(BundleError, match="can't be read"):
        check_model(tmp_path / "model.onnx")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, len(GOOD) - 1), st.integers(1, 255)).map(
            lambda flip: GOOD[: flip[0]] + bytes([GOOD[flip[0]] ^ flip[1]]) + GOOD[flip[0] + 1 :]
        ),
    )
)
def test_damage_never_crashes_nor_lets_a_loop_through(tmp_path: Path, body: bytes):
    """Any bytes pass or are a BundleError; whatever passes holds no graph within a graph."""
    path = tmp_path / "model.onnx"
    path.write_bytes(body)
    try:
        check_model(path)
    except BundleError:
        return
    try:
        model = onnx.load_from_string(body)
    except Exception:  # noqa: BLE001 - onnx may refuse what we let pass, never the other way
        return
    for node in model.graph.node:
        assert node.domain in {"", "ai.onnx"}
        assert not any(one.HasField("g") or one.graphs for one in node.attribute)
    assert not any(tensor.external_data for tensor in model.graph.initializer)
