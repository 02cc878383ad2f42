"""FP16: a graph whose trunk is in half precision, for GPUs; what decides after it stays in FP32.

On a processor such a graph is no faster, so it isn't a choice there.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trainer.variants.layers import layers

_INTO, _BACK = ".fp16", ".fp32"


def write(model: Path, out: Path) -> Path:
    """Write the graph at `model` with its trunk in FP16; returns `out`.

    A tensor that enters the trunk is cast once, and one that leaves it is cast back once.
    """
    graph = onnx.load(model)
    names = {name for layer in layers(graph) for name in layer.nodes}
    nodes: list[onnx.NodeProto] = []
    halved = {name for node in graph.graph.node if node.name in names for name in node.output}
    stored = {tensor.name: tensor for tensor in graph.graph.initializer}
    done: set[str] = set()
    for node in graph.graph.node:
        inside = node.name in names
        for at, name in enumerate(node.input):
            if inside and name in stored:
                node.input[at] = name + _INTO
                if node.input[at] not in done:
                    graph.graph.initializer.append(_half(stored[name]))
            elif name and inside != (name in halved):
                node.input[at] = name + (_INTO if inside else _BACK)
                if node.input[at] not in done:
                    nodes.append(_cast(name, node.input[at], inside=inside))
            done.add(node.input[at])
        nodes.append(node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    _drop_unused(graph)
    onnx.save(graph, out)
    return out


def _half(tensor: onnx.TensorProto) -> onnx.TensorProto:
    values = numpy_helper.to_array(tensor).astype(np.float16)
    return numpy_helper.from_array(values, tensor.name + _INTO)


def _cast(name: str, to: str, *, inside: bool) -> onnx.NodeProto:
    kind = TensorProto.FLOAT16 if inside else TensorProto.FLOAT
    return helper.make_node("Cast", [name], [to], name=f"cast {to}", to=kind)


def _drop_unused(graph: onnx.ModelProto) -> None:
    """Leave out stored tensors that nothing reads, and what was known of types before."""
    read = {name for node in graph.graph.node for name in node.input}
    kept = [tensor for tensor in graph.graph.initializer if tensor.name in read]
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(kept)
    del graph.graph.value_info[:]
