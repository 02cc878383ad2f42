"""Who learns, who chooses, who calibrates and who examines: parts dealt to four splits.

Whole parts only, stratified by class, the rarest class first (iterative stratification: Sechidis,
Tsoumakas and Vlahavas, ECML 2011). The deal depends on the seed and the parts' names, not on the
order in which pictures are listed.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from export.errors import DatasetError
from trainer.run import GOOD, SPLITS, Split
from trainer.shares import SHARES

_TIES: tuple[Split, ...] = ("train", "test", "calibration", "validation")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the deal needs to know of a picture.

    `frozen` puts it into the test, as was given; `settled` keeps it where it was before.
    """

    part: str
    label: str
    frozen: bool = False
    settled: Split | None = None


def deal(
    samples: Sequence[Sample], seed: int, shares: dict[Split, float] | None = None
) -> list[Split]:
    """Give each picture its split.

    Args:
        samples: one per picture.
        seed: another seed, another deal.
        shares: fraction of pictures per split, 50/15/15/20 by default; where a test is frozen,
            the other three share the rest in proportion.

    Returns:
        The split of each picture, in the order of `samples`. What is settled stays; a new picture
        of a settled part follows it, into the test if a part of it is there.

    Raises:
        DatasetError: a frozen part is also outside the test, or there are too few parts of good
            or of defective pictures for every split to get both.
    """
    held: dict[str, Counter[str]] = defaultdict(Counter)
    frozen: dict[str, set[bool]] = defaultdict(set)
    for sample in samples:
        held[sample.part][sample.label] += 1
        held[sample.part][_kind(sample.label)] += 1
        frozen[sample.part].add(sample.frozen)
    torn = sorted(part for part, sides in frozen.items() if len(sides) > 1)
    if torn:
        raise DatasetError(
            f"{len(torn)} parts are both in train/ and in test/, first {torn[0]!r}: "
            "the test would be passed from memory",
            "move them to one side, or split anew with --resplit",
        )
    fixed: dict[str, Split] = {part: "test" for part, sides in frozen.items() if True in sides}
    wanted = dict(shares or SHARES)
    if fixed:
        wanted.pop("test")
    fixed |= _settled(samples)
    free = {part: counts for part, counts in held.items() if part not in fixed}
    dealt = _deal_free(free, seed, wanted)
    _repair(free, dealt, wanted)
    where = fixed | dealt
    _check(held, where)
    return [sample.settled or where[sample.part] for sample in samples]


def astray(samples: Sequence[Sample]) -> list[int]:
    """Positions of pictures that were settled to teach, though others of their part examine.

    New pictures, or a table, may show two settled parts to be one. The test stays as it was; what
    taught beside it must teach no more.
    """
    examined = {one.part for one in samples if one.settled == "test" or one.frozen}
    return [
        at
        for at, one in enumerate(samples)
        if one.part in examined and one.settled not in (None, "test")
    ]


def _settled(samples: Sequence[Sample]) -> dict[str, Split]:
    """Where each settled part is; two that a new picture shows to be one may be in two places."""
    strictest: tuple[Split, ...] = ("test", "calibration", "validation", "train")
    found: dict[str, Split] = {}
    for split in reversed(strictest):
        found |= {sample.part: split for sample in samples if sample.settled == split}
    return found


def _kind(label: str) -> str:
    return "\0good" if label == GOOD else "\0defect"  # no folder's name holds a NUL


def _deal_free(
    held: dict[str, Counter[str]], seed: int, shares: dict[Split, float]
) -> dict[str, Split]:
    totals = sum(held.values(), Counter[str]())
    whole = sum(shares.values())
    order: list[Split] = [split for split in _TIES if split in shares]
    lacking = {s: {key: n * shares[s] / whole for key, n in totals.items()} for s in order}

    def turn(part: str) -> tuple[int, str]:
        return totals[_rarest(held[part], totals)], _digest(f"{seed}\n{part}")

    where: dict[str, Split] = {}
    for part in sorted(held, key=turn):
        rarest = _rarest(held[part], totals)
        lacks = [(lacking[s][rarest], lacking[s][_kind(rarest)]) for s in order]
        best = order[lacks.index(max(lacks))]
        for key, n in held[part].items():
            lacking[best][key] -= n
        where[part] = best
    return where


def _rarest(counts: Counter[str], totals: Counter[str]) -> str:
    return min((key for key in counts if not key.startswith("\0")), key=lambda k: (totals[k], k))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _repair(
    held: dict[str, Counter[str]], where: dict[str, Split], shares: dict[Split, float]
) -> None:
    """Move the smallest parts so that every split gets a good and a defective part, if it can be.

    Train goes first, so that it also holds every class.
    """
    labels = sorted({key for counts in held.values() for key in counts})
    for split in sorted(shares, key=_TIES.index):
        needed = labels if split == "train" else ["\0good", "\0defect"]
        for key in needed:
            if any(held[part][key] for part, at in where.items() if at == split):
                continue
            donors = [part for part in held if held[part][key] and _spare(part, held, where)]
            if donors:
                size = {part: (held[part].total(), part) for part in donors}
                where[min(donors, key=size.__getitem__)] = split


def _spare(part: str, held: dict[str, Counter[str]], where: dict[str, Split]) -> bool:
    """Whether the part's split keeps what it must have when the part leaves."""
    at = where[part]
    left = sum((held[p] for p in held if where[p] == at and p != part), Counter[str]())
    kept = held[part] if at == "train" else [key for key in held[part] if key.startswith("\0")]
    return all(left[key] for key in kept)


def _check(held: dict[str, Counter[str]], where: dict[str, Split]) -> None:
    words = {"\0good": "good", "\0defect": "defective"}
    present = [key for key in words if any(counts[key] for counts in held.values())]
    for split in SPLITS:
        for key, word in ((key, words[key]) for key in present):
            if any(counts[key] for part, counts in held.items() if where[part] == split):
                continue
            parts = sum(1 for counts in held.values() if counts[key])
            raise DatasetError(
                f"only {parts} {word} parts: none is left for the {split} split",
                "at least 4 good and 4 defective parts are needed, one of each per split; take "
                "more pictures, or look whether --part-regex or --part-runs unites too many",
            )
