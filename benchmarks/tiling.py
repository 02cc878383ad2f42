"""Small defects in large frames: what tiles are worth, on the virtual line's 1024-pixel frames.

Brackets with dents, stains and chips of 8 to 16 pixels; a logistic head on the starter's frozen
features, with the whole frame shrunk to 224, to 448, not at all, and not at all but judged in
tiles. The same pictures, splits, strengths and validation for all: `make bench-tiling`.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from edge.virtual_line import VirtualLine
from edge.virtual_line.dataset import write_dataset
from edge.virtual_line.defect import Kind
from export.figures import Figure, save, table
from export.preprocess import Input, Region
from trainer import album, head, split, weights
from trainer.backbone import Network
from trainer.dataset import Dataset, open_dataset
from trainer.finetune import judge
from trainer.rates import auroc, auroc_interval
from trainer.recipe import named

SQUARE = Region(0.1, 0.0, 0.8, 1.0)  # 1024x1024 of the line's 1280x1024
KINDS = (Kind.DENT, Kind.STAIN, Kind.CHIP)
PARTS, SEED, SPLIT_SEEDS = 240, 11, (0, 1, 2)
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Way:
    """One way to look at a frame."""

    name: str
    side: int
    tile: int | None = None


WAYS = (
    Way("whole frame at 224", 224),
    Way("whole frame at 448", 448),
    Way("whole frame at 1024", 1024),
    Way("tiles of 256 at 1024", 1024, 256),
)


def photos(folder: Path) -> Dataset:
    """The pictures in `folder`/photos, made if they aren't there yet."""
    place = folder / "photos"
    if not place.exists():
        line = VirtualLine(
            SEED, PARTS, defect_rate=0.5, defects=KINDS, designs=("bracket",), extent_px=(8, 16)
        )
        write_dataset(line, place, masks=True)
    return open_dataset(place)


def network(way: Way, classes: int) -> Network:
    """The starter's trunk, and a head still empty."""
    made = Network("resnet18", classes, way.tile)
    weights.fill(made.trunk, "resnet18", "starter")
    return made.to(memory_format=torch.channels_last)


def features(folder: Path, way: Way, dataset: Dataset) -> torch.Tensor:
    """Pooled features of every picture, (N,F) or (N,K,F), kept in `folder` for the next time."""
    kept = folder / f"features-{way.side}-{way.tile or 'whole'}.pt"
    if not kept.exists():
        paths = [picture.path for picture in dataset.pictures]
        made, to = network(way, len(dataset.classes)), Input(way.side, way.side, SQUARE)
        found = []
        for start in range(0, len(paths), AT_ONCE):
            frames = album.load(dataset.root, paths[start : start + AT_ONCE], to).frames
            found.append(head.features(made, frames, bf16=False))
            print(f"  {way.name}: {start + len(frames)} of {len(paths)}", flush=True)
        torch.save(torch.cat(found), kept)
    return torch.load(kept, weights_only=True)


def score(
    seen: torch.Tensor, labels: NDArray[np.int64], deal: NDArray[np.str_], classes: int
) -> NDArray[np.float64]:
    """Margins (N,) of a head that learnt on train and whose strength validation chose."""
    learner = Network("resnet18", classes)
    train, chooses = np.flatnonzero(deal == "train"), np.flatnonzero(deal == "validation")
    head.standardise(learner, seen[train])

    def cost() -> float:
        with torch.inference_mode():
            return judge(learner.classify(seen[chooses]).numpy(), labels[chooses])[0]

    head.fit(learner, seen[train], labels[train], named("tune").head_grid, cost)
    with torch.inference_mode():
        logits = learner.classify(seen)
        return (torch.logsumexp(logits[:, 1:], 1) - logits[:, 0]).double().numpy()


def compare(folder: Path, ways: tuple[Way, ...] = WAYS) -> list[Figure]:
    """AUROC of every way on every split, on parts that neither taught nor chose."""
    dataset = photos(folder)
    number = {name: index for index, name in enumerate(dataset.classes)}
    labels = np.array([number[picture.label] for picture in dataset.pictures], np.int64)
    samples = [split.Sample(picture.path, picture.label, False) for picture in dataset.pictures]
    deals = {seed: np.array(split.deal(samples, seed)) for seed in SPLIT_SEEDS}
    figures: list[Figure] = []
    for way in ways:
        seen, areas = features(folder, way, dataset), []
        for seed, deal in deals.items():
            unseen = np.isin(deal, ("calibration", "test"))
            margins = score(seen, labels, deal, len(number))[unseen]
            bad = labels[unseen] != 0
            areas.append(auroc(margins, bad))
            low, high = auroc_interval(areas[-1], int(bad.sum()), int((~bad).sum()))
            note = f"95 % {low:.3f} to {high:.3f}; {bad.sum()} defective, {(~bad).sum()} good"
            figures.append(Figure(f"{way.name}, split {seed}: AUROC", areas[-1], "", "", note))
        figures.append(Figure(f"{way.name}: mean AUROC", float(np.mean(areas)), ""))
    return figures


def edge_cost(folder: Path, way: Way) -> list[Figure]:
    """Time and memory of the exported graph on one thread, after a first frame."""
    import onnxruntime

    from export import to_onnx
    from trainer.backbone import normalise

    path = folder / f"edge-{way.side}-{way.tile or 'whole'}.onnx"
    to_onnx.to_onnx(to_onnx.Graph(network(way, 4), normalise, 1.0), way.side, way.side, path)
    before = psutil.Process().memory_info().rss
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    frame = np.zeros((1, way.side, way.side, 3), np.uint8)
    session.run(None, {"frames": frame})
    taken = (psutil.Process().memory_info().rss - before) / 2**20
    started = time.process_time()
    for _ in range(3):
        session.run(None, {"frames": frame})
    spent = (time.process_time() - started) / 3
    return [
        Figure(f"{way.name}: processor time of a frame", 1000 * spent, "ms", "", "ONNX Runtime"),
        Figure(f"{way.name}: memory of the session", taken, "MiB", "", "resident, one thread"),
    ]


def main() -> None:
    """Make the pictures, compare, and write results/tiling.json."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--folder", type=Path, default=Path("work/tiling"))
    folder: Path = asked.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    figures = compare(folder)
    for way in (WAYS[0], WAYS[2], WAYS[3]):
        figures += edge_cost(folder, way)
    print(f"\n{table(figures)}\n\n{save('tiling', figures, seed=SEED)}")


if __name__ == "__main__":
    main()
