"""`linewarden console`: the operators' web page of this box, in a process of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.config import Appliance
    from edge.console.accounts.book import Book

console = typer.Typer(
    name="console",
    rich_markup_mode=None,
    help="The operators' web page of this box; it reads what the box leaves on the disk.",
)

Config = Annotated[Path, typer.Option(help="The box's settings.")]
SETTINGS = Path("appliance.toml")
NICENESS = 5  # the line has the processor first


@console.callback(invoke_without_command=True)
def serve(context: typer.Context, config: Config = SETTINGS) -> None:
    """Serve the operators' page, until SIGTERM or Ctrl-C.

    The first start shows a one-time code, with which the first admin is made. The box's own process
    doesn't know that the console is there.

    For example:

    linewarden console --config appliance.toml
    """
    if context.invoked_subcommand is not None:
        return
    import os

    import cv2

    from edge import journal
    from edge.console.desk import Desk
    from edge.console.web.app import application
    from edge.console.web.live import drawer

    journal.begin()
    cv2.setNumThreads(1)
    os.nice(NICENESS)
    appliance = _appliance(config)
    desk = Desk(appliance, drawer)
    if code := desk.book.first_code():
        typer.echo(f"first start: make the first admin with the one-time code {code}", err=True)
    _serve(application(desk), appliance)


@console.command()
def code(config: Config = SETTINGS) -> None:
    """Show a new one-time code, with which an admin is made or gets a new password.

    For whoever has the box's files and has lost every admin's password.

    For example:

    linewarden console code
    """
    book = _book(config)
    typer.echo(book.new_code())
    book.close()


@console.command()
def verify(
    config: Config = SETTINGS,
    head: Annotated[str, typer.Option(help="A head noted before: it must be in the log.")] = "",
) -> None:
    """Check the audit log: every entry as it was written, none removed.

    Prints the head, to be noted elsewhere. Exit code 1 if the log was tampered with.

    For example:

    linewarden console verify
    """
    book = _book(config)
    finding = book.verify(head)
    book.close()
    for wrong in finding.wrong:
        typer.echo(f"tampered with: {wrong}", err=True)
    typer.echo(f"{finding.entries} entries, head {finding.head}")
    if finding.wrong:
        raise typer.Exit(1)


@console.command()
def parquet(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The Parquet file to write.")],
    config: Config = SETTINGS,
    since: Annotated[str, typer.Option(help="From this day or time, e.g. 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(help="Up to this day or time.")] = "",
) -> None:
    """Write the verdicts that the console keeps as a Parquet file.

    For example:

    linewarden console parquet november.parquet --since 2026-11-01 --until 2026-12-01
    """
    from edge.console.desk import VERDICTS
    from edge.store import parquet as writer
    from edge.store import schema
    from edge.store.tally import Span

    path = _appliance(config).console.folder / VERDICTS
    schema.prepare(path)
    db = schema.reader(path)
    span = Span(_moment(since, -(2**62)), _moment(until, 2**62))
    rows = writer.write(db, out, span, lambda done: typer.echo(f"\r{done:,} verdicts", nl=False))
    db.close()
    typer.echo(f"\r{rows:,} verdicts in {out}")


@console.command()
def samples(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="The data set to make.")],
    config: Config = SETTINGS,
    form: Annotated[str, typer.Option("--format", help="folder, coco or labelstudio.")] = "folder",
) -> None:
    """Copy the labelled samples as a data set: a folder for each label, with masks of the boxes.

    Beside it labels.csv (who, when, what the line had decided) and parts.csv. Or in the format of
    COCO, or of Label Studio.

    For example:

    linewarden console samples line_photos

    linewarden console samples line_coco --format coco
    """
    from edge.console.review.formats import coco, labelstudio
    from edge.console.review.outgoing import copy
    from export.errors import ConfigError
    from export.sample_folder import SampleFolder

    ways = {"folder": copy, "coco": coco, "labelstudio": labelstudio}
    if form not in ways:
        raise ConfigError(f"--format {form!r} is unknown", f"use {', '.join(ways)}")
    appliance = _appliance(config)
    copied = ways[form](SampleFolder(appliance.samples.folder), out, appliance.station.prefix)
    for label, count in sorted(copied.items()):
        typer.echo(f"{count:>6}  {label}")


def _appliance(config: Path) -> "Appliance":
    from edge.config import load

    return load(config).appliance


def _book(config: Path) -> "Book":
    from edge.console.accounts.book import Book

    section = _appliance(config).console
    return Book(section.folder, round(section.idle_minutes * 60))


def _moment(text: str, otherwise: int) -> int:
    from datetime import datetime

    from export.errors import ConfigError

    if not text:
        return otherwise
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no day or time", "write 2026-11-24T06:00") from error


def _serve(app: object, appliance: "Appliance") -> None:
    import signal
    import sys

    import uvicorn

    section = appliance.console

    def end(_number: int, _frame: object) -> None:
        sys.exit(0)

    # uvicorn stops on a signal, in order, and then sends it again to whoever handled it before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    scheme = "https" if section.certificate else "http"
    typer.echo(f"console on {scheme}://{section.host}:{section.port}", err=True)
    uvicorn.run(
        app,  # pyright: ignore[reportArgumentType] - a Starlette application
        host=section.host,
        port=section.port,
        ssl_certfile=section.certificate,
        ssl_keyfile=section.key,
        log_level="warning",
        server_header=False,
        proxy_headers=section.plain_http,
        timeout_graceful_shutdown=2,
        limit_concurrency=512,
        h11_max_incomplete_event_size=32_768,
    )
