"""`linewarden archive`: every verdict of many boxes into PostgreSQL, above the boxes' brokers."""

from pathlib import Path
from typing import Annotated

import typer

SAY_EVERY_S = 10.0


def archive(
    *,
    broker: Annotated[str, typer.Option(help="The broker above: mqtts://HOST[:PORT].")],
    database: Annotated[
        str, typer.Option(help="postgresql://USER@HOST/NAME; the password from PGPASSFILE.")
    ],
    box: Annotated[
        list[str] | None, typer.Option(help="A box's topic prefix; may be given again.")
    ] = None,
    boxes: Annotated[Path | None, typer.Option(help="A file with a prefix on each line.")] = None,
    places: Annotated[Path, typer.Option(help="A folder to note each box's place in.")] = Path(
        "places"
    ),
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Who we are, where that takes a certificate (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Of the certificate (PEM).")] = None,
) -> None:
    """Keep every verdict of these boxes in PostgreSQL, each once, asking again for missing ones.

    Runs until SIGTERM or Ctrl-C. A verdict counts as had only once it is committed, so that
    neither a restart here nor one of the database or a broker loses any. What the database can't
    hold is set aside in a table of its own. Exit code 1 if verdicts were lost, which a box keeps no
    longer.

    For example:

    linewarden archive --broker mqtts://central:8883 --ca-file ca.pem --certificate archive.pem
    --key archive.key --boxes boxes.txt --database postgresql://archive@localhost/line
    """
    import signal
    import threading

    from edge import journal
    from edge.consumer.archive import Archive, Followers
    from edge.mqtt.address import BrokerSettings, BrokerUrl

    journal.begin()
    url = BrokerUrl.parse(broker)
    settings = BrokerSettings(url, ca_file=ca_file, certificate=certificate, key=key)
    prefixes = _prefixes(box or [], boxes)
    keeper = Archive(database)
    followers = Followers(settings, prefixes, keeper, places)
    end = threading.Event()

    def ended(_number: int, _frame: object) -> None:
        end.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ended)
    followers.start()
    typer.echo(f"archive: {len(prefixes)} boxes from {settings.url}", err=True)
    while followers.running() and not end.wait(SAY_EVERY_S):
        counts = [report.counts for report in followers.reports().values()]
        away = followers.trouble()
        kept, lost = sum(one.delivered for one in counts), sum(one.lost for one in counts)
        said = f"{kept - keeper.aside:,} kept, {keeper.aside} set aside, {lost} lost"
        typer.echo(
            f"archive: {said}, {len(away)} boxes not heard {keeper.trouble}".rstrip(), err=True
        )
    try:
        followers.stop()
    finally:
        keeper.stop()
    if sum(report.counts.lost for report in followers.reports().values()):
        raise typer.Exit(1)


def _prefixes(given: list[str], file: Path | None) -> list[str]:
    from edge.topics import Topics
    from export.errors import ConfigError

    try:
        lines = file.read_text(encoding="utf-8").split() if file else []
    except OSError as error:
        raise ConfigError(
            f"{file} can't be read: {error.strerror}", "a prefix on each line"
        ) from error
    prefixes = list(dict.fromkeys([*given, *lines]))
    if not prefixes:
        raise ConfigError("no box is named", "--box PREFIX, or --boxes FILE")
    for prefix in prefixes:
        try:
            Topics(prefix)
        except ValueError as error:
            raise ConfigError(f"{prefix!r} is no topic prefix: {error}", "a/b/c") from error
    return prefixes
