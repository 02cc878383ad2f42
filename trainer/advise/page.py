"""The advice as one self-contained page: the answer first, then what was measured and how."""

import base64
import html
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trainer.advise.answer import MORE, REJECTED, WHOLE, Advice, Contest, Row
from trainer.advise.arms import ARMS, NAMES, Arm
from trainer.advise.figures import Estimate
from trainer.advise.study import SHARES, Study
from trainer.advise.words import duration, headline, paragraphs, points
from trainer.run import GOOD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
else:
    Axes = Any

_COLOURS: dict[Arm, str] = {"nearest": "#0072b2", "head": "#009e73", "tuned": "#d55e00"}
_TONES = {"pays": "#009e73", "skip": "#0072b2"}
_STYLE = """
body{font:16px/1.5 system-ui,"DejaVu Sans",sans-serif;color:#222;max-width:60rem;margin:2rem auto;
padding:0 1rem} h1{font-size:1.5rem;line-height:1.3;border-left:.5rem solid var(--tone);
padding-left:1rem} h2{font-size:1.15rem;margin-top:2.2rem} table{border-collapse:collapse;
width:100%;font-size:.9rem} th{text-align:left;font-weight:600;border-bottom:2px solid #888}
th,td{padding:.3rem .6rem .3rem 0;vertical-align:top} td{border-bottom:1px solid #ddd}
td small,th small{color:#666;font-weight:400} tr.first td{border-top:2px solid #bbb}
tr.chosen td{background:#f2f7f5} img{max-width:100%} .note{color:#555;font-size:.92rem}
.of{color:#555;margin:0 0 -.6rem}
"""

_CURVES_NOTE = f"""<p class="note">Left: how well each way tells good from defective parts that it
has never seen (AUROC: the chance that a defective part scores above a good one; 1 is perfect, 0.5
is guessing). Dotted: {MORE} pictures more, if every doubling goes on adding as much. Right: what
fine-tuning added over the head, on the same parts. Bars are 95 % intervals.</p>"""
_TABLE_NOTE = """<p class="note">Overkill: share of good parts rejected, with the threshold put
where at most 1 % or 5 % of the defective parts of a round pass. Where a round has fewer than 100
defective parts, 1 % means none.</p>"""
_ROUNDS = """{pictures} pictures of {parts} parts, {good} pictures good; {arch} with {weights}
weights at {size} pixels. The parts were dealt into four quarters, stratified by class; in each
round one quarter judges, the next one chooses settings and epochs, and the other two teach, all of
their parts or a share of them. {rounds} rounds, seed {seed}; every way got the same parts. All
pictures of a part stay together."""
_INTERVALS = """Differences are taken on the same parts. Intervals are a bootstrap that redraws both
the rounds and the parts, 1000 times; that of the learning curve's slope is the corrected resampled
t (Nadeau and Bengio, Machine Learning 52, 2003), which allows for rounds that share learning
pictures."""
_RULE = """The rule was set beforehand: fine-tuning <b>pays</b> if the interval of what it adds to
AUROC lies above 0 and its middle is at least {least:g} point; it is <b>skipped</b> if the interval
ends below {margin:g} points; else these parts <b>can't tell</b>."""


def page(advice: Advice, study: Study, worthwhile: float, latency: float | None) -> str:
    """The whole page as HTML; nothing is fetched from anywhere."""
    tone = _TONES.get(advice.tuning.verdict, "#777")
    name = html.escape(study.plan.data.resolve().name)
    body = [
        f'<p class="of">Does fine-tuning pay on <b>{name}</b>?</p>',
        f"<h1>{html.escape(headline(advice))}</h1>",
        *(f"<p>{html.escape(text)}</p>" for text in paragraphs(advice, study)),
        "<h2>Does it get better with more pictures, and with fine-tuning?</h2>",
        f'<img alt="learning curves and paired differences" src="{_picture(advice)}">',
        _CURVES_NOTE,
        "<h2>The figures</h2>",
        _table(advice),
        _TABLE_NOTE,
        _types(advice),
        "<h2>How the answer was found</h2>",
        *(f"<p>{text}</p>" for text in _method(advice, study, worthwhile, latency)),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Advice: {name}'
        f"</title><style>:root{{--tone:{tone}}}{_STYLE}</style></head><body>"
        + "\n".join(body)
        + "</body></html>\n"
    )


