"""Cells of the comparison: what is run, the resumable file of what was, and its table."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from trainer.advise.figures import estimate

FIGURES = ("auroc", "overkill_1", "overkill_5", "accuracy", "pointing", "minutes")
TEST_SHARE = 0.20


@dataclass(frozen=True, slots=True)
class Set:
    """A data set below LINEWARDEN_TEST_DATA and how its parts are known.

    `types` has no good class; its pictures are seen through a JPEG of the quality `reencode`.
    Pictures are judged at `side` pixels, a multiple of 32.
    """

    name: str
    runs: int | None = None
    types: bool = False
    reencode: int | None = None
    side: int = 224


SETS = {
    one.name: one
    for one in (
        Set("cookies"),
        Set("toy_aliens"),
        Set("magnetic_tile", runs=100),
        Set("x_sdd", types=True, reencode=75, side=128),
    )
}


@dataclass(frozen=True, slots=True)
class Key:
    """One model: who made it, from what, on which set, with which seed."""

    data: str
    arch: str
    contender: str
    seed: int


def append(path: Path, key: Key, found: dict[str, float]) -> None:
    """Add a finished cell as one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(key) | found) + "\n")


def read(path: Path) -> dict[Key, dict[str, float]]:
    """Every finished cell; a line that a kill cut short is not one."""
    cells: dict[Key, dict[str, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        key = Key(row["data"], row["arch"], row["contender"], row["seed"])
        cells[key] = {name: row[name] for name in FIGURES if name in row}
    return cells


def table(cells: dict[Key, dict[str, float]]) -> str:
    """Mean and 95 % interval over seeds, as a Markdown table.

    The interval is the corrected resampled t: seeds deal the same parts anew.
    """
    groups: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    for key, found in sorted(cells.items(), key=lambda one: str(one[0])):
        groups[key.data, key.arch, key.contender].append(found)
    lines = ["| set | network | contender | seeds | " + " | ".join(FIGURES) + " |"]
    lines.append("| --- " * (4 + len(FIGURES)) + "|")
    for names, rows in groups.items():
        shown = [_shown(name, [row[name] for row in rows if name in row]) for name in FIGURES]
        lines.append(f"| {' | '.join(names)} | {len(rows)} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _shown(name: str, values: list[float]) -> str:
    if not values:
        return "-"
    if name == "minutes":
        return f"{np.median(values):.2f}"
    found = estimate(values, TEST_SHARE / (1 - TEST_SHARE), bounds=(0.0, 1.0))
    return f"{found.mean:.3f}" + (
        "" if found.rounds < 2 else f" ({found.low:.3f}-{found.high:.3f})"
    )
