"""The report's plots, each as SVG text to stand in a page: they scale, and print sharp.

Knows what a curve needs (scores, classes, thresholds); knows nothing of runs or pages.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from export.verdict import Thresholds
from trainer.curves import GREEN, GREY, RED, count_axis
from trainer.run import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
else:
    Axes = Any

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

BLUE = "#0072b2"
BINS = 10
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "linewarden",
    "font.family": "sans-serif",
    "font.size": 10,
}


def roc(scores: Floats, defect: Flags, area: str) -> str:
    """Receiver operating characteristic, and precision over recall, side by side."""
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    wrong, right_ones, _ = roc_curve(defect, scores)
    left.plot(wrong, right_ones, color=BLUE, drawstyle="steps-post")
    left.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1)
    left.set(
        xlabel="good parts flagged", ylabel="defective parts flagged", title=f"ROC: AUROC {area}"
    )
    precision, recall, _ = precision_recall_curve(defect, scores)
    right.plot(recall, precision, color=BLUE, drawstyle="steps-post")
    right.axhline(float(defect.mean()), color=GREY, ls=":", lw=1)
    right.set(
        xlabel="defective parts flagged (recall)",
        ylabel="flagged parts that are defective",
        title="precision and recall",
        ylim=(0, 1.02),
    )
    return _svg(figure)


def trade(
    scores: Floats, defect: Flags, escape: Metric, overkill: Metric, thresholds: Thresholds
) -> str:
    """Escapes against overkill as one threshold moves, with the chosen point and its intervals."""
    figure = Figure(figsize=(8.4, 3.8), layout="constrained")
    axes = figure.subplots()
    edges = np.concatenate([[0.0], np.unique(scores), [1.0 + 1e-9]])
    missed = [100 * float((scores[defect] < edge).mean()) for edge in edges]
    alarmed = [100 * float((scores[~defect] >= edge).mean()) for edge in edges]
    axes.plot(alarmed, missed, color=BLUE, drawstyle="steps-post", label="any one threshold")
    x, y = 100 * overkill.value, 100 * escape.value
    across, up = (overkill.low, overkill.high), (escape.low, escape.high)
    axes.errorbar(
        x,
        y,
        xerr=[[x - 100 * across[0]], [100 * across[1] - x]],
        yerr=[[y - 100 * up[0]], [100 * up[1] - y]],
        fmt="o",
        color=RED,
        capsize=4,
        label=f"chosen: pass < {thresholds.pass_below:.3g}, fail ≥ {thresholds.fail_above:.3g}",
    )
    axes.set(
        xlabel="overkill: good parts failed, %",
        ylabel="escape: defective parts passed, %",
        xlim=(-2, 102),
        ylim=(-2, 102),
    )
    axes.legend(loc="upper right", frameon=False)
    return _svg(figure)


def histogram(scores: Floats, defect: Flags, thresholds: Thresholds) -> str:
    """Where good and defective pictures score, and where the thresholds stand."""
    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.hist(
        [scores[~defect], scores[defect]],
        bins=list(np.linspace(0, 1, 31)),
        color=[GREEN, RED],
        label=["good", "defective"],
    )
    axes.axvspan(
        thresholds.pass_below, thresholds.fail_above, color=GREY, alpha=0.2, label="review"
    )
    axes.axvline(thresholds.pass_below, color=GREY, ls="--", lw=1)
    axes.axvline(thresholds.fail_above, color=GREY, ls="--", lw=1)
    axes.set(xlabel="score: calibrated probability of a defect", ylabel="pictures", xlim=(0, 1))
    count_axis(axes)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, ncols=3)
    return _svg(figure)


def reliability(before: Floats, after: Floats, defect: Flags) -> str:
    """How often a part with a given score really is defective, before and after calibration."""
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1, label="honest")
    for scores, colour, mark, name in ((before, GREY, "x", "before"), (after, BLUE, "o", "after")):
        x, y, n = _bins(scores, defect)
        axes.plot(x, y, color=colour, marker=mark, label=f"{name} calibration")
        if name == "after":
            for at, share, count in zip(x, y, n, strict=True):
                axes.annotate(
                    str(count), (at, share), textcoords="offset points", xytext=(6, -11), size=8
                )
    axes.set(
        xlabel="score",
        ylabel="share that is defective",
        xlim=(-0.02, 1.02),
        ylim=(-0.05, 1.05),
    )
    axes.legend(loc="upper left", frameon=False)
    return _svg(figure)


def kinds(names: Sequence[str], found: Sequence[Metric], budget: float) -> str:
    """Escapes by type of defect: the rate, and its exact interval as a bar."""
    figure = Figure(figsize=(8.4, 0.8 + 0.42 * len(names)), layout="constrained")
    axes = figure.subplots()
    for row, rate in enumerate(found):
        axes.plot([100 * rate.low, 100 * rate.high], [row, row], color=BLUE, lw=5, alpha=0.35)
        axes.plot(100 * rate.value, row, "o", color=BLUE)
        axes.annotate(
            f"{rate.k} of {rate.n}", (101, row), va="center", annotation_clip=False, size=9
        )
    axes.axvline(100 * budget, color=RED, ls="--", lw=1)
    axes.set_yticks(range(len(names)), list(names))
    axes.invert_yaxis()
    axes.set(xlim=(-2, 100), xlabel=f"escapes, % (dashed: the budget of {100 * budget:g} %)")
    return _svg(figure)


def _bins(scores: Floats, defect: Flags) -> tuple[list[float], list[float], list[int]]:
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    used = [at for at in range(BINS) if (place == at).any()]
    return (
        [float(scores[place == at].mean()) for at in used],
        [float(defect[place == at].mean()) for at in used],
        [int((place == at).sum()) for at in used],
    )


def _svg(figure: Figure) -> str:
    """The figure as an SVG element, without the XML prologue."""
    FigureCanvasSVG(figure)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    text = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    body = text.getvalue()
    return body[body.index("<svg") :]
