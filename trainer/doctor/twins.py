"""The same picture twice: byte for byte or to the eye, across classes, across a split, within."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from trainer import parts
from trainer.dataset import counted
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject


def twins(subject: Subject) -> list[Finding]:
    """Every group of duplicates, told by what it would do."""
    exact = _groups(len(subject.looks), parts.exact_twins([one.sha256 for one in subject.looks]))
    found = [*_exact(subject, exact)]
    if subject.alike:
        return [*found, _too_alike()]
    same = {frozenset(group) for group in exact}
    near = _groups(len(subject.looks), subject.near)
    return [*found, *_near(subject, [group for group in near if frozenset(group) not in same])]


def _groups(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Positions that belong together, of two or more."""
    united = parts.unite([f"{i:09d}" for i in range(count)], pairs)
    found: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(united):
        found[name].append(at)
    return [group for group in found.values() if len(group) > 1]


def _sorted_out(subject: Subject, groups: Sequence[list[int]]) -> dict[str, list[list[int]]]:
    """Groups by what is worst about them."""
    found: dict[str, list[list[int]]] = {"classes": [], "halves": [], "within": []}
    for group in groups:
        if len({subject.labels[i] for i in group}) > 1:
            found["classes"].append(group)
        elif len({subject.halves[i] for i in group}) > 1:
            found["halves"].append(group)
        else:
            found["within"].append(group)
    return found


def _cases(subject: Subject, groups: Sequence[list[int]]) -> tuple[Case, ...]:
    def remark(group: list[int]) -> str:
        labels = sorted({str(subject.labels[i]) for i in group})
        return " and ".join(labels) if len(labels) > 1 else ""

    return tuple(Case(tuple(subject.paths[i] for i in group), remark(group)) for group in groups)


def _exact(subject: Subject, groups: Sequence[list[int]]) -> list[Finding]:
    of = _sorted_out(subject, groups)
    found: list[Finding] = []
    if of["classes"]:
        found.append(
            Finding(
                kind="twins_across_classes",
                grade=Grade.SERIOUS,
                harm=Harm.REFUSED,
                title=f"{counted(len(of['classes']), 'picture')} under two classes, byte for byte",
                effect="At least one of the labels is wrong; training refuses, since the same "
                "picture can't be both.",
                remedy="Decide which class is right and remove the other copy. --apply puts all "
                "copies into quarantine.",
                cases=_cases(subject, of["classes"]),
                moves=tuple(subject.paths[i] for group in of["classes"] for i in group),
            )
        )
    return [*found, *_copies(subject, of["halves"], of["within"])]


def _copies(
    subject: Subject, halves: Sequence[list[int]], within: Sequence[list[int]]
) -> list[Finding]:
    found: list[Finding] = []
    if halves:
        found.append(
            Finding(
                kind="twins_across_splits",
                grade=Grade.SERIOUS,
                harm=Harm.MEMORISED,
                title=f"{counted(len(halves), 'picture')} both in train/ and in test/, byte "
                "for byte",
                effect="The model would be examined on what it has learnt: figures look better "
                "than the line will be.",
                remedy="Keep one side. --apply puts the copies in train/ into quarantine.",
                cases=_cases(subject, halves),
                moves=tuple(
                    subject.paths[i]
                    for group in halves
                    for i in group
                    if subject.halves[i] == "train"
                ),
            )
        )
    if within:
        spare = sum(len(group) - 1 for group in within)
        found.append(
            Finding(
                kind="twins",
                grade=Grade.LOOK,
                harm=Harm.MISLED,
                title=f"{counted(len(within), 'picture')} repeated within a class, byte "
                f"for byte: {counted(spare, 'copy', 'copies')} too many",
                effect="Copies prove nothing: each group counts as one part and never straddles a "
                "split here, but a random split elsewhere leaks, and the counts look better than "
                "they are.",
                remedy="Keep one of each. --apply puts the others into quarantine.",
                cases=_cases(subject, within),
                moves=tuple(subject.paths[i] for group in within for i in sorted(group)[1:]),
            )
        )
    return found


def _near(subject: Subject, groups: Sequence[list[int]]) -> list[Finding]:
    of = _sorted_out(subject, groups)
    found: list[Finding] = []
    if of["classes"]:
        found.append(
            Finding(
                kind="near_twins_across_classes",
                grade=Grade.SERIOUS,
                harm=Harm.MISTAUGHT,
                title=f"{counted(len(of['classes']), 'group')} of look-alikes under different "
                "classes",
                effect="Either one label is wrong, or the difference is too small to see at this "
                "size: both teach and "
                "judge by chance.",
                remedy="Look at each group: correct the label, or keep the clearer picture.",
                cases=_cases(subject, of["classes"]),
            )
        )
    if of["halves"]:
        found.append(
            Finding(
                kind="near_twins_across_splits",
                grade=Grade.SERIOUS,
                harm=Harm.MEMORISED,
                title=f"{counted(len(of['halves']), 'group')} of look-alikes on both sides of "
                "the split",
                effect="The model would be examined on what it has as good as learnt.",
                remedy="Move each group to one side, or split anew with --resplit.",
                cases=_cases(subject, of["halves"]),
            )
        )
    if of["within"]:
        found.append(
            Finding(
                kind="near_twins",
                grade=Grade.NOTE,
                harm=Harm.NONE,
                title=f"{counted(len(of['within']), 'group')} of look-alikes within a class",
                effect="Each group counts as one part, so that it never straddles a split; it "
                "proves no more than one picture.",
                remedy="Nothing. If they show different parts, say so with --part-regex, "
                "--part-runs or a parts.csv, "
                "and --no-near-duplicates.",
                cases=_cases(subject, of["within"]),
            )
        )
    return found


def _too_alike() -> Finding:
    return Finding(
        kind="too_alike",
        grade=Grade.NOTE,
        harm=Harm.NONE,
        title="Most pictures look so alike that near duplicates can't be told",
        effect="The scene is the same in all of them; only copies byte for byte were looked for.",
        remedy="Say which pictures show the same part (--part-regex, --part-runs or a parts.csv), "
        "and train with "
        "--no-near-duplicates.",
    )
