"""INT8 that holds is found; layers that break it stay in FP32, or it is refused."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from export.preprocess import Pixels
from trainer.progress import Progress
from trainer.variants import half
from trainer.variants.answered import Answered, ask, noise
from trainer.variants.int8 import Quantiser
from trainer.variants.layers import layers, share_of_work
from trainer.variants.search import RefusedError, Search

SIDE, CHANNELS = 16, 8


def graph(path: Path, depth: int = 4, outlier: tuple[int, ...] = (), gain: float = 300.0) -> Path:
    """A small trunk with a score; after convolutions in `outlier` one channel is `gain` as large.

    The next convolution takes that back, so that FP32 answers the same: only a common scale of all
    channels, as INT8 has it, loses the others.
    """
    rng = np.random.default_rng(0)
    weights: dict[str, np.ndarray] = {}
    nodes = [
        helper.make_node("Transpose", ["frames"], ["turned"], name="turn", perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["turned"], ["raw"], name="cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["raw", "unit"], ["map0"], name="scale"),
    ]
    for number in range(depth):
        inside = 3 if number == 0 else CHANNELS
        kernel = rng.normal(0, (2 / (9 * inside)) ** 0.5, (CHANNELS, inside, 3, 3))
        if number in outlier:
            kernel[0] *= gain
        if number - 1 in outlier:
            kernel[:, 0] /= gain
        weights[f"network.trunk.conv{number}.weight"] = kernel.astype(np.float32)
        nodes += [
            helper.make_node(
                "Conv", [f"map{number}", f"network.trunk.conv{number}.weight"], [f"sum{number}"],
                name=f"conv{number}", pads=[1, 1, 1, 1],
            ),
            helper.make_node("Relu", [f"sum{number}"], [f"map{number + 1}"], name=f"relu{number}"),
        ]  # fmt: skip
    weights |= {
        "unit": np.array(1 / 255, np.float32),
        "centre": np.zeros(CHANNELS, np.float32),
        "spread": np.ones(CHANNELS, np.float32),
        "head": rng.normal(0, 1, (CHANNELS, 2)).astype(np.float32),
        "places": np.array([2, 3]),
        "last": np.array([1]),
        "from": np.array([1]),
        "to": np.array([2]),
    }
    last = f"map{depth}"
    nodes += [
        helper.make_node("ReduceMean", [last, "places"], ["pooled"], name="pool", keepdims=0),
        helper.make_node("Sub", ["pooled", "centre"], ["centred"], name="centre"),
        helper.make_node("Div", ["centred", "spread"], ["usual"], name="spread"),
        helper.make_node("MatMul", ["usual", "head"], ["logits"], name="head"),
        helper.make_node("Softmax", ["logits"], ["probabilities"], name="softmax"),
        helper.make_node("Slice", ["probabilities", "from", "to", "last"], ["bad"], name="slice"),
        helper.make_node("ReduceSum", ["bad", "last"], ["score"], name="sum", keepdims=0),
        helper.make_node("ReduceMean", [last, "last"], ["heatmap"], name="heat", keepdims=0),
    ]
    outputs = {"probabilities": ["n", 2], "score": ["n"], "heatmap": ["n", SIDE, SIDE]}
    made = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
         for name, dims in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(standardised(model), path)
    return path


def standardised(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph whose head sees features of mean 0 and spread 1, as a trained one does."""
    pooled = ReferenceEvaluator(model).run(["pooled"], {"frames": frames(32, 0)})[0]
    for tensor in model.graph.initializer:
        if tensor.name in {"centre", "spread"}:
            value = pooled.mean(0) if tensor.name == "centre" else pooled.std(0) + 1e-6
            tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float32), tensor.name))
    return model


def frames(count: int, seed: int) -> Pixels:
    """Coloured noise of different brightness, (count,SIDE,SIDE,3)."""
    rng = np.random.default_rng(seed)
    level = rng.integers(20, 200, (count, 1, 1, 3))
    return (level + rng.integers(0, 56, (count, SIDE, SIDE, 3))).astype(np.uint8)


def search(model: Path, scratch: Path, limit: float = 0.2) -> Search:
    """A search for INT8 of `model`."""
    shown = frames(24, 2)
    quantiser = Quantiser.of(model, frames(16, 1), scratch)
    return Search(quantiser, shown, ask(model, shown), Progress(None), limit)


