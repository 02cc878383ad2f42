"""INT8: a graph with some of its layers quantised, by ONNX Runtime's own tools.

Activations are unsigned and asymmetric, weights signed and per channel (U8S8, as QuantizeLinear
and DequantizeLinear pairs of the standard domain). Weights keep 7 of 8 bits: without VNNI, an x86
processor adds two products in 16 bits, and only then can't they overflow (255 * 63 * 2 < 2^15).
With 8 the same file answers otherwise on another processor: docs/decisions/0011.
"""

import contextlib
import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import onnx
from onnxruntime import quantization

from export.errors import BundleError
from export.preprocess import Pixels
from trainer.variants.layers import Layer, layers

_ort: Any = cast("Any", quantization)  # untyped; contained here

KINDS = ("Conv", "Add", "MaxPool", "Relu")


class _Reader:
    """Pictures for the calibrator, one at a time."""

    def __init__(self, frames: Pixels) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, Pixels] | None:
        frame = next(self._frames, None)
        return None if frame is None else {"frames": frame[None]}


@dataclass(frozen=True, slots=True)
class Quantiser:
    """Makes INT8 graphs of one FP32 graph; the ranges of activations are measured once.

    Attributes:
        model: the FP32 graph.
        layers: what may be quantised.
        frames: (N,h,w,3) uint8 training pictures that the ranges are taken from.
        scratch: a folder for files that nobody else needs.
    """

    model: Path
    layers: tuple[Layer, ...]
    frames: Pixels
    scratch: Path

    @classmethod
    def of(cls, model: Path, frames: Pixels, scratch: Path) -> "Quantiser":
        """For all layers that may be quantised; raises BundleError if there are none."""
        found = layers(onnx.load(model))
        if not found:
            raise BundleError(f"{model} has no layer that could be quantised")
        return cls(model, found, frames, scratch)

    def write(self, chosen: Sequence[Layer], out: Path) -> Path:
        """Write the graph with the chosen layers in INT8; returns `out`.

        Raises:
            BundleError: ONNX Runtime can't quantise it.
        """
        ranges = self.scratch / "ranges.json"
        try:
            with _quiet():
                _ort.quantize_static(
                    str(self.model),
                    str(out),
                    _Reader(self.frames),
                    quant_format=_ort.QuantFormat.QDQ,
                    op_types_to_quantize=list(KINDS),
                    nodes_to_quantize=[name for layer in chosen for name in layer.nodes],
                    per_channel=True,
                    reduce_range=True,
                    activation_type=_ort.QuantType.QUInt8,
                    weight_type=_ort.QuantType.QInt8,
                    calibration_cache_path=str(ranges),
                )
        except Exception as error:
            # The quantiser's errors share no base below Exception.
            raise BundleError(f"ONNX Runtime can't quantise this graph: {error}") from error
        return out


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences the quantiser's advice, which isn't for the person at the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
