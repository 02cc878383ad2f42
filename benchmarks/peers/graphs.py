"""One network's weights in the form that each peer takes: same layers, same input size.

Roboflow's server normalises itself and wants logits; anomalib's inferencer hands over whole frames
and has the graph resize and normalise, as its own exports do.
"""

import json
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from trainer.backbone import Network

SIDE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLASSES = ("good", "spot")
_onnx: Any = cast("Any", torch.onnx)


class Logits(nn.Module):
    """(N,3,H,W) normalised → logits (N,C)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """As Roboflow's classifiers answer."""
        return self.network(images)[0]


class Anomaly(nn.Module):
    """(N,3,H,W) RGB in 0..1 of any size → score (N,) and heatmap."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """As anomalib's exports answer."""
        small = fn.interpolate(image, (SIDE, SIDE), mode="bilinear", antialias=True)
        logits, evidence = self.network((small - self.mean) / self.deviation)[:2]
        return logits.softmax(1)[:, 1:].sum(1), evidence[:, None]


def for_roboflow(network: Network, cache: Path) -> None:
    """The files that its cache holds for one classifier."""
    cache.mkdir(parents=True)
    example = torch.zeros(1, 3, SIDE, SIDE)
    _export(Logits(network), example, cache / "best.onnx", "images", ["output"])
    cache.joinpath("class_names.txt").write_text("\n".join(CLASSES))
    size = {"format": "Stretch to", "width": SIDE, "height": SIDE}
    names = {str(number): name for number, name in enumerate(CLASSES)}
    told = {"PREPROCESSING": {"resize": size}, "CLASS_MAP": names, "MULTICLASS": False}
    cache.joinpath("environment.json").write_text(json.dumps(told))
    kind = {"project_task_type": "classification", "model_type": "resnet18"}
    cache.joinpath("model_type.json").write_text(json.dumps(kind))


def for_anomalib(network: Network, path: Path, rows: int, columns: int) -> None:
    """One graph for frames of this size."""
    example = torch.zeros(1, 3, rows, columns)
    _export(Anomaly(network), example, path, "input", ["pred_score", "anomaly_map"])


def _export(model: nn.Module, example: Tensor, path: Path, taken: str, given: list[str]) -> None:
    _onnx.export(
        model.eval(), (example,), path, input_names=[taken], output_names=given,
        opset_version=20, external_data=False, dynamo=True, verbose=False,
    )  # fmt: skip
