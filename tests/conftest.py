"""What every test may ask for: the folder of real pictures, or a skip that says why not."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that LINEWARDEN_TEST_DATA names; skips where it isn't set."""
    folder = os.environ.get("LINEWARDEN_TEST_DATA")
    if not folder:
        pytest.skip("LINEWARDEN_TEST_DATA names no folder of real pictures")
    return Path(folder)
