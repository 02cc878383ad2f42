"""A sweep's leaderboard: who leads, whether that is more than luck, and the recipe to take.

The best of many tries looks better than it is: what counts is its lead over the standard recipe on
the same rounds, corrected for their overlap (Nadeau and Bengio, Machine Learning 52, 2003).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState

from trainer.advise.figures import Estimate, estimate
from trainer.recipe import Recipe
from trainer.run import write_csv

_SHOWN = 10
_HALF = 0.5  # two quarters teach, one chooses, one judges


@dataclass(frozen=True, slots=True)
class Row:
    """One finished recipe: its trial's number, AUROC of each round, and what it changed."""

    number: int
    auroc: tuple[float, ...]
    changed: dict[str, Any]
    standard: bool
    whole: bool

    @property
    def mean(self) -> float:
        """Over its rounds."""
        return sum(self.auroc) / len(self.auroc)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Finished recipes, the best first; those that were stopped early come last."""

    rows: tuple[Row, ...]

    @property
    def standard(self) -> Row | None:
        """The recipe that `train` takes by itself, if the sweep's space holds it."""
        return next((row for row in self.rows if row.standard and row.whole), None)

    @property
    def lead(self) -> Estimate | None:
        """The best one's lead over the standard recipe in AUROC, with its 95 % interval."""
        if self.standard is None or not self.rows[0].whole or self.rows[0].standard:
            return None
        pairs = zip(self.rows[0].auroc, self.standard.auroc, strict=True)
        return estimate([best - usual for best, usual in pairs], 1 / (4 * _HALF + 1))

    def words(self) -> list[str]:
        """The table, and what it is worth."""
        if not self.rows:
            return ["no recipe has been tried to the end yet"]
        lines = [f"{'AUROC':>7}  {'rounds':>6}  recipe"]
        for row in self.rows[:_SHOWN]:
            name = "standard" if row.standard else f"trial {row.number}"
            told = ", ".join(f"{k} {_number(v)}" for k, v in row.changed.items())
            early = "" if row.whole else " (stopped early)"
            lines.append(f"{row.mean:7.4f}  {len(row.auroc):6}  {name}{early}: {told}")
        return [*lines, "", self.verdict()]

    def verdict(self) -> str:
        """Whether the best recipe is worth taking."""
        lead = self.lead
        if self.standard is None:
            return "The standard recipe was not tried: nothing says whether the best one is better."
        if lead is None:
            return "No recipe was better than the standard one: keep it."
        span = f"{lead.mean:+.4f} ({lead.low:+.4f} to {lead.high:+.4f}, 95 %, {lead.rounds} rounds)"
        if lead.low > 0:
            return (
                f"The best of {len(self.rows)} recipes leads the standard one by {span}: examine "
                "it with `train --recipe`, for the best of many looks better than it is."
            )
        return (
            f"The best of {len(self.rows)} recipes leads the standard one by {span}: that may be "
            "luck. Keep the standard recipe, or sweep with more rounds."
        )


def leaderboard(trials: Sequence[FrozenTrial]) -> Leaderboard:
    """What the trials of a sweep came to."""
    rows = [
        Row(
            trial.number,
            tuple(trial.user_attrs["auroc"]),
            dict(trial.params),
            bool(trial.user_attrs.get("standard")),
            trial.state is TrialState.COMPLETE,
        )
        for trial in trials
        if trial.state in {TrialState.COMPLETE, TrialState.PRUNED} and trial.user_attrs.get("auroc")
    ]
    return Leaderboard(tuple(sorted(rows, key=lambda row: (not row.whole, -row.mean, row.number))))


def write(board: Leaderboard, base: Recipe, folder: Path) -> None:
    """FOLDER/leaderboard.csv, leaderboard.png and best.toml, each replaced as a whole."""
    names = list(board.rows[0].changed) if board.rows else []
    rows = [
        [str(row.number), f"{row.mean:.6f}", str(len(row.auroc)), str(int(row.standard))]
        + [str(row.changed.get(name, "")) for name in names]
        for row in board.rows
    ]
    write_csv(folder / "leaderboard.csv", ["trial", "auroc", "rounds", "standard", *names], rows)
    if board.rows and board.rows[0].whole:
        _draw(board, folder / "leaderboard.png")
        best = Recipe.model_validate(base.model_dump() | board.rows[0].changed)
        (folder / "best.toml").write_text(_toml(best), encoding="utf-8")


def _draw(board: Leaderboard, path: Path) -> None:
    """Mean and every round of each whole trial, in the order they were tried."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    whole = sorted((row for row in board.rows if row.whole), key=lambda row: row.number)
    for row in whole:
        colour = "tab:orange" if row.standard else "tab:blue"
        axes.plot([row.number] * len(row.auroc), row.auroc, ".", color=colour, alpha=0.4)
        axes.plot(row.number, row.mean, "_", color=colour, markersize=14, markeredgewidth=2)
    best, top = [], 0.0
    for row in whole:
        top = max(top, row.mean)
        best.append(top)
    axes.step([row.number for row in whole], best, where="post", color="grey", linewidth=1)
    axes.set_xlabel("trial (orange: the standard recipe; dots: rounds; line: best so far)")
    axes.set_ylabel("AUROC on parts that did not teach")
    figure.savefig(path, dpi=120)


def _toml(recipe: Recipe) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in recipe.model_dump().items())


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
