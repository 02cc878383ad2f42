"""The layers of an exported graph that may be computed in less than FP32, and their share of work.

They are told by structure, not by name: convolutions whose weights are stored, additions and
maxima over windows, on the way to the probabilities; each with the ReLU that follows. The head,
the heatmap and novelty aren't among them: they are cheap, and their answers are read as they are.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import onnx

DECIDES = "probabilities"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the trunk.

    Attributes:
        name: of its weights where it has some, else of its node.
        nodes: names of its nodes in the graph.
        multiplications: for one picture.
    """

    name: str
    nodes: tuple[str, ...]
    multiplications: int = 0


def layers(model: onnx.ModelProto) -> tuple[Layer, ...]:
    """The trunk's layers, from the input on."""
    stored = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    made_by = {name: node for node in model.graph.node for name in node.output}
    shapes = _shapes(model)
    deciding = _before(DECIDES, made_by)
    found: list[Layer] = []
    for node in model.graph.node:
        if node.name not in deciding:
            continue
        if node.op_type == "Conv" and node.input[1] in stored:
            work = math.prod(stored[node.input[1]]) * math.prod(shapes[node.output[0]][2:])
            name = node.input[1].removeprefix("network.").removesuffix(".weight")
            found.append(Layer(name, _with_relu(node, model), work))
        elif node.op_type == "MaxPool" or _adds_two_maps(node, made_by):
            found.append(Layer(node.name, _with_relu(node, model)))
    return tuple(found)


def share_of_work(some: tuple[Layer, ...], of: tuple[Layer, ...]) -> float:
    """Of the multiplications of `of`, the share that `some` do."""
    total = sum(layer.multiplications for layer in of)
    return sum(layer.multiplications for layer in some) / total if total else 0.0


def _before(output: str, made_by: dict[str, onnx.NodeProto]) -> set[str]:
    """Names of all nodes that `output` hangs on."""
    found: set[str] = set()
    waiting = [output]
    while waiting:
        node = made_by.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting.extend(node.input)
    return found


def _adds_two_maps(node: onnx.NodeProto, made_by: dict[str, onnx.NodeProto]) -> bool:
    return node.op_type == "Add" and all(
        name in made_by and made_by[name].op_type in {"Conv", "Relu", "MaxPool", "Add"}
        for name in node.input
    )


def _with_relu(node: onnx.NodeProto, model: onnx.ModelProto) -> tuple[str, ...]:
    after = (one for one in model.graph.node if node.output[0] in one.input)
    return (node.name, *(one.name for one in after if one.op_type == "Relu"))


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Inferred shapes of all tensors; what isn't known, as the batch, is 0."""

    def known() -> Iterator[tuple[str, tuple[int, ...]]]:
        for value in cast("Any", onnx.shape_inference.infer_shapes(model)).graph.value_info:
            yield value.name, tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)

    return dict(known())
