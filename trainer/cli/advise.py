"""`linewarden advise`: measured advice on whether fine-tuning pays."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import LinewardenError
from trainer.cli.options import (
    Arch,
    DropConflicts,
    Good,
    NearDuplicates,
    PartRegex,
    PartRuns,
    Region,
    Size,
    SkipUnreadable,
    Threads,
)
from trainer.cli.pictures import KEPT, Cache, folder

if TYPE_CHECKING:
    from trainer.advise.study import Plan as StudyPlan
    from trainer.progress import Progress


def advise(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="Labelled pictures or their address, as for train."),
    ],
    *,
    out: Annotated[
        Path, typer.Option(help="Folder for the study; one that was cut short goes on.")
    ] = Path("advice"),
    arch: Arch = "resnet18",
    weights: Annotated[str, typer.Option(help="As for `train`.")] = "imagenet",
    task: Annotated[
        str, typer.Option(help="inspection, or catalog: product pictures by category.")
    ] = "inspection",
    groups: Annotated[
        Path | None,
        typer.Option(help="With --task catalog: CSV with each picture's product or sender."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the splits and of training.")] = 0,
    rounds: Annotated[
        int, typer.Option(min=2, help="4 let every part judge once; 8 and 12 shuffle again.")
    ] = 4,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin no fine-tuning that would end later.")
    ] = None,
    worthwhile: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="The least gain in AUROC worth the trouble.")
    ] = 0.01,
    size: Size = "224",
    region: Region = "0,0,1,1",
    epochs: Annotated[int | None, typer.Option(min=0, help="Of fine-tuning.")] = None,
    recipe: Annotated[str, typer.Option(help="tune, or a TOML file.")] = "tune",
    good: Good = None,
    part_regex: PartRegex = None,
    part_runs: PartRuns = None,
    near_duplicates: NearDuplicates = True,
    resplit: Annotated[
        bool, typer.Option("--resplit", help="Use a given test/ too, instead of leaving it out.")
    ] = False,
    skip_unreadable: SkipUnreadable = False,
    drop_conflicts: DropConflicts = False,
    cache: Cache = KEPT,
    threads: Threads = 0,
    json: Annotated[bool, typer.Option("--json", help="Print advice.json, quietly.")] = False,
) -> None:
    """Measure whether fine-tuning pays on these pictures, and what more of them would buy.

    Nearest good sample and a linear head on stock features, and fine-tuning, each learn from
    25, 50 and 100 % of the learning parts, in rounds in which every part judges once. The answer
    is in OUT/advice.html and OUT/advice.json (with --task catalog in OUT/advice.json alone). All
    but fine-tuning takes seconds.

    For example:

    linewarden advise photos --weights starter --out advice/photos

    linewarden advise tiles --weights starter --part-runs 100 --minutes 30

    linewarden advise photos --weights starter --epochs 0 --json

    linewarden advise products --task catalog --arch vgg16 --groups senders.csv
    """
    from trainer.workers import settle

    settle(threads)
    from trainer.advise.publish import tell
    from trainer.advise.study import Plan, study
    from trainer.cli.train import _check_arch, _choices, _input
    from trainer.progress import Progress
    from trainer.recipe import named, on_this_machine
    from trainer.room import room

    _check_arch(arch)
    _check_task(task, groups)
    chosen = named(recipe)
    if epochs is not None:
        chosen = chosen.model_copy(update={"epochs": epochs})
    progress = Progress(None) if json else Progress()
    plan = Plan(
        arch=arch,
        weights=weights,
        seed=seed,
        rounds=rounds,
        to=_input(size, region, None),
        recipe=on_this_machine(chosen),
        choices=_choices(
            good, part_regex, part_runs, near_duplicates, (skip_unreadable, drop_conflicts, resplit)
        ),
        data=folder(data, cache, progress),
    )
    with room().beside(out):
        if task == "catalog":
            typer.echo(_of_products(plan, groups, out, progress, json=json))
            return
        told = tell(study(plan, out, progress, minutes), out, worthwhile, progress)
    typer.echo((out / "advice.json").read_text(encoding="utf-8") if json else "\n".join(told))


def _check_task(task: str, groups: Path | None) -> None:
    if task not in ("inspection", "catalog"):
        raise LinewardenError(f"--task {task!r} is unknown", "use inspection or catalog")
    if groups is not None and task != "catalog":
        raise LinewardenError("--groups is for --task catalog alone", "use --part-regex")


def _of_products(
    study: "StudyPlan", groups: Path | None, out: Path, progress: "Progress", *, json: bool
) -> str:
    """Advice on product pictures, in words or as JSON."""
    from dataclasses import replace

    from trainer.calibrate import Budgets
    from trainer.catalog.advise import advise as measure
    from trainer.catalog.advise import words, write
    from trainer.teaching import Plan

    rule = replace(study.choices.rule, table=groups)
    plan = Plan(
        data=study.data,
        arch=study.arch,
        weights=study.weights,
        seed=study.seed,
        to=study.to,
        recipe=study.recipe,
        budgets=Budgets(),
        choices=replace(study.choices, rule=rule),
    )
    rounds = measure(plan, out, progress)
    write(rounds, out, study.seed)
    return (out / "advice.json").read_text(encoding="utf-8") if json else "\n".join(words(rounds))
