"""The contact sheet in a real browser: a click overrules, and comes back as training data."""

import contextlib
import shutil
import threading

import cv2
import pytest

from edge.catalog import overrules, sheet
from edge.catalog.clerk import Clerk
from edge.catalog.lessons import learn
from edge.catalog.overrules import Overrule
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


@contextlib.contextmanager
def served(out):
    """The address of a result's sheet."""
    clerk = Clerk(out)
    thread = threading.Thread(target=clerk.serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{clerk.port}/"
    finally:
        clerk.stop()
        thread.join()


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
    lessons = learn(said, told, shop, data)
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


@pytest.mark.journey
def test_another_browser_sees_what_was_said_and_can_overrule_what_was_refused(
    browser, model, shop, tmp_path
):
    """Served or opened as a file, the sheet starts from overrules.csv, not from a browser's own."""
    out = tmp_path / "out"
    out.mkdir()
    overrules.add(out / overrules.FILE, Overrule("red-0.png", "reject"))
    strict = HouseRules.model_validate({"name": "x", "image": {"min_width": 10_000}})
    select(Asked(shop, out, strict, 1), model, Progress(None))
    page = browser.new_page()
    page.goto((out / "sheet.html").as_uri())
    page.locator("#count", has_text="1 overruled").wait_for()
    page.close()
    overrules.add(out / overrules.FILE, Overrule("red-1.png", "show", "green"))
    with served(out) as address:
        page = browser.new_page()
        page.goto(address)
        page.locator("#count", has_text="2 overruled").wait_for()
        card = page.locator('figure[data-path="red-1.png"]')
        assert "show" in card.get_attribute("class")
        assert card.locator("select").evaluate("one => one.value") == "green"
        assert page.get_by_text("4 refused").count() == 1
        page.locator('figure[data-path="red-2.png"] button.yes').evaluate("one => one.click()")
        page.locator("#count", has_text="3 overruled").wait_for()
        page.close()
    assert overrules.read(out / overrules.FILE)["red-2.png"].verdict == "show"


@pytest.mark.journey
def test_a_browsers_own_older_word_does_not_beat_the_sheets(browser, model, shop, tmp_path):
    """What was clicked and not saved stays, until somebody said otherwise into the table."""
    asked = Asked(shop, tmp_path / "out", OPEN, 1)
    select(asked, model, Progress(None))
    context = browser.new_context()
    page = context.new_page()
    address = (asked.out / "sheet.html").as_uri()
    page.goto(address)
    for name in ("red-0.png", "blue-0.png"):
        page.locator(f'figure[data-path="{name}"] button.no').evaluate("one => one.click()")
    overrules.add(asked.out / overrules.FILE, Overrule("red-0.png", "show"))
    select(asked, model, Progress(None))
    page.goto(address)
    page.locator("#count", has_text="2 overruled").wait_for()
    found = [
        page.locator(f'figure[data-path="{name}"]').get_attribute("class").split()
        for name in ("red-0.png", "blue-0.png")
    ]
    assert ["show" in found[0], "reject" in found[1]] == [True, True]
    context.close()


def test_of_a_set_some_refused_pictures_are_shown_and_the_others_counted(model, shop, tmp_path):
    """A person can overrule what the rules refused; a score is told once."""
    strict = HouseRules.model_validate({"name": "x", "image": {"min_width": 10_000}})
    asked = Asked(shop, tmp_path / "out", strict, 1)
    done = select(asked, model, Progress(None))
    page = sheet.write(asked.out, shop, done.choices, "t", others=3).read_text()
    assert "4 refused" in page
    assert "1 more stand in images.csv" in page
    assert page.count('data-path="red') == 3
    select(Asked(shop, tmp_path / "out", OPEN, 1), model, Progress(None))
    fit = (tmp_path / "out" / "sheet.html").read_text().split("<figure ")[1]
    assert fit.split("</figure>")[0].count("presentation ") == 1
