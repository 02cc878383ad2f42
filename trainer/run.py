"""A training run's folder: what was learned, from what, how well, and how to rebuild the network.

    RUN/run.json            this module's Record
    RUN/model.safetensors   the network's tensors
    RUN/split.csv           every picture: path, class, part, split, SHA-256, perceptual hash
    RUN/scores.csv          every picture: path, class, split, score, probabilities, novelty
    RUN/epochs.jsonl        one line per epoch of each phase
    RUN/augmentations.jpg   training pictures as training saw them, defects first
    RUN/curves.png          loss, validation AUROC, histogram of scores

It reads and writes them; it knows nothing of how to train.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from export.errors import RunError
from export.manifest import GOOD, Basis, Metric
from export.preprocess import Input, Region
from export.verdict import Contract, Finite, Probability, Thresholds
from trainer.backbone import ARCHITECTURES, Network
from trainer.novelty import Novelty

SCHEMA_VERSION = 1
CATALOG = "catalog.json"  # marks a run of product pictures (trainer/catalog/record.py)
TYPES = "types.json"  # marks a run without a good class (trainer/taxonomy/record.py)

Split = Literal["train", "validation", "calibration", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "calibration", "test")


Kind = TypeVar("Kind", bound=Contract)


class InputRecord(Contract):
    """What the network takes: pixels, and the region of the camera's frame as fractions 0..1.

    `tile` is the side in pixels of the half-overlapping tiles that are judged one by one.
    """

    width: int
    height: int
    tile: int | None = None
    region: tuple[Finite, Finite, Finite, Finite] = (0.0, 0.0, 1.0, 1.0)

    def to_input(self) -> Input:
        """The same, as `export.preprocess` wants it."""
        return Input(self.width, self.height, Region(*self.region))


class WeightsRecord(Contract):
    """What the trunk started from."""

    source: Literal["imagenet", "starter", "file", "none"]
    name: str
    sha256: str | None = None


class DataRecord(Contract):
    """The pictures: where they were, a digest over all of them, and how many went where.

    `part_regex`, `part_runs` and `near_duplicates` are the rule that told their parts; `reencoded`
    is the quality of the JPEG that each picture was seen through.
    """

    root: str
    layout: str
    fingerprint: str
    counts: dict[Split, dict[str, int]]
    parts: int
    part_regex: str | None = None
    part_runs: int | None = None
    near_duplicates: bool = True
    reencoded: int | None = None
    notes: tuple[str, ...] = ()


class Trained(Contract):
    """What the record of every kind of run says."""

    schema_version: Literal[1] = SCHEMA_VERSION
    name: str
    created_at: str
    arch: str
    input: InputRecord
    weights: WeightsRecord
    seed: int
    recipe: dict[str, str | int | float | bool | None]
    data: DataRecord
    temperature: Finite
    metrics: tuple[Metric, ...]
    versions: dict[str, str]
    seconds: dict[str, Finite] = Field(default_factory=dict)
    minutes: Finite

    def model_post_init(self, _context: object, /) -> None:
        """Refuse an unknown architecture."""
        if self.arch not in ARCHITECTURES:
            raise ValueError(f"arch {self.arch!r} is none of {', '.join(ARCHITECTURES)}")


class Record(Trained):
    """RUN/run.json."""

    classes: tuple[str, ...]
    thresholds: Thresholds
    basis: Basis

    def model_post_init(self, context: object, /) -> None:
        """Refuse classes that don't begin with `good`."""
        super().model_post_init(context)
        if len(self.classes) < 2 or self.classes[0] != GOOD:
            raise ValueError(f"classes {self.classes} must begin with 'good' and name a defect")


class SplitRow(Contract):
    """One line of split.csv; `path` is relative to the data set's root.

    `phash` is the perceptual hash in hexadecimal digits, empty in runs of older versions.
    """

    path: str
    label: str
    part: str
    split: Split
    sha256: str = ""
    phash: str = ""


