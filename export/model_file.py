"""What a model file may hold, read from its bytes without the `onnx` package.

A loaded graph can hang or eat memory by control flow, reach other files by external tensors, or
call code by custom operators. This walks the protobuf wire format of an ONNX file and refuses
those wherever they stand. Field numbers are those of onnx.proto3 (onnx 1.23), which by
protobuf's rules never change their meaning. docs/decisions/0003 says why not by other means.
"""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from export.errors import BundleError
from export.model_sizes import Node, check_sizes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_STANDARD = frozenset({b"", b"ai.onnx"})

Buffer = mmap.mmap | bytes


@dataclass(frozen=True, slots=True)
class _Message:
    """A message: fields that hold messages to walk, and fields that may not be there."""

    inner: Mapping[int, str] = field(default_factory=dict[int, str])
    refused: Mapping[int, str] = field(default_factory=dict[int, str])


_MESSAGES: Mapping[str, _Message] = {
    "model": _Message({7: "graph"}, {20: "training steps", 25: "functions of its own"}),
    "graph": _Message({1: "node", 5: "tensor", 15: "sparse tensor"}),
    "node": _Message({5: "attribute"}),
    "attribute": _Message(
        {5: "tensor", 10: "tensor", 22: "sparse tensor", 23: "sparse tensor"},
        {6: "control flow (a graph within a graph)", 11: "control flow (graphs within a graph)"},
    ),
    "tensor": _Message({}, {13: "a tensor kept in another file"}),
    "sparse tensor": _Message({1: "tensor", 2: "tensor"}),
}
_DOMAIN_OF_NODE = 7
_LOCATION_OF_TENSOR = 14
_GRAPH_OF_MODEL, _NODE_OF_GRAPH, _INITIALIZER, _SPARSE, _INPUT = 7, 1, 5, 15, 11
_INPUT_OF_NODE, _OUTPUT_OF_NODE, _KIND_OF_NODE = 1, 2, 4
_NAME_OF_VALUE, _NAME_OF_TENSOR, _VALUES_OF_SPARSE = 1, 8, 1


def check_model(path: Path) -> None:
    """Refuse a model file that could do more than compute.

    Raises:
        BundleError: it is no ONNX file, or holds control flow, a custom operator, a function,
            a tensor in another file, or sizes that depend on what a picture shows.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
            _walk(body, 0, len(body), "model")
            _check_sizes(body)
    except (ValueError, IndexError) as error:
        raise BundleError(
            f"{path} is not an ONNX model that a box may run: {error}", "export it again"
        ) from error
    except OSError as error:
        raise BundleError(
            f"{path} can't be read: {error.strerror}", "check the file and its rights"
        ) from error


def _walk(body: Buffer, start: int, end: int, kind: str) -> None:
    """Check the message of `kind` in body[start:end]; raises ValueError or IndexError."""
    message, found = _MESSAGES[kind], False
    for number, wire, low, high in _fields(body, start, end):
        if number in message.refused:
            raise ValueError(f"it holds {message.refused[number]}")
        if number in message.inner:
            if wire != _BYTES:
                raise ValueError(f"field {number} of a {kind} at byte {low} is no message")
            _walk(body, low, high, message.inner[number])
            found = True
        elif kind == "node" and number == _DOMAIN_OF_NODE:
            _check_domain(bytes(body[low:high]))
        elif kind == "tensor" and number == _LOCATION_OF_TENSOR and _varint(body, low)[0]:
            raise ValueError("it holds a tensor kept in another file")
    if kind == "model" and not found:
        raise ValueError("no graph in it")


def _check_sizes(body: Buffer) -> None:
    """Hand the graph's nodes to export/model_sizes.py; protobuf merges a graph that comes twice."""
    given, constants, nodes = list[str](), list[str](), list[Node]()
    for low, high in _inner(body, 0, len(body), _GRAPH_OF_MODEL):
        given += [_text(body, *at, _NAME_OF_VALUE) for at in _inner(body, low, high, _INPUT)]
        tensors = [*_inner(body, low, high, _INITIALIZER)]
        for sparse in _inner(body, low, high, _SPARSE):
            tensors += _inner(body, *sparse, _VALUES_OF_SPARSE)
        constants += [_text(body, *at, _NAME_OF_TENSOR) for at in tensors]
        nodes += [_node(body, *at) for at in _inner(body, low, high, _NODE_OF_GRAPH)]
    check_sizes(given, constants, nodes)


def _node(body: Buffer, start: int, end: int) -> Node:
    inputs = tuple(_decoded(body, *at) for at in _inner(body, start, end, _INPUT_OF_NODE))
    outputs = tuple(_decoded(body, *at) for at in _inner(body, start, end, _OUTPUT_OF_NODE))
    return Node(_text(body, start, end, _KIND_OF_NODE), inputs, outputs)


def _inner(body: Buffer, start: int, end: int, field: int) -> Iterator[tuple[int, int]]:
    """Where the contents of every occurrence of a field lie."""
    for number, wire, low, high in _fields(body, start, end):
        if number == field and wire == _BYTES:
            yield low, high


def _text(body: Buffer, start: int, end: int, field: int) -> str:
    """A text field; the last occurrence counts, as protobuf has it."""
    found = [*_inner(body, start, end, field)]
    return _decoded(body, *found[-1]) if found else ""


def _decoded(body: Buffer, low: int, high: int) -> str:
    return bytes(body[low:high]).decode(errors="backslashreplace")


def _check_domain(domain: bytes) -> None:
    if domain not in _STANDARD:
        told = domain.decode(errors="replace")
        raise ValueError(f"it holds an operator of the non-standard domain {told!r}")


def _fields(body: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Fields of the message in body[start:end] as (number, wire type, first byte, past last)."""
    at = start
    while at < end:
        tag, low = _varint(body, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            at = _varint(body, low)[1]
        elif wire == _FIXED64:
            at = low + 8
        elif wire == _FIXED32:
            at = low + 4
        elif wire == _BYTES:
            length, low = _varint(body, low)
            at = low + length
        else:
            raise ValueError(f"byte {start} starts something that is not protobuf")
        if at > end or not 0 < number < 1 << 29:
            raise ValueError(f"it is cut off or damaged at byte {low}")
        yield number, wire, low, at


def _varint(body: Buffer, at: int) -> tuple[int, int]:
    """The variable-length integer at body[at], and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError(f"byte {at} starts something that is not protobuf")
