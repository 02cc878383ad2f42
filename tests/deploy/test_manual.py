"""What the manuals tell people to type can be typed: commands, options, targets, units, files."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from deploy.box.__main__ import parser
from deploy.box.layout import UNITS
from export.command import application

ROOT = Path(__file__).parents[2]
PAGES = ("deploy", "upgrading", "first-line", "troubleshooting", "fleet", "operations")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINES = [
    pytest.param(line, id=f"{page}: {line[:50]}")
    for page in PAGES
    for block in BLOCK.findall((ROOT / f"docs/{page}.md").read_text())
    for line in block.strip().splitlines()
]


def typed(words) -> None:
    """Parse a `linewarden` command line as the command itself would, without running it."""
    command, rest = get_command(application()), words
    while True:
        context = command.make_context("linewarden", list(rest), resilient_parsing=False)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not rest:
            return
        _, command, rest = command.resolve_command(context, rest)


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_manual_can_be_typed(line):
    """Each line of a shell block is a command that exists with the options that it is given."""
    words = shlex.split(line)
    words = words[1:] if words[0] == "sudo" else words
    match words:
        case ["linewarden-box", *rest]:
            parser().parse_args(rest)
        case ["./deploy/install.sh", *rest]:
            parser().parse_args(["install", *rest])
        case ["linewarden", *rest]:
            typed(rest)
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["systemctl", *rest]:
            assert f"{rest[-1]}.service" in UNITS
        case ["docker", "compose", "-f", file, *_]:
            assert (ROOT / file).is_file()
        case ["python3", "-m", module, *_]:
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
        case ["pip", "install", what]:
            extra = re.fullmatch(r"linewarden\[(\w+)\]", what)[1]
            assert re.search(rf"^{extra} = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        case ["journalctl", "--namespace=linewarden", *_]:
            pass
        case _:
            pytest.fail(f"nobody has said how to check {line!r}")


def test_there_are_lines_to_check():
    """A page whose blocks were marked otherwise would check nothing."""
    assert len(LINES) > 25


@pytest.mark.parametrize(
    "wrong", ["linewarden trian x", "linewarden watch --brokr x", "linewarden bundle pul x y"]
)
def test_a_line_that_cannot_be_typed_is_found_out(wrong):
    """A wrong command or option is no command."""
    with pytest.raises(BaseException, match=r"(?i)no such"):
        typed(shlex.split(wrong)[1:])
