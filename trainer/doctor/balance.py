"""Class balance: which classes have too few parts to be learnt, or to prove anything about."""

from collections import Counter

from trainer.dataset import counted
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject
from trainer.rates import CONFIDENCE, Rate, needed
from trainer.run import GOOD
from trainer.shares import SHARES, photographed

_FEW_PARTS = 20
_UNEVEN = 20
BUDGET = 0.01


def balance(subject: Subject) -> list[Finding]:
    """What the numbers of parts allow."""
    parts = {label: set[str]() for label in sorted({one.label for one in subject.pictures})}
    for label, part in zip(subject.labels, subject.part, strict=True):
        parts[str(label)].add(part)
    count = {label: len(found) for label, found in parts.items()}
    found = [_lone(count), _few(count), _uneven(count), _unproven(count)]
    return [finding for finding in found if finding is not None]


def _lone(count: dict[str, int]) -> Finding | None:
    lone = [label for label, parts in count.items() if parts < 2]
    if not lone:
        return None
    return Finding(
        kind="lone_class",
        grade=Grade.SERIOUS,
        harm=Harm.REFUSED,
        title=f"{counted(len(lone), 'class', 'classes')} of a single part: {', '.join(lone)}",
        effect="One part can't be both learnt and examined.",
        remedy="Photograph more parts of these classes, or merge each with another kind of defect.",
    )


def _few(count: dict[str, int]) -> Finding | None:
    few = {label: parts for label, parts in count.items() if 2 <= parts < _FEW_PARTS}
    if not few:
        return None
    told = ", ".join(f"{label} ({parts})" for label, parts in few.items())
    return Finding(
        kind="few_parts",
        grade=Grade.LOOK,
        harm=Harm.UNPROVEN,
        title=f"{counted(len(few), 'class', 'classes')} of fewer than {_FEW_PARTS} parts: {told}",
        effect="What is learnt of them is a matter of luck, and their figures have wide intervals.",
        remedy="Photograph these first: more of them buys more than more of anything else.",
    )


def _uneven(count: dict[str, int]) -> Finding | None:
    most, least = max(count.values()), max(1, min(count.values()))
    if most < _UNEVEN * least:
        return None
    return Finding(
        kind="uneven",
        grade=Grade.LOOK,
        harm=Harm.UNPROVEN,
        title=f"The largest class has {most / least:.0f} times the parts of the smallest",
        effect="Classes are weighted evenly in training, so the model sees the few again and "
        "again and remembers them.",
        remedy="Photograph more of the smallest class.",
    )


def _unproven(count: dict[str, int]) -> Finding | None:
    defects = {label: parts for label, parts in count.items() if label != GOOD}
    if GOOD not in count or not defects:
        return None
    judged = {label: round(parts * SHARES["calibration"]) for label, parts in defects.items()}
    whole, enough = sum(judged.values()), needed(BUDGET)
    if whole >= enough:
        return None
    rows = [
        Case(
            (), f"{label}: {counted(defects[label], 'part')}, {n} calibrate, at best {_at_best(n)}"
        )
        for label, n in judged.items()
    ]
    return Finding(
        kind="unproven",
        grade=Grade.NOTE,
        harm=Harm.UNPROVEN,
        title=f"{counted(sum(defects.values()), 'defective part')} prove at best that "
        f"{_at_best(whole)} escape",
        effect=f"About {whole} of them ({SHARES['calibration']:.0%}) place the threshold, and "
        "even if none of these is "
        f"missed, that is all they show at {CONFIDENCE:.0%} confidence.",
        remedy=f"{enough} calibration parts without a miss prove {BUDGET:.0%}: some "
        f"{photographed(enough - whole)} more "
        "defective parts, or a larger escape budget (--escape-budget).",
        cases=tuple(rows),
    )


def _at_best(parts: int) -> str:
    return f"at most {Rate(0, parts).at_most():.0%}" if parts else "nothing at all"


def class_counts(subject: Subject) -> dict[str, int]:
    """Pictures by class, the good first."""
    counts = Counter(one.label for one in subject.pictures)
    return {label: counts[label] for label in sorted(counts, key=lambda name: (name != GOOD, name))}
