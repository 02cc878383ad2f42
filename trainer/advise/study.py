"""A study: every arm at every share of the learning parts in every round, resumable.

OUT/study.json says of what it is; OUT/features.safetensors holds the stock features, computed once
for all arms; OUT/cells/ARM-SHARE-ROUND.json is one finished model's scores. A killed study goes on
where it was.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from export.errors import DatasetError, RunError
from export.preprocess import Input
from export.verdict import Contract
from trainer import album, head, weights
from trainer.advise.arms import Arm, Lesson, Pictures, run
from trainer.advise.rounds import Round, deal_rounds, some
from trainer.backbone import Network
from trainer.material import Choices, Material, gather
from trainer.progress import Progress
from trainer.recipe import Recipe
from trainer.room import room
from trainer.split import Sample

SHARES = (25, 50, 100)
MARK, FEATURES, CELLS = "study.json", "features.safetensors", "cells"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a study's result; `minutes` only decides how far it gets."""

    data: Path
    arch: str
    weights: str
    seed: int
    rounds: int
    to: Input
    recipe: Recipe
    choices: Choices

    def words(self, fingerprint: str) -> str:
        """The plan and the pictures as text, to tell whether a folder holds the same study."""
        told = asdict(self) | {"recipe": self.recipe.model_dump(), "fingerprint": fingerprint}
        return json.dumps(told, default=str, indent=1) + "\n"


class Cell(Contract):
    """One finished model: how it was made and how it scored the judged pictures, in order."""

    arm: Arm
    share: int
    round: int
    pictures: int
    parts: int
    seconds: float
    kept: str
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What was measured, on what.

    Attributes:
        plan: what was asked.
        samples: part and class of every picture in the study.
        rounds: who taught, chose and judged.
        cells: every finished model.
        missing: (arm, share, round) that the time didn't reach.
        frozen: pictures of a given test, left out for the last examination.
        seconds: the stock features of all pictures took.
    """

    plan: Plan
    samples: tuple[Sample, ...]
    rounds: tuple[Round, ...]
    cells: tuple[Cell, ...]
    missing: tuple[tuple[Arm, int, int], ...]
    frozen: int
    seconds: float

    def of(self, arm: Arm, share: int) -> list[Cell]:
        """An arm's finished cells at a share, by round."""
        found = [cell for cell in self.cells if (cell.arm, cell.share) == (arm, share)]
        return sorted(found, key=lambda cell: cell.round)

    @property
    def ratio(self) -> float:
        """Judging pictures per learning picture, on average."""
        return float(np.mean([one.ratio for one in self.rounds]))


def study(plan: Plan, folder: Path, progress: Progress, minutes: float | None = None) -> Study:
    """Measure, or go on measuring; raises LinewardenError.

    Args:
        plan: what.
        folder: new, empty, or holding this study.
        progress: told how far it is.
        minutes: no model is begun that would probably end later than this.
    """
    begun = time.monotonic()
    material = gather(plan.data, plan.choices, plan.to, plan.seed, progress)
    keep = np.flatnonzero([picture.half != "test" for picture in material.dataset.pictures])
    if not len(keep):
        raise DatasetError("every picture is in test/", "give pictures to learn from, in train/")
    samples = tuple(Sample(material.parts[at], material.dataset.pictures[at].label) for at in keep)
    labels = [picture.label for picture in material.dataset.pictures]
    _claim(folder, plan.words(album.fingerprint(material.album, labels)))
    rounds = tuple(deal_rounds(samples, plan.rounds, plan.seed))
    pictures, network = _pictures(plan, material, keep, folder, progress)
    bench = _Bench(plan, samples, rounds, pictures=pictures, network=network, folder=folder / CELLS)
    left = None if minutes is None else 60 * minutes - (time.monotonic() - begun)
    cells, missing = bench.run_all(progress, left)
    seconds = pictures.per_picture_s * pictures.views.shape[0] * pictures.views.shape[1]
    frozen = len(material.labels) - len(keep)
    return Study(plan, samples, rounds, cells, missing, frozen, seconds)


