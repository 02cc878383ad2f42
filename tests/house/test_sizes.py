"""The house's budget: small files, small functions, nouns for names."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("edge", "export", "trainer", "deploy", "demo", "benchmarks")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
MAX_FILE_LINES = 400
MAX_BODY_LINES = 50
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "tools"}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_room(path):
    """A file fits in 400 lines, opens with a docstring and holds functions that fit in the eye."""
    source = path.read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= MAX_FILE_LINES
    assert not source.strip() or ast.get_docstring(tree), "no docstring says what this file is"
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: body_lines(f) for f in functions if body_lines(f) > MAX_BODY_LINES}
    assert not long, f"longer than {MAX_BODY_LINES} lines: {long}"


def test_names_are_nouns_of_the_field():
    """No file is called after nothing in particular."""
    vague = [str(path.relative_to(ROOT)) for path in MODULES if path.stem in VAGUE]
    assert not vague
