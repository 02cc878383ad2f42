"""A model that hangs, eats memory or dies does so in a child; the box says so and refuses it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from edge.inspection.armed import arm
from edge.inspection.qualification import Limits, Trial
from export.errors import BundleError, SignatureError
from export.signature import PrivateKey
from tests.export.small_bundle import small_bundle, small_graph

KEY = PrivateKey(Ed25519PrivateKey.generate())
TIGHT = Limits(cpu_s=3.0, memory_bytes=256 * 1024**2)


def through(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    """The small graph with `more` (a number made by `nodes`) in the way of its answers."""
    model = small_graph()
    whole = list(model.graph.node)
    del model.graph.node[:]
    whole[1].output[0] = "before"
    nothing = [
        helper.make_node("Sub", ["more", "more"], ["nil"]),
        helper.make_node("Add", ["before", "nil"], ["bright"]),
    ]
    model.graph.node.extend([*whole[:2], *nodes, *nothing, *whole[2:]])
    return model


def shape(*sizes: int) -> onnx.NodeProto:
    """A constant called `shape`."""
    return helper.make_node(
        "Constant", [], ["shape"], value=numpy_helper.from_array(np.array(sizes))
    )


def endless() -> onnx.ModelProto:
    """Matrices multiplied for hours."""
    mean = helper.make_node("ReduceMean", ["raw"], ["mean"], keepdims=0)
    first = helper.make_node("Expand", ["mean", "shape"], ["m0"])
    turns = [helper.make_node("MatMul", [f"m{i}"] * 2, [f"m{i + 1}"]) for i in range(5000)]
    last = helper.make_node("ReduceMax", ["m5000"], ["more"], keepdims=0)
    return through(shape(1024, 1024), mean, first, *turns, last)


def greedy() -> onnx.ModelProto:
    """64 GiB of ones."""
    make = helper.make_node("Expand", ["one", "shape"], ["wide"])
    last = helper.make_node("ReduceMax", ["wide"], ["more"], keepdims=0)
    return through(shape(2**34), make, last)


def trial(path: Path, limits: Limits | None = None) -> Trial:
    """Begun."""
    return Trial(path, [KEY.public], limits=limits)


def test_a_good_bundle_passes_and_says_what_it_took(tmp_path: Path):
    """The digest of what was tried, how long a picture took, and the memory."""
    bundle = small_bundle(tmp_path / "b", KEY)
    report = trial(bundle.path).passed()
    assert report.digest == bundle.digest
    assert 0 < report.score_ms < 10_000
    assert 0 < report.memory_bytes < 512 * 1024**2


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (endless, r"took more than 3 s of processor time|gave no answer"),
        (greedy, r"memory|alloc"),
        (lambda: small_graph(gain=float("nan")), "can't judge the golden sample"),
    ],
)
def test_what_meets_a_limit_is_refused_in_words(tmp_path: Path, model, why):
    """A hang, a hunger and nonsense end in a sentence that names the bundle, and in no process."""
    bundle = small_bundle(tmp_path / "b", KEY, model())
    begun = trial(bundle.path, TIGHT)
    with pytest.raises(BundleError, match=why) as refused:
        arm(bundle.path, [KEY.public], trial=begun)
    assert "/b" in refused.value.problem
    assert begun._child.poll() is not None


def test_what_the_child_refuses_is_refused_as_here(tmp_path: Path):
    """An unknown key is a SignatureError from there as well."""
    bundle = small_bundle(tmp_path / "b", KEY)
    with pytest.raises(SignatureError, match="not trusted"):
        Trial(bundle.path, [PrivateKey(Ed25519PrivateKey.generate()).public]).passed()


def test_a_bundle_that_was_exchanged_meanwhile_is_not_loaded(tmp_path: Path):
    """Only the bundle that was tried may judge."""
    one = small_bundle(tmp_path / "one", KEY)
    other = small_bundle(tmp_path / "other", KEY, version=2)
    with pytest.raises(BundleError, match="exchanged while it was being tried"):
        arm(one.path, [KEY.public], trial=trial(other.path))


def test_the_picture_may_not_decide_over_sizes(tmp_path: Path):
    """Memory that only a bright picture asks for would pass every golden sample."""
    nodes = [
        helper.make_node("ReduceMax", ["raw"], ["peak"], keepdims=0),
        helper.make_node("Cast", ["peak"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["whole", "last"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["wide"]),
        helper.make_node("ReduceMax", ["wide"], ["more"], keepdims=0),
    ]
    with pytest.raises(BundleError, match="decides how large"):
        small_bundle(tmp_path / "b", KEY, through(*nodes))
