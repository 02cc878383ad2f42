"""`linewarden train`: from a folder of labelled pictures to a calibrated, examined run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import LinewardenError
from trainer.cli.options import (
    ARCHITECTURES,
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
    from trainer.progress import Progress
    from trainer.teaching import Plan

TASKS = ("inspection", "types", "catalog")


def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Folder with one folder of pictures per class, or train/, test/; or its address.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the run; new or empty.")],
    arch: Arch = "resnet18",
    weights: Annotated[
        str,
        typer.Option(
            help="imagenet, IMAGENET1K_V1, IMAGENET1K_V2, starter (resnet18, travels with "
            "Linewarden), none, or a .safetensors or .pth file."
        ),
    ] = "imagenet",
    seed: Annotated[int, typer.Option(help="Same seed, data and machine: same run.")] = 0,
    task: Annotated[
        str,
        typer.Option(
            help="inspection: good against defective; types: which type of defect, without a good "
            "class and without any promise; catalog: product pictures by category, with studio/ "
            "and reject/ for what is shown."
        ),
    ] = "inspection",
    size: Size = "224",
    region: Region = "0,0,1,1",
    tiles: Annotated[
        int | None,
        typer.Option(help="Judge half-overlapping tiles of this side, for small defects: 256."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=0, help="Of fine-tuning; 0: a logistic head only.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="tune, scratch, or a TOML file; by default scratch for no weights."),
    ] = None,
    good: Good = None,
    part_regex: PartRegex = None,
    part_runs: PartRuns = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="With --task catalog: CSV that says which product or sender a picture is of."
        ),
    ] = None,
    near_duplicates: NearDuplicates = True,
    resplit: Annotated[
        bool, typer.Option("--resplit", help="Pool a given train/ and test/ and split anew.")
    ] = False,
    skip_unreadable: SkipUnreadable = False,
    drop_conflicts: DropConflicts = False,
    reencode: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="With --task types: see every picture through a JPEG of this quality, where file "
            "formats give types away.",
        ),
    ] = None,
    escape_budget: Annotated[
        float, typer.Option(help="Share of defective parts that may pass.")
    ] = 0.01,
    confidence: Annotated[
        float, typer.Option(help="Of the bound that keeps the escape budget.")
    ] = 0.95,
    each_type: Annotated[
        bool, typer.Option(help="Keep the escape budget for every defect type by itself.")
    ] = True,
    overkill_budget: Annotated[
        float, typer.Option(help="Share of good parts that may fail.")
    ] = 0.01,
    review_budget: Annotated[
        float, typer.Option(help="Share of parts that people can look at.")
    ] = 0.05,
    novelty_false_alarms: Annotated[
        float,
        typer.Option(
            help="Share of good parts that may go to a person for being unlike the training "
            "parts; 0: no sense of novelty."
        ),
    ] = 0.02,
    cache: Cache = KEPT,
    threads: Threads = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Print the record as JSON, quietly.")
    ] = False,
) -> None:
    r"""Train a classifier on labelled pictures and place its thresholds for an escape budget.

    Pictures are split by part into train, validation, calibration and test, so that no part is
    both learnt and examined. A logistic head comes first (seconds), then fine-tuning; validation
    keeps the better. RUN/run.json says how good it is, with intervals; curves.png shows it.

    For example:

    linewarden train photos --out runs/first --weights starter

    linewarden train tiles --out runs/tiles --weights starter --part-runs 100

    linewarden train bottles --arch resnet50 --out runs/b --part-regex 'bottle(\d+)_'

    linewarden train boards --arch vgg16 --weights vgg16.pth --size 384x256 --out runs/v

    linewarden train boards --out runs/small --weights starter --size 1024 --tiles 256

    linewarden train photos --out runs/quick --weights starter --epochs 0 --json

    linewarden train defects --out runs/types --weights starter --task types

    linewarden train s3://bucket/photos --out runs/first --weights starter

    linewarden train products --out runs/shop --arch vgg16 --task catalog --groups senders.csv
    """
    from dataclasses import replace

    from trainer.workers import place, settle

    _check_arch(arch)
    _check_task(task, reencode, groups, tiles)
    settle(threads)
    from trainer.crew import crew, dismiss
    from trainer.progress import Progress
    from trainer.recipe import named, on_this_machine
    from trainer.room import room
    from trainer.teaching import Plan

    chosen = named(recipe or ("scratch" if weights == "none" else "tune"))
    if epochs is not None:
        chosen = chosen.model_copy(update={"epochs": epochs})
    progress = Progress(None) if json or place().rank else Progress()
    plan = Plan(
        arch=arch,
        weights=weights,
        seed=seed,
        to=_input(size, region, tiles),
        tile=tiles,
        recipe=on_this_machine(chosen),
        budgets=_budgets(
            (escape_budget, overkill_budget, review_budget),
            confidence,
            each_type,
            novelty_false_alarms,
        ),
        choices=_choices(
            good, part_regex, part_runs, near_duplicates, (skip_unreadable, drop_conflicts, resplit)
        ),
        data=folder(data, cache, progress),
    )
    if task == "catalog":
        rule = replace(plan.choices.rule, table=groups)
        plan = replace(plan, choices=replace(plan.choices, rule=rule))
    if task == "types":
        plan = replace(plan, choices=replace(plan.choices, types=True, reencode=reencode))
    us = crew()
    with us.folder(out) as mine, room().beside(mine):
        learn = _catalogued if task == "catalog" else _learnt
        told = learn(plan, mine, progress, json=json)
    dismiss()
    if us.first:
        typer.echo(told)


def _learnt(plan: "Plan", out: Path, progress: "Progress", *, json: bool) -> str:
    """Train as the plan says; the record as JSON, or the summary."""
    if plan.choices.types:
        from trainer.taxonomy.training import train as sort
        from trainer.taxonomy.words import summary as told

        sorter = sort(plan, out, progress)
        return sorter.record.model_dump_json(indent=2) if json else "\n".join(told(sorter))
    from trainer.report.fitness import fitness
    from trainer.summary import summary
    from trainer.training import train as learn

    run = learn(plan, out, progress)
    if json:
        return run.record.model_dump_json(indent=2)
    return "\n".join(
        [*summary(run), f"{fitness(run.record).answer} See `linewarden report {out}`."]
    )


def _catalogued(plan: "Plan", out: Path, progress: "Progress", *, json: bool) -> str:
    """Train on product pictures; the record as JSON, or the summary."""
    from trainer.catalog.training import train as learn
    from trainer.catalog.words import summary

    run = learn(plan, out, progress)
    return run.record.model_dump_json(indent=2) if json else "\n".join(summary(run))


def _check_task(task: str, reencode: int | None, groups: Path | None, tiles: int | None) -> None:
    if task not in TASKS:
        raise LinewardenError(f"--task {task!r} is unknown", f"use {' or '.join(TASKS)}")
    if groups is not None and task != "catalog":
        raise LinewardenError(
            "--groups is for --task catalog alone", "name parts by --part-regex or a parts.csv"
        )
    if tiles is not None and task == "catalog":
        raise LinewardenError("--tiles look for small defects, not for products", "leave it out")
    if reencode is not None and task != "types":
        raise LinewardenError(
            "--reencode is for --task types alone: a line saves no JPEG before it judges",
            "leave it out, and take all pictures in the format that the line has",
        )


def _check_arch(arch: str) -> None:
    if arch not in ARCHITECTURES:
        raise LinewardenError(f"--arch {arch!r} is unknown", f"use {', '.join(ARCHITECTURES)}")


def _input(size: str, region: str, tile: int | None):  # noqa: ANN202 - its type is imported when it runs
    from export.preprocess import Input, Region

    sides = size.lower().split("x")
    try:
        width, height = (int(side) for side in (sides * 2 if len(sides) == 1 else sides))
        x, y, w, h = (float(number) for number in region.split(","))
        taken = Input(width, height, Region(x, y, w, h))
    except ValueError as error:
        raise LinewardenError(
            f"--size {size!r} --region {region!r}: {error}",
            "--size SIDE or WIDTHxHEIGHT, --region x,y,w,h as fractions of the frame: 0.2,0,0.6,1",
        ) from error
    if min(width, height) < 32:
        raise LinewardenError(
            f"--size {size!r} is too small: the networks halve their input five times",
            "32 pixels or more",
        )
    if tile is not None:
        from trainer.tiles import check

        check(tile, width, height)
    return taken


def _budgets(  # noqa: ANN202 - as above
    shares: tuple[float, float, float], confidence: float, each_type: bool, novel: float
):
    from trainer.calibrate import Budgets

    try:
        return Budgets(*shares, confidence, each_type, novel)
    except ValueError as error:
        raise LinewardenError(str(error), "1 % is 0.01") from error


def _choices(  # noqa: ANN202 - as above
    good: str | None, regex: str | None, runs: int | None, near: bool, flags: tuple[bool, ...]
):
    from trainer.material import Choices
    from trainer.parts import PartRule

    skip, drop, resplit = flags
    return Choices(good, PartRule(None, regex, runs, near), skip, drop, resplit)
