"""The generic names edge, export and trainer are really ours, and the command is quick."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("room", ["edge", "export", "trainer"])
def test_no_namesake_package_shadows_ours(room):
    """A PyPI package of the same name that was installed over ours would be noticed."""
    found = Path(import_module(room).__file__).parent
    assert found == ROOT / room


def test_help_imports_no_heavy_library():
    """`linewarden --help` loads neither torch nor onnxruntime nor cv2."""
    script = (
        "import sys; sys.argv = ['linewarden', '--help']\n"
        "from export.command import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'onnxruntime', 'cv2', 'numpy', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    for command in ("train", "evaluate", "export", "bundle", "line", "inspect", "run", "watch"):
        assert command in done.stdout
