"""The contact sheet in a real browser: a click overrules, and comes back as training data."""

import shutil
import threading

import cv2
import pytest

from edge.catalog import overrules
from edge.catalog.clerk import Clerk
from edge.catalog.rules.house import HouseRules
from edge.catalog.selecting import Asked, select
from export.progress import Progress
from tests.edge.catalog.conftest import product

CHROMIUM = shutil.which("chromium")
OPEN = HouseRules(name="open")


@pytest.fixture(scope="module")
def browser():
    """A real Chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as engine:
        opened = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.journey
def test_a_click_overrules_and_becomes_a_training_example(browser, model, shop, tmp_path):
    """Clicked on the page, written by the clerk, honoured by the next choice, learnt from."""
    cv2.imwrite(str(shop / "<b>&\"'.png"), product((60, 60, 200), seed=7))
    out, data = tmp_path / "out", tmp_path / "data"
    asked = Asked(shop, out, OPEN, 1)
    done = select(asked, model, Progress(None))
    best = next(o.look.path for o in done.choices if o.place and o.set == "red")
    clerk = Clerk(out)
    thread = threading.Thread(target=clerk.serve)
    thread.start()
    complaints = []
    try:
        page = browser.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://127.0.0.1:{clerk.port}/")
        chosen = page.locator("figure.chosen")
        paths = chosen.evaluate_all("all => all.map(one => one.dataset.path)")
        card = chosen.nth(paths.index(best))
        card.get_by_role("button", name="Reject").click()
        page.locator("#count", has_text="1 overruled").wait_for()
        assert "reject" in card.get_attribute("class")
        assert page.locator("figure b").count() == len(done.choices)  # no name became markup
        page.close()
    finally:
        clerk.stop()
        thread.join()
    assert [text for text in complaints if "favicon" not in text and "404" not in text] == []
    said = overrules.read(out / overrules.FILE)
    assert said[best].verdict == "reject"
    again = {o.look.path: o for o in select(asked, model, Progress(None)).choices}
    assert again[best].reason == "rejected by a person"
    data.mkdir()
    told = {path: one.category for path, one in again.items()}
    lessons = overrules.learn(said, told, shop, data)
    assert [lesson.target for lesson in lessons] == [data / "red" / "reject" / best]
    assert lessons[0].target.read_bytes() == (shop / best).read_bytes()


@pytest.mark.journey
def test_as_a_file_the_sheet_gives_its_words_as_a_table(browser, model, shop, tmp_path):
    """Opened without any server, words are kept by the browser and saved as overrules.csv."""
    out = tmp_path / "out"
    select(Asked(shop, out, OPEN, 1), model, Progress(None))
    page = browser.new_page()
    page.goto((out / "sheet.html").as_uri())
    page.locator('figure[data-path="blue-0.png"] button.yes').evaluate("one => one.click()")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save overrules.csv").click()
    path = tmp_path / "saved.csv"
    download.value.save_as(path)
    assert overrules.read(path)["blue-0.png"].verdict == "show"
    page.close()
