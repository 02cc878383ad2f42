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
        int | None, typer.Option(metavar="ID", help="This one is right: learn from it.")
    ] = None,
    instead: Annotated[
        str | None, typer.Option(metavar="ANSWER", help="With --accept: learn this answer.")
    ] = None,
    refuse: Annotated[
        int | None, typer.Option(metavar="ID", help="This one is not, even if it was accepted.")
    ] = None,
    reviewer: Annotated[str, typer.Option(help="Who decides.")] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was accepted as dialogues.")
    ] = None,
    allow_personal_data: Annotated[
        bool, typer.Option("--allow-personal-data", help="Let names and numbers be.")
    ] = False,
) -> None:
    """Read what operators said of answers, decide, and write the next round's dialogues.

    What tuning would refuse is refused here: a citation of no section, personal data. What was
    accepted stays so until it is refused; equal questions are exported once, contradictions not.

    For example:

    linewarden assistant review

    linewarden assistant review --accept 3 --reviewer mia

    linewarden assistant review --accept 3 --instead "[line7 4.5] Open valve V2." --reviewer mia

    linewarden assistant review --export more.jsonl
    """
    from edge.assistant.desk import library
    from edge.assistant.feedback import FILE, Feedback
    from edge.config import load

    _refuse_odd(accept, instead, refuse, reviewer)
    appliance = load(config).appliance
    feedback = Feedback(appliance.assistant.folder / FILE)
    try:
        accepts = None if accept is None else _found(feedback, accept, "waits")
        refuses = None if refuse is None else _found(feedback, refuse, "waits", "accepted")
        if accepts is not None:
            said = replace(accepts, correction=(instead or "").strip() or accepts.correction)
            told = _accepted(said, library(appliance), allow_personal=allow_personal_data)
            _decide(feedback, said, accept=True, reviewer=reviewer)
            typer.echo(told)
        if refuses is not None:
            _decide(feedback, refuses, accept=False, reviewer=reviewer)
            undone = ", which was accepted" if refuses.state == "accepted" else ""
            typer.echo(f"refused {refuses.id}{undone}")
        if export is not None:
            _export(feedback, library(appliance), export, allow_personal=allow_personal_data)
        if accept is refuse is export is None:
            _list(feedback)
    finally:
        feedback.close()


def _refuse_odd(accept: int | None, instead: str | None, refuse: int | None, who: str) -> None:
    """Raise ConfigError if what was asked for doesn't fit together."""
    if (accept, refuse) != (None, None) and not who.strip():
        raise ConfigError("who decides is not said", "give --reviewer NAME")
    if accept is not None and accept == refuse:
        raise ConfigError(f"feedback {accept} is both accepted and refused", "give one of the two")
    if instead is not None and accept is None:
        raise ConfigError("--instead: of which feedback is not said", "give --accept ID")
    if instead is not None and not instead.strip():
        raise ConfigError(f"--instead {instead!r} is no answer", "give one, or leave it out")


def _found(feedback: "Feedback", number: int, *states: str) -> "Said":
    if said := feedback.find(number, *states):
        return said
    raise ConfigError(
        f"no feedback {number} {' or was '.join(states)}", "see: linewarden assistant review"
    )


def _decide(feedback: "Feedback", said: "Said", *, accept: bool, reviewer: str) -> None:
    """Keep the decision; somebody else's may have come before."""
    better = said.correction if accept else ""
    if not feedback.review(said.id, accept=accept, reviewer=reviewer, better=better):
        raise ConfigError(
            f"feedback {said.id} was decided by somebody else meanwhile",
            "see: linewarden assistant review",
        )


def _accepted(said: "Said", library: "Library", *, allow_personal: bool) -> str:
    """What is learnt, in a line; raises LanguageError if tuning would refuse it."""
    from edge.assistant import teaching

    if why := teaching.barren(said):
        return f"accepted {said.id}, but nothing is learnt: {why}"
    if wrong := list(teaching.faults(said, library, allow_personal=allow_personal)):
        raise LanguageError(
            f"feedback {said.id} can't be learnt: {'; '.join(wrong)}",
            f'say it better (--accept {said.id} --instead "[section] answer"), or --refuse'
            f" {said.id}; --allow-personal-data lets names and numbers be",
        )
    note = " (it cites no section, and so the box would not show it)" if teaching.bare(said) else ""
    return f"accepted {said.id}, to be learnt: {teaching.lesson(said)}{note}"


def _export(feedback: "Feedback", library: "Library", path: Path, *, allow_personal: bool) -> None:
    """Write the dialogues into a new file, and tell what was left out."""
    from edge.assistant import teaching

    learnt, left = teaching.chosen(
        feedback.list("accepted"), library, allow_personal=allow_personal
    )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(teaching.jsonl(learnt))
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already", "choose another name, or delete it") from error
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error}", "choose another place") from error
    typer.echo(f"{len(learnt)} dialogue{'' if len(learnt) == 1 else 's'} in {path}")
    if left:
        typer.echo(f"{len(left)} accepted, but left out:")
    for number, why in left.items():
        typer.echo(f"  {number}: {why}")


def _list(feedback: "Feedback") -> None:
    for said in feedback.list():
        typer.echo(f"{said.id:>4}  {said.at}  {said.kind}  {said.who}: {said.question}")
        typer.echo(f"      answered: {said.answer['text']}")
        if said.correction:
            typer.echo(f"      better:   {said.correction}")
    if accepted := ", ".join(str(said.id) for said in feedback.list("accepted")):
        typer.echo(f"accepted: {accepted} (--refuse ID takes one back)")
