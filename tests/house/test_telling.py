"""Nothing that Linewarden stands on tells anybody of it, or keeps a diary of its user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from export.signature import load_or_make
from tests.export.small_bundle import small_bundle

ROOT = Path(__file__).parents[2]
SESSION = "import {first}, onnxruntime; onnxruntime.InferenceSession(r'{model}')"


@pytest.mark.parametrize("first", ["edge.inspection.session", "export.parity"])
def test_onnx_runtime_keeps_no_diary_of_its_user(tmp_path, first):
    """A session opened through our packages leaves nothing in the home folder."""
    key, _ = load_or_make(tmp_path / "signing.key")
    small_bundle(tmp_path / "bundle", key)
    home = tmp_path / "home"
    home.mkdir()
    env = {
        k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    }
    said = SESSION.format(first=first, model=tmp_path / "bundle/model.onnx")
    subprocess.run(
        [sys.executable, "-c", said], env=env | {"HOME": str(home)}, cwd=ROOT, check=True
    )
    assert [str(at.relative_to(home)) for at in home.rglob("*")] == []
