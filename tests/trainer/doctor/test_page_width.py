"""The check's page in a real browser: a phone shows all of it without scrolling aside."""

import shutil

import pytest

from trainer.doctor.diagnosis import diagnose
from trainer.doctor.page import page
from trainer.parts import PartRule
from trainer.progress import Progress

CHROMIUM = shutil.which("chromium")


@pytest.mark.journey
def test_the_page_fits_a_phone(plates, tmp_path):
    """At 320 and 390 pixels nothing is wider than the screen, whatever pictures are called."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    shutil.copy(plates / "good" / "a.png", plates / "spot" / f"{'long' * 30}.png")
    (plates / "spot" / "notes.png").write_text("hello")
    out = tmp_path / "page.html"
    out.write_text(page(diagnose(plates, None, PartRule(), Progress(None), ask_labels=False)))
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (320, 390):
            view = browser.new_page(viewport={"width": width, "height": 800})
            view.goto(out.as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") == width
        browser.close()
