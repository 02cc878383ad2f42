"""The torch door: from a trained network to the graph that a box runs.

The only place in the treaty that knows torch; only trainer/publish.py opens it. The graph takes
camera bytes and answers in probabilities: channel order and normalisation are folded into the
first convolution, the temperature and softmax stand at its end.
"""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from export.catalog_golden import CATALOG_OUTPUTS, CatalogAnswers
from export.errors import BundleError
from export.parity import Answers
from export.preprocess import Pixels

OPSET = 20
OUTPUTS = ("probabilities", "score", "heatmap", "novelty")
BRIGHT = 5.0  # logits; tanh(1) is three quarters

_torch: Any = cast("Any", torch)  # where torch's own types are incomplete

# (N,H,W,3) uint8 BGR → (N,3,H,W) float32 as the network wants it
Normalise = Callable[[Tensor], Tensor]


class Graph(nn.Module):
    """A network from uint8 pictures to probabilities, score, heatmap and, if it has one, novelty.

    Args:
        network: (N,3,H,W) float32 → logits (N,C), evidence of a defect by place (N,h,w), and
            novelty (N,) if its `novelty` is not None.
        normalise: how training turned pictures into the network's input; it must be, per colour,
            a shift and a scale, perhaps in another order of colours.
        temperature: divides the logits (Guo et al., arXiv:1706.04599).
    """

    shift: Tensor

    def __init__(self, network: nn.Module, normalise: Normalise, temperature: float) -> None:
        super().__init__()
        self.network, shift = _folded(network, normalise)
        self.temperature = temperature
        self.register_buffer("shift", shift)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the graph's outputs: without novelty if the network has no sense of it."""
        return outputs_of(self.network)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(N,H,W,3) uint8 BGR → (N,C) probabilities, (N,) score, (N,h,w) heatmap, (N,) novelty."""
        logits, evidence, *novelty = cast(
            "tuple[Tensor, ...]", self.network(_shifted(self, frames))
        )
        return *answer(logits, evidence, self.temperature), *novelty


class CatalogGraph(nn.Module):
    """A network from uint8 product pictures to what `linewarden catalog` goes by.

    Args:
        network: (N,3,H,W) float32 → logits of the categories (N,C), of being fit to show (N,),
            novelty (N,), and an embedding (N,D).
        normalise: as for `Graph`.
        temperature: divides the categories' logits.
    """

    shift: Tensor
    outputs = CATALOG_OUTPUTS

    def __init__(self, network: nn.Module, normalise: Normalise, temperature: float) -> None:
        super().__init__()
        self.network, shift = _folded(network, normalise)
        self.temperature = temperature
        self.register_buffer("shift", shift)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """(N,H,W,3) uint8 BGR → (N,C) probabilities, (N,) presentation and novelty, embedding."""
        return catalog_answer(self.network(_shifted(self, frames)), self.temperature)


def catalog_answer(told: tuple[Tensor, ...], temperature: float) -> tuple[Tensor, ...]:
    """Probabilities (N,C), presentation 0..1 (N,), novelty (N,) and embedding (N,D)."""
    logits, shown, novelty, embedding = told
    return torch.softmax(logits / temperature, dim=1), torch.sigmoid(shown), novelty, embedding


def catalog_reference(
    network: nn.Module, normalise: Normalise, temperature: float
) -> Callable[[Pixels], CatalogAnswers]:
    """What the exported graph must answer: the network as trained, nothing folded, in torch."""

    def answers(batch: Pixels) -> CatalogAnswers:
        with torch.inference_mode():
            seen = normalise(torch.as_tensor(np.ascontiguousarray(batch)))
            found = catalog_answer(network(seen), temperature)
        return CatalogAnswers(*(tensor.numpy() for tensor in found))

    return answers


def _folded(network: nn.Module, normalise: Normalise) -> tuple[nn.Module, Tensor]:
    """A copy of `network` that takes raw colours less the shift (1,3,1,1), and that shift.

    The shift stays outside the convolution: only then is its zero padding the padding that
    training saw, and the fold exact at the border too.
    """
    inner = copy.deepcopy(network).eval()
    mixing, shift = _affine(normalise)
    first = _first_convolution(inner)
    with torch.no_grad():
        first.weight.copy_(torch.einsum("ocij,cb->obij", first.weight.double(), mixing))
    return inner, shift.float().view(1, 3, 1, 1)


def _shifted(graph: "Graph | CatalogGraph", frames: Tensor) -> Tensor:
    return frames.permute(0, 3, 1, 2).float() - graph.shift


def answer(logits: Tensor, evidence: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities, score and heatmap of logits (N,C) and evidence by place (N,h,w) in logits.

    The score 1 - P(good) is summed from the defects' probabilities, which keeps small ones exact.
    The heatmap gathers each place's neighbourhood of 3x3 and grows from 0, at no evidence of a
    defect or evidence against one, towards 1: three quarters at BRIGHT logits.
    """
    probabilities = torch.softmax(logits / temperature, dim=1)
    gathered = 9 * fn.avg_pool2d(evidence[:, None], 3, stride=1, padding=1)[:, 0]
    heatmap = torch.tanh(torch.relu(gathered) / (temperature * BRIGHT))
    return probabilities, probabilities[:, 1:].sum(1), heatmap


