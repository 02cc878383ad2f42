"""`linewarden unseen`: would a type of defect that nobody had shown still be stopped?"""

from pathlib import Path
from typing import Annotated

import typer

from export.errors import RunError
from trainer.cli.options import Threads


def unseen(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    *,
    data: Annotated[
        Path | None, typer.Option(help="Where its pictures lie now, if they were moved.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="What a fine-tuned run started from, if that was a file."),
    ] = None,
    threads: Threads = 0,
    json: Annotated[bool, typer.Option("--json", help="Print RUN/unseen.json, quietly.")] = False,
) -> None:
    """Leave out each defect type in turn, and count how many of its parts are still stopped.

    For each type a head learns without it, on the features of a trunk that saw no defect, and
    thresholds are placed without it. Every part of the type that taught nothing is then judged:
    stopped is what fails or goes to a person, by its score, by its novelty, or by both. The
    result is kept in RUN/unseen.json.

    For example:

    linewarden unseen runs/first

    linewarden unseen runs/v --weights vgg16.safetensors --json
    """
    from trainer.workers import settle

    settle(threads)
    from trainer.leave_out import leave_out
    from trainer.progress import Progress
    from trainer.run import Run
    from trainer.unseen import FILE, table

    taken = Run.load(run)
    found = leave_out(taken, Progress(None) if json else Progress(), data, weights)
    body = found.model_dump_json(indent=2)
    try:
        (run / FILE).write_text(body + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{str(run / FILE)!r} can't be written: {error.strerror}") from error
    typer.echo(body if json else "\n".join([*table(found), f"→ {run / FILE}"]))