def _claim(folder: Path, words: str) -> None:
    mark = folder / MARK
    try:
        if mark.exists():
            if mark.read_text(encoding="utf-8") != words:
                raise RunError(
                    f"{str(folder)!r} holds a study of other pictures or another plan",
                    "give another --out, or remove it",
                )
            return
        if folder.exists() and any(folder.iterdir()):
            raise RunError(f"{str(folder)!r} already holds files", "give another --out")
        (folder / CELLS).mkdir(parents=True, exist_ok=True)
        _write(mark, words)
    except OSError as error:
        raise RunError(
            f"{str(folder)!r} can't be used: {error.strerror}", "give another --out"
        ) from error


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.part")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _pictures(
    plan: Plan, material: Material, keep: np.ndarray, folder: Path, progress: Progress
) -> tuple[Pictures, Network]:
    """The pictures with their stock features, from the folder or computed now."""
    torch.manual_seed(plan.seed)
    network = Network(plan.arch, len(material.dataset.classes))
    weights.fill(network.trunk, plan.arch, plan.weights)
    network = network.to(memory_format=torch.channels_last).eval()
    frames, path = room().taken(material.album.frames, keep), folder / FEATURES
    try:
        held = load_file(path)
        views, each = held["views"], float(held["seconds"])
    except (FileNotFoundError, SafetensorError):
        seen = head.views(frames, plan.recipe.flips)
        begun = time.monotonic()
        with progress.phase("stock features", sum(map(len, seen))) as advance:
            views = head.all_features(network, seen, plan.recipe.bf16, advance)
        each = (time.monotonic() - begun) / sum(map(len, seen))
        fresh = path.with_name(f"{path.name}.part")
        save_file({"views": views, "seconds": torch.tensor(each)}, fresh)
        fresh.replace(path)
    return Pictures(frames, material.labels[keep], views, each), network


class _Bench:
    """Runs the cells that aren't finished yet."""

    def __init__(
        self,
        plan: Plan,
        samples: tuple[Sample, ...],
        rounds: tuple[Round, ...],
        *,
        pictures: Pictures,
        network: Network,
        folder: Path,
    ) -> None:
        self._plan, self._samples, self._rounds = plan, samples, rounds
        self._pictures, self._network, self._folder = pictures, network, folder
        self._pace: float | None = None  # seconds of fine-tuning per learning picture

    def run_all(
        self, progress: Progress, left_s: float | None
    ) -> tuple[tuple[Cell, ...], tuple[tuple[Arm, int, int], ...]]:
        """Every cell, the quick ones and the decisive ones first."""
        cells: list[Cell] = []
        missing: list[tuple[Arm, int, int]] = []
        begun, wanted = time.monotonic(), list(self._order())
        with progress.phase("models", sum(self._cost(key) for key in wanted)) as advance:
            for key in wanted:
                cell = self._finished(key)
                if cell is None and self._late(key, left_s, time.monotonic() - begun):
                    missing.append(key)
                    continue
                cell = cell or self._run(key)
                if cell.arm == "tuned":
                    self._pace = cell.seconds / cell.pictures
                cells.append(cell)
                advance(self._cost(key), f"; {cell.arm} {cell.share} % round {cell.round + 1}")
        return tuple(cells), tuple(missing)

    def _order(self) -> Iterator[tuple[Arm, int, int]]:
        """Quick arms, then the smallest fine-tuning (it tells the pace), then from 100 % down."""
        rounds = range(len(self._rounds))
        quick: tuple[Arm, ...] = ("nearest", "head")
        for arm in quick:
            for share in SHARES:
                for number in rounds:
                    yield arm, share, number
        if not self._plan.recipe.epochs:
            return
        yield "tuned", SHARES[0], 0
        for share in reversed(SHARES):
            for number in rounds:
                if (share, number) != (SHARES[0], 0):
                    yield "tuned", share, number

    def _cost(self, key: tuple[Arm, int, int]) -> int:
        """In hundredths of a fine-tuned model of all learning parts, for the time left."""
        return key[1] if key[0] == "tuned" else 1

    def _late(self, key: tuple[Arm, int, int], left_s: float | None, gone_s: float) -> bool:
        if left_s is None or key[0] != "tuned":
            return False
        pictures = len(self._rounds[key[2]].learn) * key[1] / 100
        return gone_s + (self._pace or 0.0) * pictures > left_s

    def _path(self, key: tuple[Arm, int, int]) -> Path:
        return self._folder / f"{key[0]}-{key[1]}-{key[2]}.json"

    def _finished(self, key: tuple[Arm, int, int]) -> Cell | None:
        path = self._path(key)
        try:
            return Cell.model_validate_json(path.read_bytes()) if path.exists() else None
        except ValidationError as error:
            raise RunError(
                f"{str(path)!r} can't be read: {error.errors()[0]['msg']}", "remove that file"
            ) from error

    def _run(self, key: tuple[Arm, int, int]) -> Cell:
        arm, share, number = key
        at = self._rounds[number]
        learn = some(at.learn, self._samples, share / 100, self._plan.seed)
        lesson = Lesson(learn, at.choose, at.judge, self._plan.seed + number)
        outcome = run(arm, self._pictures, lesson, self._network, self._plan.recipe)
        cell = Cell(
            arm=arm,
            share=share,
            round=number,
            pictures=len(learn),
            parts=len({self._samples[i].part for i in learn}),
            seconds=round(outcome.seconds, 3),
            kept=outcome.kept,
            scores=tuple(map(float, outcome.scores)),
        )
        _write(self._path(key), cell.model_dump_json() + "\n")
        return cell
