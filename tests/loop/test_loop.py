"""The whole loop in a real browser, on the virtual line, as `make loop` has it."""

import shutil

import pytest

from tests.broker import needs_mosquitto
from tests.loop.suite import main

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.timeout(7200)]


@needs_mosquitto
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_loop_closes(tmp_path, monkeypatch):
    """An unseen type is flagged, labelled, learnt, proved in the shadow, and then it is caught."""
    pytest.importorskip("playwright.sync_api")
    monkeypatch.chdir(tmp_path)
    assert main(["--folder", str(tmp_path / "plant")]) == 0
