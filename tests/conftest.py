"""What every test may ask for, real pictures, and what each gets: a log of its own."""

import os
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

# A law says nothing of how busy the machine is that looks for what breaks it.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(autouse=True)
def _own_journal():
    """What a command called in this process sets for its log ends with its test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that LINEWARDEN_TEST_DATA names; skips where it isn't set."""
    folder = os.environ.get("LINEWARDEN_TEST_DATA")
    if not folder:
        pytest.skip("LINEWARDEN_TEST_DATA names no folder of real pictures")
    return Path(folder)
