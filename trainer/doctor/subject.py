"""The subject: a data set as the doctor sees it, with every file looked at and every part told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.errors import DatasetError
from trainer import parts
from trainer.dataset import Picture, Walk, good_folder, named, walk
from trainer.doctor.look import Look, Measured, look_at_all
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.run import GOOD

# A set of which more than this share of random pairs look the same shows one scene.
_ALIKE = 0.05
_SAMPLE = 600


@dataclass(frozen=True, eq=False)
class Subject:
    """A data set under examination.

    Attributes:
        root: its folder.
        walk: what the folders hold.
        pictures: every picture file, the good class called good.
        looks: those that can be read; all below is in their order.
        broken: those that can't.
        part: (N) the part of each, near duplicates united where that tells parts apart.
        alike: most pictures look the same, so that likeness tells nothing.
        rule: where the part came from.
        table: the part of each path by parts.csv, which need not fit; empty without one.
        table_problem: why parts.csv can't be read; empty where it can or there is none.
    """

    root: Path
    walk: Walk
    pictures: tuple[Picture, ...]
    looks: tuple[Look, ...]
    broken: tuple[Look, ...]
    part: tuple[str, ...]
    alike: bool
    rule: PartRule = field(default_factory=PartRule)
    table: Mapping[str, str] = field(default_factory=dict[str, str])
    table_problem: str = ""

    @cached_property
    def measured(self) -> tuple[Measured, ...]:
        """(N) what the pixels say."""
        return tuple(one.measured for one in self.looks if one.measured is not None)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """(N) paths below the root."""
        return tuple(one.picture.path for one in self.looks)

    @cached_property
    def labels(self) -> NDArray[np.str_]:
        """(N,) classes."""
        return np.array([one.picture.label for one in self.looks], dtype=np.str_)

    @cached_property
    def halves(self) -> tuple[str, ...]:
        """(N) train or test where that is given, else empty."""
        return tuple(one.picture.half or "" for one in self.looks)

    @cached_property
    def hashes(self) -> NDArray[np.uint8]:
        """(N,256) perceptual hashes."""
        return (
            np.stack([m.bits for m in self.measured])
            if self.looks
            else np.empty((0, 256), np.uint8)
        )

    @cached_property
    def near(self) -> tuple[tuple[int, int], ...]:
        """Pairs that look the same; none where likeness tells nothing."""
        if self.alike or not self.looks:
            return ()
        return tuple(parts.near_twins(self.hashes))

    @property
    def has_good(self) -> bool:
        """Whether there is a class of good parts."""
        return any(one.label == GOOD for one in self.pictures)


def gather(root: Path, good: str | None, rule: PartRule, progress: Progress) -> Subject:
    """Look at every picture below `root`; raises DatasetError where there is no data set at all."""
    found = walk(root)
    name = good_folder(root, {p.label for p in found.pictures}, good, needed=False)
    pictures = tuple(
        sorted(
            (Picture(p.path, named(p.label, name), p.half) for p in found.pictures),
            key=lambda one: one.path,
        )
    )
    if not pictures:
        raise DatasetError(f"{str(root)!r} holds no picture", "put some into a folder per class")
    with progress.phase("looking at files", len(pictures)) as advance:
        looks = look_at_all(root, pictures, advance)
    whole = tuple(one for one in looks if one.measured is not None)
    rule = parts.rule_for(rule, root)
    alike = too_alike([one.measured for one in whole if one.measured is not None])
    broken = tuple(one for one in looks if one.measured is None)
    table, problem = _table(rule)
    subject = Subject(root, found, pictures, whole, broken, (), alike, rule, table, problem)
    return told_by(subject, rule)


def _table(rule: PartRule) -> tuple[dict[str, str], str]:
    """What parts.csv says, as far as it can be read, and why it can't."""
    if rule.table is None:
        return {}, ""
    try:
        return parts.read_table(rule.table), ""
    except DatasetError as error:
        return {}, f"{error.problem}: {error.remedy}"


def told_by(subject: Subject, rule: PartRule) -> Subject:
    """The same subject with its parts told by a rule."""
    fresh = replace(subject, part=parts_by(subject, rule))
    fresh.__dict__["near"] = subject.near  # as costly as all the rest, and the same
    return fresh


def too_alike(measured: list[Measured]) -> bool:
    """Whether so many pairs look the same that likeness can't tell duplicates."""
    rng = np.random.default_rng(0)
    if len(measured) < 20:
        return False
    at = rng.permutation(len(measured))[:_SAMPLE]
    bits = np.stack([measured[i].bits for i in at]).astype(np.float32) * 2 - 1
    apart = (bits.shape[1] - bits @ bits.T) / 2
    pairs = apart[np.triu_indices(len(at), 1)]
    return float((pairs <= parts.NEAR_BITS).mean()) > _ALIKE


def named_parts(subject: Subject, rule: PartRule) -> list[str]:
    """(N) the part of each readable picture by the rule alone.

    A file that can't be read needs no part: its name may be anything. What parts.csv doesn't name
    is a part of its own here, and a finding elsewhere.

    Raises:
        DatasetError: a rule that was asked for doesn't fit the names.
    """
    if rule.table is not None:
        return [subject.table.get(path, path) for path in subject.paths]
    return parts.name_parts([one.picture for one in subject.looks], rule)


def parts_by(subject: Subject, rule: PartRule) -> tuple[str, ...]:
    """(N) the part of each readable picture by a rule, its duplicates united."""
    told = named_parts(subject, rule)
    united = parts.unite(told, parts.exact_twins([one.sha256 for one in subject.looks]))
    return tuple(parts.unite(united, subject.near) if rule.near else united)
