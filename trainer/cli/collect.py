"""`linewarden collect`: a box's labelled samples come home."""

from pathlib import Path
from typing import Annotated

import typer

Token = Annotated[
    str,
    typer.Option(
        envvar="LINEWARDEN_TOKEN", show_default=False,
        help="A machine's, made by an admin on the console's page People.",
    ),
]  # fmt: skip
Certificates = Annotated[
    Path | None, typer.Option(help="Certificates to trust (PEM), where the box signs its own.")
]


def collect(
    url: Annotated[str, typer.Argument(help="The console's address: https://box.plant:8480.")],
    *,
    out: Annotated[Path, typer.Option(metavar="DATA", help="Folder of this box's samples.")],
    token: Token = "",
    ca: Certificates = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also samples that nobody has labelled.")
    ] = False,
) -> None:
    """Bring a box's labelled samples here: pictures, verdicts, and who said what.

    Each comes once; a label that was added since grows its history. It may be killed at any
    moment and goes on where it was. The folder is a data set for `linewarden train`, and for
    `linewarden retrain RUN --add`; parts.csv says which pictures show one part. The token's role
    must be operator or more.

    For example:

    LINEWARDEN_TOKEN=… linewarden collect https://box.plant:8480 --out line_photos

    linewarden collect http://127.0.0.1:8480 --token … --out line_photos --all
    """
    from trainer.box.collect import collect as bring
    from trainer.box.wire import Wire
    from trainer.progress import Progress

    with Wire(url, token, ca=ca) as wire:
        haul = bring(wire, out, Progress(), everything=everything)
    typer.echo(f"{haul.station}: {haul.fetched} fetched, {haul.grown} grown, {haul.known} known")
    if haul.gone:
        typer.echo(f"  {haul.gone} were given up by the box meanwhile")
    for label, count in sorted(haul.labels.items()):
        typer.echo(f"{count:>6}  {label}")
    typer.echo(f"{haul.parts:>6}  parts in {out}")
    if haul.labels:
        typer.echo(f"  next    linewarden retrain RUN --add {out} --out RUN-2")
