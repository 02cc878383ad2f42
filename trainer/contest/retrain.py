"""Retraining: grow the champion's data, train a challenger by the same recipe, and rule on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export import stamp
from export.errors import RunError
from trainer.answers import answers
from trainer.calibrate import Budgets
from trainer.contest.changes import found, shown
from trainer.contest.grown import Growth, grow
from trainer.contest.judging import look
from trainer.contest.page import Contest, page
from trainer.contest.record import PAGE, Comparison
from trainer.contest.ruling import Ruling, Terms, rule
from trainer.exchange.folder import PARTS
from trainer.material import Choices
from trainer.parts import PartRule, read_table
from trainer.progress import Progress
from trainer.recipe import Recipe, on_this_machine
from trainer.run import Run
from trainer.settled import read as settled
from trainer.teaching import Plan
from trainer.training import train

PICTURES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The challenger's run, what was ruled, and what its data has grown by."""

    run: Run
    ruling: Ruling
    growth: Growth
    page: Path


def retrain(
    champion: Run,
    adds: Sequence[Path],
    out: Path,
    progress: Progress,
    *,
    data: Path | None = None,
    weights: str | None = None,
    terms: Terms | None = None,
) -> Outcome:
    """Train a challenger and compare it; killed, it goes on where it was.

    Args:
        champion: the run that is in charge.
        adds: what has been labelled since: collected samples, or data sets.
        out: the challenger's folder; its data goes to OUT.data beside it.
        progress: told how far it is.
        data: where the champion's pictures lie now, if they were moved.
        weights: to start from, where the champion's came from a file.
        terms: of promotion.

    Raises:
        RunError, DatasetError: what is asked for can't be had; see the sentence.
    """
    terms = terms or Terms()
    grown = out.with_name(f"{out.name}.data")
    growth = grow(champion, data or Path(champion.record.data.root), adds, grown)
    progress.say(f"  {growth.words}")
    if (out / "run.json").exists():
        challenger = Run.load(out)
        _check_taught(challenger, grown)
    else:
        challenger = train(plan_of(champion, grown, weights), out, progress)
    return ruled(champion, challenger, growth, terms, progress)


def _check_taught(challenger: Run, grown: Path) -> None:
    """What was trained before must have learnt from this very data; raises RunError."""
    stays = settled(grown)
    there = read_table(grown / PARTS)
    learnt = {row.path for row in challenger.split()}
    left_out = {path for path in there if stays.get(path, "test") != "test"}
    root = Path(challenger.record.data.root)
    if root.resolve() != grown.resolve() or learnt - set(there) or set(there) - learnt - left_out:
        raise RunError(
            f"{str(challenger.folder)!r} was trained on other data than {str(grown)!r}",
            "give another --out, or remove it",
        )


def ruled(
    champion: Run, challenger: Run, growth: Growth, terms: Terms, progress: Progress
) -> Outcome:
    """Rule on a challenger that was trained on grown data, and write record and page."""
    rows = [row for row in challenger.split() if row.split == "test"]
    root = Path(challenger.record.data.root)
    before = settled(root)
    new = np.array([row.path not in before for row in rows], bool)
    sights = (
        look(champion, root, rows, progress, "the champion"),
        look(challenger, root, rows, progress, "the challenger"),
    )
    ruling = rule(*sights, new, terms)
    names = (champion.record.name, challenger.record.name)
    comparison = Comparison.of(ruling, terms, names, dict(growth.added), stamp.now())
    comparison.save(challenger.folder)
    changes = found(*sights, new.tolist())
    to = challenger.record.input.to_input()
    both = (answers(champion), answers(challenger))
    told = page(
        Contest(champion, challenger, sights, growth, ruling, terms, comparison),
        changes,
        shown(changes, PICTURES, root, to, both),
    )
    path = challenger.folder / PAGE
    try:
        path.write_text(told, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{str(path)!r} can't be written: {error.strerror}", "make room") from error
    return Outcome(challenger, ruling, growth, path)


def plan_of(champion: Run, data: Path, weights: str | None) -> Plan:
    """The champion's own plan, on the grown data."""
    record, basis = champion.record, champion.record.basis
    novel = 0.0 if basis.novelty is None else basis.novelty.false_alarm_rate
    return Plan(
        data=data,
        arch=record.arch,
        weights=weights or _weights(champion),
        seed=record.seed,
        to=record.input.to_input(),
        tile=record.input.tile,
        recipe=on_this_machine(_recipe(champion)),
        budgets=Budgets(
            basis.escape_budget, basis.overkill_budget, basis.review_budget, basis.confidence,
            basis.each_type, novel,
        ),
        choices=Choices(rule=PartRule(near=record.data.near_duplicates)),
    )  # fmt: skip


def _weights(champion: Run) -> str:
    record = champion.record.weights
    if record.source == "file":
        raise RunError(
            f"the champion started from the file {record.name}", "say where it lies: --weights FILE"
        )
    return {"starter": "starter", "none": "none"}.get(record.source, record.name)


def _recipe(champion: Run) -> Recipe:
    """The recipe back from the run's record, where lists stand as words."""
    told = champion.record.recipe
    fields = {
        name: told[name].split() if name in ("mix", "head_grid") else told[name]  # pyright: ignore[reportAttributeAccessIssue,reportOptionalMemberAccess]
        for name in Recipe.model_fields
        if name in told
    }
    try:
        return Recipe.model_validate(fields)
    except ValueError as error:
        raise RunError(
            f"{str(champion.folder)!r} was trained by another version's recipe: {error}",
            "train a new champion with this version",
        ) from error
