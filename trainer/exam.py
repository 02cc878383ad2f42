"""A finished run faces labelled pictures that it has not learnt from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from export.errors import DatasetError
from trainer import album, calibrate, evaluate, head
from trainer.dataset import Dataset, listing, open_dataset
from trainer.evaluate import Judged, Report
from trainer.progress import Progress
from trainer.run import GOOD, Run

UNKNOWN = "other defect"


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """What was judged, the figures, and how many pictures were left out as already seen."""

    judged: Judged
    report: Report
    seen: int
    notes: tuple[str, ...]


def examine(
    run: Run,
    data: Path,
    progress: Progress,
    *,
    good: str | None = None,
    as_defect: bool = False,
    include_seen: bool = False,
    skip_unreadable: bool = False,
) -> Exam:
    """Judge the pictures in `data` as the line would.

    Pictures that the run learnt from or chose by are known by their digests, and left out.

    Args:
        run: the run.
        data: a folder of labelled pictures, laid out as for training.
        progress: told how far it is.
        good: the good class's folder, if not good or ok.
        as_defect: count classes that the run doesn't know as defects of another kind.
        include_seen: judge the pictures that the run has seen, too.
        skip_unreadable: leave unreadable pictures out.

    Raises:
        DatasetError: a class the run doesn't know; unreadable pictures; nothing left to judge.
        RunError: the run can't be rebuilt.
    """
    dataset = open_dataset(
        data, good=good, skip_unreadable=skip_unreadable, resplit=True, examining=True
    )
    labels = _labels(run, dataset, as_defect)
    network = run.network().to(memory_format=torch.channels_last)
    with progress.phase("reading pictures", len(labels)) as advance:
        paths = [picture.path for picture in dataset.pictures]
        read = album.load(data, paths, run.record.input.to_input(), advance)
    if read.unreadable and not skip_unreadable:
        raise DatasetError(
            f"{len(read.unreadable)} pictures can't be used: "
            f"{listing([problem for _, problem in read.unreadable])}",
            "mend or remove them, or leave them out with --skip-unreadable",
        )
    known = {row.sha256: row for row in run.split()}
    taught = {digest for digest, row in known.items() if row.split != "test"}
    kept = [i for i, d in enumerate(read.digests) if include_seen or d not in taught]
    if not kept:
        raise DatasetError(
            f"the run has already seen all {len(read.digests)} pictures in {str(data)!r}",
            "give new pictures, or judge these all the same with --include-seen",
        )
    with progress.phase("scoring", len(kept)) as advance:
        pooled = head.features(network, read.frames[kept], bf16=False, advance=advance)
        with torch.inference_mode():
            logits = network.classify(pooled).numpy()
    scores = calibrate.score_of(calibrate.probabilities(logits, run.record.temperature))
    label_of = dict(zip(paths, labels, strict=True))
    judged = Judged(
        tuple(label_of[read.paths[i]] for i in kept),
        tuple(known[d].part if d in known else d for d in (read.digests[i] for i in kept)),
        np.asarray(scores, np.float64),
    )
    report = evaluate.report(judged, run.record.thresholds)
    return Exam(judged, report, len(read.digests) - len(kept), dataset.notes)


def _labels(run: Run, dataset: Dataset, as_defect: bool) -> list[str]:
    unknown = sorted({p.label for p in dataset.pictures} - set(run.record.classes))
    if unknown and not as_defect:
        raise DatasetError(
            f"the run doesn't know {listing(unknown)}; it knows {', '.join(run.record.classes)}",
            "rename the folders, or count them as defects of another kind with --as-defect",
        )
    known = {*run.record.classes, GOOD}
    return [p.label if p.label in known else UNKNOWN for p in dataset.pictures]
