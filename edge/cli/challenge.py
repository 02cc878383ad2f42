"""`linewarden challenge`: announce a known defective part, and see what became of the last."""

from pathlib import Path
from typing import Annotated

import typer


def challenge(
    config: Annotated[Path, typer.Option(help="The settings file of the box.")] = Path(
        "appliance.toml"
    ),
    camera: Annotated[
        str | None, typer.Option(help="Announce parts of this camera; without: list.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="So many parts in a row.")] = 1,
) -> None:
    """Announce that the next parts before a camera are known to be defective, or list the last.

    Each must be stopped: one that passes is a critical alarm until another is stopped. Where parts
    are named by cmd/trigger, a name that begins with the setting `names` says the same.

    For example:

    linewarden challenge --config appliance.toml --camera belt

    linewarden challenge --config appliance.toml
    """
    from edge.config import load
    from edge.swap.control import ask

    folder = load(config).appliance.store.folder
    if camera is not None:
        ask(folder, "challenge", camera=camera, count=count)
        typer.echo(f"the next {count} parts before {camera} must be stopped")
        return
    row = "{:<16} {:<28} {:>8}  {}"
    typer.echo(row.format("camera", "last stopped", "stopped", "passed since"))
    for name, last in ask(folder, "challenges").items():
        since = last["since"] if last["stopped"] else "never"
        typer.echo(row.format(name, since, last["stopped"], last["passed"] or "-"))
