"""The page itself: everything the report says, put into one HTML file that needs nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from export import __version__, stamp
from trainer import rates
from trainer.calibrate import score_of
from trainer.evaluate import OUTCOMES
from trainer.report import plots
from trainer.report.agreement import Appraiser, appraise
from trainer.report.evidence import Evidence
from trainer.report.fitness import fitness
from trainer.report.mistakes import Case
from trainer.run import GOOD, SPLITS, Metric, Run
from trainer.unseen import Examination

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the confusion: what became of a class, and what it was taken for."""

    label: str
    outcomes: tuple[int, ...]
    taken_for: tuple[int, ...]


def page(
    run: Run,
    test: Evidence,
    mistakes: Sequence[Case],
    people: Sequence[Appraiser],
    unseen: Examination | None,
) -> str:
    """The report as HTML.

    Args:
        run: the finished run.
        test: its judged test pictures.
        mistakes: the worst of them, with pictures.
        people: human appraisers of the same pictures; may be empty.
        unseen: what became of types that were left out, if that was asked.
    """
    record = run.record
    judged, defect = test.judged, test.judged.defect
    machine = appraise("this inspection", test.stopped, defect, judged.parts)
    metrics = {one.name: one for one in record.metrics if one.split == "test"}
    before = _uncalibrated(test.chances, record.temperature)
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html.j2").render(
        run=run,
        record=record,
        fitness=fitness(record),
        figures=_figures(metrics),
        rows=_confusion(test),
        outcomes=[str(outcome) for outcome in OUTCOMES],
        types=_by_kind(metrics, "escape"),
        unseen=unseen,
        novelty=record.basis.novelty,
        mistakes=mistakes,
        wrong=_wrong(test),
        appraisers=[machine, *people],
        error_before=rates.calibration_error(before, defect),
        error_after=rates.calibration_error(judged.scores, defect),
        plots=_plots(run, test, before, metrics),
        splits=SPLITS,
        made_with=f"Linewarden {__version__}",
        made_at=stamp.now(),
    )


def _uncalibrated(chances: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Scores as they were before the temperature: the softmax undone and done again without it."""
    with np.errstate(divide="ignore"):
        logits = temperature * np.log(chances)
    raw = np.exp(logits - logits.max(1, keepdims=True))
    return score_of(raw / raw.sum(1, keepdims=True))


def _figures(metrics: dict[str, Metric]) -> list[tuple[str, Metric]]:
    names = {
        "escape": "Escape: defective parts passed",
        "overkill": "Overkill: good parts failed",
        "review": "Review: parts sent to a person",
        "auroc": "AUROC: a defective part scores above a good one",
    }
    return [(words, metrics[name]) for name, words in names.items() if name in metrics]


def _by_kind(metrics: dict[str, Metric], figure: str) -> list[tuple[str, Metric]]:
    return [
        (name.partition(":")[2], metric)
        for name, metric in metrics.items()
        if name.startswith(f"{figure}:")
    ]


def _confusion(test: Evidence) -> list[Row]:
    said = [test.classes[at] for at in test.likeliest()]
    labels = test.judged.labels
    rows: list[Row] = []
    for label in sorted(set(labels), key=lambda name: (name != GOOD, name)):
        at = [i for i, one in enumerate(labels) if one == label]
        became, taken = Counter(str(test.outcomes[i]) for i in at), Counter(said[i] for i in at)
        rows.append(
            Row(
                label,
                tuple(became[str(outcome)] for outcome in OUTCOMES),
                tuple(taken[name] for name in test.classes),
            )
        )
    return rows


def _wrong(test: Evidence) -> int:
    defect = test.judged.defect
    missed, alarmed = (test.outcomes == "pass") & defect, (test.outcomes == "fail") & ~defect
    return int(missed.sum() + alarmed.sum())


def _plots(
    run: Run, test: Evidence, before: NDArray[np.float64], metrics: dict[str, Metric]
) -> dict[str, Markup]:
    record, scores, defect = run.record, test.judged.scores, test.judged.defect
    drawn = {
        "histogram": plots.histogram(scores, defect, record.thresholds),
        "reliability": plots.reliability(before, scores, defect),
    }
    if {"escape", "overkill", "auroc"} <= metrics.keys():
        area = metrics["auroc"]
        drawn["roc"] = plots.roc(
            scores, defect, f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f})"
        )
        drawn["trade"] = plots.trade(
            scores, defect, metrics["escape"], metrics["overkill"], record.thresholds
        )
    found = _by_kind(metrics, "escape")
    if found:
        drawn["escape"] = plots.kinds(
            [kind for kind, _ in found], [metric for _, metric in found],
            record.basis.escape_budget,
        )  # fmt: skip
    # Drawn here from numbers; the only text in them is class names, which matplotlib escapes.
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704
