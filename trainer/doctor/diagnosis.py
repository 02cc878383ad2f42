"""The diagnosis: every check, one after the other, and what came of them in order of harm.

The only module of the doctor that knows all of them.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from export import stamp
from trainer.album import version_of
from trainer.doctor.balance import balance, class_counts
from trainer.doctor.files import files
from trainer.doctor.finding import HARMS, Finding, Grade, in_order
from trainer.doctor.giveaway import giveaway
from trainer.doctor.labels import labels
from trainer.doctor.leakage import leakage
from trainer.doctor.marks import marks
from trainer.doctor.outliers import outliers
from trainer.doctor.part_table import part_table
from trainer.doctor.subject import Subject, gather, told_by
from trainer.doctor.twins import twins
from trainer.parts import PartRule
from trainer.progress import Progress


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a data set.

    Attributes:
        root: its folder.
        at: when it was looked at.
        fingerprint: SHA-256 over every picture's path, class and bytes.
        counts: pictures by class, good first.
        parts: how many, as far as known.
        rule: how parts were told, in words.
        findings: in order of harm.
        labels_checked: whether the labels were asked about.
    """

    root: Path
    at: str
    fingerprint: str
    counts: dict[str, int]
    parts: int
    rule: str
    findings: tuple[Finding, ...]
    labels_checked: bool

    @property
    def serious(self) -> int:
        """How many findings are serious."""
        return sum(one.grade == Grade.SERIOUS for one in self.findings)

    @property
    def moves(self) -> dict[str, str]:
        """What `--apply` would put into quarantine: path to the finding's kind."""
        found: dict[str, str] = {}
        for one in self.findings:
            for path in one.moves:
                found.setdefault(path, one.kind)
        return found

    def record(self) -> dict[str, Any]:
        """The same for programs."""
        told = asdict(self) | {"root": str(self.root), "serious": self.serious}
        for one in told["findings"]:
            one["harm"] = HARMS[one["harm"]]
        return told


def diagnose(
    root: Path, good: str | None, rule: PartRule, progress: Progress, *, ask_labels: bool = True
) -> Diagnosis:
    """Look at a data set and say what is wrong; nothing is changed.

    Args:
        root: its folder.
        good: the good class's folder, if not good or ok.
        rule: how parts are told.
        progress: told how far it is.
        ask_labels: ask the starter about every label, too: minutes for thousands of pictures.

    Raises:
        DatasetError: the folder is no data set, or a rule that was asked for doesn't fit its names.
    """
    subject = gather(root, good, rule, progress)
    leaks = leakage(subject)
    told = _in_words(subject.rule)
    if leaks.runs is not None:
        subject = told_by(subject, replace(subject.rule, runs=leaks.runs))
        told = f"numbers within {leaks.runs} of each other, as they look"
    findings: list[Finding] = [*leaks.findings]
    for check in (files, part_table, twins, balance, outliers, giveaway, marks):
        findings += check(subject)
    if ask_labels:
        findings += labels(subject, progress)
    return Diagnosis(
        root=root,
        at=stamp.now(),
        fingerprint=_fingerprint(subject),
        counts=class_counts(subject),
        parts=len(set(subject.part)),
        rule=told,
        findings=in_order(findings),
        labels_checked=ask_labels,
    )


def _in_words(rule: PartRule) -> str:
    if rule.table is not None:
        return rule.table.name
    if rule.regex is not None:
        return f"--part-regex {rule.regex}"
    if rule.runs is not None:
        return f"--part-runs {rule.runs}"
    return "one part per picture, duplicates together" if rule.near else "one part per picture"


def _fingerprint(subject: Subject) -> str:
    looks = (*subject.looks, *subject.broken)
    return version_of((one.picture.path, one.picture.label, one.sha256) for one in looks)
