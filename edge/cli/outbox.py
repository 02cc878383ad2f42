"""`linewarden outbox`: what the broker would not have, listed, let go again or given up."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.outbox.quarantine import Quarantine

outbox = typer.Typer(
    name="outbox",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The verdicts that the broker refused, on a box that is stopped.",
)

Config = Annotated[Path, typer.Option(help="The box's settings.")]
Rows = Annotated[
    list[int] | None, typer.Option("--row", help="Only this row, as `list` shows it; repeatable.")
]
SETTINGS = Path("appliance.toml")


@outbox.command("list")
def show(config: Config = SETTINGS) -> None:
    """List the verdicts in quarantine, each with the broker's reason.

    Exit code 1 if there are any.

    For example:

    linewarden outbox list --config appliance.toml
    """
    with _quarantine(config) as quarantine:
        rows = quarantine.list()
    for row, why in rows:
        typer.echo(f"{row.n:>8}  {row.camera:16} seq {row.seq:<8} {len(row.body):>5} bytes  {why}")
    typer.echo(f"{len(rows)} verdicts in quarantine", err=True)
    if rows:
        raise typer.Exit(1)


@outbox.command()
def release(config: Config = SETTINGS, rows: Rows = None) -> None:
    """Let them be sent again when the box starts: for a broker that was mended.

    For example:

    linewarden outbox release --config appliance.toml --row 118
    """
    with _quarantine(config) as quarantine:
        count = quarantine.release(rows)
    _tell(count, rows, "will be sent again")


@outbox.command()
def drop(config: Config = SETTINGS, rows: Rows = None) -> None:
    """Give up sending them; they stay in the record, and a consumer may ask for them.

    For example:

    linewarden outbox drop --config appliance.toml
    """
    with _quarantine(config) as quarantine:
        count = quarantine.drop(rows)
    _tell(count, rows, "will not be sent")


def _quarantine(config: Path) -> "Quarantine":
    from edge.config import load
    from edge.outbox import OUTBOX_FILE
    from edge.outbox.quarantine import Quarantine

    return Quarantine(load(config).appliance.store.folder / OUTBOX_FILE)


def _tell(count: int, rows: list[int] | None, what: str) -> None:
    typer.echo(f"{count} verdicts {what}")
    if rows and count < len(set(rows)):
        typer.echo("the other rows named are not in quarantine", err=True)
        raise typer.Exit(1)
