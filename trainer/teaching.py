"""Teaching a network from a folder of pictures: what every kind of training run begins with.

Read, split, fit the head, fine-tune, keep what validation likes better. It knows nothing of
thresholds or tests; trainer/training.py makes an inspection of what was taught,
trainer/taxonomy/training.py a sorter of types.
"""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from torch import Tensor

from export import __version__
from export.errors import LinewardenError, RunError
from export.preprocess import Input
from trainer import head, sheet, weights
from trainer.backbone import Network
from trainer.board import Board
from trainer.calibrate import Budgets
from trainer.crew import crew
from trainer.finetune import Epoch, Labelled, judge, loss_of, tune
from trainer.history import changed_words
from trainer.material import Choices, Material, gather
from trainer.parts import to_hex
from trainer.progress import Progress
from trainer.recipe import Recipe
from trainer.room import room
from trainer.run import InputRecord, SplitRow, WeightsRecord
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


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What teaching came to: the network as it is kept, and how it got there.

    After a `refit` the validation pictures have taught, too.
    """

    material: Material
    network: Network
    origin: WeightsRecord
    kept: str
    refit: bool
    epochs: list[Epoch]
    board: Board


def _gather(plan: Plan, progress: Progress) -> Material:
    return gather(plan.data, plan.choices, plan.to, plan.seed, progress)


def teach(
    plan: Plan,
    folder: Path,
    progress: Progress,
    gathered: Callable[[Plan, Progress], Material] = _gather,
) -> Taught:
    """Claim the folder, read the pictures, train; raises LinewardenError.

    `gathered` reads, groups and splits the pictures.
    """
    open_folder(folder, plan)
    try:
        material = gathered(plan, progress)
    except LinewardenError:
        _release(folder)
        raise
    remember(folder, material)
    for note in material.dataset.notes:
        progress.say(f"  {note}")
    try:
        network, origin = _network(plan, len(material.dataset.classes))
    except LinewardenError:
        _release(folder)
        raise
    epochs: list[Epoch] = []
    board = Board(folder)
    with (folder / "epochs.jsonl").open("w", encoding="utf-8") as file:

        def heard(epoch: Epoch) -> None:
            epochs.append(epoch)
            file.write(json.dumps(asdict(epoch)) + "\n")
            file.flush()
            board.epoch(epoch)

        kept, refit = _learn(network, material, plan, progress, heard, folder=folder)
    return Taught(material, network, origin, kept, refit, epochs, board)


def _network(plan: Plan, classes: int) -> tuple[Network, WeightsRecord]:
    torch.manual_seed(plan.seed)
    network = Network(plan.arch, classes, plan.tile)
    origin = weights.fill(network.trunk, plan.arch, plan.weights)
    network = network.to(memory_format=torch.channels_last)
    network.trunk.to(crew().device)
    return network, origin


def _release(folder: Path) -> None:
    """Give the folder back, if nothing was learnt yet: the next plan will be another one."""
    held = list(folder.iterdir())
    if all(path.name in {STARTED, PICTURES} for path in held):
        for path in held:
            path.unlink()
        folder.rmdir()


def finish(folder: Path) -> None:
    """Remove what only an unfinished run needs."""
    (folder / STARTED).unlink()
    (folder / PICTURES).unlink()
    clear(folder)


def _learn(
    network: Network,
    material: Material,
    plan: Plan,
    progress: Progress,
    heard: Callable[[Epoch], None],
    *,
    folder: Path,
) -> tuple[str, bool]:
    """Fit the head, fine-tune, and keep what validation likes better.

    Returns:
        The name of what is kept, and whether validation taught it in the end.
    """
    recipe, learnt, unseen = (
        plan.recipe,
        material.labelled("train"),
        material.labelled("validation"),
    )
    sheet.draw(
        folder / "augmentations.jpg", learnt.frames, learnt.labels, material.dataset.classes,
        recipe=recipe, seed=plan.seed,
    )  # fmt: skip
    fitted = _fit_head(network, learnt, unseen, recipe, progress)
    first = fitted.epoch
    heard(first)
    if not recipe.epochs:
        return "head", fitted.again(network, learnt, unseen, recipe, progress)
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
        return "fine-tuned", False
    network.load_state_dict(before)
    network.eval()
    return "head", fitted.again(network, learnt, unseen, recipe, progress)


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """A head's strength, its line of epochs.jsonl, and the features (N,F) that are known so far."""

    strength: float
    epoch: Epoch
    seen: list[Tensor]
    unseen: list[Tensor]

    def again(
        self,
        network: Network,
        learnt: Labelled,
        unseen: Labelled,
        recipe: Recipe,
        progress: Progress,
    ) -> bool:
        """Fit the head in all views, with the validation pictures, if the recipe says so."""
        if not recipe.refit:
            return False
        both: list[Tensor] = []
        looks = [head.views(of.frames, recipe.flips) for of in (learnt, unseen)]
        missing = [look[len(known) :] for look, known in zip(looks, self._known, strict=True)]
        with progress.phase(
            "further views", sum(len(v) for side in missing for v in side)
        ) as heard:
            for known, side in zip(self._known, missing, strict=True):
                found = [head.features(network, view, recipe.bf16, heard) for view in side]
                both += [*known, *found]
        labels = np.concatenate([np.tile(of.labels, len(looks[0])) for of in (learnt, unseen)])
        head.fit_again(network, room().joined(both), labels, self.strength)
        return True

    @property
    def _known(self) -> tuple[list[Tensor], list[Tensor]]:
        return self.seen, self.unseen


def _fit_head(
    network: Network, learnt: Labelled, unseen: Labelled, recipe: Recipe, progress: Progress
) -> _Fitted:
    seen = head.views(learnt.frames, recipe.flips)[: head.FIRST]
    with progress.phase("features", sum(map(len, seen)) + len(unseen.labels)) as advance:
        pooled = [head.features(network, view, recipe.bf16, advance) for view in seen]
        plain = head.features(network, unseen.frames, recipe.bf16, advance)
    taught = room().joined(pooled)
    head.standardise(network, taught)

    def cost() -> float:
        return loss_of(head.logits(network, plain), unseen.labels)

    labels = np.tile(learnt.labels, len(seen))
    with progress.phase("head", 1) as advance:
        strength, least = head.fit(network, taught, labels, recipe.head_grid, cost)
        advance()
    area = None
    if not unseen.types:
        _, area = judge(head.logits(network, plain), unseen.labels)
    told = "" if area is None else f", AUROC {area:.3f}"
    progress.say(f"  head alone: validation loss {least:.4f}{told}")
    line = Epoch(f"head C={strength:g}", 0, None, least, area)
    return _Fitted(strength, line, pooled, [plain])


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
        "processes": str(crew().size),
        "device": str(crew().device),
    }


def input_record(plan: Plan) -> InputRecord:
    """What the network takes, for the run's record."""
    region = plan.to.region
    return InputRecord(
        width=plan.to.width,
        height=plan.to.height,
        tile=plan.tile,
        region=(region.x, region.y, region.width, region.height),
    )


def flat(recipe: Recipe) -> dict[str, str | int | float | bool | None]:
    """The recipe's numbers for the run's record, lists as words."""
    numbers = recipe.model_dump()
    return {k: " ".join(map(str, v)) if isinstance(v, tuple) else v for k, v in numbers.items()}


def split_rows(material: Material) -> list[SplitRow]:
    """Which picture went where."""
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
