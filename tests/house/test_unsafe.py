"""Nothing that runs what it reads: no pickles, no evaluated text, no code that a model brings.

ruff holds some of it (S301, S307, S102, S614), but a `noqa` lifts a rule and these are laws.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for room in ("edge", "export", "trainer") for path in (ROOT / room).rglob("*.py")
)
MODULE_BANS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
ERRORS = {"UnpicklingError", "PicklingError", "PickleError"}
CALL_BANS = {"eval", "exec", "compile", "__import__"}
KEYWORD_BANS = {("weights_only", False), ("trust_remote_code", True), ("allow_pickle", True)}
# Unpickles (CVE-2026-4538); follows paths that a checkpoint's index names (CVE-2026-69112).
WEAK = ("export.load", "load_pt2", "load_checkpoint_in_model", "load_checkpoint_and_dispatch")
LOADERS = {"torch.load", "yaml.load", "yaml.unsafe_load", "np.load", "numpy.load"}
SAFE_BY = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False),
           "numpy.load": ("allow_pickle", False)}  # fmt: skip


def unsafe(source: str) -> list[str]:
    """What in `source` could run what it reads, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [(node.lineno, f"imports {name}") for name in _imported(node) & MODULE_BANS]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pickle":
            found += [(node.lineno, f"pickle.{node.attr}")] if node.attr not in ERRORS else []
        elif isinstance(node, ast.Call):
            found += [(node.lineno, what) for what in _called(node)]
    return [f"line {line}: {what}" for line, what in sorted(found)]


def _imported(node) -> set[str]:
    if isinstance(node, ast.Import):  # pickle's errors may be named, nothing else of it
        plain = {alias.name for alias in node.names if alias.asname is None} & {"pickle"}
        return {alias.name.split(".")[0] for alias in node.names} - plain
    return {(node.module or "").split(".")[0]}


def _called(node):
    """What is wrong with a call."""
    name = ast.unparse(node.func)
    given = {word.arg: getattr(word.value, "value", ...) for word in node.keywords if word.arg}
    if name in CALL_BANS or f".{name}".endswith(tuple(f".{one}" for one in WEAK)):
        yield f"calls {name}"
    for keyword, value in KEYWORD_BANS:
        if given.get(keyword, ...) is value:
            yield f"{keyword}={value}"
    if name in LOADERS:
        keyword, value = SAFE_BY.get(name, ("", None))
        if not keyword or given.get(keyword, ...) is not value:
            yield f"{name} without {keyword}={value}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_what_it_reads(path):
    """No module of the three rooms unpickles, evaluates, or lets a model bring code."""
    assert unsafe(path.read_text()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle\npickle.loads(x)", "import pickle as p", "from pickle import loads",
        "def f():\n    import dill.source",
        "torch.load(path)", "torch.load(path, weights_only=False)", "eval(text)", "exec(text)",
        "torch.load(path, weights_only=flag)", "from_pretrained(name, trust_remote_code=True)",
        "np.load(path)", "np.load(path, allow_pickle=True)", "yaml.load(text, Loader=x)",
        "load(path, allow_pickle=True)", "__import__(name)", "torch.export.load(path)",
        "load_checkpoint_in_model(net, path)",
        "compile(text, '', 'exec')",
    ],
)  # fmt: skip
def test_a_planted_danger_is_found(planted):
    """Each way of running what was read that we know of is noticed."""
    assert unsafe(planted)


def test_what_is_safe_is_let_be():
    """Compiled patterns, weights alone and arrays alone are no danger."""
    safe = (
        "import pickle\nre.compile(x)\nmodel.eval()\ntorch.load(p, weights_only=True)\n"
        "np.load(p, allow_pickle=False)\ntry: pass\nexcept pickle.UnpicklingError: pass"
    )
    assert unsafe(safe) == []