def test_a_sound_graph_is_quantised(tmp_path: Path):
    """Nearly all of its work is done in INT8, and its answers stay within the limit."""
    found = search(graph(tmp_path / "m.onnx"), tmp_path).run()
    assert found.noise <= 0.2
    assert found.work > 0.85
    kinds = [node.op_type for node in onnx.load(found.model).graph.node]
    assert "QuantizeLinear" in kinds


def test_layers_that_break_it_stay_in_fp32(tmp_path: Path):
    """An outlier channel makes INT8 useless: the layers beside it are found, and left in FP32."""
    model = graph(tmp_path / "m.onnx", depth=6, outlier=(2,))
    tried = search(model, tmp_path)
    broken = tried.quantiser.write(tried.quantiser.layers, tmp_path / "all.onnx")
    assert noise(tried.wanted, ask(broken, tried.frames)) > 0.2
    found = tried.run()
    assert found.noise <= 0.2
    assert {"trunk.conv2", "trunk.conv3"} & set(found.in_float)
    assert 0.5 <= found.work < 1


def test_what_stays_broken_is_refused(tmp_path: Path):
    """With outliers everywhere no INT8 holds, and the refusal says how far off it was."""
    model = graph(tmp_path / "m.onnx", depth=6, outlier=(0, 1, 2, 3, 4))
    with pytest.raises(RefusedError, match=r"standard deviations from fp32's, 0\.2 are allowed"):
        search(model, tmp_path).run()


def test_int8_computes_what_the_standard_says(tmp_path: Path):
    """ONNX's reference evaluator and ONNX Runtime agree: with 7-bit weights nothing overflows."""
    tried = search(graph(tmp_path / "m.onnx"), tmp_path)
    model = tried.quantiser.write(tried.quantiser.layers, tmp_path / "all.onnx")
    shown = tried.frames[:4]
    wanted = ReferenceEvaluator(str(model)).run(["score"], {"frames": shown})[0]
    assert np.abs(ask(model, shown).scores - wanted).max() < 0.02


def test_fp16_answers_nearly_the_same(tmp_path: Path):
    """The trunk's weights are halves, what decides is not, and the answers hardly move."""
    model = graph(tmp_path / "m.onnx")
    small = half.write(model, tmp_path / "half.onnx")
    kinds = {one.name: one.data_type for one in onnx.load(small).graph.initializer}
    assert kinds["network.trunk.conv1.weight.fp16"] == TensorProto.FLOAT16
    assert kinds["head"] == TensorProto.FLOAT
    onnx.checker.check_model(onnx.load(small), full_check=True)
    shown = frames(8, 3)
    assert noise(ask(model, shown), ask(small, shown)) < 0.02


def test_layers_are_told_by_structure(tmp_path: Path):
    """Convolutions that decide are layers, each with its ReLU; the share of work adds up."""
    found = layers(onnx.load(graph(tmp_path / "m.onnx")))
    assert [layer.name for layer in found] == [f"trunk.conv{number}" for number in range(4)]
    assert found[1].nodes == ("conv1", "relu1")
    assert found[0].multiplications == 3 * CHANNELS * 9 * SIDE * SIDE
    assert share_of_work(found[:1], found) + share_of_work(found[1:], found) == pytest.approx(1)


def test_noise_is_in_spreads_and_never_hides_nan():
    """Shifting all log-odds by their spread is a noise of 1; NaN is infinitely far."""
    odds = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    scores = 1 / (1 + np.exp(-odds))
    moved = 1 / (1 + np.exp(-(odds + odds.std())))
    one, two = (Answered(np.stack([1 - s, s], 1), s, None) for s in (scores, moved))
    assert noise(one, two) == pytest.approx(1, abs=1e-6)
    assert noise(one, one) == 0
    lost = Answered(one.probabilities, scores * np.nan, None)
    assert noise(one, lost) == np.inf


def test_onnxruntime_is_asked_for_standard_operators_only(tmp_path: Path):
    """What is written needs no operator outside ONNX's own set: a box refuses others."""
    tried = search(graph(tmp_path / "m.onnx"), tmp_path)
    model = tried.quantiser.write(tried.quantiser.layers, tmp_path / "all.onnx")
    assert {node.domain for node in onnx.load(model).graph.node} <= {"", "ai.onnx"}
    assert onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
