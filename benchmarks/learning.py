"""Seconds to the same validation AUROC: our training against torchvision's recipe, side by side.

Both learn the same pictures of the virtual line from the same starter weights, one after the
other in the same run. The mark is the best that torchvision's recipe reaches; time counts
computing features and training, for both without reading pictures and judging.
"""

import statistics
import time
from pathlib import Path

import torch

from benchmarks.models import reference
from edge.virtual_line import VirtualLine
from edge.virtual_line.dataset import write_dataset
from edge.virtual_line.line import REGION
from export.figures import Figure
from export.preprocess import Input
from trainer import head, weights
from trainer.backbone import Network
from trainer.finetune import Epoch, judge, tune
from trainer.material import Choices, Material, gather
from trainer.progress import Progress
from trainer.recipe import named, on_this_machine

PARTS, EPOCHS, REPEATS = 96, 5, 3
ARCH = "resnet18"

Course = list[tuple[float, float]]  # seconds, validation AUROC


def _network(material: Material, seed: int) -> Network:
    torch.manual_seed(seed)
    network = Network(ARCH, len(material.dataset.classes))
    weights.fill(network.trunk, ARCH, "starter")
    return network.to(memory_format=torch.channels_last).eval()


def theirs(material: Material, seed: int) -> Course:
    """Torchvision's transfer-learning recipe, epoch by epoch."""
    course: Course = []
    at = material.of("validation")
    unseen = reference.tensors(material.album.frames[at])

    def heard(model: torch.nn.Module, seconds: float) -> bool:
        found = reference.logits(model, unseen).numpy()
        course.append((seconds, judge(found, material.labels[at])[1]))
        return False

    model = reference.build(ARCH, len(material.dataset.classes), _network(material, seed))
    reference.learn(model, material, "tutorial", EPOCHS, seed=seed, heard=heard)
    return course


def ours(material: Material, seed: int) -> Course:
    """The head, then fine-tuning, each epoch as `train` judges it."""
    recipe = on_this_machine(named("tune"))
    network, course = _network(material, seed), Course()
    learnt, unseen = material.labelled("train"), material.labelled("validation")
    begun = time.perf_counter()
    seen = head.views(learnt.frames, recipe.flips)[: head.FIRST]
    pooled = torch.cat([head.features(network, view, recipe.bf16) for view in seen])
    plain = head.features(network, unseen.frames, recipe.bf16)
    head.standardise(network, pooled)

    @torch.inference_mode()
    def judged() -> tuple[float, float]:
        return judge(network.classify(plain).numpy(), unseen.labels)

    labels = torch.from_numpy(learnt.labels).repeat(len(seen)).numpy()
    head.fit(network, pooled, labels, recipe.head_grid, lambda: judged()[0])
    course.append((time.perf_counter() - begun, judged()[1]))

    def heard(epoch: Epoch) -> None:
        course.append((time.perf_counter() - begun, epoch.validation_auroc))

    tune(network, learnt, unseen, recipe, seed=seed, heard=heard)
    return course


def first(course: Course, mark: float) -> float:
    """Seconds until the mark is reached; infinite where it never is."""
    return next((seconds for seconds, area in course if area >= mark), float("inf"))


def measure(folder: Path) -> list[Figure]:
    """The figures, medians over repeats with other seeds."""
    data = folder / "data"
    source = VirtualLine(1, PARTS, 640, 512, defect_rate=0.5, designs=("bracket",))
    write_dataset(source, data, region=REGION, suffix=".png")
    both: list[tuple[float, float]] = []
    for seed in range(REPEATS):
        large, small = (
            gather(data, Choices(), Input(side, side), seed, Progress(None)) for side in (256, 224)
        )
        they = theirs(large, seed)
        mark = max(area for _, area in they)
        both.append((first(they, mark), first(ours(small, seed), mark)))
    ratio = statistics.median(they / us for they, us in both)
    note = f"medians of {REPEATS} seeds, {PARTS} parts; the mark is their best of {EPOCHS} epochs"
    return [
        Figure(
            "torchvision's recipe to its best AUROC", statistics.median(t for t, _ in both), "s"
        ),
        Figure("our training to the same", statistics.median(u for _, u in both), "s"),
        Figure("how many times sooner", ratio, "", ">= 3", note),
    ]