def _picture(advice: Advice) -> str:
    figure = Figure(figsize=(10, 4), layout="constrained", dpi=130)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    _curves(left, advice)
    _differences(right, advice.tuning)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    figure.clear()
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _curves(axes: Axes, advice: Advice) -> None:
    for nudge, arm in enumerate(ARMS):
        rows = [row for row in advice.rows if row.arm == arm]
        if not rows:
            continue
        x = np.array([row.pictures for row in rows]) * (1 + 0.02 * (nudge - 1))
        found = [row.figures["auroc"] for row in rows]
        axes.errorbar(
            x, [one.mean for one in found], yerr=_bars(found), marker="o", capsize=3,
            color=_COLOURS[arm], label=NAMES[arm],
        )  # fmt: skip
        if (gain := advice.more.get(arm)) is not None and len(rows) == len(SHARES):
            end = found[-1].mean
            axes.errorbar(
                [x[-1], x[-1] + MORE], [end, end + gain.mean], color=_COLOURS[arm], ls=":",
                yerr=[[0, gain.mean - gain.low], [0, gain.high - gain.mean]], capsize=3, alpha=0.6,
            )  # fmt: skip
    axes.set(xlabel="pictures to learn from", ylabel="AUROC", title="learning curves")
    axes.set_ylim(max(0.0, min(0.9, axes.get_ylim()[0])), 1.003)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _bars(found: list[Estimate]) -> list[list[float]]:
    known = [e if not math.isnan(e.low) else Estimate(e.mean, e.mean, e.mean, 1) for e in found]
    return [[e.mean - e.low for e in known], [e.high - e.mean for e in known]]


def _differences(axes: Axes, contest: Contest) -> None:
    names = {"auroc": "AUROC", "overkill_1": "overkill at\n1 % escape",
             "overkill_5": "overkill at\n5 % escape"}  # fmt: skip
    for at, name in enumerate(names):
        if (gain := contest.gains.get(name)) is None:
            continue
        axes.errorbar(
            [100 * gain.mean], [-at], xerr=[[100 * (gain.mean - gain.low)],
            [100 * (gain.high - gain.mean)]], marker="o", capsize=4, color=_COLOURS["tuned"],
        )  # fmt: skip
        axes.annotate(points(gain), (100 * gain.mean, -at), (0, 9), textcoords="offset points",
                      ha="center", fontsize=8)  # fmt: skip
    axes.axvline(0, color="#555", lw=1)
    axes.set_yticks([0, -1, -2], list(names.values()))
    axes.set_ylim(-2.6, 0.6)
    axes.set(xlabel="← worse      points      better →", title="fine-tuning against the head")
    axes.grid(alpha=0.3, axis="x")


def _table(advice: Advice) -> str:
    heads = (
        "way", "learns from", "AUROC", "overkill<br><small>at 1 % escape</small>",
        "overkill<br><small>at 5 % escape</small>", "trains in",
    )  # fmt: skip
    lines = ["<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
    lines += [_line(row, advice.chosen) for row in advice.rows]
    return "\n".join([*lines, "</table>"])


def _line(row: Row, chosen: Arm) -> str:
    first = row.share == SHARES[0]
    marks = [name for name, yes in (("first", first), ("chosen", row.arm == chosen)) if yes]
    area = row.figures["auroc"]
    cells = [
        NAMES[row.arm] if first else "",
        f"{row.pictures} <small>pictures, {row.parts} parts</small>",
        f"{area.mean:.3f} <small>{area.low:.3f} to {area.high:.3f}</small>",
        *(
            f"{one.mean:.0%} <small>{one.low:.0%} to {one.high:.0%}</small>"
            for one in (row.figures["overkill_1"], row.figures["overkill_5"])
        ),
        duration(row.seconds),
    ]
    return f'<tr class="{" ".join(marks)}">' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"


def _types(advice: Advice) -> str:
    if len(advice.types) < 2:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(one.kind)}</td><td>{one.parts}</td><td>{one.missed} of {one.of}"
        f"</td><td>{one.low:.0%} to {one.high:.0%}</td></tr>"
        for one in advice.types
    )
    return (
        "<h2>Which defects are missed</h2>"
        f"<p>By {NAMES[advice.chosen]}, with the threshold put where {REJECTED:.0%} of the good "
        "parts are rejected.</p><table><tr><th>type</th><th>parts</th><th>pictures missed</th>"
        f"<th>95 % interval</th></tr>{rows}</table>"
    )


def _method(advice: Advice, study: Study, worthwhile: float, latency: float | None) -> list[str]:
    good = sum(sample.label == GOOD for sample in study.samples)
    parts = len({sample.part for sample in study.samples})
    plan = study.plan
    told = [
        _ROUNDS.format(
            pictures=len(study.samples), parts=parts, good=good, arch=plan.arch,
            weights=html.escape(plan.weights), size=f"{plan.to.width}x{plan.to.height}",
            rounds=plan.rounds, seed=plan.seed,
        ),
        _INTERVALS,
        _RULE.format(least=100 * worthwhile, margin=200 * worthwhile),
        "Training times are of this machine and count computing the features.",
    ]  # fmt: skip
    if latency is not None:
        told.append(
            f"At the edge: {latency:.0f} ms per part in ONNX Runtime on one thread of this "
            "machine. Head and fine-tuned network are the same graph and take the same time."
        )
    if not any(row.share == WHOLE for row in advice.rows if row.arm == "tuned"):
        told.append("Fine-tuning was not measured on all learning parts.")
    return told
