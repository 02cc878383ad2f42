"""`linewarden report`: one page about a finished run, to hand to a customer."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="The page; by default RUN/report.html.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Where the pictures lie now, if not where they were trained from."),
    ] = None,
    appraisers: Annotated[
        Path | None,
        typer.Option(help="CSV of people's decisions: path, appraiser, trial, label."),
    ] = None,
    mistakes: Annotated[int, typer.Option(min=0, help="How many to show, with heatmaps.")] = 12,
    threads: Annotated[int, typer.Option(min=0, help="0: one per core.")] = 0,
) -> None:
    """Write one self-contained page: can this inspection be trusted, and why.

    Fitness for the line first, then the figures with their intervals, the
    confusion, curves, calibration, types of defect, the worst mistakes with
    heatmaps, attribute agreement, data and provenance. It needs no network and
    prints well.

    For example:

    linewarden report runs/first

    linewarden report runs/first --out first.html --appraisers inspectors.csv
    """
    from trainer.workers import settle

    settle(threads)
    from trainer.report.write import write
    from trainer.run import Run

    path = write(Run.load(run), out, data=data, appraisers=appraisers, mistakes=mistakes)
    typer.echo(f"→ {path}")