def outputs_of(network: nn.Module) -> tuple[str, ...]:
    """Names of the graph's outputs: without novelty if the network has no sense of it."""
    return OUTPUTS if getattr(network, "novelty", None) is not None else OUTPUTS[:3]


def _affine(normalise: Normalise) -> tuple[Tensor, Tensor]:
    """Read off `normalise`: x[c] = sum over b of mixing[c,b] * (raw[b] - shift[b]), in float64."""
    probes = torch.zeros(4, 1, 1, 3, dtype=torch.uint8)
    for colour in range(3):
        probes[1 + colour, 0, 0, colour] = 255
    seen = normalise(probes).double().view(4, 3)
    mixing = ((seen[1:] - seen[0]) / 255).T.contiguous()
    return mixing, -torch.inverse(mixing) @ seen[0]


def _first_convolution(network: nn.Module) -> nn.Conv2d:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if module.in_channels == 3 and module.groups == 1:
                return module
            break
    raise BundleError("the network does not begin with a convolution on three colours")


def reference(
    network: nn.Module, normalise: Normalise, temperature: float
) -> Callable[[Pixels], Answers]:
    """What the exported graph must answer: the network as trained, nothing folded, in torch.

    Returns:
        A function of (N,H,W,3) uint8 BGR pictures.
    """

    def answers(batch: Pixels) -> Answers:
        with torch.inference_mode():
            seen = normalise(torch.as_tensor(np.ascontiguousarray(batch)))
            logits, evidence, *novelty = network(seen)
            found = (*answer(logits, evidence, temperature), *novelty)
        return Answers(*(tensor.numpy() for tensor in found))

    return answers


def to_onnx(graph: "Graph | CatalogGraph", height: int, width: int, path: Path) -> None:
    """Write `graph` as one ONNX file for any number of pictures of `height` by `width`.

    Raises:
        BundleError: torch can't export it.
    """
    # With one picture as the example, the exporter declares outputs of exactly one.
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    said = io.StringIO()
    try:
        with _quiet(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            _torch.onnx.export(
                graph.eval(),
                (example,),
                path,
                input_names=["frames"],
                output_names=list(graph.outputs),
                dynamic_shapes={"frames": {0: torch.export.Dim("batch")}},
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:
        # The exporter's errors share no base below Exception.
        raise BundleError(
            f"torch can't export this network: {error}\n{said.getvalue()}",
            "use a torch version that Linewarden was tested with",
        ) from error


class _quiet(contextlib.ContextDecorator):  # noqa: N801 - reads as a word of the sentence
    """Silences the exporter's progress and its deprecation notes."""

    def __enter__(self) -> None:
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")
        self._before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *exc: object) -> None:
        logging.disable(self._before)
        self._caught.__exit__(None, None, None)


def versions() -> dict[str, str]:
    """Versions of what makes the graph: torch and onnx."""
    import onnx  # noqa: PLC0415 - the exporter loads it anyway, but only when it runs

    return {"torch": str(torch.__version__), "onnx": onnx.__version__}