class ScoreRow(Contract):
    """One line of scores.csv; probabilities are in the order of the record's classes.

    The last column, novelty, is empty where the network gives none.
    """

    path: str
    label: str
    split: Split
    score: Probability
    probabilities: tuple[Probability, ...]
    novelty: Finite | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A finished training run in `folder`."""

    folder: Path
    record: Record

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Open a run; raises RunError if the folder holds none that this version can read."""
        path = folder / "run.json"
        if (folder / CATALOG).exists():
            raise RunError(
                f"{str(folder)!r} knows product pictures and judges no part",
                "export it, then use `linewarden catalog`; for a line, train without --task",
            )
        if (folder / TYPES).exists():
            raise RunError(
                f"{str(folder)!r} tells types of defect apart and knows no good part: no "
                "threshold, escape rate or bundle can come of it",
                "sort pictures with `linewarden evaluate`; for a line, train with pictures of good "
                "parts and without --task types",
            )
        record = read_record(path, Record, "is not a finished training run", "")
        return cls(folder, record)

    def save(self, network: Network, split: list[SplitRow], scores: list[ScoreRow]) -> None:
        """Write every file but the curves; run.json last, since it marks the run as finished."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_learned(self.folder, network, split)
        header = ["path", "class", "split", "score", *self.record.classes, "novelty"]
        rows = [
            [row.path, row.label, row.split, *map(_digits, (row.score, *row.probabilities)),
             "" if row.novelty is None else _digits(row.novelty)]
            for row in scores
        ]  # fmt: skip
        write_csv(self.folder / "scores.csv", header, rows)
        (self.folder / "run.json").write_text(
            self.record.model_dump_json(indent=2) + "\n", encoding="utf-8"
        )

    def network(self) -> Network:
        """The trained network, in evaluation mode; raises RunError if its tensors don't fit."""
        network = Network(self.record.arch, len(self.record.classes), self.record.input.tile)
        path = self.folder / "model.safetensors"
        try:
            tensors = load_file(path)
            network.novelty = Novelty.like(tensors)
            network.load_state_dict(tensors)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise RunError(
                f"{str(path)!r} does not hold this run's {self.record.arch}: {error}",
                "copy the run again, or train again",
            ) from error
        return network.eval()

    def split(self) -> list[SplitRow]:
        """Which picture was in which split."""
        names = ("path", "label", "part", "split", "sha256", "phash")
        return [
            SplitRow.model_validate(dict(zip(names, row, strict=False)))
            for row in self._rows("split.csv")
        ]

    def scores(self) -> list[ScoreRow]:
        """The score of every picture, by the trained and calibrated network."""
        last = 4 + len(self.record.classes)
        return [
            ScoreRow.model_validate(
                {
                    "path": row[0],
                    "label": row[1],
                    "split": row[2],
                    "score": row[3],
                    "probabilities": row[4:last],
                    "novelty": (row[last:] or [""])[0] or None,
                }
            )
            for row in self._rows("scores.csv")
        ]

    def _rows(self, name: str) -> list[list[str]]:
        path = self.folder / name
        try:
            with path.open(encoding="utf-8", newline="") as file:  # a name may hold a line break
                return list(csv.reader(file))[1:]
        except OSError as error:
            raise RunError(
                f"{str(path)!r} can't be read: {error.strerror}", "copy the run again"
            ) from error


def _digits(value: float) -> str:
    return f"{value:.9g}"


def read_record(path: Path, kind: type[Kind], lacks: str, task: str) -> Kind:
    """A finished run's record; `lacks` says what a folder without one is, `task` how to get one.

    Raises:
        RunError: there is none, or none that this version can read.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(
            f"{str(path.parent)!r} {lacks}: {path.name}: {error.strerror}",
            f"give the folder that `linewarden train … {task}--out RUN` finished",
        ) from error
    except ValidationError as error:
        raise RunError(
            f"{str(path)!r} can't be read: {_first(error)}",
            "train again with this version, or use the version that wrote it",
        ) from error


def write_learned(folder: Path, network: nn.Module, split: list[SplitRow]) -> None:
    """Write what every kind of run has: the network's tensors, and which picture was for what."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    header = ["path", "class", "part", "split", "sha256", "phash"]
    rows = [[r.path, r.label, r.part, r.split, r.sha256, r.phash] for r in split]
    write_csv(folder / "split.csv", header, rows)


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """A table with its header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """A table's rows by its header; raises RunError if it can't be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise RunError(
            f"{str(path)!r} can't be read: {error.strerror}", "copy the run again"
        ) from error


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(level) for level in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
