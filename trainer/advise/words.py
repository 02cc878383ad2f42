"""The answer in plain words: a headline, what follows from it, and a table for the terminal."""

import math

from trainer.advise.answer import MORE, REJECTED, WHOLE, Advice, Contest, Row
from trainer.advise.arms import NAMES
from trainer.advise.figures import Estimate
from trainer.advise.study import Study

_UNFIT = 0.2  # overkill at 5 % escape beyond which a line would not live with it


def headline(advice: Advice) -> str:
    """The answer in a sentence."""
    rows = {row.arm: row for row in advice.rows if row.share == WHOLE}
    contest = advice.tuning
    if contest.verdict == "not measured":
        return "Not measured yet: the time did not reach two rounds of fine-tuning. Go on with it."
    gain, took, quick = contest.gains["auroc"], rows["tuned"].seconds, rows["head"].seconds
    if contest.verdict == "pays":
        before, after = (rows[arm].figures["auroc"].mean for arm in ("head", "tuned"))
        return (
            f"Fine-tuning pays: AUROC {before:.3f} → {after:.3f} ({points(gain)}); "
            f"it trains in {duration(took)}, the head alone in {duration(quick)}."
        )
    if contest.verdict == "skip":
        return (
            f"Skip fine-tuning: the head on stock features is as good (fine-tuning adds "
            f"{points(gain)} AUROC) and trains in {duration(quick)} instead of {duration(took)}."
        )
    lean = "use the head on stock features" if gain.mean < 0.01 else "train both and compare"
    return (
        f"Can't tell whether fine-tuning pays: it adds {points(gain)} AUROC; "
        f"{_needed(contest)}. Until then, {lean}."
    )


def paragraphs(advice: Advice, study: Study) -> list[str]:
    """What else was found, a sentence or two each."""
    told = [_fitness(advice), _labels(advice.labels), _more(advice), _collect(advice)]
    if kept := _kept(advice):
        told.insert(1, kept)
    if study.frozen:
        told.append(
            f"{study.frozen} pictures in test/ were left out: they are for the last examination."
        )
    if study.missing:
        told.append(
            f"{len(study.missing)} of the models were not made in the time given; the same command "
            "with the same --out goes on."
        )
    return [text for text in told if text]


def points(gain: Estimate) -> str:
    """A difference in hundredths: `+0.3 points ± 1.2`."""
    return f"{100 * gain.mean:+.1f} points ± {100 * gain.half:.1f}"


def duration(seconds: float) -> str:
    """In the unit that people would use."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _needed(contest: Contest) -> str:
    if contest.parts_needed is None or math.isinf(contest.parts_needed):
        return "too few rounds"
    if contest.parts_needed > 5000:
        return "with parts like these, no set of a usual size would settle it"
    return f"about {max(10, round(contest.parts_needed, -1))} more parts would settle it"


def _fitness(advice: Advice) -> str:
    row = next((r for r in advice.rows if (r.arm, r.share) == (advice.chosen, WHOLE)), None)
    if row is None:
        return ""
    cost = row.figures["overkill_5"]
    text = (
        f"What to expect of {NAMES[advice.chosen]}: where 5 % of the defective parts may pass, "
        f"{cost.mean:.0%} of the good ones are rejected ({cost.low:.0%} to {cost.high:.0%})."
    )
    return text + (" A line could hardly live with that." if cost.mean > _UNFIT else "")


def _kept(advice: Advice) -> str:
    row = next((r for r in advice.rows if (r.arm, r.share) == ("tuned", WHOLE)), None)
    if row is None or not row.kept_head:
        return ""
    return (
        f"In {row.kept_head} of {row.figures['auroc'].rounds} rounds fine-tuning itself kept the "
        "head, since the choosing parts liked it better."
    )


def _labels(contest: Contest) -> str:
    gain = contest.gains.get("auroc")
    if gain is None:
        return ""
    against = f"the head against the nearest good sample: {points(gain)} AUROC"
    return {
        "pays": f"Pictures of defects pay ({against}).",
        "skip": f"Pictures of defects aren't needed: good ones alone do as well ({against}).",
    }.get(contest.verdict, f"Whether pictures of defects are needed can't be told ({against}).")


def _more(advice: Advice) -> str:
    gain = advice.more.get(advice.chosen)
    if gain is None:
        return ""
    span = f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f} points AUROC"
    if gain.low > 0:
        return (
            f"{MORE} more pictures to learn from would add about {100 * gain.mean:.1f} points, "
            f"if every doubling goes on adding as much ({span})."
        )
    if gain.high < 0.01:
        return f"{MORE} more pictures to learn from would add nothing that matters ({span})."
    return f"What {MORE} more pictures to learn from would add can't be told ({span})."


def _collect(advice: Advice) -> str:
    if len(advice.types) < 2:
        return ""
    worst = advice.types[0]
    if advice.first is None:
        return (
            "No type of defect stands out as the one to collect first "
            f"(most missed: {worst.kind}, {worst.missed} of {worst.of} pictures where "
            f"{REJECTED:.0%} of the good ones are rejected)."
        )
    return (
        f"Collect more pictures of {worst.kind} first: {worst.missed} of {worst.of} are missed "
        f"({worst.low:.0%} to {worst.high:.0%}) where {REJECTED:.0%} of the good ones are rejected."
    )


def table(advice: Advice) -> list[str]:
    """All arms and shares, aligned, for the terminal."""
    head = ("", "learns from", "AUROC", "overkill at 1 % escape", "at 5 %", "trains in")
    lines = [head, *(_cells(row) for row in advice.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _cells(row: Row) -> tuple[str, ...]:
    area, one, five = (row.figures[name] for name in ("auroc", "overkill_1", "overkill_5"))
    return (
        NAMES[row.arm] if row.share == 25 else "",
        f"{row.pictures} pictures",
        f"{area.mean:.3f} ({area.low:.3f} to {area.high:.3f})",
        *(f"{rate.mean:.0%} ({rate.low:.0%} to {rate.high:.0%})" for rate in (one, five)),
        duration(row.seconds),
    )
