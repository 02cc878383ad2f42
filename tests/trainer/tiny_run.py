"""A finished run with random weights, made in a second, for tests of what reads runs."""

from pathlib import Path

import cv2
import numpy as np
import torch

from export.manifest import Basis, Metric
from export.preprocess import shrink
from export.verdict import Thresholds
from trainer.backbone import Network, normalise
from trainer.novelty import Memory, learn
from trainer.run import (
    SPLITS,
    DataRecord,
    InputRecord,
    Record,
    Run,
    ScoreRow,
    SplitRow,
    WeightsRecord,
)

BASIS = Basis(
    escape_budget=0.01, overkill_budget=0.01, review_budget=0.05, confidence=0.95,
    n_defect=4, n_good=4, defect_parts=4, good_parts=4, escapes=0, overkills=0, reviews=0,
    escape_bound=0.5271, overkill_bound=0.5271, method="tiny", words="0 of 4 missed",
)  # fmt: skip


def draw(folder: Path, per_class: int = 8, size: tuple[int, int] = (96, 80)) -> None:
    """Write `per_class` grey plates without (good/) and with a dark spot (spot/), PNG."""
    rng = np.random.default_rng(0)
    for label in ("good", "spot"):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            picture = rng.integers(150, 190, (size[1], size[0], 3), dtype=np.uint8)
            if label == "spot":
                centre = (int(rng.integers(20, size[0] - 20)), int(rng.integers(20, size[1] - 20)))
                cv2.circle(picture, centre, 9, (20, 20, 20), -1)
            cv2.imwrite(str(folder / label / f"{label}_{number}.png"), picture)


def tiny_run(folder: Path, arch: str = "resnet18", side: int = 64) -> Run:
    """A run in `folder`/run over pictures in `folder`/data, scored by the network itself."""
    draw(folder / "data")
    torch.manual_seed(0)
    network = Network(arch, 2).eval()
    pictures = sorted((folder / "data").rglob("*.png"))
    taken = InputRecord(width=side, height=side)
    frames = np.stack([shrink(cv2.imread(str(path)), taken.to_input()) for path in pictures])
    good = np.array([path.parent.name == "good" for path in pictures])
    learn(network, frames[good], Memory())
    with torch.inference_mode():
        logits, _evidence, novelty = network(normalise(torch.from_numpy(frames)))
    probabilities = logits.softmax(1).numpy()
    split, scores = [], []
    for index, (path, row) in enumerate(zip(pictures, probabilities, strict=True)):
        name = path.relative_to(folder / "data").as_posix()
        part = SPLITS[index % 4]
        split.append(SplitRow(path=name, label=path.parent.name, part=str(index), split=part))
        scores.append(
            ScoreRow(path=name, label=path.parent.name, split=part, score=float(1 - row[0]),
                     probabilities=tuple(map(float, row)), novelty=float(novelty[index]))
        )  # fmt: skip
    run = Run(folder / "run", record(str(folder / "data"), arch, taken))
    run.save(network, split, scores)
    return run


def record(root: str, arch: str, taken: InputRecord) -> Record:
    """The run.json of a tiny run."""
    return Record(
        name="tiny",
        created_at="2026-01-01T00:00:00Z",
        arch=arch,
        classes=("good", "spot"),
        input=taken,
        weights=WeightsRecord(source="none", name="random"),
        seed=0,
        recipe={"epochs": 0},
        data=DataRecord(
            root=root,
            layout="classes",
            fingerprint="0" * 64,
            counts={name: {"good": 2, "spot": 2} for name in SPLITS},
            parts=16,
        ),
        temperature=1.0,
        thresholds=Thresholds(pass_below=0.3, fail_above=0.7, novel_above=1e3),
        basis=BASIS,
        metrics=(
            Metric(name="auroc", value=0.5, low=0.1, high=0.9, confidence=0.95, split="test"),
        ),
        versions={},
        minutes=0.0,
    )
