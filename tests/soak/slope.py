"""Does a series of samples grow? Its slope with an interval that allows for neighbours being alike.

Least squares over the least of each minute: what is held at least is what leaks, and drawing frames
goes up and down on top of it. What a process holds now it mostly held a moment ago, so
that n minutes are evidence of fewer: as many as their correlation leaves (Santer et al., J.
Geophys. Res. 105, 2000, eq. 6), that being corrected for its bias in short series (Kendall,
Biometrika 41, 1954). Knows nothing of what is sampled.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

BIN_S = 60.0
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth per hour with its 95 % interval, in the unit of the series."""

    per_hour: float
    low: float
    high: float


def slope(times_s, values, bin_s: float = BIN_S) -> Slope:
    """The slope of `values` at `times_s`; at least five bins of `bin_s` are needed."""
    hours, least = _binned(np.asarray(times_s, float), np.asarray(values, float), bin_s)
    count = len(hours)
    if count < 5:
        raise ValueError(f"{count} bins of {bin_s:g} s are too few for a slope")
    steep, level = np.polyfit(hours, least, 1)
    residuals = least - level - steep * hours
    worth = max(3.0, count * (1 - (alike := _alike(residuals))) / (1 + alike))
    variance = (residuals**2).sum() / (worth - 2)
    error = np.sqrt(variance / ((hours - hours.mean()) ** 2).sum())
    reach = error * stats.t.ppf((1 + CONFIDENCE) / 2, worth - 2)
    return Slope(float(steep), float(steep - reach), float(steep + reach))


def _alike(residuals) -> float:
    """The correlation of neighbours, 0 to 0.9."""
    spread = (residuals**2).sum()
    found = (residuals[1:] * residuals[:-1]).sum() / spread if spread else 0.0
    return float(np.clip(found + (1 + 4 * found) / len(residuals), 0.0, 0.9))


def _binned(times_s, values, bin_s):
    """Mean time in hours and least value of each bin that holds something."""
    bins = ((times_s - times_s[0]) // bin_s).astype(int)
    found = [bins == number for number in np.unique(bins)]
    hours = np.array([times_s[inside].mean() / 3600 for inside in found])
    return hours, np.array([values[inside].min() for inside in found])
