"""Whatever the house imports of itself is there: also where no fast test runs the module."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("benchmarks", "demo", "deploy", "docs", "edge", "export", "tests", "trainer")


def place(module):
    """The file of one of our modules, or None."""
    path = ROOT / Path(*module.split("."))
    found = [one for one in (path.with_suffix(".py"), path / "__init__.py") if one.exists()]
    return found[0] if found else (path if path.is_dir() else None)


@cache
def tree(path):
    """The syntax of a file."""
    return ast.parse(path.read_text())


@cache
def names(path):
    """What a module defines anywhere in its own scope, branches and imports included."""
    found, left = set(), list(tree(path).body)
    while left:
        node = left.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(one.asname or one.name).split(".")[0] for one in node.names}
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        left.extend(ast.iter_child_nodes(node))
    return found


def missing(path):
    """Each import of ours in a file that finds nothing, as `line: what`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            wanted = [(one.name, None) for one in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            wanted = [(node.module, one.name) for one in node.names]
        else:
            continue
        for module, name in wanted:
            if module.split(".")[0] in ROOMS and not there(module, name):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {module}.{name or ''}"


@cache
def there(module, name):
    """Whether a module of ours exists and holds a name, itself or as a submodule."""
    found = place(module)
    if found is None or name is None:
        return found is not None
    return (found.is_file() and name in names(found)) or place(f"{module}.{name}") is not None


def test_every_import_of_our_own_finds_what_it_names():
    """A module renamed or replaced is renamed for all."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    assert len(files) > 300
    assert [one for path in files for one in missing(path)] == []


def test_a_name_that_left_is_missed():
    """The check bites."""
    assert there("demo.broker", "broker")
    assert not there("demo.plant", "broker")
    assert not there("demo.nowhere", None)
