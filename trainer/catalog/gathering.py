"""The shelf's pictures in memory, grouped and split: what a catalog run works on."""

from pathlib import Path

import numpy as np

from export import picture
from export.errors import DatasetError
from trainer import album, split
from trainer.album import Album
from trainer.catalog.shelf import (
    RATINGS,
    Shelf,
    contradictions,
    group,
    open_shelf,
    ratings_by_bytes,
)
from trainer.dataset import Dataset, listing, without
from trainer.material import Material, only, without_conflicts, without_unreadable
from trainer.progress import Progress
from trainer.teaching import Plan


def gather_shelf(plan: Plan, progress: Progress) -> Material:
    """Read, group and split a folder of product pictures; raises DatasetError."""
    choices = plan.choices
    shelf = open_shelf(plan.data, resplit=choices.resplit, skip_unreadable=choices.skip_unreadable)
    dataset = shelf.dataset
    paths = [one.path for one in dataset.pictures]
    with progress.phase("reading pictures", len(paths)) as advance:
        read = album.load(plan.data, paths, plan.to, advance, ground=picture.WHITE)
    dataset = without_unreadable(dataset, read, choices.skip_unreadable)
    dataset, read = without_conflicts(dataset, read, choices.drop_conflicts)
    dataset, read = _without_contradictions(shelf, dataset, read, choices.drop_conflicts)
    groups = group(dataset, choices.rule, list(read.digests), read.hashes)
    samples = [
        split.Sample(of, one.label, one.half == "test")
        for of, one in zip(groups, dataset.pictures, strict=True)
    ]
    number = {name: index for index, name in enumerate(dataset.classes)}
    labels = np.array([number[one.label] for one in dataset.pictures], np.int64)
    dealt = tuple(split.deal(samples, plan.seed))
    return Material(dataset, read, labels, tuple(groups), dealt, choices.rule, types=True)


def _without_contradictions(
    shelf: Shelf, dataset: Dataset, read: Album, drop: bool
) -> tuple[Dataset, Album]:
    found = contradictions(shelf, list(read.paths), list(read.digests))
    if not found:
        return dataset, read
    if not drop:
        raise DatasetError(
            f"{len(found)} pictures are shown and rejected, byte for byte: {listing(found)}",
            f"remove those that are wrong, give them all one rating in {RATINGS}, or leave all of "
            "them out with --drop-conflicts",
        )
    note = f"{len(found)} pictures left out that are shown and rejected: {listing(found)}"
    kept = [at for at, path in enumerate(read.paths) if path not in set(found)]
    return without(dataset, set(found), note), only(read, kept)


def ratings_of(root: Path, material: Material) -> tuple[np.ndarray, Shelf]:
    """(N,) ratings of the material's pictures, NaN where nothing is known, and their shelf."""
    shelf = open_shelf(root, resplit=True, skip_unreadable=True)
    paths = [one.path for one in material.dataset.pictures]
    ratings = ratings_by_bytes(shelf, paths, list(material.album.digests))
    told = [ratings.get(path, np.nan) for path in paths]
    return np.array(told, np.float64), shelf
