"""The shelf's pictures in memory, grouped and split: what a catalog run works on."""

from pathlib import Path

import numpy as np

from trainer import album, split
from trainer.catalog.shelf import Shelf, group, open_shelf
from trainer.material import Material, without_unreadable
from trainer.progress import Progress
from trainer.teaching import Plan


def gather_shelf(plan: Plan, progress: Progress) -> Material:
    """Read, group and split a folder of product pictures; raises DatasetError."""
    choices = plan.choices
    shelf = open_shelf(plan.data, resplit=choices.resplit, skip_unreadable=choices.skip_unreadable)
    dataset = shelf.dataset
    paths = [one.path for one in dataset.pictures]
    with progress.phase("reading pictures", len(paths)) as advance:
        read = album.load(plan.data, paths, plan.to, advance)
    dataset = without_unreadable(dataset, read, choices.skip_unreadable)
    groups = group(dataset, choices.rule, list(read.digests), read.hashes)
    samples = [
        split.Sample(of, one.label, one.half == "test")
        for of, one in zip(groups, dataset.pictures, strict=True)
    ]
    number = {name: index for index, name in enumerate(dataset.classes)}
    labels = np.array([number[one.label] for one in dataset.pictures], np.int64)
    dealt = tuple(split.deal(samples, plan.seed))
    return Material(dataset, read, labels, tuple(groups), dealt, choices.rule, types=True)


def ratings_of(root: Path, material: Material) -> tuple[np.ndarray, str | None]:
    """(N,) ratings of the material's pictures, NaN where nothing is known, and their source."""
    shelf: Shelf = open_shelf(root, resplit=True, skip_unreadable=True)
    told = [shelf.ratings.get(one.path, np.nan) for one in material.dataset.pictures]
    return np.array(told, np.float64), shelf.source
