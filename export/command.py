"""`linewarden`: one command whose subcommands each role registers as entry points.

Imports no role. A subcommand's entry point names its role in brackets; where that role's
packages are missing, the subcommand is hidden and answers with how to install it.
"""

import os
import sys
import threading
from collections.abc import Callable
from copy import copy
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires, version
from typing import NoReturn

import typer
from packaging.requirements import Requirement

from export import __version__
from export.errors import LinewardenError

DISTRIBUTION = "linewarden"
GROUP = "linewarden.commands"
SAME = {"onnxruntime-gpu": ("onnxruntime",), "onnxruntime": ("onnxruntime-gpu",)}  # either will do


def missing(role: str) -> list[str]:
    """Names of the distributions that the extra `role` asks for and that aren't installed."""
    absent: list[str] = []
    for line in requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if requirement.marker is None or not requirement.marker.evaluate({"extra": role}):
            continue
        if not any(map(_installed, (requirement.name, *SAME.get(requirement.name, ())))):
            absent.append(requirement.name)
    return absent


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _refusal(command: str, role: str, absent: list[str]) -> Callable[[], None]:
    def refuse() -> None:
        raise LinewardenError(
            f"'{command}' belongs to the {role} role, which lacks {', '.join(absent)} here",
            f"pip install '{DISTRIBUTION}[{role}]'",
        )

    return refuse


def _register(groups: dict[str, typer.Typer], entry: EntryPoint) -> None:
    """Put a subcommand on the application, or `group.command` on a group that is there already."""
    above, _, name = entry.name.rpartition(".")
    app = groups[above]
    for role in entry.extras:
        if absent := missing(role):
            settings = {"ignore_unknown_options": True, "allow_extra_args": True}
            app.command(name, hidden=True, context_settings=settings)(
                _refusal(entry.name.replace(".", " "), role, absent)
            )
            return
    found = entry.load()
    if isinstance(found, typer.Typer):
        group = copy(found)  # commands from other packages go on the copy
        group.registered_commands = [*found.registered_commands]
        app.add_typer(group, name=name)
        groups[entry.name] = group
    else:
        app.command(name)(found)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"linewarden {__version__}")
        raise typer.Exit


def application() -> typer.Typer:
    """The command-line application with every registered subcommand on it."""
    app = typer.Typer(
        name=DISTRIBUTION,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Inspect every part on a line: train, export, judge, publish.",
        epilog="Each command explains itself: linewarden COMMAND --help",
    )

    @app.callback()
    def root(  # pyright: ignore[reportUnusedFunction]
        _asked: bool = typer.Option(
            False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ) -> None: ...

    groups = {"": app}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        _register(groups, entry)
    return app


def main() -> None:
    """Run `linewarden`; a LinewardenError ends it with its sentences and its exit code."""
    try:
        application()()
    except LinewardenError as error:
        sys.stderr.write(f"linewarden: {error}\n")
        _leave(error.exit_code)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        _leave(end.code or 0)


def _leave(code: int) -> NoReturn:
    """End the process, without Python's own ceremony where a thread is still at work.

    Python unwinds the threads that it ends; inside OpenCV or ONNX Runtime that aborts the process
    ("terminate called without an active exception"), and a clean stop would count as a crash.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if any(one.daemon and one is not threading.current_thread() for one in threading.enumerate()):
        os._exit(code)
    sys.exit(code)
