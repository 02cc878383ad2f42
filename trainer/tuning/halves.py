"""A trunk cut in two: the lower part stays as it is, the upper part learns.

The cut lies before the first layer that thaws. Both parts share their layers with the trunk, so
what the upper part learns, the trunk has learnt. It knows nothing of pictures or recipes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import Tensor, fx, nn

from trainer.backbone import Network


@dataclass(frozen=True, slots=True)
class Halves:
    """Both parts of a network's trunk.

    Attributes:
        lower: (N,3,H,W) to the boundary's map (N,C,h,w).
        upper: that map to the fine and the coarse stage, as the trunk gives them.
    """

    lower: Callable[[Tensor], Tensor]
    upper: Callable[[Tensor], dict[str, Tensor]]


def cut(network: Network, thawed: int) -> Halves:
    """Cut before the last `thawed` stages; raises ValueError if nothing lies before them."""
    trunk = cast("fx.GraphModule", network.trunk)
    layers = list(trunk.graph.nodes)
    prefixes = tuple(p for stage in network.arch.stages[-thawed:] for p in stage)
    first = next(i for i, node in enumerate(layers) if f"{node.target}.".startswith(prefixes))
    boundary = layers[first - 1]
    if boundary.op == "placeholder":
        raise ValueError("every stage thaws: there is no lower part")
    lower, upper = fx.Graph(), fx.Graph()
    made: dict[fx.Node, fx.Node] = {}
    for node in layers[:first]:
        made[node] = lower.node_copy(node, made.__getitem__)
    lower.output(made[boundary])
    made = {boundary: upper.placeholder("boundary")}
    for node in layers[first:]:
        made[node] = upper.node_copy(node, made.__getitem__)
    return Halves(_module(trunk, lower), _module(trunk, upper))


def _module(trunk: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    return fx.GraphModule(trunk, graph)
