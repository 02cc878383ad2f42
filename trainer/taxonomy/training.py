"""Training to tell types of defect apart: the order of the steps.

The same split, head, fine-tuning and temperature as for an inspection (trainer/training.py), but no
good class, so no thresholds, no novelty and no promise.
"""

import time
from pathlib import Path

import numpy as np

from export import stamp
from trainer import calibrate, head
from trainer.backbone import Network
from trainer.material import Material
from trainer.progress import Progress
from trainer.taxonomy import figures
from trainer.taxonomy.figures import Told
from trainer.taxonomy.record import Guess, TypesRecord, TypesRun
from trainer.taxonomy.words import PURPOSE
from trainer.teaching import Plan, finish, flat, input_record, split_rows, teach, versions


def train(plan: Plan, folder: Path, progress: Progress) -> TypesRun:
    """Train, calibrate, examine and write the run; raises LinewardenError."""
    begun = time.monotonic()
    taught = teach(plan, folder, progress)
    network, material = taught.network, taught.material
    types = material.dataset.classes
    logits = _logits(network, material, plan, progress)
    calibrates = material.of("calibration")
    t = calibrate.temperature(logits[calibrates], material.labels[calibrates])
    at = material.of("test")
    told = _told(material, calibrate.probabilities(logits, t), at)
    before = _told(material, calibrate.probabilities(logits, 1.0), at)
    record = TypesRecord(
        name=folder.resolve().name,
        created_at=stamp.now(),
        arch=plan.arch,
        types=types,
        input=input_record(plan),
        weights=taught.origin,
        seed=plan.seed,
        recipe=flat(plan.recipe) | {"kept": taught.kept},
        data=material.record(),
        temperature=t,
        metrics=(
            *figures.measure(told, types, "test"),
            figures.calibration(figures.BEFORE, before, "test"),
        ),
        confusion=figures.confusion(told, types),
        versions=versions(),
        seconds={name: round(took, 2) for name, took in progress.spent.items()},
        minutes=round((time.monotonic() - begun) / 60, 3),
    )
    run = TypesRun(folder, record)
    run.save(network, split_rows(material), _guesses(material, calibrate.probabilities(logits, t)))
    taught.board.close(record, PURPOSE)
    finish(folder)
    return run


def _logits(
    network: Network, material: Material, plan: Plan, progress: Progress
) -> calibrate.Floats:
    frames = material.album.frames
    with progress.phase("scoring", len(frames)) as advance:
        return head.logits(network, head.features(network, frames, plan.recipe.bf16, advance))


def _told(material: Material, chances: calibrate.Floats, at: np.ndarray) -> Told:
    return Told(material.labels[at], tuple(material.parts[i] for i in at), chances[at])


def _guesses(material: Material, chances: calibrate.Floats) -> list[Guess]:
    types = material.dataset.classes
    return [
        Guess(
            path=picture.path,
            label=picture.label,
            split=split,
            told=types[int(row.argmax())],
            probabilities=tuple(map(float, row)),
        )
        for picture, split, row in zip(
            material.dataset.pictures, material.splits, chances, strict=True
        )
    ]
