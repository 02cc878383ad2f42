"""`linewarden evaluate`: a finished run faces labelled pictures."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    data: Annotated[Path, typer.Argument(help="Labelled pictures, laid out as for training.")],
    *,
    good: Annotated[
        str | None, typer.Option(help="Folder of the good parts, if not good, ok or OK.")
    ] = None,
    as_defect: Annotated[
        bool,
        typer.Option("--as-defect", help="Count classes unknown to the run as another defect."),
    ] = False,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Judge pictures the run learnt from, too.")
    ] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable pictures out.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="0: one per core.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Judge labelled pictures as the line would: escapes, overkills, reviews, with intervals.

    Pictures that the run learnt from or was chosen by are left out, known by their SHA-256.

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
    from trainer.run import Run

    exam = examine(
        Run.load(run),
        data,
        Progress(None) if json else Progress(),
        good=good,
        as_defect=as_defect,
        include_seen=include_seen,
        skip_unreadable=skip_unreadable,
    )
    figures = exam.report
    if json:
        found = {
            "run": str(run),
            "data": str(data),
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
