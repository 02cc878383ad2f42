"""Whether a graph's sizes could depend on what a picture shows.

If they could, a trial on golden samples would prove nothing: a picture of another kind might ask
for any amount of memory. So what tells an operator its output's size must come from constants and
from the shapes of tensors, never from values that were computed from the picture. Knows nothing of
files; export/model_file.py brings the nodes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

# Operator → which inputs' values decide how large the outputs are, or along which axes they lie
# (ONNX operator schemas, opset 26). All inputs where none is named.
_ALL = tuple(range(16))
_REDUCE = ("Max", "Min", "Mean", "Sum", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare")
_DECIDE: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("ConstantOfShape", "NonZero", "Unique", "Range", "NonMaxSuppression"), _ALL),
    **dict.fromkeys(("HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix"), _ALL),
    **dict.fromkeys(("StringSplit", "StringConcat", "ImageDecoder", "Optional"), _ALL),
    **dict.fromkeys(("Expand", "Tile", "Reshape", "Squeeze", "Unsqueeze", "OneHot"), (1,)),
    **dict.fromkeys(("Split", "TopK", "Pad", "CenterCropPad", "Compress", "AffineGrid"), (1, 3)),
    "Slice": (1, 2, 3, 4),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
    "Col2Im": (1, 2),
    "MaxUnpool": (2,),
    "DFT": (1, 2),
    "STFT": (1, 3),
    **{f"Reduce{how}": (1,) for how in _REDUCE},
}
_SHAPES = frozenset({"Shape", "Size"})  # these see how large a tensor is, not what is in it


@dataclass(frozen=True, slots=True)
class Node:
    """What of a node matters here; the names of left-out inputs are empty."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def check_sizes(given: Iterable[str], constants: Iterable[str], nodes: Iterable[Node]) -> None:
    """Refuse a graph in which the picture's values decide over sizes.

    Args:
        given: names of the graph's inputs.
        constants: names of its initializers.
        nodes: in order, as ONNX demands: a tensor is made before it is used.

    Raises:
        ValueError: they do, or the nodes are not in order.
    """
    known = set(constants)
    seen = set(given) - known  # computed from the picture
    known |= seen
    for node in nodes:
        if stray := [name for name in node.inputs if name and name not in known]:
            raise ValueError(f"its {node.kind} uses {stray[0][:60]!r} before that is made")
        for name in _deciding(node):
            if name in seen:
                raise ValueError(
                    f"the picture decides how large the output of its {node.kind} is: "
                    f"no trial could tell what that takes"
                )
        if node.kind not in _SHAPES and not seen.isdisjoint(node.inputs):
            seen.update(node.outputs)
        known.update(node.outputs)


def _deciding(node: Node) -> Iterator[str]:
    """The inputs whose values decide."""
    for place in _DECIDE.get(node.kind, ()):
        if place < len(node.inputs):
            yield node.inputs[place]
