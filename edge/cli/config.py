"""`linewarden config`: check a settings file, print an example, print the JSON Schema."""

from pathlib import Path
from typing import Annotated

import typer

config = typer.Typer(
    name="config",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write and check a box's settings, appliance.toml.",
)


@config.command()
def check(
    file: Annotated[Path, typer.Argument(help="The settings file.")] = Path("appliance.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Check a settings file and print every value with where it comes from.

    Exit code 2 if something is wrong with it; each wrong key is named.

    For example:

    linewarden config check appliance.toml
    """
    import json

    from edge.config import load

    rows = load(file).rows()
    if as_json:
        told = [{"key": key, "value": value, "origin": origin} for key, value, origin in rows]
        typer.echo(json.dumps(told, indent=2))
        return
    width, long = max(len(key) for key, _, _ in rows), max(len(value) for _, value, _ in rows)
    for key, value, origin in rows:
        typer.echo(f"{key:<{width}}  {value:<{min(long, 60)}}  {origin}")


@config.command()
def example() -> None:
    """Print a complete settings file with comments, to start from.

    For example:

    linewarden config example > appliance.toml
    """
    from edge.config import example as text

    typer.echo(text(), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON Schema of the settings, for editors and forms."""
    import json

    from edge.config import Appliance

    typer.echo(json.dumps(Appliance.model_json_schema(), indent=2))
