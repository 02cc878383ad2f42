"""What is compared: data sets, variants of the recipe (one change each), and the sums over them.

Stated before anything was measured. The base is recipes/tune.toml as it stood, with four cached
views. A variant's figure is its AUROC minus the head's on the same judging parts, averaged over
rounds, then over sets; the highest mean wins, the cheaper one where less than half a point apart.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.recipe import Recipe

BASE = Recipe(
    epochs=12, batch=16, rate=3e-4, trunk_rate=2.0, decay=0.7, thawed=2, views=4, head_start=1.0,
    weight_decay=0.02, anchor=0.0, patience=0, mix=(1.0,), warmup=0.1, ema=0.9, smoothing=0.0,
    shift=0.04, light=0.15, flips=True, quarter_turns=False, norm=False, refit=False,
    head_grid=(1e-5, 1e-4, 1e-3, 1e-2, 1e-1), bf16=False,
)  # fmt: skip
SHARES = (0.5, 1.0)  # of fine-tuning in the mix; 0 is the head


@dataclass(frozen=True, slots=True)
class Variant:
    """One change of the base; `scale` is of the input's sides.

    With `also`, fine-tuning learns from the choosing parts, too, so that nothing is left to choose
    its epoch by: its share 1 is what counts.
    """

    name: str
    change: dict[str, Any]
    scale: float = 1.0
    also: bool = False

    def recipe(self) -> Recipe:
        """The base with the change."""
        return Recipe.model_validate(BASE.model_dump() | self.change)


VARIANTS = {
    one.name: one
    for one in (
        Variant("base", {}),
        Variant("rate/3", {"rate": 1e-4}),
        Variant("rate*3", {"rate": 9e-4}),
        Variant("thawed 1", {"thawed": 1}),
        Variant("thawed 3", {"thawed": 3}),
        Variant("epochs 5", {"epochs": 5}),
        Variant("no augmentation", {"shift": 0.0, "light": 0.0, "flips": False, "views": 1}),
        Variant("strong augmentation", {"shift": 0.1, "light": 0.3}),
        Variant("ema 0", {"ema": 0.0}),
        Variant("ema 0.98", {"ema": 0.98}),
        Variant("norm learns", {"norm": True}),
        Variant("size 0.7", {}, 0.7),
        Variant("size 1.4", {}, 1.4),
        Variant("epochs 24", {"epochs": 24}),
        Variant("choosing parts teach, too", {}, also=True),
    )
}


@dataclass(frozen=True, slots=True)
class Key:
    """One model."""

    data: str
    variant: str
    round: int


Cells = dict[Key, dict[str, float]]


def append(path: Path, key: Key, found: dict[str, float]) -> None:
    """Add a finished cell as one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        row = {"data": key.data, "variant": key.variant, "round": key.round}
        file.write(json.dumps(row | found) + "\n")


def read(path: Path) -> Cells:
    """Every finished cell; a line that a kill cut short is not one."""
    cells: Cells = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        key = Key(row.pop("data"), row.pop("variant"), row.pop("round"))
        cells[key] = row
    return cells


POLICIES = {
    "tuned": lambda row: row["auroc_1"],
    "half": lambda row: row["auroc_0.5"],
    "chosen": lambda row: row["auroc_" + _cheapest(row)],
    "head refitted": lambda row: row["auroc_refit"],
}


def _cheapest(row: dict[str, float]) -> str:
    return min(("0", "0.5", "1"), key=lambda share: (row[f"loss_{share}"], share))


def table(cells: Cells) -> str:
    """Gain over the base's head in points of AUROC, by variant, set and policy, as Markdown."""
    sets = sorted({key.data for key in cells})
    lines = ["| variant | " + " | ".join(sets) + " | mean of sets: tuned, half, chosen | s |"]
    lines.append("| --- " * (len(sets) + 3) + "|")
    for name in VARIANTS:
        mine = {key: row for key, row in cells.items() if key.variant == name}
        if mine:
            lines.append(_line(name, mine, cells, sets))
    heads = [_mean([row["auroc_0"] for row in _of(cells, "base", one)]) for one in sets]
    refits = [_mean([row["auroc_refit"] for row in _of(cells, "base", one)]) for one in sets]
    lines.append("| AUROC of the head | " + " | ".join(f"{v:.3f}" for v in heads) + " | | |")
    lines.append("| refitted | " + " | ".join(f"{v:.3f}" for v in refits) + " | | |")
    return "\n".join(lines)


def _of(cells: Cells, variant: str, data: str) -> list[dict[str, float]]:
    return [row for key, row in cells.items() if (key.variant, key.data) == (variant, data)]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _line(name: str, mine: Cells, cells: Cells, sets: list[str]) -> str:
    gains: dict[str, dict[str, list[float]]] = {p: defaultdict(list) for p in POLICIES}
    for key, row in mine.items():
        base = cells.get(Key(key.data, "base", key.round))
        if base is not None:
            for policy, figure in POLICIES.items():
                gains[policy][key.data].append(100 * (figure(row) - base["auroc_0"]))
    shown = [
        f"{_mean(got):+.1f} ({len(got)})" if (got := gains["chosen"].get(one)) else "-"
        for one in sets
    ]
    means = [
        _mean([_mean(values) for values in gains[policy].values()])
        for policy in ("tuned", "half", "chosen")
    ]
    took = _mean([row["seconds"] for row in mine.values()])
    told = ", ".join(f"{mean:+.1f}" for mean in means)
    return f"| {name} | " + " | ".join(shown) + f" | {told} | {took:.0f} |"
