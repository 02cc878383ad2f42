"""Leakage by part: one part on both sides of a given split, and neighbours in numbering."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from trainer.dataset import counted
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject, named_parts

DRAWS = 999
_SURE = 0.01
_GAPS = (1, 2, 5, 10, 20, 50, 100, 200)
_LEAST_PAIRS = 10
# By how much nearer neighbours must look, of the usual distance, to be called the same part.
_NEARER = 0.1
_MOST = 20000
_LISTED = 500
# A run of numbers that holds more pictures than this is no part.
_FEW_ALIKE, _LARGEST = 12, 0.05


@dataclass(frozen=True, slots=True)
class Leakage:
    """What would let the examination be passed from memory.

    Attributes:
        findings: what was found.
        runs: numbers this close together seem to be one part; None if nothing says so.
    """

    findings: tuple[Finding, ...]
    runs: int | None = None


def leakage(subject: Subject, seed: int = 0) -> Leakage:
    """Look at parts by the rule, or at numbering where there is no rule."""
    torn = _torn(subject)
    rule = subject.rule
    if rule.table or rule.regex or rule.runs is not None or subject.alike:
        return Leakage(tuple(torn))
    found = _neighbours(subject, seed)
    return Leakage((*torn, *found.findings), found.runs)


def _torn(subject: Subject) -> list[Finding]:
    """Parts, by the rule alone, that are both in train/ and in test/."""
    looked = [one.picture for one in subject.looks]
    sides: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one, part in zip(looked, named_parts(subject, subject.rule), strict=True):
        sides[part][one.half or ""].append(one.path)
    torn = {part: halves for part, halves in sides.items() if len(halves) > 1}
    if not torn:
        return []
    return [
        Finding(
            kind="part_across_splits",
            grade=Grade.SERIOUS,
            harm=Harm.MEMORISED,
            title=f"{counted(len(torn), 'part')} with pictures both in train/ and in test/",
            effect="The model is examined on parts that it has learnt: the figures would be better "
            "than the line.",
            remedy="Move all pictures of a part to one side, or split anew with --resplit.",
            cases=tuple(
                Case(tuple(halves["train"][:2] + halves["test"][:2]), part)
                for part, halves in torn.items()
            ),
        )
    ]


def _neighbours(subject: Subject, seed: int) -> Leakage:
    """Whether pictures with neighbouring numbers look alike beyond chance."""
    at, numbers = _numbered(subject)
    if len(at) < 2 * _LEAST_PAIRS:
        return Leakage(())
    first, second = _pairs(subject, at, numbers)
    gaps = np.abs(numbers[first] - numbers[second])
    apart = _apart(subject, at[first], at[second])
    usual, p_of = _usual(subject, at, seed)
    alike = 0
    for low, high in zip((0, *_GAPS), _GAPS, strict=False):
        inside = (gaps > low) & (gaps <= high)
        if inside.sum() < _LEAST_PAIRS:
            continue
        if p_of(apart[inside]) > _SURE or np.median(apart[inside]) > (1 - _NEARER) * usual:
            break
        alike = high
    if not alike:
        return Leakage(())
    near = np.flatnonzero(gaps <= alike)
    near = near[np.argsort(apart[near], kind="stable")]
    split = any(subject.halves[at[first[i]]] != subject.halves[at[second[i]]] for i in near)
    runs = _separable(numbers, alike) if len(at) == len(subject.looks) else None
    if runs:
        told = f"Train and check with --part-runs {runs}, or name"
    elif len(at) < len(subject.looks):
        told = "Some names hold no number, so that --part-runs can't be used: name"
    else:
        told = "The numbers run on without gaps and don't say where a part ends: name"
    finding = Finding(
        kind="neighbours",
        grade=Grade.SERIOUS,
        harm=Harm.MEMORISED,
        title=f"Pictures whose numbers lie within {alike} of each other look alike: probably "
        "the same part, photographed several times",
        effect=f"{len(near)} such pairs differ in {np.median(apart[near]):.0f} of 256 hash bits, "
        f"other pairs of their class in {usual:.0f} (p = {p_of(apart[near]):.3f} by {DRAWS} "
        "draws). "
        + (
            "Some stand on both sides of the given split."
            if split
            else "A split that deals pictures singly puts one part on both sides."
        ),
        remedy=f"{told} the parts with --part-regex or a parts.csv.",
        cases=tuple(
            Case((subject.paths[at[first[i]]], subject.paths[at[second[i]]]))
            for i in near[:_LISTED]
        ),
    )
    return Leakage((finding,), runs)


def _separable(numbers: NDArray[np.int64], alike: int) -> int | None:
    """The widest gap up to `alike` at which runs of numbers are still parts, not the whole set."""
    most = max(_FEW_ALIKE, _LARGEST * len(numbers))
    ordered = np.sort(numbers)
    for gap in reversed([gap for gap in _GAPS if gap <= alike]):
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - gap - 1) > gap)
        if np.diff(starts, append=len(ordered)).max() <= most:
            return gap
    return None


def _numbered(subject: Subject) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Positions of pictures with a number in their name, and the last such number."""
    found: list[tuple[int, int]] = []
    for i, path in enumerate(subject.paths):
        digits = re.findall(r"[0-9]{1,18}", PurePosixPath(path).stem)
        if digits:
            found.append((i, int(digits[-1])))
    return (
        np.array([i for i, _ in found], np.intp),
        np.array([number for _, number in found], np.int64),
    )


def _pairs(
    subject: Subject, at: NDArray[np.intp], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each picture with the next one of its class in numbering, less exact copies."""
    order = np.lexsort((numbers, subject.labels[at]))
    first, second = order[:-1], order[1:]
    same = subject.labels[at[first]] == subject.labels[at[second]]
    digests = np.array([subject.looks[i].sha256 for i in at])
    kept = same & (digests[first] != digests[second])
    return first[kept], second[kept]


def _apart(subject: Subject, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.float64]:
    return (subject.hashes[one] != subject.hashes[other]).sum(1).astype(np.float64)


def _usual(
    subject: Subject, at: NDArray[np.intp], seed: int
) -> tuple[float, Callable[[NDArray[np.float64]], float]]:
    """The usual distance of two pictures of one class, and the p of a sample that is nearer."""
    rng = np.random.default_rng(seed)
    one = rng.choice(at, _MOST)
    other = np.empty_like(one)
    for label in np.unique(subject.labels[at]):
        own = subject.labels[one] == label
        other[own] = rng.choice(at[subject.labels[at] == label], int(own.sum()))
    kept = one != other
    drawn = _apart(subject, one[kept], other[kept])

    def p_of(sample: NDArray[np.float64]) -> float:
        middle = np.median(sample)
        medians = np.median(rng.choice(drawn, (DRAWS, len(sample))), axis=1)
        return float((1 + (medians <= middle).sum()) / (1 + DRAWS))

    return float(np.median(drawn)), p_of
