"""`linewarden assistant serve` and `review`: the assistant of this box, and what is said of it."""

from pathlib import Path
from typing import Annotated

import typer

from export.errors import ConfigError

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
    model = desk.clerk.model
    speaks = f"model {model.name}" if model else "no text model: sections are quoted"
    typer.echo(f"assistant on http://{section.host}:{section.port}, {speaks}", err=True)
    try:
        uvicorn.run(
            application(desk, feedback, Callers(section.host, section.names)), host=section.host,
            port=section.port, log_level="warning", server_header=False,
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
    refuse: Annotated[int, typer.Option(metavar="ID", help="This one is not.")] = 0,
    reviewer: Annotated[str, typer.Option(help="Who decides.")] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was accepted as dialogues.")
    ] = None,
) -> None:
    """Read what operators said of answers, decide, and write the next round's dialogues.

    For example:

    linewarden assistant review

    linewarden assistant review --accept 3 --reviewer mia

    linewarden assistant review --export more.jsonl
    """
    import json

    from edge.assistant.feedback import FILE, Feedback
    from edge.config import load

    feedback = Feedback(load(config).appliance.assistant.folder / FILE)
    try:
        for number, good in ((accept, True), (refuse, False)):
            if not number:
                continue
            if not reviewer:
                raise ConfigError("who decides is not said", "give --reviewer NAME")
            if not feedback.review(number, accept=good, reviewer=reviewer):
                raise ConfigError(f"no feedback {number} waits", "see: linewarden assistant review")
        if export is not None:
            lines = [json.dumps(one, ensure_ascii=False) for one in feedback.dialogues()]
            export.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            typer.echo(f"{len(lines)} dialogues in {export}")
            return
        for said in feedback.list():
            typer.echo(f"{said.id:>4}  {said.at}  {said.kind}  {said.who}: {said.question}")
            typer.echo(f"      answered: {said.answer['text']}")
            if said.correction:
                typer.echo(f"      better:   {said.correction}")
    finally:
        feedback.close()
