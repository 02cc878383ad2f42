"""Hostile graphs: control flow, other files, custom code, giants, nonsense and damage, by a seed.

Each is the bytes of a model.onnx that somebody with the key could sign. Knows no reader of them.
"""

import random
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.export.small_bundle import small_graph

GOOD = small_graph().SerializeToString()
Node = onnx.NodeProto


def _value(name: str, shape=None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _tensor(values, dtype, name="t") -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, dtype), name)


def _constant(name: str, values, dtype=np.int64) -> Node:
    return helper.make_node("Constant", [], [name], value=_tensor(values, dtype))


def _loop(inner: list[Node] | None = None) -> Node:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), *(inner or [])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )  # fmt: skip
    return helper.make_node("Loop", ["turns", ""], [], body=body)


def _control_flow(dice: random.Random) -> onnx.ModelProto:
    """Loop, If, Scan or SequenceMap; at the top, one within another, or in a function."""
    branch = helper.make_graph([_constant("b", [1.0], np.float32)], "b", [], [_value("b")])
    node = dice.choice([
        _loop(), _loop([_loop()]),
        helper.make_node("If", ["yes"], ["x"], then_branch=branch, else_branch=branch),
        helper.make_node("Scan", ["raw"], ["x"], body=branch, num_scan_inputs=1),
        helper.make_node("SequenceMap", ["raw"], ["x"], body=branch),
    ])  # fmt: skip
    extra = [_constant("turns", 2**62), _constant("yes", True, np.bool_), node]
    if dice.random() < 0.3:
        model = small_graph([helper.make_node("Mine", [], [], domain="mine")])
        system = [helper.make_opsetid("", 20)]
        model.functions.append(helper.make_function("mine", "Mine", [], [], extra, system))
        return model
    return small_graph(extra)


def _external(dice: random.Random) -> onnx.ModelProto:
    """Tensors in other files: relative, absolute, devices, the process's own memory."""
    model = small_graph()
    where = dice.choice([
        "weights.bin", "golden/00.png", "../../../../etc/passwd", "/etc/passwd", "/dev/zero",
        "/proc/self/mem", "/proc/self/environ", "*/_ORT_MEM_ADDR_/*", "", "a\0b", "x" * 5000,
    ])  # fmt: skip
    tensor = model.graph.initializer[dice.randrange(len(model.graph.initializer))]
    tensor.ClearField("raw_data")
    if dice.random() < 0.8:
        tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", where), ("offset", str(dice.choice([0, -1, 2**62])))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return model


def _foreign(dice: random.Random) -> onnx.ModelProto:
    domain = dice.choice(["com.microsoft", "ai.onnx.contrib", "ai.onnx.ml", "evil", "\u202e", "a"])
    kind = dice.choice(["PyOp", "Attention", "TreeEnsembleRegressor", "BiasGelu"])
    node = helper.make_node(kind, ["one"], ["x"], domain=domain)
    model = small_graph([node])
    model.opset_import.append(helper.make_opsetid(domain, 1))
    return model


