"""How parts are shared out: what teaches, chooses, places thresholds and examines."""

from typing import Literal

SHARES: dict[Literal["train", "validation", "calibration", "test"], float] = {
    "train": 0.50,
    "validation": 0.15,
    "calibration": 0.15,
    "test": 0.20,
}


def photographed(calibrating: int) -> int:
    """Of how many further parts about so many calibrate."""
    return round(calibrating / SHARES["calibration"])
