"""`linewarden evaluate`: a finished run faces labelled pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer.cli.options import Good, SkipUnreadable, Threads
from trainer.cli.pictures import KEPT, Cache, folder

if TYPE_CHECKING:
    from trainer.parts import PartRule
    from trainer.run import Run


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="Labelled pictures or their address, as for train."),
    ],
    *,
    good: Good = None,
    as_defect: Annotated[
        bool,
        typer.Option("--as-defect", help="Count classes unknown to the run as another defect."),
    ] = False,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Judge pictures the run learnt from, too.")
    ] = False,
    skip_unreadable: SkipUnreadable = False,
    part_regex: Annotated[
        str | None, typer.Option(help=r"Its first group in a path is the part [the run's].")
    ] = None,
    part_runs: Annotated[
        int | None,
        typer.Option(min=0, help="Last numbers this close together are one part [the run's]."),
    ] = None,
    near_duplicates: Annotated[
        bool | None, typer.Option(help="Take pictures that look the same for one [the run's].")
    ] = None,
    cache: Cache = KEPT,
    threads: Threads = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Judge labelled pictures as the line would: escapes, overkills, reviews, with intervals.

    Pictures that the run learnt from or was chosen by are left out, the same file or the same to
    the eye, with whatever shows the same part. Parts are told as they were for training.
    A run of --task types is asked how often it tells the right type.

    For example:

    linewarden evaluate runs/first photos-of-may

    linewarden evaluate runs/first new-defects --as-defect --json
    """
    import json as json_module

    from trainer.workers import settle

    settle(threads)
    from trainer.evaluate import in_words, table_in_words
    from trainer.exam import examine
    from trainer.progress import Progress
    from trainer.run import TYPES, Run

    progress = Progress(None) if json else Progress()
    pictures = folder(data, cache, progress)
    if (run / TYPES).exists():
        typer.echo(_types(run, pictures, include_seen=include_seen, json=json))
        return
    opened = Run.load(run)
    exam = examine(
        opened,
        pictures,
        progress,
        good=good,
        as_defect=as_defect,
        include_seen=include_seen,
        skip_unreadable=skip_unreadable,
        rule=_rule(opened, part_regex, part_runs, near_duplicates),
    )
    figures = exam.report
    if json:
        found = {
            "run": str(run),
            "data": str(pictures),
            "pictures": len(exam.judged.labels),
            "seen_and_left_out": exam.seen,
            "notes": exam.notes,
            "metrics": [metric.model_dump() for metric in figures.metrics],
            "outcomes": {name: dict(row) for name, row in figures.table.items()},
        }
        typer.echo(json_module.dumps(found, indent=2))
        return
    left = f" ({exam.seen} left out: the run has seen them)" if exam.seen else ""
    lines = [f"{len(exam.judged.labels)} pictures{left}", *exam.notes]
    typer.echo("\n".join([*lines, *table_in_words(figures.table), *in_words(figures.metrics)]))


def _types(run: Path, data: Path, *, include_seen: bool, json: bool) -> str:
    """What a run of --task types makes of the pictures, in words or as JSON."""
    import json as json_module

    from trainer.progress import Progress
    from trainer.taxonomy.exam import examine
    from trainer.taxonomy.record import TypesRun
    from trainer.taxonomy.words import in_words, table

    opened, progress = TypesRun.load(run), Progress(None) if json else Progress()
    exam = examine(opened, data, progress, include_seen=include_seen)
    if not json:
        left = f" ({exam.seen} left out: the run has seen them)" if exam.seen else ""
        lines = [f"{exam.pictures} pictures{left}", *in_words(exam.metrics)]
        return "\n".join([*lines, *table(opened.record.types, exam.confusion)])
    found = {
        "run": str(run),
        "data": str(data),
        "pictures": exam.pictures,
        "seen_and_left_out": exam.seen,
        "metrics": [metric.model_dump() for metric in exam.metrics],
        "confusion": exam.confusion,
    }
    return json_module.dumps(found, indent=2)


def _rule(run: "Run", regex: str | None, runs: int | None, near: bool | None) -> "PartRule":
    from dataclasses import replace

    from trainer.exam import rule_of

    rule = rule_of(run)
    if regex is not None or runs is not None:
        rule = replace(rule, regex=regex, runs=runs)
    return rule if near is None else replace(rule, near=near)
