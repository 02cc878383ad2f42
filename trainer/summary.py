"""A run in the field's words: what was learnt from what, and what it is worth."""

from trainer.evaluate import in_words
from trainer.run import SPLITS, Run


def _novelty(run: Run) -> list[str]:
    begins, basis = run.record.thresholds.novel_above, run.record.basis.novelty
    if begins is None or basis is None:
        return []
    return [f"novel from {begins:.4g}, where 1 is usual: {basis.words}"]


def between(below: float, above: float) -> str:
    """What becomes of the scores between two thresholds, if there are any."""
    return ", review between" if below < above else ": no score goes to review"


def summary(run: Run) -> list[str]:
    """Lines for people."""
    record = run.record
    counts = record.data.counts
    pictures = {split: sum(counts[split].values()) for split in SPLITS}
    split = ", ".join(f"{split} {number}" for split, number in pictures.items())
    below, above = record.thresholds.pass_below, record.thresholds.fail_above
    origin = f"{record.arch} from {record.weights.name}, kept: {record.recipe['kept']}"
    head = [
        f"{record.name}: {origin}, {record.minutes:.1f} min",
        f"{sum(pictures.values())} pictures of {record.data.parts} parts: {split}",
        f"pass below {below:.4g}, fail from {above:.4g}{between(below, above)}",
        f"calibration: {record.basis.words}",
        *(f"  {line}" for line in record.basis.plan),
        *_novelty(run),
        "test, in pictures (95 % intervals by part):",
    ]
    tested = tuple(metric for metric in record.metrics if metric.split == "test")
    return [*head, *(f"  {line}" for line in in_words(tested)), f"→ {run.folder}"]
