"""`linewarden assistant serve` and `review`: the assistant of this box, and what is said of it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import ConfigError, LanguageError

if TYPE_CHECKING:
    from edge.assistant.feedback import Feedback, Said
    from export.library import Library

Config = Annotated[Path, typer.Option(help="The box's settings.")]
SETTINGS = Path("appliance.toml")
NICENESS = 10  # after the console; the line has the processor first


def serve(config: Config = SETTINGS) -> None:
    """Serve the assistant to the console, to programs and over MQTT, until SIGTERM or Ctrl-C.

    On this box only: /ask and /feedback for the console, and OpenAI's chat protocol under /v1. With
    a broker in the settings, questions on cmd/ask are answered on answers. A process of its own, at
    low priority: the line doesn't know that it is there.

    For example:

    linewarden assistant serve --config appliance.toml
    """
    import os
    import signal
    import sys

    import uvicorn

    from edge import journal
    from edge.assistant.desk import Desk
    from edge.assistant.feedback import FILE, Feedback
    from edge.assistant.post import Post
    from edge.assistant.web import application
    from edge.callers import Callers
    from edge.config import load
    from edge.mqtt.address import settings_of
    from edge.topics import Topics

    journal.begin()
    os.nice(NICENESS)
    appliance = load(config).appliance
    section = appliance.assistant
    desk, feedback = Desk(appliance), Feedback(section.folder / FILE)
    desk.warm()
    broker = appliance.broker
    post = None
    if broker is not None:
        post = Post(settings_of(broker), Topics(appliance.station.prefix), desk)
        post.start()

    def end(_number: int, _frame: object) -> None:
        sys.exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    callers = Callers(section.host, section.names, "names in [assistant] of the settings")
    model = desk.clerk.model
    speaks = f"model {model.name}" if model else "no text model: sections are quoted"
    typer.echo(f"assistant on http://{section.host}:{section.port}, {speaks}", err=True)
    try:
        uvicorn.run(
            application(desk, feedback, callers), host=section.host, port=section.port,
            log_level="warning", server_header=False,
            timeout_graceful_shutdown=2, limit_concurrency=64,
        )  # fmt: skip
    finally:
        if post is not None:
            post.stop()
        feedback.close()


def review(
    config: Config = SETTINGS,
    *,
    accept: Annotated[
        int, typer.Option(metavar="ID", help="This one is right: learn from it.")
    ] = 0,
    instead: Annotated[
        str, typer.Option(metavar="ANSWER", help="With --accept: learn this answer.")
    ] = "",
    refuse: Annotated[int, typer.Option(metavar="ID", help="This one is not.")] = 0,
    reviewer: Annotated[str, typer.Option(help="Who decides.")] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was accepted as dialogues.")
    ] = None,
    allow_personal_data: Annotated[
        bool, typer.Option("--allow-personal-data", help="Let names and numbers be.")
    ] = False,
) -> None:
    """Read what operators said of answers, decide, and write the next round's dialogues.

    What tuning would refuse is refused here: a citation of no section, personal data.

    For example:

    linewarden assistant review

    linewarden assistant review --accept 3 --reviewer mia

    linewarden assistant review --accept 3 --instead "[line7 4.5] Open valve V2." --reviewer mia

    linewarden assistant review --export more.jsonl
    """
    from edge.assistant.desk import library
    from edge.assistant.feedback import FILE, Feedback
    from edge.config import load

    appliance = load(config).appliance
    feedback = Feedback(appliance.assistant.folder / FILE)
    try:
        if (accept or refuse) and not reviewer:
            raise ConfigError("who decides is not said", "give --reviewer NAME")
        if instead and not accept:
            raise ConfigError("--instead: of which feedback is not said", "give --accept ID")
        if accept:
            said = _waiting(feedback, accept)
            said = replace(said, correction=instead or said.correction)
            typer.echo(_accepted(said, library(appliance), allow_personal=allow_personal_data))
            feedback.review(accept, accept=True, reviewer=reviewer, better=instead)
        if refuse:
            _waiting(feedback, refuse)
            feedback.review(refuse, accept=False, reviewer=reviewer)
            typer.echo(f"refused {refuse}")
        if export is not None:
            _export(feedback, library(appliance), export, allow_personal=allow_personal_data)
        if not (accept or refuse or export):
            _list(feedback)
    finally:
        feedback.close()


def _waiting(feedback: "Feedback", number: int) -> "Said":
    if said := feedback.waiting(number):
        return said
    raise ConfigError(f"no feedback {number} waits", "see: linewarden assistant review")


def _accepted(said: "Said", library: "Library", *, allow_personal: bool) -> str:
    """What is learnt, in a line; raises LanguageError if tuning would refuse it."""
    from edge.assistant import teaching

    if why := teaching.barren(said):
        return f"accepted {said.id}, but nothing is learnt: {why}"
    if wrong := list(teaching.faults(said, library, allow_personal=allow_personal)):
        raise LanguageError(
            f"feedback {said.id} can't be learnt: {'; '.join(wrong)}",
            f'say it better (--accept {said.id} --instead "[section] answer"; sections: linewarden'
            f" assistant documents FOLDER), or --refuse {said.id}; --allow-personal-data lets names"
            " and numbers be",
        )
    note = " (it cites no section, and so the box would not show it)" if teaching.bare(said) else ""
    return f"accepted {said.id}, to be learnt: {teaching.lesson(said)}{note}"


def _export(feedback: "Feedback", library: "Library", path: Path, *, allow_personal: bool) -> None:
    """Write the dialogues into a new file, and tell what was left out."""
    import json

    from edge.assistant import teaching

    lines: list[str] = []
    left: list[str] = []
    for said in feedback.list("accepted"):
        found = teaching.faults(said, library, allow_personal=allow_personal)
        if why := teaching.barren(said) or "; ".join(found):
            left.append(f"  {said.id}: {why}")
        else:
            lines.append(json.dumps(teaching.dialogue(said), ensure_ascii=False) + "\n")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(lines)
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already", "choose another name, or delete it") from error
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error}", "choose another place") from error
    typer.echo(f"{len(lines)} dialogue{'' if len(lines) == 1 else 's'} in {path}")
    if left:
        typer.echo("\n".join([f"{len(left)} accepted, but left out:", *left]))


def _list(feedback: "Feedback") -> None:
    for said in feedback.list():
        typer.echo(f"{said.id:>4}  {said.at}  {said.kind}  {said.who}: {said.question}")
        typer.echo(f"      answered: {said.answer['text']}")
        if said.correction:
            typer.echo(f"      better:   {said.correction}")
