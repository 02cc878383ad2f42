"""Where a sample stands: what its history of labels comes to, undone steps taken out.

Pure: a sample in, an answer out.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from export.sample import Label, Sample, Step


class Due(StrEnum):
    """What a sample waits for."""

    FIRST = "first"
    SECOND = "second"
    DECISION = "decision"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people's words on one sample, neither of whom had seen the other's."""

    first: str
    second: str


def steps(sample: Sample) -> list[Label]:
    """The steps that count, in order: each undo takes the one before it away."""
    stack: list[Label] = []
    for label in sample.labels:
        if label.step is Step.UNDO:
            stack = stack[:-1]
        else:
            stack.append(label)
    return stack


def due(sample: Sample, second_share: float) -> Due:
    """What it waits for, if `second_share` of the labelled samples are read twice."""
    taken = steps(sample)
    if not taken:
        return Due.FIRST
    last = taken[-1]
    if last.step is Step.UNSURE or (last.step is Step.SECOND and last.label is None):
        return Due.DECISION
    if last.step is Step.LABEL and last.label is None:
        return Due.FIRST
    if last.step is Step.LABEL and lot(sample.id) < second_share:
        return Due.SECOND
    return Due.NOTHING


def is_decided(sample: Sample) -> bool:
    """Whether an engineer's decision is what counts: nobody below may replace it."""
    taken = steps(sample)
    return bool(taken) and taken[-1].step is Step.DECISION


def lot(name: str) -> float:
    """The sample's lot, 0 <= lot < 1: the same whenever it is asked, so nobody can choose."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64


def pair(sample: Sample) -> Pair | None:
    """What a first and a second reader said of it, if both did."""
    first: str | None = None
    found: Pair | None = None
    for step in steps(sample):
        if step.step is Step.LABEL:
            first = step.label
        elif step.step is Step.SECOND and first is not None and step.said is not None:
            found = Pair(first, step.said)
    return found
