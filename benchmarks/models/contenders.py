"""The contenders: each makes a model from one split and scores its test."""

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.models import reference
from benchmarks.models.cells import Key, Set
from export.preprocess import Input
from trainer import head, weights
from trainer.advise import arms
from trainer.advise.figures import measure
from trainer.backbone import Network
from trainer.calibrate import Budgets
from trainer.material import Choices, Material, gather
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.recipe import named, on_this_machine
from trainer.taxonomy import training as taxonomy
from trainer.training import Plan, train

CONTENDERS = ("nearest", "head", "ours", "patchcore", "tutorial", "reference")
QUIET = Progress(None)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the pictures are, which weights, how long the references train, whose PatchCore."""

    data: Path
    weights: str
    epochs: int
    anomalib: Path | None = None


def run(key: Key, of: Set, ground: Ground) -> dict[str, float]:
    """One cell's figures on the test of the seed's split."""
    choices = Choices(
        None, PartRule(None, None, of.runs), resplit=True, types=of.types, reencode=of.reencode
    )
    if key.contender == "ours" or (of.types and key.contender == "head"):
        return _ours(key, of, ground, choices)
    theirs = key.contender in {"tutorial", "reference"}
    side = of.side * 8 // 7 if theirs else of.side
    material = gather(ground.data / of.name, choices, Input(side, side), key.seed, QUIET)
    torch.manual_seed(key.seed)
    network = Network(key.arch, len(material.dataset.classes))
    weights.fill(network.trunk, key.arch, ground.weights)
    network = network.to(memory_format=torch.channels_last).eval()
    if key.contender in {"nearest", "head"}:
        return _quick(key, of, material, network)
    if key.contender == "patchcore":
        return _patchcore(key, of, material, network, ground)
    begun = time.perf_counter()
    model = reference.build(key.arch, len(material.dataset.classes), network)
    reference.learn(model, material, key.contender, ground.epochs, seed=key.seed, side=of.side)
    minutes = (time.perf_counter() - begun) / 60
    at = material.of("test")
    pictures = reference.tensors(material.album.frames[at])
    logits = reference.logits(model, pictures, of.side).double().numpy()
    margins = np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0]
    return _figures(margins, logits.argmax(1), material.labels[at], of) | {"minutes": minutes}


def _ours(key: Key, of: Set, ground: Ground, choices: Choices) -> dict[str, float]:
    recipe = on_this_machine(named("tune"))
    if key.contender == "head":
        recipe = recipe.model_copy(update={"epochs": 0})
    with tempfile.TemporaryDirectory(prefix="linewarden-models-") as folder:
        plan = Plan(
            data=ground.data / of.name, arch=key.arch, weights=ground.weights, seed=key.seed,
            to=Input(of.side, of.side), recipe=recipe, budgets=Budgets(), choices=choices,
        )  # fmt: skip
        if of.types:
            told = taxonomy.train(plan, Path(folder) / "run", QUIET).record
            right = next(one.value for one in told.metrics if one.name == "accuracy")
            return {"accuracy": right, "minutes": told.minutes}
        done = train(plan, Path(folder) / "run", QUIET)
        rows = [row for row in done.scores() if row.split == "test"]
    classes = done.record.classes
    labels = np.array([classes.index(row.label) for row in rows])
    chances = np.array([row.probabilities for row in rows])
    margins = -np.log(np.maximum(chances[:, 0], 1e-30)) + np.log(
        np.maximum(chances[:, 1:].sum(1), 1e-30)
    )
    also = {one.name: one.value for one in done.record.metrics if one.name == "pointing"}
    also["minutes"] = done.record.minutes
    return _figures(margins, chances.argmax(1), labels, of) | also


def _quick(key: Key, of: Set, material: Material, network: Network) -> dict[str, float]:
    recipe = on_this_machine(named("tune"))
    seen = head.views(material.album.frames, recipe.flips)
    begun = time.monotonic()
    views = torch.stack([head.features(network, view, recipe.bf16) for view in seen])
    each = (time.monotonic() - begun) / sum(map(len, seen))
    pictures = arms.Pictures(material.album.frames, material.labels, views, each)
    learn, choose, judge = (material.of(name) for name in ("train", "validation", "test"))
    arm: arms.Arm = "nearest" if key.contender == "nearest" else "head"
    lesson = arms.Lesson(learn, choose, judge, key.seed)
    found = arms.run(arm, pictures, lesson, network, recipe)
    minutes = {"minutes": found.seconds / 60}
    return _figures(found.scores, None, material.labels[judge], of) | minutes


def _patchcore(
    key: Key, of: Set, material: Material, network: Network, ground: Ground
) -> dict[str, float]:
    """Anomalib's, which learns from good pictures alone: those of training and validation."""
    learn = np.concatenate([material.of("train"), material.of("validation")])
    good, at = learn[material.labels[learn] == 0], material.of("test")
    tensors = {f"w.{k}": v.numpy() for k, v in network.trunk.state_dict().items()}
    frames, begun = material.album.frames, time.perf_counter()
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, good=frames[good], test=frames[at], arch=np.array(key.arch), **tensors)
        file.flush()
        script = Path(__file__).with_name("patchcore.py")
        command = [str(ground.anomalib), str(script), file.name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    minutes = {"minutes": (time.perf_counter() - begun) / 60}
    scores = np.array(json.loads(told.splitlines()[-1]))
    return _figures(scores, None, material.labels[at], of) | minutes


def _figures(
    margins: np.ndarray, guesses: np.ndarray | None, labels: np.ndarray, of: Set
) -> dict[str, float]:
    found = {} if of.types else measure(margins, labels != 0)
    if guesses is not None:
        found["accuracy"] = float((guesses == labels).mean())
    return found
