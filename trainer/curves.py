"""The run at a glance: what each epoch did, and where the thresholds stand among the scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from export.verdict import Thresholds
from trainer.finetune import Epoch
from trainer.run import GOOD, ScoreRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
else:
    Axes = Any

EVENLY = 20  # pictures, at most, of an axis that counts evenly
GREEN, RED, GREY = "#009e73", "#d55e00", "#555555"  # apart for every kind of colour vision


def draw(
    path: Path, epochs: Sequence[Epoch], scores: Sequence[ScoreRow], thresholds: Thresholds
) -> None:
    """Write the picture (PNG): loss and AUROC by epoch, histograms of calibration and test."""
    figure = Figure(figsize=(12, 3.6), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3)
    _losses(left, epochs)
    _histogram(middle, [row for row in scores if row.split == "calibration"], thresholds)
    middle.set_title("calibration: where the thresholds come from")
    _histogram(right, [row for row in scores if row.split == "test"], thresholds)
    right.set_title("test")
    figure.savefig(path)


def _losses(axes: Axes, epochs: Sequence[Epoch]) -> None:
    epochs = [epoch for epoch in epochs if epoch.share is None]
    at = [epoch.epoch for epoch in epochs]
    learnt = [(epoch.epoch, epoch.train_loss) for epoch in epochs if epoch.train_loss is not None]
    axes.plot([x for x, _ in learnt], [y for _, y in learnt], color=GREY, ls=":", label="training")
    axes.plot(
        at, [epoch.validation_loss for epoch in epochs], color=GREY, marker=".", label="validation"
    )
    axes.set(xlabel="epoch (0: the head alone)", ylabel="loss", title="learning")
    axes.legend(loc="upper right")
    area = axes.twinx()
    areas = [(e.epoch, e.validation_auroc) for e in epochs if e.validation_auroc is not None]
    area.plot([x for x, _ in areas], [y for _, y in areas], color=GREEN, marker=".")
    area.set_ylabel("validation AUROC", color=GREEN)


def _histogram(axes: Axes, rows: Sequence[ScoreRow], thresholds: Thresholds) -> None:
    bins = np.linspace(0, 1, 31)
    kinds = [
        [row.score for row in rows if row.label == GOOD],
        [row.score for row in rows if row.label != GOOD],
    ]
    axes.hist(kinds, bins=list(bins), color=[GREEN, RED], label=["good", "defective"])
    axes.axvspan(thresholds.pass_below, thresholds.fail_above, color=GREY, alpha=0.2)
    axes.axvline(thresholds.pass_below, color=GREEN, ls="--", label="pass below")
    axes.axvline(thresholds.fail_above, color=RED, ls="--", label="fail above")
    axes.set(xlabel="score", ylabel="pictures")
    count_axis(axes)
    axes.legend(loc="upper center")


def count_axis(axes: Axes) -> None:
    """Counts upwards, as whole numbers: evenly where they are few, else by powers."""
    if axes.get_ylim()[1] <= EVENLY:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return
    axes.set_yscale("symlog", subs=[2, 5])
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
