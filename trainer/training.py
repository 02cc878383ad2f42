"""One training run from a folder of pictures to a run's folder: the order of the steps.

Train and validation teach and choose; calibration places the thresholds; the test is looked at
once, at the end.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision

from export import __version__, stamp
from export.errors import RunError
from export.manifest import Basis
from export.preprocess import Input
from export.verdict import Thresholds
from trainer import calibrate, evaluate, head, pointing, sheet, weights
from trainer.backbone import Network
from trainer.board import Board
from trainer.calibrate import Budgets
from trainer.curves import draw
from trainer.evaluate import calibration_metric
from trainer.finetune import PLACES, Epoch, Labelled, judge, tune
from trainer.history import changed_words
from trainer.material import Choices, Material, gather
from trainer.parts import to_hex
from trainer.progress import Progress
from trainer.recipe import Recipe
from trainer.run import InputRecord, Record, Run, ScoreRow, Split, SplitRow
from trainer.sensing import sense
from trainer.thresholds.decision import decide_thresholds
from trainer.tuning.checkpoint import clear

STARTED, PICTURES = "started.json", "pictures.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a run's result."""

    data: Path
    arch: str
    weights: str
    seed: int
    to: Input
    recipe: Recipe
    budgets: Budgets
    choices: Choices
    tile: int | None = None

    def words(self) -> str:
        """The plan as text, to tell whether an unfinished run was of the same plan."""
        return json.dumps(asdict(self) | {"recipe": self.recipe.model_dump()}, default=str) + "\n"


def open_folder(folder: Path, plan: Plan) -> None:
    """Claim the run's folder; raises RunError if it holds anything but this plan, unfinished."""
    mark, fresh = folder / STARTED, folder / f"{STARTED}.part"
    try:
        if mark.exists():
            if mark.read_text(encoding="utf-8") == plan.words():
                return
            what = "an unfinished run of another plan"
            raise RunError(
                f"{str(folder)!r} already holds {what}", "give another --out, or remove it"
            )
        if folder.exists() and any(path != fresh for path in folder.iterdir()):
            raise RunError(f"{str(folder)!r} already holds files", "give another --out")
        folder.mkdir(parents=True, exist_ok=True)
        fresh.write_text(plan.words(), encoding="utf-8")
        fresh.replace(mark)
    except OSError as error:
        raise RunError(
            f"{str(folder)!r} can't be used: {error.strerror}", "give another --out"
        ) from error


def remember(folder: Path, material: Material) -> None:
    """Note every picture's bytes when a run begins; a run that goes on must find the same.

    Raises:
        RunError: a picture has changed, come or gone since the run began.
    """
    told = json.dumps(dict(zip(material.album.paths, material.album.digests, strict=True)))
    mark, fresh = folder / PICTURES, folder / f"{PICTURES}.part"
    if not mark.exists():
        fresh.write_text(told, encoding="utf-8")
        fresh.replace(mark)
        return
    before, now = json.loads(mark.read_text(encoding="utf-8")), json.loads(told)
    changed = sorted(p for p in before.keys() | now.keys() if before.get(p) != now.get(p))
    if changed:
        raise RunError(
            f"{str(folder)!r}: {changed_words(changed, 'this run began')}",
            "put the pictures back as they were, or begin anew with another --out",
        )


