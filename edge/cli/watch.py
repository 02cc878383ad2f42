"""`linewarden watch`: every verdict of one box, in order, as they are made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.consumer.follow import Lost
    from edge.consumer.watch import Watcher
    from export.verdict import Verdict


def watch(
    *,
    broker: Annotated[str, typer.Option(help="mqtt://HOST[:PORT], or mqtts:// with TLS.")],
    prefix: Annotated[str, typer.Option(help="The box's topic prefix, e.g. acme/plant1/cell1.")],
    user: Annotated[str, typer.Option(envvar="LINEWARDEN_BROKER_USER", help="Who we are.")] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(
            envvar="LINEWARDEN_BROKER_PASSWORD_FILE", help="A file with the password in line 1."
        ),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates to trust for mqtts:// (PEM).")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Who we are, where that takes a certificate (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Of the certificate (PEM).")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    count: Annotated[int, typer.Option(help="End after so many verdicts; 0: never.", min=0)] = 0,
    timeout: Annotated[
        float, typer.Option(help="End after so many seconds; 0: never.", min=0.0)
    ] = 0.0,
    state: Annotated[
        Path | None, typer.Option(help="A file to note the place in, to go on from there.")
    ] = None,
    from_start: Annotated[
        bool,
        typer.Option(
            "--from-start",
            help="Begin with the oldest verdict the box keeps; an installed box lets only "
            "an account of the role collector ask.",
        ),
    ] = False,
) -> None:
    """Show every verdict of one box, in order and none twice, asking again for missing ones.

    Ends with a summary, and with exit code 1 if verdicts were lost, contradicted each other or
    belong to a record that the box does not confirm (strays), or if --timeout came before --count.

    linewarden watch --broker mqtt://localhost --prefix acme/plant1/area1/line1/cell1

    linewarden watch --broker mqtts://broker:8883 --ca-file ca.pem --prefix acme/line1 --json
    --state place.json
    """
    from math import inf
    from time import monotonic

    from edge.consumer.watch import Watcher
    from edge.mqtt.address import BrokerSettings, BrokerUrl, read_password
    from edge.topics import Topics
    from export.errors import ConfigError, LinewardenError

    try:
        topics = Topics(prefix)
    except ValueError as error:
        raise ConfigError(f"--prefix {prefix!r}: {error}", "write it as a/b/c") from error
    settings = BrokerSettings(
        BrokerUrl.parse(broker),
        user=user,
        password=read_password(password_file) if password_file else "",
        ca_file=ca_file,
        certificate=certificate,
        key=key,
    )
    page = _Page(json, count)
    watcher = Watcher(
        settings, topics, page.verdict, on_lost=page.lost, from_start=from_start, position=state
    )
    end = monotonic() + timeout if timeout else inf
    try:
        with watcher:
            while monotonic() < end and not watcher.wait(0.1):
                page.trouble(watcher.trouble)
    except KeyboardInterrupt:
        typer.echo("", err=True)
    page.sum_up(watcher)
    report = watcher.report()
    if not report.connections:
        raise LinewardenError(
            f"no connection to {broker}: {watcher.trouble or 'no answer'}",
            "check its address, that it runs, and --certificate, --key, --user if it asks for them",
        )
    if watcher.state is None and not page.shown:
        raise LinewardenError(
            f"no box has spoken at {prefix} on {broker}",
            "compare --prefix with station.prefix in the box's settings",
        )
    counts = report.counts
    if counts.lost or counts.conflicts or counts.stale or page.shown < count:
        raise typer.Exit(1)


class _Page:
    """What is shown: verdicts on standard output, everything else on standard error."""

    def __init__(self, json: bool, count: int) -> None:
        self.shown = 0
        self._json, self._count = json, count
        self._trouble = ""

    def verdict(self, verdict: "Verdict") -> None:
        """One line; ends the watcher after the last one asked for."""
        from edge.consumer.watch import Enough

        if self._json:
            typer.echo(verdict.model_dump_json())
        else:
            if self.shown % 40 == 0:
                typer.echo(_HEADING)
            typer.echo(_line(verdict))
        self.shown += 1
        if self.shown == self._count:
            raise Enough

    def lost(self, lost: "Lost") -> None:
        """Verdicts that will never come."""
        gap = lost.gap
        typer.echo(f"LOST {gap.camera} {gap.epoch} {gap.first}..{gap.last}: {lost.why}", err=True)

    def trouble(self, why: str) -> None:
        """What is wrong with the connection, when that changes."""
        if why not in {self._trouble, "not yet connected"}:
            typer.echo(f"watch: {why or 'connected'}", err=True)
        self._trouble = why

    def sum_up(self, watcher: "Watcher") -> None:
        """How it went."""
        report = watcher.report()
        counts = report.counts
        typer.echo(
            f"{self.shown} verdicts in order, {counts.duplicates} duplicates set aside,"
            f" {counts.conflicts} contradictions, {counts.stale} strays, {counts.lost} lost;"
            f" {report.asked} requests for"
            f" missing ones, {report.rejected} payloads rejected,"
            f" {report.connections} connections",
            err=True,
        )


_HEADING = (
    f"{'captured':15} {'camera':16} {'seq':>8} {'part':24} {'verdict':7} {'score':>6}"
    f" {'ms':>7}  why"
)


def _line(verdict: "Verdict") -> str:
    score = "" if verdict.score is None else f"{verdict.score:.3f}"
    why = verdict.detail or verdict.reason
    return (
        f"{verdict.captured_at[11:26]:15} {verdict.camera:16} {verdict.seq:8}"
        f" {verdict.part:24} {verdict.outcome:7} {score:>6}"
        f" {verdict.latency_ms.total:7.1f}  {why}{' (replay)' if verdict.replay else ''}"
    )
