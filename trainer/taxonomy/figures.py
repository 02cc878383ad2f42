"""How well types are told apart: top-1, each type's share, confusion, calibration.

Intervals are exact and count parts, as everywhere (trainer/rates.py). There is no escape and no
overkill here: without a good class nothing can pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.manifest import Metric
from trainer.evaluate import as_metric
from trainer.rates import Rate, calibration_error

ACCURACY, CALIBRATION, BEFORE = "accuracy", "calibration_error", "calibration_error_before"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Pictures with their true types (N,), parts (N,) and probabilities (N,C) by type."""

    labels: NDArray[np.int64]
    parts: tuple[str, ...]
    chances: NDArray[np.floating]

    @property
    def guesses(self) -> NDArray[np.intp]:
        """(N,) the likeliest type of each."""
        return self.chances.argmax(1)


def measure(told: Told, types: Sequence[str], split: str) -> tuple[Metric, ...]:
    """Top-1 over all, and of each type that occurs; the top-1 probability's calibration error."""
    right = told.guesses == told.labels
    metrics = [_rate(ACCURACY, right, np.ones_like(right), told.parts, split)]
    for number, name in enumerate(types):
        of = told.labels == number
        if of.any():
            metrics.append(_rate(f"{ACCURACY}:{name}", right, of, told.parts, split))
    return (*metrics, calibration(CALIBRATION, told, split))


def calibration(name: str, told: Told, split: str) -> Metric:
    """How far the likeliest type's probability is from how often it is right, on average.

    The top-label form of Guo and others, arXiv:1706.04599, section 2; biased upwards on few
    pictures, so it has no interval.
    """
    error = calibration_error(told.chances.max(1), told.guesses == told.labels)
    return Metric(name=name, value=error, low=0.0, high=1.0, confidence=1.0, split=split)


def confusion(told: Told, types: Sequence[str]) -> dict[str, dict[str, int]]:
    """True type → told type → pictures."""
    table = np.zeros((len(types), len(types)), int)
    np.add.at(table, (told.labels, told.guesses), 1)
    return {
        true: {guess: int(count) for guess, count in zip(types, row, strict=True)}
        for true, row in zip(types, table, strict=True)
    }


def _rate(
    name: str,
    hit: NDArray[np.bool_],
    of: NDArray[np.bool_],
    parts: tuple[str, ...],
    split: str,
) -> Metric:
    counted = len({part for part, yes in zip(parts, of, strict=True) if yes})
    return as_metric(name, Rate(int((hit & of).sum()), int(of.sum()), counted), split)
