"""The table of parts, parts.csv, held against the pictures: training refuses a misfit."""

from trainer.dataset import counted
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject


def part_table(subject: Subject) -> list[Finding]:
    """What is wrong with parts.csv."""
    if subject.rule.table is None:
        return []
    if subject.table_problem:
        return [_finding("parts.csv can't be used", subject.table_problem, ())]
    there = {one.path for one in subject.pictures}
    strange, lacking = sorted(subject.table.keys() - there), sorted(there - subject.table.keys())
    if not (strange or lacking):
        return []
    cases = [Case((path,), "has no line in parts.csv") for path in lacking]
    cases += [Case((path,), "is in parts.csv, and isn't there") for path in strange]
    return [
        _finding(
            f"parts.csv lacks {counted(len(lacking), 'picture')} and names "
            f"{len(strange)} that {'is' if len(strange) == 1 else 'are'} not there",
            "Give every picture its line, with its path below the data set's folder, with /; or "
            "remove the file.",
            tuple(cases),
        )
    ]


def _finding(title: str, remedy: str, cases: tuple[Case, ...]) -> Finding:
    return Finding(
        kind="part_table",
        grade=Grade.SERIOUS,
        harm=Harm.REFUSED,
        title=title,
        effect="Training refuses a table of parts that doesn't fit; here each picture that it "
        "doesn't name counts as a part of its own.",
        remedy=remedy,
        cases=cases,
    )
