"""Attribute agreement: the inspection as an appraiser, beside people, against the labels.

The figures of a measurement systems analysis (AIAG, Measurement Systems Analysis, 4th edition,
chapter III, section C): effectiveness, miss rate, false alarm rate, and Cohen's kappa (Educational
and Psychological Measurement 20, 1960, p. 37). A part that goes to review counts as stopped.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.errors import DatasetError
from trainer.rates import Rate
from trainer.run import GOOD

Flags = NDArray[np.bool_]

DRAWS = 1000
COLUMNS = ("path", "appraiser", "trial", "label")
# AIAG's guideline for (effectiveness at least, misses at most, false alarms at most).
ACCEPTABLE = (0.90, 0.02, 0.05)
MARGINAL = (0.80, 0.05, 0.10)


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance, with a 95 % bootstrap interval over parts."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Appraiser:
    """How well one appraiser's decisions agree with the labels, and with themselves.

    Attributes:
        repeated: of the pictures decided more than once, those decided alike each time; None
            where nobody asked twice.
    """

    name: str
    effective: Rate
    missed: Rate
    alarmed: Rate
    kappa: Kappa
    repeated: Rate | None = None

    @property
    def grade(self) -> str:
        """AIAG's word for it: acceptable, marginal, or unacceptable."""
        for word, (effective, missed, alarmed) in (
            ("acceptable", ACCEPTABLE),
            ("marginal", MARGINAL),
        ):
            if (
                self.effective.value >= effective
                and self.missed.value <= missed
                and self.alarmed.value <= alarmed
            ):
                return word
        return "unacceptable"


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of an appraisers' file."""

    path: str
    appraiser: str
    trial: str
    label: str


def appraise(name: str, stopped: Flags, defect: Flags, parts: Sequence[str]) -> Appraiser:
    """Compare decisions (N,) with the labels (N,); intervals count parts, not pictures."""
    among = np.array(parts)

    def rate(hit: Flags, of: Flags) -> Rate:
        return Rate(int((hit & of).sum()), int(of.sum()), len(set(among[of])))

    everything = np.ones_like(defect)
    return Appraiser(
        name,
        effective=rate(stopped == defect, everything),
        missed=rate(~stopped, defect),
        alarmed=rate(stopped, ~defect),
        kappa=kappa(stopped, defect, parts),
    )


def kappa(one: Flags, other: Flags, parts: Sequence[str], seed: int = 0) -> Kappa:
    """Cohen's kappa of two lists of decisions (N,); the interval draws whole parts anew."""
    names, part = np.unique(np.array(parts), return_inverse=True)
    tables = np.zeros((len(names), 2, 2))
    np.add.at(tables, (part, one.astype(int), other.astype(int)), 1)
    chance = np.random.default_rng(seed)
    weights = chance.multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    low, high = np.quantile(_kappa(np.tensordot(weights, tables, 1)), (0.025, 0.975))
    return Kappa(float(_kappa(tables.sum(0))), float(low), float(high))


def _kappa(tables: NDArray[np.floating]) -> NDArray[np.floating]:
    """Kappa of (…,2,2) counts; 1 where both know one kind only and agree on it."""
    shares = tables / tables.sum((-1, -2), keepdims=True)
    agreed = np.trace(shares, axis1=-2, axis2=-1)
    by_chance = (shares.sum(-1) * shares.sum(-2)).sum(-1)
    certain = by_chance >= 1
    return np.where(certain, 1.0, (agreed - by_chance) / np.where(certain, 1.0, 1 - by_chance))


def people(
    path: Path, paths: Sequence[str], defect: Flags, parts: Sequence[str]
) -> tuple[Appraiser, ...]:
    """The appraisers of a file, on the pictures that the run was tested on.

    Args:
        path: CSV with the columns path, appraiser, trial and label (`good`, or anything else).
        paths: the tested pictures, N of them.
        defect: (N,) their labels.
        parts: (N,) their parts.

    Raises:
        DatasetError: the file can't be read, lacks a column, or names none of the pictures.
    """
    known = {name: at for at, name in enumerate(paths)}
    decisions = [one for one in _read(path) if one.path in known]
    if not decisions:
        raise DatasetError(
            f"{str(path)!r} decides on none of the {len(paths)} test pictures",
            f"give paths as in the run's split.csv, such as {paths[0]!r}",
        )
    found: list[Appraiser] = []
    for name in sorted({one.appraiser for one in decisions}):
        own = [one for one in decisions if one.appraiser == name]
        rows = [known[one.path] for one in own]
        stopped = np.array([one.label != GOOD for one in own])
        plain = appraise(name, stopped, defect[rows], [parts[row] for row in rows])
        found.append(
            Appraiser(
                name, plain.effective, plain.missed, plain.alarmed, plain.kappa, _repeated(own)
            )
        )
    return tuple(found)


def _repeated(decisions: Sequence[Decision]) -> Rate | None:
    by_path: dict[str, list[str]] = defaultdict(list)
    for one in decisions:
        by_path[one.path].append(one.label)
    asked = [labels for labels in by_path.values() if len(labels) > 1]
    return Rate(sum(len(set(labels)) == 1 for labels in asked), len(asked)) if asked else None


def _read(path: Path) -> list[Decision]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if lacking:
                raise DatasetError(
                    f"{str(path)!r} has no column {', '.join(lacking)}",
                    f"give a CSV file with the columns {', '.join(COLUMNS)}",
                )
            return [Decision(*(str(row[name]) for name in COLUMNS)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "give a CSV file in UTF-8"
        ) from error
