"""A run of product pictures, in words."""

from trainer.catalog.record import CatalogRecord, CatalogRun
from trainer.run import SPLITS
from trainer.taxonomy.words import in_words, table

PURPOSE = "for choosing product pictures with `linewarden catalog`: it judges no parts"
NOVEL = "called_none_of_ours"
_TAXONOMY = ("accuracy", "calibration_error")


def summary(run: CatalogRun) -> list[str]:
    """Lines for people."""
    record = run.record
    counts = {split: sum(record.data.counts[split].values()) for split in SPLITS}
    split = ", ".join(f"{name} {number}" for name, number in counts.items())
    tested = [one for one in record.metrics if one.name.startswith(_TAXONOMY)]
    others = [one for one in record.metrics if not one.name.startswith(_TAXONOMY)]
    origin = f"{record.arch} from {record.weights.name}, kept: {record.recipe['kept']}"
    lines = [
        f"{record.name}: {origin}, {record.minutes:.1f} min",
        f"{sum(counts.values())} pictures of {record.data.parts} products or senders: {split}",
        *record.data.notes,
        "test (95 % intervals):",
        *(f"  {line}".replace("type", "category") for line in in_words(tested)),
        *(f"  {line}".replace("type", "category") for line in table(
            record.categories, record.confusion
        )),
    ]  # fmt: skip
    for one in others:
        share = f"{one.k} of {one.n}; " if one.n is not None else ""
        lines.append(
            f"{one.name.replace('_', ' ')}, {one.split}: {one.value:.1%}  "
            f"({share}{100 * one.low:.1f} to {100 * one.high:.1f} %)"
        )
    shown = record.presentation
    lines.append(f"presentation: {shown.words if shown else 'nothing said what is shown'}")
    lines.append(f"none of ours from novelty {record.novel_above:.2f}: {record.novelty.words}")
    lines += _refuted(record)
    return [*lines, PURPOSE, f"→ {run.folder}"]


def _refuted(record: CatalogRecord) -> list[str]:
    """A sentence where the test shows more false alarms than calibration allows."""
    bound = record.novelty.bound
    return [
        f"The test refutes that bound: it calls {one.value:.1%} of its pictures none of ours, and "
        f"{100 * one.low:.1f} % is more than {100 * bound:.1f} %. Its pictures differ from those "
        "that the threshold was placed by: go by the test."
        for one in record.metrics
        if one.name == NOVEL and one.low > bound
    ]