def _wide(dice: random.Random) -> onnx.ModelProto:
    """Tensors far larger than memory, made of a few bytes, in the graph's only path."""
    size = dice.choice([2**28, 2**31, 2**34, 2**40, -1])
    kind = dice.randrange(5)
    shape = _constant("wide", [size])
    if kind == 0:
        make = [helper.make_node("ConstantOfShape", ["wide"], ["big"])]
    elif kind == 1:
        make = [helper.make_node("Expand", ["one", "wide"], ["big"])]
    elif kind == 2:
        make = [
            _constant("from", 0.0, np.float32),
            _constant("to", float(abs(size)), np.float32),
            helper.make_node("Range", ["from", "to", "one"], ["big"]),
        ]
    elif kind == 3:  # doubled again and again
        make = [helper.make_node("Unsqueeze", ["one", "last0"], ["d0"]), _constant("last0", [0])]
        make.reverse()
        make += [helper.make_node("Concat", [f"d{i}"] * 2, [f"d{i + 1}"], axis=0)
                 for i in range(34)]  # fmt: skip
        make.append(helper.make_node("Identity", ["d34"], ["big"]))
    else:  # only when it sees a bright picture, which no golden sample is
        make = [
            helper.make_node("ReduceMax", ["raw"], ["brightest"], keepdims=0),
            _constant("usual", 200.0, np.float32),
            helper.make_node("Sub", ["brightest", "usual"], ["over"]),
            helper.make_node("Relu", ["over"], ["peak"]),
            _constant("much", float(2**24), np.float32),
            helper.make_node("Mul", ["peak", "much"], ["length"]),
            helper.make_node("Cast", ["length"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Unsqueeze", ["whole", "zeroth"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        ]
        make.insert(0, _constant("zeroth", [0]))
    return _through([shape, *make, helper.make_node("ReduceMax", ["big"], ["more"], keepdims=0)])


def _slow(dice: random.Random) -> onnx.ModelProto:
    """Sound arithmetic without an end in sight."""
    side = dice.choice([512, 2048])
    turns = dice.choice([200, 5000])
    make = [
        _constant("square", [side, side]),
        helper.make_node("ReduceMean", ["raw"], ["mean"], keepdims=0),
        helper.make_node("Expand", ["mean", "square"], ["m0"]),
    ]
    make += [helper.make_node("MatMul", [f"m{i}"] * 2, [f"m{i + 1}"]) for i in range(turns)]
    make.append(helper.make_node("ReduceMax", [f"m{turns}"], ["more"], keepdims=0))
    return _through(make)


def _through(make: list[Node]) -> onnx.ModelProto:
    """The small graph with `more` in the way of its answers, so that nothing is left out."""
    model = small_graph()
    nodes = list(model.graph.node)
    del model.graph.node[:]
    tail = [
        _constant("nil", 0.0, np.float32),
        helper.make_node("Mul", ["more", "nil"], ["nothing"]),
        helper.make_node("Add", ["bright0", "nothing"], ["bright"]),
    ]
    nodes[1].output[0] = "bright0"
    model.graph.node.extend([*nodes[:2], *make, *tail, *nodes[2:]])
    return model


def _not_numbers(dice: random.Random) -> onnx.ModelProto:
    """Weights of NaN, infinity or wild size."""
    model = small_graph()
    scale = next(one for one in model.graph.initializer if one.name == "scale")
    wild = dice.choice([np.nan, np.inf, -np.inf, 3e38, -1.0, 0.0, 1e-45])
    scale.raw_data = np.float32(wild).tobytes()
    return model


def _misfit(dice: random.Random) -> onnx.ModelProto:
    """Wrong names, types and shapes of inputs and outputs."""
    model = small_graph()
    graph, how = model.graph, dice.randrange(8)
    if how == 0:
        graph.output[dice.randrange(3)].name = "something_else"
    elif how == 1:
        del graph.output[dice.randrange(3)]
    elif how == 2:
        graph.input[0].type.tensor_type.elem_type = dice.choice([1, 7, 9, 11, 16])
    elif how == 3:
        dims = graph.input[0].type.tensor_type.shape.dim
        dims[dice.randrange(1, 4)].dim_value = dice.choice([0, 1, 7, 4096, 2**31])
    elif how == 4:
        graph.input.append(_value("another", [1]))
    elif how == 5:
        graph.node[2].output[0], graph.node[3].output[0] = "score", "heatmap"
    elif how == 6:
        graph.node[-1].attribute[0].i = dice.choice([0, 2, -9])
    else:
        graph.initializer[2].CopyFrom(_tensor(dice.choice([[0], [9, 9], []]), np.int64, "inside"))
    return model


def _many(dice: random.Random) -> onnx.ModelProto:
    """Very many nodes, very long names, deep chains and rings."""
    how = dice.randrange(4)
    if how == 0:
        return small_graph([helper.make_node("Neg", ["one"], [f"n{i}"]) for i in range(20_000)])
    if how == 1:
        name = "x" * 300_000
        return small_graph([helper.make_node("Neg", ["one"], [name])])
    if how == 2:
        chain = [helper.make_node("Neg", [f"c{i}"], [f"c{i + 1}"]) for i in range(3000)]
        return small_graph([helper.make_node("Neg", ["one"], ["c0"]), *chain])
    return small_graph(
        [
            helper.make_node("Neg", ["ring1"], ["ring2"]),
            helper.make_node("Neg", ["ring2"], ["ring1"]),
        ]
    )


def _damaged(dice: random.Random) -> bytes:
    """Bytes of a sound file flipped, cut, doubled or exchanged."""
    body, how = bytearray(GOOD), dice.randrange(5)
    if how == 0:
        return bytes(body[: dice.randrange(len(body))])
    if how == 1:
        return bytes(body) + dice.choice([bytes(body), dice.randbytes(20), b"\0" * 100])
    if how == 2:
        at, to = sorted(dice.randrange(len(body)) for _ in range(2))
        return bytes(body[:at] + body[to:])
    for _ in range(dice.choice([1, 1, 2, 5, 20])):
        body[dice.randrange(len(body))] = dice.choice([0, 0x7F, 0x80, 0xFF, dice.randrange(256)])
    return bytes(body)


def _tweaked(dice: random.Random) -> onnx.ModelProto:
    """Fields of the parsed model changed: operators, attributes, shapes, types, versions."""
    model = small_graph()
    for _ in range(dice.choice([1, 2, 4])):
        node = dice.choice(model.graph.node)
        how = dice.randrange(6)
        if how == 0:
            node.op_type = dice.choice(["Exp", "NonZero", "Shape", "Cast", "Loop", "Nope", ""])
        elif how == 1 and node.input:
            others = [name for one in model.graph.node for name in one.output]
            node.input[dice.randrange(len(node.input))] = dice.choice([*others, "", "frames"])
        elif how == 2:
            tensor = dice.choice(model.graph.initializer)
            tensor.dims[:] = dice.choice([[2**40], [-1], [0], [1, 1, 1], [2**31, 2**31]])
        elif how == 3:
            dice.choice(model.graph.initializer).data_type = dice.randrange(30)
        elif how == 4:
            model.opset_import[0].version = dice.choice([0, 1, 7, 99, -1, 2**40])
        else:
            model.ir_version = dice.choice([0, 1, 3, 99, 2**40])
    return model


_MAKERS: dict[str, tuple[int, Callable[[random.Random], onnx.ModelProto | bytes]]] = {
    "control flow": (3, _control_flow),
    "other files": (4, _external),
    "custom operators": (1, _foreign),
    "giant tensors": (3, _wide),
    "endless sums": (1, _slow),
    "not numbers": (2, _not_numbers),
    "misfit": (3, _misfit),
    "very many": (1, _many),
    "damaged": (10, _damaged),
    "tweaked": (8, _tweaked),
}


def draw(dice: random.Random) -> tuple[str, bytes]:
    """The next hostile model.onnx with its kind."""
    kinds, weights = zip(*((kind, weight) for kind, (weight, _) in _MAKERS.items()), strict=True)
    (kind,) = dice.choices(kinds, weights)
    made = _MAKERS[kind][1](dice)
    return kind, made if isinstance(made, bytes) else made.SerializeToString()
