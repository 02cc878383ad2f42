"""The network: a torchvision trunk with one linear head on its last two stages.

The head sees the mean and the maximum of both stages, standardised, so that a plain logistic fit
on cached features is already a model; the same head applied at every location gives the
heatmap (class activation mapping, Zhou et al., arXiv:1512.04150). A large frame is judged
tile by tile. It knows nothing of files, recipes or data.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as fn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor

from trainer import tiles

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Architecture:
    """One kind of trunk.

    Attributes:
        name: torchvision's name of the model.
        fine: node whose output is the finer stage (1/16 of the input).
        coarse: node whose output is the coarser stage (1/32 of the input).
        channels: channels of the finer and of the coarser stage.
        stages: prefixes of parameter names, from the input on, that thaw together.
    """

    name: str
    fine: str
    coarse: str
    channels: tuple[int, int]
    stages: tuple[tuple[str, ...], ...]

    @property
    def features(self) -> int:
        """Length of the pooled feature vector: mean and maximum of both stages."""
        return 2 * sum(self.channels)


def _vgg_stages(ends: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    starts = (0, *ends[:-1])
    return tuple(
        tuple(f"features.{i}." for i in range(a, b)) for a, b in zip(starts, ends, strict=True)
    )


_RESNET = (("conv1.", "bn1."), ("layer1.",), ("layer2.",), ("layer3.",), ("layer4.",))
ARCHITECTURES = {
    arch.name: arch
    for arch in (
        Architecture("resnet18", "layer3", "layer4", (256, 512), _RESNET),
        Architecture("resnet34", "layer3", "layer4", (256, 512), _RESNET),
        Architecture("resnet50", "layer3", "layer4", (1024, 2048), _RESNET),
        Architecture(
            "vgg16", "features.23", "features.30", (512, 512), _vgg_stages((5, 10, 17, 24, 31))
        ),
        Architecture(
            "vgg16_bn", "features.33", "features.43", (512, 512), _vgg_stages((7, 14, 24, 34, 44))
        ),
    )
}


class Network(nn.Module):
    """Logits for a picture, and the evidence by place; class 0 is always `good`.

    Attributes:
        trunk: torchvision's layers under torchvision's names, up to the last stage.
        centre: (F,) float32, mean of each pooled feature over the training pictures.
        spread: (F,) float32, its standard deviation.
        head: linear, F features to C classes.
        tile: side in input pixels of the tiles that are judged one by one, or None: the whole.
        novelty: both stages' maps to (N,) novelty (trainer/novelty.py), or None.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, arch: str, classes: int, tile: int | None = None) -> None:
        super().__init__()
        self.tile = tile
        self.arch = ARCHITECTURES[arch]
        self.trunk = _trunk(self.arch)
        self.head = nn.Linear(self.arch.features, classes)
        self.novelty: nn.Module | None = None
        self.register_buffer("centre", torch.zeros(self.arch.features))
        self.register_buffer("spread", torch.ones(self.arch.features))

    @property
    def device(self) -> torch.device:
        """Where the trunk is; the head stays on the CPU."""
        return next(self.trunk.parameters()).device

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Both stages of `x` (N,3,H,W): (N,A,H/16,W/16) and (N,B,H/32,W/32)."""
        stages = cast("dict[str, Tensor]", self.trunk(x))
        return stages["fine"], stages["coarse"]

    def features(self, x: Tensor) -> Tensor:
        """Pooled, not yet standardised features (N,F) of `x` (N,3,H,W); of K tiles (N,K,F)."""
        return self.pooled(*self.maps(x.to(self.device)))

    def pooled(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Features (N,F) of both stages' maps, on the CPU; of K tiles (N,K,F)."""
        if self.tile is None:
            return pool(fine, coarse).cpu()
        near, far = self._cut(fine, coarse)
        of_tiles = pool(near.flatten(0, 1), far.flatten(0, 1)).cpu()
        return of_tiles.unflatten(0, (-1, near.shape[1]))

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N,C) of pooled features (N,F), or (N,K,F) of K tiles."""
        logits = cast("Tensor", self.head((features - self.centre) / self.spread))
        return logits if logits.ndim == 2 else combine(logits)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Judge pictures.

        Args:
            x: (N,3,H,W) float32 RGB, ImageNet-normalised (`normalise`).

        Returns:
            Logits (N,C), and evidence of a defect by place (N,h,w), in logits, on the finer
            stage's grid; and novelty (N,), if the network has a sense of it.
        """
        fine, coarse = self.maps(x)
        told = self._judged(fine, coarse)
        return told if self.novelty is None else (*told, self.novelty(fine, coarse))

    def _judged(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        if self.tile is None:
            logits = self.classify(pool(fine, coarse))
            return logits, self._evidence(fine, coarse, logits)
        near, far = (maps.flatten(0, 1) for maps in self._cut(fine, coarse))
        each = cast("Tensor", self.head((pool(near, far) - self.centre) / self.spread))
        height, width = int(fine.shape[2]), int(fine.shape[3])
        many = tiles.count(self.tile // tiles.FINE, height, width)
        evidence = self._evidence(near, far, each).unflatten(0, (-1, many))
        return combine(each.unflatten(0, (-1, many))), tiles.stitch(evidence, height, width)

    def _cut(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """Tiles (N,K,A,s,s) of the finer and (N,K,B,s/2,s/2) of the coarser stage."""
        side = self.tile or 0
        return tiles.cut(fine, side // tiles.FINE), tiles.cut(coarse, side // tiles.COARSE)

    def _evidence(self, fine: Tensor, coarse: Tensor, logits: Tensor) -> Tensor:
        """The margin of the likeliest defects over good, shared out among the places it is from.

        Class activation mapping (Zhou and others, arXiv:1512.04150), with each maximum given to
        the place that holds it: summed over all places, and with the head's bias, it is exactly
        the margin. Measured from the training pictures' average, so that a typical part is dark.
        """
        a, b = self.arch.channels
        which = torch.softmax(logits[:, 1:], dim=1)
        weight = self.head.weight / self.spread
        towards = (which @ weight[1:] - weight[0]).split((a, a, b, b), dim=1)
        usual = self.centre.split((a, a, b, b))
        near = _shares(fine, towards[:2], usual[:2])
        far = _shares(coarse, towards[2:], usual[2:])
        size = (int(fine.shape[2]), int(fine.shape[3]))
        cells = (size[0] * size[1]) / (int(coarse.shape[2]) * int(coarse.shape[3]))
        enlarged = fn.interpolate(far[:, None], size=size, mode="nearest")[:, 0]
        return near + enlarged / cells


def _shares(maps: Tensor, towards: tuple[Tensor, ...], usual: tuple[Tensor, ...]) -> Tensor:
    """What each place (N,h,w) of `maps` (N,A,h,w) adds through the mean and the maximum."""
    of_mean, of_peak = (weights[:, :, None, None] for weights in towards)
    usual_mean, usual_peak = (values[:, None, None] for values in usual)
    places = int(maps.shape[2]) * int(maps.shape[3])
    peak = maps.amax((2, 3), keepdim=True)
    at_peak = (maps == peak).to(maps.dtype)
    at_peak = at_peak / at_peak.sum((2, 3), keepdim=True)
    spread_out = of_mean * (maps - usual_mean) / places
    return (spread_out + of_peak * (peak - usual_peak) * at_peak).sum(1)


def combine(logits: Tensor, inside: Tensor | None = None, sharpness: float | None = None) -> Tensor:
    """A part's logits (N,C) from its tiles' (N,K,C): of each defect, the tile that shows it most.

    Args:
        logits: of each tile; class 0 is good.
        inside: (N,K) True where a tile counts; by default all do.
        sharpness: None takes the maximum over tiles; smaller numbers let the others have a say
            (the log of the mean of exponentials, Ramon and De Raedt, ICML 2000 workshop).

    Returns:
        Logits in which good is 0, and each defect the largest of its margins over good.
    """
    margins = logits[..., 1:] - logits[..., :1]
    if inside is not None:
        margins = margins.masked_fill(~inside[..., None], -torch.inf)
    if sharpness is None:
        most = margins.amax(1)
    else:
        among = inside.sum(1, keepdim=True) if inside is not None else margins.shape[1]
        among = torch.as_tensor(among, dtype=margins.dtype).log()
        most = (torch.logsumexp(sharpness * margins, 1) - among) / sharpness
    return torch.cat([torch.zeros_like(most[:, :1]), most], 1)


def pool(fine: Tensor, coarse: Tensor) -> Tensor:
    """Mean and maximum over both maps' locations: (N, 2A+2B)."""
    return torch.cat(
        [fine.mean((2, 3)), fine.amax((2, 3)), coarse.mean((2, 3)), coarse.amax((2, 3))], dim=1
    )


def normalise(pictures: Tensor) -> Tensor:
    """(N,H,W,3) uint8 BGR to (N,3,H,W) float32 RGB, ImageNet-normalised, channels last."""
    rgb = pictures.permute(0, 3, 1, 2).flip(1).float()
    mean = torch.tensor(MEAN, device=rgb.device).view(1, 3, 1, 1) * 255
    std = torch.tensor(STD, device=rgb.device).view(1, 3, 1, 1) * 255
    return ((rgb - mean) / std).contiguous(memory_format=torch.channels_last)


def _trunk(arch: Architecture) -> nn.Module:
    with torch.device("meta"):  # VGG's 123 million classifier weights are never allocated
        whole = models.get_model(arch.name, weights=None)
    trunk = create_feature_extractor(whole, {arch.fine: "fine", arch.coarse: "coarse"})
    trunk = trunk.to_empty(device="cpu")
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):  # as torchvision initialises both families
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return trunk
