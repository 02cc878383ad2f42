"""`linewarden ask`: one question to the assistant, from this box's records and documents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.assistant.answer import Answer


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In English or German.")],
    *,
    config: Annotated[Path, typer.Option(help="The box's settings.")] = Path("appliance.toml"),
    language: Annotated[str, typer.Option(help="en or de [default: the question's].")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Ask what the line's records or the plant's documents say.

    Figures come from the verdicts that the console keeps and cite them; procedures come from the
    documents and cite their sections. What neither holds is answered 'no entry'. Nothing on the
    line can be changed by a question.

    Exit code 0: answered. 1: no entry. 2: settings, documents or model can't be used.

    For example:

    linewarden ask "How many parts failed in the early shift yesterday?"

    linewarden ask "Was bedeutet E-204?" --json
    """
    import json

    from edge.assistant.answer import Source
    from edge.assistant.desk import Desk
    from edge.config import load
    from export.errors import ConfigError

    if language not in ("", "en", "de"):
        raise ConfigError(f"--language {language!r} is not spoken", "en or de")
    answer = Desk(load(config).appliance).clerk.ask(question, language)
    if as_json:
        typer.echo(json.dumps(answer.as_dict(), ensure_ascii=False))
    else:
        _show(answer)
    if answer.source is Source.NONE:
        raise typer.Exit(1)


def _show(answer: "Answer") -> None:
    typer.echo(answer.text)
    for one in answer.citations:
        typer.echo(f"  [{one.name}] {one.label}  {one.href}")
    for one in answer.nearest:
        typer.echo(f"  see also [{one.name}] {one.label}")
