"""One training run from a folder of pictures to a run's folder: the order of the steps.

Train and validation teach and choose; calibration places the thresholds; the test is looked at
once, at the end.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import stamp
from export.manifest import Basis
from export.verdict import Thresholds
from trainer import calibrate, evaluate, head, masks, pointing
from trainer.backbone import Network
from trainer.curves import draw
from trainer.evaluate import calibration_metric
from trainer.finetune import PLACES
from trainer.material import Material, gather
from trainer.progress import Progress
from trainer.run import Record, Run, ScoreRow, Split
from trainer.sensing import sense
from trainer.teaching import Plan, finish, flat, input_record, split_rows, teach, versions
from trainer.thresholds.decision import decide_thresholds


def train(plan: Plan, folder: Path, progress: Progress) -> Run:
    """Train, calibrate, examine and write the run; raises LinewardenError."""
    begun = time.monotonic()
    taught = teach(plan, folder, progress, _gathered)
    network, material = taught.network, taught.material
    # Pictures that have taught examine nothing.
    examined: tuple[Split, ...] = ("test",) if taught.refit else ("validation", "test")
    calibrated = _calibrated(network, material, plan, progress, examined)
    record = Record(
        name=folder.resolve().name,
        created_at=stamp.now(),
        arch=plan.arch,
        classes=material.dataset.classes,
        input=input_record(plan),
        weights=taught.origin,
        seed=plan.seed,
        recipe=flat(plan.recipe) | {"kept": taught.kept},
        data=material.record(),
        temperature=calibrated.temperature,
        thresholds=calibrated.thresholds,
        basis=calibrated.basis,
        metrics=calibrated.metrics,
        versions=versions(),
        seconds={name: round(took, 2) for name, took in progress.spent.items()},
        minutes=round((time.monotonic() - begun) / 60, 3),
    )
    run = Run(folder, record)
    rows = calibrated.scores
    draw(folder / "curves.png", taught.epochs, rows, record.thresholds)
    run.save(network, split_rows(material), rows)
    taught.board.close(record, record.basis.words)
    finish(folder)
    progress.say(f"time: {_spent(record.seconds)}")
    return run


def _gathered(plan: Plan, progress: Progress) -> Material:
    """The pictures; a mask that the examination at the end can't use is refused before the work."""
    material = gather(plan.data, plan.choices, plan.to, plan.seed, progress)
    paths = [material.album.paths[i] for i in material.of("test").tolist()]
    masks.read_all(material.dataset, masks.find(material.dataset), paths, plan.to)
    return material


def _spent(seconds: dict[str, float]) -> str:
    """What took how long, the longest first; what makes up fine-tuning stands in brackets."""
    within = [f"{name} {seconds[name]:.1f} s" for name in PLACES if name in seconds]
    whole = sorted((took, name) for name, took in seconds.items() if name not in PLACES)
    told = [f"{name} {took:.1f} s" for took, name in reversed(whole)]
    return ", ".join(told) + (f" (within it: {', '.join(within)})" if within else "")


@dataclass(frozen=True, slots=True, eq=False)
class _Calibrated:
    temperature: float
    thresholds: Thresholds
    basis: Basis
    metrics: tuple[evaluate.Metric, ...]
    scores: list[ScoreRow]


def _calibrated(
    network: Network,
    material: Material,
    plan: Plan,
    progress: Progress,
    examined: tuple[Split, ...],
) -> _Calibrated:
    sensed = sense(network, material, plan.budgets, progress)
    logits = head.logits(network, sensed.pooled)
    at = material.of("calibration")
    t = calibrate.temperature(logits[at], material.labels[at])
    chances = calibrate.probabilities(logits, t)
    scores = calibrate.score_of(chances)
    raw = calibrate.score_of(calibrate.probabilities(logits, 1.0))
    strange = sensed.novelty
    decision = decide_thresholds(
        _judged(material, "calibration", scores, strange),
        plan.budgets,
        novel_above=sensed.novel_above,
    )
    basis = decision.basis.model_copy(update={"novelty": sensed.basis})
    metrics = [
        metric
        for split in examined
        for metric in evaluate.report(
            _judged(material, split, scores, strange), decision.thresholds, split
        ).metrics
    ]
    metrics += [
        calibration_metric(name, _judged(material, "calibration", found), "calibration")
        for name, found in (("calibration_error_before", raw), ("calibration_error", scores))
    ]
    at = material.of("test").tolist()
    played = pointing.play(
        network, t, material.dataset, material.album, plan.to,
        at=at, parts=[material.parts[i] for i in at],
    )  # fmt: skip
    metrics += pointing.metrics(played, "test")
    before = _judged(material, "test", raw)
    metrics.append(calibration_metric("calibration_error_before", before, "test"))
    rows = [
        ScoreRow(
            path=picture.path,
            label=picture.label,
            split=split,
            score=float(score),
            probabilities=tuple(float(min(1.0, p)) for p in chance),
            novelty=None if strange is None else float(strange[i]),
        )
        for i, (picture, split, score, chance) in enumerate(
            zip(material.dataset.pictures, material.splits, scores, chances, strict=True)
        )
    ]
    return _Calibrated(t, decision.thresholds, basis, tuple(metrics), rows)


def _judged(
    material: Material,
    split: Split,
    scores: calibrate.Floats,
    strange: calibrate.Floats | None = None,
) -> evaluate.Judged:
    at = material.of(split)
    return evaluate.Judged(
        tuple(material.dataset.classes[material.labels[i]] for i in at),
        tuple(material.parts[i] for i in at),
        np.asarray(scores[at], np.float64),
        None if strange is None else np.asarray(strange[at], np.float64),
    )
