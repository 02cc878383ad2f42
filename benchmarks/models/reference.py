"""A faithful re-run of torchvision's two recipes for a classifier, on our splits.

`reference` follows references/classification/train.py of torchvision: SGD with momentum 0.9 and
weight decay 1e-4, batch 32, RandomResizedCrop 224 and horizontal flip, learning rate 0.1 for 8
cards of 32 pictures, hence 0.1/8 here by its own linear rule, StepLR with a tenth after each third
of the epochs, the last epoch kept. `tutorial` is torchvision's transfer-learning tutorial, the
fairer one for pre-trained weights: learning rate 1e-3, StepLR a tenth every 7 epochs, the epoch
of best validation accuracy kept. Both start from the same pre-trained trunk as ours, with a new
last layer, and train every layer. Not taken over: 90 epochs (the epochs are the caller's), and
256-pixel centre crops in the test (the whole picture is judged at 224, as ours is: a crop would
lose defects).
"""

import copy
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn
from torchvision import models
from torchvision.transforms import v2

from trainer.backbone import MEAN, STD, Network
from trainer.material import Material

SIDE, BATCH = 224, 32  # pixels judged, unless a set is smaller; pictures per step

Heard = Callable[[nn.Module, float], bool]


def build(arch: str, classes: int, network: Network) -> nn.Module:
    """Torchvision's model with our trunk's weights and a new last layer; VGG's of one layer."""
    if arch.startswith("vgg"):
        whole = nn.Sequential(
            models.get_model(arch, weights=None).features,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(512, classes),
        )
        held = {k.removeprefix("features."): v for k, v in network.trunk.state_dict().items()}
        whole[0].load_state_dict(held, strict=False)
        return whole
    whole = models.get_model(arch, weights=None)
    whole.load_state_dict(network.trunk.state_dict(), strict=False)
    whole.fc = nn.Linear(whole.fc.in_features, classes)
    return whole


def tensors(frames: np.ndarray) -> Tensor:
    """(N,H,W,3) uint8 BGR as (N,3,H,W) uint8 RGB."""
    return torch.from_numpy(np.ascontiguousarray(frames[..., ::-1])).permute(0, 3, 1, 2)


@torch.inference_mode()
def logits(model: nn.Module, pictures: Tensor, side: int = SIDE) -> Tensor:
    """Logits (N,C) of whole pictures (N,3,H,W) uint8 at `side` pixels."""
    model.eval()
    resize = v2.Compose([v2.Resize((side, side), antialias=True), _normal()])
    return torch.cat([model(resize(part)) for part in pictures.split(BATCH)])


def _normal() -> v2.Transform:
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])


def learn(
    model: nn.Module, material: Material, recipe: str, epochs: int, *, seed: int, side: int = SIDE,
    heard: Heard = lambda _model, _seconds: False,
) -> None:  # fmt: skip
    """Train in place.

    Args:
        model: torchvision's.
        material: frames a seventh larger than they are judged at: 256x256 for 224.
        recipe: `reference` or `tutorial`.
        epochs: how many.
        seed: of order and changes.
        side: pixels that crops and judged pictures have.
        heard: told after every epoch of the model and the seconds of training so far; True ends it.
    """
    torch.manual_seed(seed)
    at, choose = material.of("train"), material.of("validation")
    pictures, labels = tensors(material.album.frames[at]), torch.from_numpy(material.labels[at])
    unseen = tensors(material.album.frames[choose])
    rate, every = (0.1 / 8, max(1, epochs // 3)) if recipe == "reference" else (1e-3, 7)
    sgd = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=1e-4)
    course = torch.optim.lr_scheduler.StepLR(sgd, every, 0.1)
    change = v2.Compose(
        [v2.RandomResizedCrop(side, antialias=True), v2.RandomHorizontalFlip(), _normal()]
    )
    best, kept, spent = -1.0, None, 0.0
    for _ in range(epochs):
        begun = time.perf_counter()
        model.train()
        for portion in torch.tensor_split(torch.randperm(len(at)), -(-len(at) // BATCH)):
            x = torch.stack([change(pictures[i]) for i in portion])
            sgd.zero_grad()
            fn.cross_entropy(model(x), labels[portion]).backward()
            sgd.step()
        course.step()
        if recipe == "tutorial":
            right = logits(model, unseen, side).argmax(1).numpy() == material.labels[choose]
            if right.mean() > best:
                best, kept = float(right.mean()), copy.deepcopy(model.state_dict())
        spent += time.perf_counter() - begun
        if heard(model, spent):
            return
    if kept is not None:
        model.load_state_dict(kept)
