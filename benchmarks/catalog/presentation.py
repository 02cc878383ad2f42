"""Does the presentation score hold for categories that it has never seen?

    python -m benchmarks.catalog.presentation DATA [--run RUN | --arch vgg16 --weights FILE]

DATA has studio/CATEGORY with a picture for each product, and train/CATEGORY with what customers
took. Each category is left out in turn: the score is fitted on the others and ranks each studio
picture of it among 20 others of its category. Every picture is first brought to SIDE pixels, since
here the studio's are smaller than the others, and that alone would give them away. Beside it stands
what needs no learning: the whiteness of the background alone. Without a RUN the trunk is the stock
one; a RUN's trunk has seen the category's name of most of these pictures, but no rating.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks.catalog.planted import SEED
from edge.catalog import subject
from export import picture
from export.figures import Figure, save, table
from export.preprocess import Input, shrink
from trainer import weights
from trainer.backbone import Network
from trainer.catalog.presentation import GRID, Rated, first_among, left_out, left_out_area
from trainer.catalog.record import CatalogRun
from trainer.head import features, standardise
from trainer.progress import Progress
from trainer.rates import Rate

SIDE, CANDIDATES = 190, 20


def shown(root: Path, most: int) -> tuple[list[Path], np.ndarray, np.ndarray]:
    """Paths, ratings (N,), categories (N,): all studio pictures, some others of each category."""
    random = np.random.default_rng(SEED)
    paths: list[Path] = []
    ratings: list[float] = []
    categories: list[int] = []
    names = sorted(p.name for p in (root / "studio").iterdir())
    for number, name in enumerate(names):
        others = sorted((root / "train" / name).glob("*"))
        drawn = random.permutation(len(others))[:most]
        mine = [(p, 1.0) for p in sorted((root / "studio" / name).glob("*"))]
        mine += [(others[i], 0.0) for i in drawn]
        paths += [path for path, _ in mine]
        ratings += [rating for _, rating in mine]
        categories += [number] * len(mine)
    return paths, np.array(ratings), np.array(categories)


def alike(pixels: np.ndarray) -> np.ndarray:
    """The picture at SIDE pixels, through one more JPEG: nothing of its source's format is left."""
    small = shrink(pixels, Input(SIDE, SIDE))
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def firsts(name: str, told: np.ndarray, rated: Rated) -> Figure:
    """How many studio pictures rank first."""
    ranks = first_among(told, rated, CANDIDATES, SEED)
    rate = Rate(sum(rank == 0 for _, rank in ranks), len(ranks))
    low, high = rate.interval()
    note = f"{rate.k} of {rate.n}, {100 * low:.0f} to {100 * high:.0f} %"
    target = ">= 95" if "presentation" in name else ""
    return Figure(
        f"{name}: studio picture first of {CANDIDATES}", 100 * rate.value, "%", target, note
    )


def main() -> None:
    """Measure, print the table, write results/catalog-presentation.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--arch", default="vgg16")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--others", type=int, default=40, help="of each category")
    asked = parser.parse_args()
    paths, ratings, categories = shown(asked.data, asked.others)
    pixels = [alike(picture.read(path)) for path in paths]
    white = np.array([(s := subject.find(one)).whiteness * s.uniform for one in pixels])
    if asked.run:
        run = CatalogRun.load(asked.run)
        network, to = run.network().base, run.record.input.to_input()
        name = f"presentation, fine-tuned {run.record.arch}"
    else:
        network, to = Network(asked.arch, 2), Input(asked.size, asked.size)
        weights.fill(network.trunk, asked.arch, asked.weights)
        name = f"presentation, stock {asked.arch} at {asked.size}"
    frames = np.stack([shrink(one, to) for one in pixels])
    network = network.to(memory_format=torch.channels_last)
    with Progress().phase("features", len(frames)) as advance:
        pooled = features(network, frames, bf16=False, advance=advance)
    standardise(network, pooled)
    plain = ((pooled - network.centre) / network.spread).numpy()
    rated = Rated(plain, ratings, categories)
    strength = max(GRID, key=lambda one: (left_out_area(rated, one), -one))
    figures = [
        firsts(name, left_out(rated, strength), rated),
        firsts("whiteness of the background alone", white, rated),
        Figure("studio pictures", float(rated.shown.sum()), ""),
        Figure("others", float((~rated.shown).sum()), ""),
    ]
    print(f"{table(figures)}\n\n{save('catalog-presentation', figures, seed=SEED)}")


if __name__ == "__main__":
    main()
