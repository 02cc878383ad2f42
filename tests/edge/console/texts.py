"""Every text that the console can show, found in its templates and its Python."""

import ast
from importlib.resources import files
from pathlib import Path

from jinja2.ext import extract_from_ast

from edge.console.web import telling
from edge.console.web.page import PAGES

ROOT = Path(__file__).parents[3] / "edge" / "console"
SPEAKERS = {"said", "words", "_", "Refused", "HTTPException"}
TABLES = (telling.OUTCOMES, telling.REASONS, telling.WHY, telling.ALARMS)


def of_templates() -> set[str]:
    """What stands in `_("…")` in the templates."""
    found: set[str] = set()
    for path in (files("edge.console.web") / "templates").iterdir():
        tree = PAGES.parse(path.read_text("utf-8"))
        for _, _, text in extract_from_ast(tree, ("_",)):
            first = (
                text if isinstance(text, str) else next((one for one in text or () if one), None)
            )
            found |= {first} if first else set()
    return found


def of_python() -> set[str]:
    """What is said by name, refused, or answered with an error."""
    found = {text for table in TABLES for text in table.values()}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in SPEAKERS:
                found |= {
                    one.value
                    for one in node.args
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
            if isinstance(node, ast.Assign) and _name(node.targets[0]) == "SAID":
                found |= {one.value for one in node.value.values}
            if isinstance(node, ast.Raise) and path.name == "passwords.py":
                found |= _sentences(node)
    return found


def _sentences(node: ast.Raise) -> set[str]:
    return {
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and len(one.value) > 30
    }


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
