"""Figures as data: what was measured, against which target, on which machine and commit.

Whatever measures prints the table for people and writes `results/<name>.json`, so that a target
that slips is seen. Knows nothing of what is measured.
"""

import json
import operator
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from export import stamp

_COMPARE = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `target` reads like `<= 1.15`, or is empty where none is promised."""

    name: str
    value: float
    unit: str
    target: str = ""
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if not self.target:
            return None
        sign, _, bound = self.target.partition(" ")
        return bool(_COMPARE[sign](self.value, float(bound)))


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of text, aligned, for people."""
    rows = [("figure", "value", "unit", "target", "holds", "")]
    for figure in figures:
        holds = {True: "yes", False: "NO", None: "-"}[figure.holds]
        value = f"{figure.value:.4g}" if isinstance(figure.value, float) else str(figure.value)
        rows.append((figure.name, value, figure.unit, figure.target or "-", holds, figure.note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])


def save(
    name: str, figures: Sequence[Figure], *, seed: int, folder: Path = Path("results")
) -> Path:
    """Write `folder/name.json` with the seed, the commit and the machine; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    record = {
        "name": name,
        "at": stamp.now(),
        "seed": seed,
        "commit": _commit(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
        },
        "figures": [{**asdict(figure), "holds": figure.holds} for figure in figures],
    }
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return path


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
