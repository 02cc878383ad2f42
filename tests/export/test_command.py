"""The dispatcher: roles that aren't installed are named, errors are sentences."""

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from export import command
from export.cli import bundle
from export.errors import LinewardenError


def test_a_missing_role_is_hidden_and_says_how_to_install_it(monkeypatch):
    """Where a role's packages are absent, its command is not offered but explains itself."""
    monkeypatch.setattr(command, "missing", lambda role: ["torch"] if role == "trainer" else [])
    runner = CliRunner()
    assert " train " not in runner.invoke(command.application(), ["--help"]).output
    refused = runner.invoke(command.application(), ["train", "anything", "--epochs", "3"])
    assert isinstance(refused.exception, LinewardenError)
    assert "torch" in refused.exception.problem
    assert "pip install 'linewarden[trainer]'" in refused.exception.remedy


def test_an_installed_role_misses_nothing():
    """The packages of the roles that the tests run in are all found."""
    assert command.missing("edge") == []


def test_an_unknown_role_needs_nothing():
    """An extra that doesn't exist asks for no package."""
    assert command.missing("no-such-role") == []


def test_an_error_ends_with_its_sentences_and_its_exit_code(monkeypatch, capsys):
    """A LinewardenError shows its problem and remedy on stderr, without a trace."""

    def fail():
        raise LinewardenError("the lamp is out", "change it")

    monkeypatch.setattr(command, "application", lambda: fail)
    monkeypatch.setattr(command, "_leave", sys.exit)  # another test's thread must not end this one
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "linewarden: the lamp is out\n  → change it\n"


def test_an_application_leaves_the_groups_it_is_made_of_as_they_were():
    """Made twice, no command is there twice, and a group of one knows nothing of the other."""
    first, second = (get_command(command.application()) for _ in range(2))
    names = [found.name for found in bundle.registered_commands]
    assert "activate" in second.commands["bundle"].commands
    assert list(first.commands["bundle"].commands) == list(second.commands["bundle"].commands)
    assert "activate" not in names


def test_one_runtime_stands_for_the_other(monkeypatch):
    """An image that carries the CPU's ONNX Runtime instead of the GPU's has the edge role."""
    here = command.version

    def instead(name):
        if name == "onnxruntime-gpu":
            raise command.PackageNotFoundError(name)
        return "1" if name == "onnxruntime" else here(name)

    monkeypatch.setattr(command, "version", instead)
    assert command.missing("edge") == []
    monkeypatch.setattr(command, "SAME", {})
    assert "onnxruntime-gpu" in command.missing("edge")


BUSY = """
import sys, threading
import cv2, numpy
from export.command import main

def encode():
    while True:
        cv2.imencode(".png", numpy.zeros((700, 700, 3), numpy.uint8))

for _ in range(2):
    threading.Thread(target=encode, daemon=True).start()
sys.argv = ["linewarden", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(("said", "code"), [(["--version"], 0), (["nonsense"], 2)])
def test_a_thread_inside_a_library_does_not_spoil_the_end(said, code):
    """Python would tear it down in the middle of C++ code, which aborts the process (134)."""
    told = [sys.executable, "-c", BUSY, *said]
    ended = subprocess.run(told, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    assert ("linewarden" if code == 0 else "nonsense") in ended.stdout + ended.stderr
