"""The direction of dependencies is held by import-linter, and the linter really bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")

PLANTED = {
    "a lazy torch import in the edge": (
        "edge/inspection/inspector.py", "\ndef lazy():\n    import torch\n    return torch\n",
    ),
    "a type-only torch import in the edge": (
        "edge/frame.py",
        "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n",
    ),
    "the edge opening the torch door": ("edge/inspection/session.py", "\nimport export.to_onnx\n"),
    "the trainer importing the edge": ("trainer/dataset.py", "\nimport edge.frame\n"),
    "the edge importing the trainer": ("edge/daemon.py", "\nimport trainer.recipe\n"),
    "the treaty importing the edge": ("export/decide.py", "\nimport edge.clock\n"),
    "the treaty importing torch elsewhere": ("export/golden.py", "\nimport torch\n"),
    "a database in the core": ("edge/trigger/trigger.py", "\nimport sqlite3\n"),
    "a broker in the core": ("edge/consumer/follow.py", "\nimport paho.mqtt.client\n"),
    "a lower floor reaching up": ("edge/clock.py", "\nimport edge.daemon\n"),
    "the daemon knowing the console": ("edge/daemon.py", "\nimport edge.store.feed\n"),
    "a web framework in the store": ("edge/store/search.py", "\nimport starlette.routing\n"),
    "the installer standing on a library": ("deploy/box/line.py", "\nimport pydantic\n"),
    "the line knowing its installer": ("edge/clock.py", "\nimport deploy.box.layout\n"),
    "a new file without a floor in deployment": ("deploy/stuff.py", '"""Vague."""\n'),
    "a new file without a floor in the console": ("edge/console/stuff.py", '"""Vague."""\n'),
    "a new file without a floor in the edge": ("edge/utils.py", '"""Vague."""\n'),
    "a new file without a floor in the trainer": ("trainer/helpers.py", '"""Vague."""\n'),
    "a new file without a floor in the treaty": ("export/misc.py", '"""Vague."""\n'),
}  # fmt: skip


def lint(folder):
    """Run the import linter in `folder`, without its cache."""
    return subprocess.run(
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the three packages and their contracts, to break at will."""
    copy = tmp_path_factory.mktemp("house")
    for room in ("deploy", "edge", "export", "trainer"):
        skip = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / room, copy / room, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_house_keeps_its_contracts(house):
    """As committed, every contract is kept."""
    result = lint(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_violation_is_caught(house, planted):
    """Each way of breaking the architecture that we know of breaks a contract."""
    name, text = PLANTED[planted]
    path = house / name
    before = path.read_text() if path.exists() else None
    path.write_text((before or "") + text)
    try:
        result = lint(house)
        assert result.returncode != 0
        assert "BROKEN" in result.stdout or "not listed" in (result.stdout + result.stderr)
    finally:
        path.unlink() if before is None else path.write_text(before)
