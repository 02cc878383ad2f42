"""A run that tells types apart faces labelled pictures that it has not learnt from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from export.errors import DatasetError
from export.manifest import Metric
from trainer import album, calibrate
from trainer.dataset import listing, open_dataset
from trainer.head import features, logits
from trainer.parts import PartRule, group, rule_for
from trainer.progress import Progress
from trainer.room import room
from trainer.taxonomy import figures
from trainer.taxonomy.record import TypesRun


@dataclass(frozen=True, slots=True)
class Exam:
    """The figures, the confusion, and how many pictures were judged or left out as seen."""

    metrics: tuple[Metric, ...]
    confusion: dict[str, dict[str, int]]
    pictures: int
    seen: int


def examine(run: TypesRun, data: Path, progress: Progress, *, include_seen: bool = False) -> Exam:
    """Tell the type of every picture in `data`, seen as training saw its pictures.

    Raises:
        DatasetError: a type that the run doesn't know; unreadable pictures; nothing left.
        RunError: the run can't be rebuilt.
    """
    dataset = open_dataset(data, types=True, resplit=True, examining=True)
    record = run.record
    if unknown := sorted(set(dataset.classes) - set(record.types)):
        raise DatasetError(
            f"the run doesn't know {listing(unknown)}; it knows {', '.join(record.types)}",
            "rename the folders, or train with pictures of these types",
        )
    paths = [picture.path for picture in dataset.pictures]
    to, seen_through = record.input.to_input(), record.data.reencoded
    with progress.phase("reading pictures", len(paths)) as advance:
        read = album.load(data, paths, to, advance, seen_through)
    if read.unreadable:
        raise DatasetError(
            f"{len(read.unreadable)} pictures can't be used: "
            f"{listing([problem for _, problem in read.unreadable])}",
            "mend or remove them",
        )
    known = set() if include_seen else run.seen()
    kept = [i for i, digest in enumerate(read.digests) if digest not in known]
    if not kept:
        raise DatasetError(
            f"the run has already seen all {len(paths)} pictures in {str(data)!r}",
            "give new pictures, or judge these all the same with --include-seen",
        )
    rule = PartRule(
        None, record.data.part_regex, record.data.part_runs, record.data.near_duplicates
    )
    shown = group(dataset.pictures, rule_for(rule, data), read.digests, read.hashes)
    network = run.network().to(memory_format=torch.channels_last)
    with progress.phase("scoring", len(kept)) as advance:
        frames = room().taken(read.frames, kept)
        told_by = logits(network, features(network, frames, bf16=False, advance=advance))
    number = {name: index for index, name in enumerate(record.types)}
    told = figures.Told(
        np.array([number[dataset.pictures[i].label] for i in kept], np.int64),
        tuple(shown[i] for i in kept),
        calibrate.probabilities(told_by, record.temperature),
    )
    metrics = figures.measure(told, record.types, "test")
    confusion = figures.confusion(told, record.types)
    return Exam(metrics, confusion, len(kept), len(paths) - len(kept))
