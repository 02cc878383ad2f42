"""`linewarden doctor`: look a box over before it is armed, and say what to do about its faults."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.config import Appliance
    from edge.doctor.finding import Finding

MARKS = {"well": "ok", "doubtful": "!", "ill": "FAULT"}


def doctor(
    config: Annotated[Path, typer.Option(help="The settings file.")] = Path("appliance.toml"),
    watch_s: Annotated[
        float, typer.Option(min=0.5, max=600, help="Watch each live camera for so long.")
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
    broker_may_be_away: Annotated[
        bool,
        typer.Option(
            "--broker-may-be-away",
            help="A broker that can't be reached is a doubt, no fault (verdicts wait on the disk), "
            "and so is a reject gate (it rejects).",
        ),
    ] = False,
) -> None:
    """Check a box that is stopped: packages, bundles, pace, cameras, gates, broker, disks, clock.

    Exit code 1 if a fault was found with which the box must not be armed (run it before
    `linewarden run`, as systemd's ExecStartPre does), 2 if the settings are wrong or the box runs.
    Changes nothing; at the broker it tries each right with an empty message.

    For example:

    linewarden doctor --config appliance.toml
    """
    import json
    from dataclasses import asdict

    from edge import journal
    from edge.config import load

    journal.begin("error")
    appliance = load(config).appliance
    _stopped(appliance)
    found: list[Finding] = []
    for finding in findings(appliance, watch_s, may_be_away=broker_may_be_away):
        found.append(finding)
        if not as_json:
            typer.echo(told(finding))
    faults = sum(finding.state == "ill" for finding in found)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        typer.echo(f"\nnot fit to be armed: {faults} FAULT" if faults else "\nfit to be armed")
    raise typer.Exit(1 if faults else 0)


def _stopped(appliance: "Appliance") -> None:
    """Trying the gate of a box that runs would have it reject good parts, so that is refused."""
    from edge.outbox import OUTBOX_FILE
    from edge.outbox.lock import held
    from export.errors import StoreError

    folder = appliance.store.folder
    if held(folder / OUTBOX_FILE):
        raise StoreError(
            f"a box runs with the record in {str(folder)!r}: its cameras and gates are taken",
            "ask it how it is: linewarden watch, or its /readyz; stop it to have it looked over",
        )


def findings(
    appliance: "Appliance", watch_s: float, *, may_be_away: bool = False
) -> "Iterator[Finding]":
    """Everything there is to look at, quick things first; a fault of one hides no other."""
    from edge.doctor import cameras, challenges, disk, doors, house, models, post, time_of_day
    from edge.doctor.finding import examined
    from edge.mqtt.address import settings_of

    settings = appliance.broker

    def at_broker() -> "Iterator[Finding]":
        told = settings_of(settings) if settings else None
        return post.broker(appliance, told, may_be_away=may_be_away)

    def at_clock() -> "Iterator[Finding]":
        return time_of_day.clock(models.made_at(appliance), time_of_day.synchronised())

    yield from examined("runtime", house.installed)
    yield from examined("disks", lambda: disk.room(appliance))
    yield from examined("bundles", lambda: models.bundles(appliance))
    yield from examined("challenges", lambda: challenges.proofs(appliance))
    yield from examined("clock", at_clock)
    yield from examined("broker", at_broker)
    yield from examined("status port", lambda: doors.status(appliance))
    yield from examined("gates", lambda: doors.gates(appliance, may_be_away=may_be_away))
    yield from examined("cameras", lambda: cameras.lenses(appliance, watch_s))


def told(finding: "Finding") -> str:
    """A finding as one line, or two where something is to be done."""
    line = f"{MARKS[finding.state]:<6} {finding.organ:<22} {finding.said}"
    return f"{line}\n{'':29} → {finding.remedy}" if finding.remedy else line
