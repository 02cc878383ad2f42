"""`linewarden assistant`: the group; each role adds the commands that it can carry out."""

from pathlib import Path
from typing import Annotated

import typer

assistant = typer.Typer(
    name="assistant",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The operators' assistant: tune and publish on the workstation, serve on the box.",
)


@assistant.command()
def documents(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of .md, .txt and .pdf files.")],
    question: Annotated[str, typer.Option(help="Show what is found for it.")] = "",
) -> None:
    """List the sections of a folder of documents, as answers cite them.

    For example:

    linewarden assistant documents manuals

    linewarden assistant documents manuals --question "What does E-204 mean?"
    """
    from export.library import Library
    from export.passage import read_folder
    from export.terms import language

    passages = read_folder(folder)
    if not question:
        for one in passages:
            typer.echo(f"{one.language}  [{one.id}]  {one.title}")
        typer.echo(f"{len(passages)} sections")
        return
    for hit in Library.of(passages).search(question, language(question)):
        typer.echo(f"{hit.share:5.2f}  [{hit.passage.id}]  {hit.passage.title}")
