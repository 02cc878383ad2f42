"""A finished run is asked about types of defect that it had not been shown.

Reads the run's pictures again and looks at them once, with the trunk as it was before any defect
taught it anything.
"""

from pathlib import Path

import numpy as np
import torch

from export.errors import DatasetError, RunError
from trainer import album, head, novelty, weights
from trainer.backbone import Network
from trainer.calibrate import Budgets
from trainer.dataset import listing
from trainer.novelty import Memory
from trainer.progress import Progress
from trainer.room import room
from trainer.run import GOOD, Run
from trainer.thresholds.novel import limit
from trainer.unseen import Examination, Known, examine


def leave_out(run: Run, progress: Progress, data: Path | None, asked: str | None) -> Examination:
    """Leave out each of the run's defect types in turn.

    Args:
        run: a finished run.
        progress: told how far it is.
        data: where its pictures lie now, if not where they were.
        asked: the weights that it started from, if they can't be told from its record.

    Raises:
        DatasetError: its pictures aren't there any more, or are others.
        RunError, WeightsError: the trunk that it started from can't be had.
    """
    record, rows = run.record, run.split()
    root = data or Path(record.data.root)
    network = _untaught(run, asked)
    with progress.phase("reading pictures", len(rows)) as advance:
        read = album.load(root, [row.path for row in rows], record.input.to_input(), advance)
    digests = dict(zip(read.paths, read.digests, strict=True))
    if other := [row.path for row in rows if digests.get(row.path) != row.sha256]:
        raise DatasetError(
            f"{len(other)} pictures of the run are not in {str(root)!r} as they were: "
            f"{listing(other)}",
            "give --data with the folder that the run was trained on",
        )
    labels, parts, splits = (
        np.array([getattr(row, name) for row in rows]) for name in ("label", "part", "split")
    )
    good = labels == GOOD
    basis = record.basis
    rate = basis.novelty.false_alarm_rate if basis.novelty else 0.0
    if rate:
        taught = np.flatnonzero(good & (splits == "train"))
        with progress.phase("remembering good parts", len(taught)) as advance:
            novelty.learn(network, room().taken(read.frames, taught), Memory(), advance)
    flips, refit = (str(record.recipe.get(name)) == "True" for name in ("flips", "refit"))
    looks = head.views(read.frames, flips)[: None if refit else head.FIRST]
    with progress.phase("features", len(rows) * len(looks)) as advance:
        plain, strange = novelty.survey(network, looks[0], advance)
        views = (plain, *(head.features(network, look, False, advance) for look in looks[1:]))
    told, begins = None, None
    if strange is not None:
        told = strange.double().numpy()
        held = np.flatnonzero(good & (splits == "calibration"))
        begins, _ = limit(told[held], parts[held].tolist(), rate, basis.confidence)
    budgets = Budgets(
        basis.escape_budget, basis.overkill_budget, basis.review_budget, basis.confidence,
        basis.each_type,
    )  # fmt: skip
    grid = [float(number) for number in str(record.recipe["head_grid"]).split()]
    known = Known(labels, parts, splits, views, told, refit)
    with progress.phase("leaving types out", len(record.classes) - 1) as advance:
        return examine(network, known, grid, budgets, novel_above=begins, advance=advance)


def _untaught(run: Run, asked: str | None) -> Network:
    """The run's network as it was before it was fine-tuned; only its trunk counts."""
    record = run.record
    if asked is None and record.recipe.get("kept") == "head":
        return run.network().to(memory_format=torch.channels_last)
    source = record.weights.source
    if asked is None and source == "file":
        raise RunError(
            f"{str(run.folder)!r} was fine-tuned from the file {record.weights.name!r}, "
            "and its own trunk has seen every type",
            "give that file with --weights",
        )
    torch.manual_seed(record.seed)
    network = Network(record.arch, len(record.classes), record.input.tile)
    weights.fill(network.trunk, record.arch, asked or source)
    return network.eval().to(memory_format=torch.channels_last)
