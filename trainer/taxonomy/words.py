"""A run that tells types apart, in words: what it got right, what it takes for what."""

from collections.abc import Mapping, Sequence

from export.manifest import Metric
from trainer.run import SPLITS
from trainer.taxonomy.figures import BEFORE, CALIBRATION
from trainer.taxonomy.record import TypesRun

PURPOSE = (
    "for sorting pictures of defects on the workstation: it knows no good part, promises no escape "
    "rate, and becomes no bundle"
)


def summary(run: TypesRun) -> list[str]:
    """Lines for people."""
    record = run.record
    counts = {split: sum(record.data.counts[split].values()) for split in SPLITS}
    split = ", ".join(f"{name} {number}" for name, number in counts.items())
    origin = f"{record.arch} from {record.weights.name}, kept: {record.recipe['kept']}"
    tested = [metric for metric in record.metrics if metric.split == "test"]
    seen = record.data.reencoded
    return [
        f"{record.name}: {origin}, {record.minutes:.1f} min",
        f"{sum(counts.values())} pictures of {record.data.parts} parts: {split}",
        *([f"every picture seen through a JPEG of quality {seen}"] if seen else []),
        "test, in pictures (95 % intervals by part):",
        *(f"  {line}" for line in in_words(tested)),
        *(f"  {line}" for line in table(record.types, record.confusion)),
        PURPOSE,
        f"→ {run.folder}",
    ]


def in_words(metrics: Sequence[Metric]) -> list[str]:
    """The metrics as lines."""
    found = {metric.name: metric for metric in metrics}
    width = 2 + max(len(_label(name)) for name in found)
    lines = [
        f"{_label(metric.name):<{width}}{metric.value:6.1%}  ({metric.k} of {metric.n}; "
        f"{100 * metric.low:.1f} to {100 * metric.high:.1f} %)"
        for metric in metrics
        if metric.n is not None
    ]
    before = f", {found[BEFORE].value:.3f} before calibration" if BEFORE in found else ""
    error = found[CALIBRATION].value
    return [*lines, f"calibration error of the likeliest type's probability {error:.3f}{before}"]


def _label(name: str) -> str:
    kind = name.partition(":")[2]
    return f"  of {kind}" if kind else "right type first (top-1)"


def table(types: Sequence[str], confusion: Mapping[str, Mapping[str, int]]) -> list[str]:
    """True types by row, told types by column, numbered."""
    width = max(len(name) for name in types) + 4
    head = " " * width + "".join(f"{number:>5}" for number in range(1, len(types) + 1))
    rows = [
        f"{number:>2} {true:<{width - 3}}" + "".join(f"{confusion[true][one]:>5}" for one in types)
        for number, true in enumerate(types, 1)
    ]
    return ["true type, and how often it was told to be type", head, *rows]