def train(plan: Plan, folder: Path, progress: Progress) -> Run:
    """Train, calibrate, examine and write the run; raises LinewardenError."""
    begun = time.monotonic()
    open_folder(folder, plan)
    material = gather(plan.data, plan.choices, plan.to, plan.seed, progress)
    remember(folder, material)
    for note in material.dataset.notes:
        progress.say(f"  {note}")
    torch.manual_seed(plan.seed)
    network = Network(plan.arch, len(material.dataset.classes), plan.tile)
    origin = weights.fill(network.trunk, plan.arch, plan.weights)
    network = network.to(memory_format=torch.channels_last)
    epochs: list[Epoch] = []
    board = Board(folder)
    with (folder / "epochs.jsonl").open("w", encoding="utf-8") as file:

        def heard(epoch: Epoch) -> None:
            epochs.append(epoch)
            file.write(json.dumps(asdict(epoch)) + "\n")
            file.flush()
            board.epoch(epoch)

        chosen = _learn(network, material, plan, progress, heard, folder=folder)
    calibrated = _calibrated(network, material, plan, progress)
    record = Record(
        name=folder.resolve().name,
        created_at=stamp.now(),
        arch=plan.arch,
        classes=material.dataset.classes,
        input=_input_record(plan),
        weights=origin,
        seed=plan.seed,
        recipe=_flat(plan.recipe) | {"kept": chosen},
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
    draw(folder / "curves.png", epochs, rows, record.thresholds)
    run.save(network, _split_rows(material), rows)
    board.close(record)
    (folder / STARTED).unlink()
    (folder / PICTURES).unlink()
    clear(folder)
    progress.say(f"time: {_spent(record.seconds)}")
    return run


def _spent(seconds: dict[str, float]) -> str:
    """What took how long, the longest first; what makes up fine-tuning stands in brackets."""
    within = [f"{name} {seconds[name]:.1f} s" for name in PLACES if name in seconds]
    whole = sorted((took, name) for name, took in seconds.items() if name not in PLACES)
    told = [f"{name} {took:.1f} s" for took, name in reversed(whole)]
    return ", ".join(told) + (f" (within it: {', '.join(within)})" if within else "")


def versions() -> dict[str, str]:
    """What this was made with."""
    return {
        "linewarden": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": str(torchvision.__version__),
        "numpy": np.__version__,
        "opencv": str(cv2.__version__),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }


def _learn(
    network: Network,
    material: Material,
    plan: Plan,
    progress: Progress,
    heard: Callable[[Epoch], None],
    *,
    folder: Path,
) -> str:
    """Fit the head, fine-tune, and keep what validation likes better; returns its name."""
    recipe, learnt, unseen = (
        plan.recipe,
        material.labelled("train"),
        material.labelled("validation"),
    )
    sheet.draw(
        folder / "augmentations.jpg", learnt.frames, learnt.labels, material.dataset.classes,
        recipe=recipe, seed=plan.seed,
    )  # fmt: skip
    first = _fit_head(network, learnt, unseen, recipe, progress)
    heard(first)
    if not recipe.epochs:
        return "head"
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    shares: list[float] = []
    with progress.phase("fine-tuning", recipe.epochs) as advance:

        def told(epoch: Epoch) -> None:
            heard(epoch)
            if epoch.share is not None:
                shares.append(epoch.share)
            else:
                advance(1, f"; validation loss {epoch.validation_loss:.4f}")

        mark = json.dumps([material.record().fingerprint, versions()])
        cost = tune(
            network, learnt, unseen, recipe,
            seed=plan.seed, heard=told, progress=progress, folder=folder, mark=mark,
        )  # fmt: skip
    progress.say(f"  fine-tuned, mixed in by {shares[-1]:.0%}: validation loss {cost:.4f}")
    if cost < first.validation_loss and shares[-1]:
        return "fine-tuned"
    network.load_state_dict(before)
    network.eval()
    return "head"


def _fit_head(
    network: Network, learnt: Labelled, unseen: Labelled, recipe: Recipe, progress: Progress
) -> Epoch:
    seen = head.views(learnt.frames, recipe.flips)
    with progress.phase("features", sum(map(len, seen)) + len(unseen.labels)) as advance:
        pooled = [head.features(network, view, recipe.bf16, advance) for view in seen]
        plain = head.features(network, unseen.frames, recipe.bf16, advance)
    head.standardise(network, torch.cat(pooled))

    def cost() -> float:
        with torch.inference_mode():
            return judge(network.classify(plain).numpy(), unseen.labels)[0]

    labels = np.tile(learnt.labels, len(seen))
    with progress.phase("head", 1) as advance:
        strength, least = head.fit(network, torch.cat(pooled), labels, recipe.head_grid, cost)
        advance()
    with torch.inference_mode():
        _, area = judge(network.classify(plain).numpy(), unseen.labels)
    progress.say(f"  head alone: validation loss {least:.4f}, AUROC {area:.3f}")
    return Epoch(f"head C={strength:g}", 0, None, least, area)


@dataclass(frozen=True, slots=True, eq=False)
class _Calibrated:
    temperature: float
    thresholds: Thresholds
    basis: Basis
    metrics: tuple[evaluate.Metric, ...]
    scores: list[ScoreRow]


def _calibrated(
    network: Network, material: Material, plan: Plan, progress: Progress
) -> _Calibrated:
    sensed = sense(network, material, plan.budgets, progress)
    with torch.inference_mode():
        logits = network.classify(sensed.pooled).numpy()
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
    examined: tuple[Split, ...] = ("validation", "test")
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


def _input_record(plan: Plan) -> InputRecord:
    region = plan.to.region
    return InputRecord(
        width=plan.to.width,
        height=plan.to.height,
        tile=plan.tile,
        region=(region.x, region.y, region.width, region.height),
    )


def _flat(recipe: Recipe) -> dict[str, str | int | float | bool | None]:
    numbers = recipe.model_dump()
    return {k: " ".join(map(str, v)) if isinstance(v, tuple) else v for k, v in numbers.items()}


def _split_rows(material: Material) -> list[SplitRow]:
    return [
        SplitRow(
            path=p.path, label=p.label, part=part, split=split, sha256=digest, phash=to_hex(bits)
        )
        for p, part, split, digest, bits in zip(
            material.dataset.pictures,
            material.parts,
            material.splits,
            material.album.digests,
            material.album.hashes,
            strict=True,
        )
    ]
