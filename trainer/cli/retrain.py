"""`linewarden retrain`: a challenger on the grown data, and whether it may replace the champion."""

from pathlib import Path
from typing import Annotated

import typer

from export.errors import LinewardenError
from trainer.cli.options import Threads

REFUSED = 3


def retrain(
    run: Annotated[Path, typer.Argument(help="The champion: folder of a finished run.")],
    *,
    add: Annotated[
        list[Path], typer.Option(help="What was labelled since, as collected; repeatable.")
    ],
    out: Annotated[Path, typer.Option(help="The challenger's folder; its data: OUT.data.")],
    data: Annotated[
        Path | None, typer.Option(help="Where the champion's pictures lie now, if moved.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="To start from, where the champion's were a file.")
    ] = None,
    escape_margin: Annotated[
        float, typer.Option(help="By so much more escapes would be worse.")
    ] = 0.05,
    overkill_margin: Annotated[
        float, typer.Option(help="By so much more overkill would be worse.")
    ] = 0.05,
    stop_margin: Annotated[
        float, typer.Option(help="By so many more good parts failed or reviewed would be worse.")
    ] = 0.10,
    confidence: Annotated[float, typer.Option(help="That it is not.")] = 0.95,
    threads: Threads = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Train a challenger on the champion's data and what was labelled since; promote it or not.

    What the champion had stays in its split: its test is frozen. New parts are dealt by the same
    rule, all pictures of a part to one split. The challenger is promoted only if it is shown not to
    be worse by the margins, on the frozen test and with the new test parts. OUT/comparison.html
    shows it with pictures. Exit code 3: refused; 2: an error. May be killed and run again.

    For example:

    linewarden retrain runs/first --add line_photos --out runs/second

    linewarden retrain runs/first --add line_photos --add more --out runs/b --escape-margin 0.02
    """
    from trainer.workers import settle

    settle(threads)
    from trainer.contest.judging import Error
    from trainer.contest.record import FILE
    from trainer.contest.retrain import retrain as contest
    from trainer.contest.ruling import Terms
    from trainer.progress import Progress
    from trainer.run import Run

    margins = (escape_margin, overkill_margin, stop_margin)
    try:
        terms = Terms(dict(zip(Error, margins, strict=True)), confidence)
    except ValueError as error:
        raise LinewardenError(str(error), "5 % is 0.05") from error
    progress = Progress(None) if json else Progress()
    done = contest(Run.load(run), add, out, progress, data=data, weights=weights, terms=terms)
    if json:
        typer.echo((out / FILE).read_text(encoding="utf-8"), nl=False)
    else:
        for finding in done.ruling.findings:
            typer.echo(f"{'holds  ' if finding.holds else 'REFUSED'}  {finding.words}")
        typer.echo(f"{'promoted' if done.ruling.promoted else 'refused'}: {done.page}")
        if done.ruling.promoted:
            typer.echo(f"  next     linewarden export {out} --name NAME, then linewarden push")
    if not done.ruling.promoted:
        raise typer.Exit(REFUSED)
