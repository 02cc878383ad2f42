"""A person's way through the console in a real browser, beside a real box on the virtual line.

Needs Playwright's Python package, Debian's chromium and axe-core (npm install --no-save axe-core).
"""

import http.client
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.broker import Mosquitto, free_port, needs_mosquitto
from tests.edge.box import Box
from tests.edge.console.plant import PASSWORD
from tests.edge.console.test_doors import traversals

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = "from edge.cli.run import run; import sys; from pathlib import Path; run(Path(sys.argv[1]))"
SERVE = "from edge.cli.console import console; console()"
LINE = """
[cameras.line]
bundle = "bundle"
deadline_ms = 60000.0
open_s = 120.0
source = {{ kind = "virtual", parts = 2000, fps = 30.0, width = 640, height = 512 }}
trigger = {{ kind = "gate" }}
[samples]
audit_rate = 0.3
picture = "jpg"
[console]
port = {port}
"""
PAGES = ("/", "/quality", "/verdicts?outcome=rejects", "/review", "/assistant", "/bundles",
         "/health", "/people", "/audit", "/account")  # fmt: skip
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.journey,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


class Process:
    """A program of ours, its words in a file."""

    def __init__(self, script, settings, log):
        self.log = log
        with log.open("w") as out:
            words = [sys.executable, "-c", script, *settings]
            self.process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)

    def said(self, pattern, timeout_s=120):
        """The first match in what it said, waited for."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if found := re.search(pattern, self.log.read_text()):
                return found
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self):
        """SIGTERM, and how it ended."""
        self.process.terminate()
        return self.process.wait(20)


@contextmanager
def at_work(folder):
    """Box, broker and console; (address of the console, one-time code)."""
    port = free_port()
    box = Box(folder)
    with Mosquitto(folder) as broker:
        settings = str(box.write(LINE.format(port=port), broker.url))
        line = Process(RUN, [settings], folder / "run.log")
        console = Process(SERVE, ["--config", settings], folder / "console.log")
        try:
            code = console.said(r"one-time code (\S+)")[1]
            console.said(r"console on http")
            wait_for_port(port)
            yield port, code
        finally:
            ended = line.stop(), console.stop()
            print(line.log.read_text()[-3000:], console.log.read_text()[-3000:])
    assert ended == (0, 0)
    assert "Traceback" not in console.log.read_text()


def wait_for_port(port):
    """Until somebody answers."""
    import socket

    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the console does not listen")


@contextmanager
def browser(port):
    """A page in chromium; whatever it complains about fails the test."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tool:
        chrome = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = chrome.new_context(
            base_url=f"http://127.0.0.1:{port}", locale="en-GB",
            viewport={"width": 1280, "height": 800},
        )  # fmt: skip
        context.set_default_timeout(90_000)
        page = context.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if odd(said) else None)
        yield page
        chrome.close()
        assert complaints == []


def odd(said):
    """Whether the browser's console tells of a fault: a refused script or style, a failed load."""
    return said.type in ("error", "warning") and "404" not in said.text


@needs_mosquitto
def test_a_shift_at_the_console(tmp_path):
    """First start, live view, review by keyboard alone, search, and out again."""
    with at_work(tmp_path) as (port, code), browser(port) as page:
        page.goto("/")
        page.get_by_label("One-time code").fill(code.lower())
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-live]")
        no_file_leaves_the_box(page.context, port)
        follows_the_line(page)
        reviews_by_keyboard(page)
        finds_a_part(page)
        looks_well(page)
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
        page.goto("/verdicts")
        assert "/login" in page.url


def no_file_leaves_the_box(context, port):
    """500 paths as they are on the wire, by somebody who is logged in: each is no page."""
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path in traversals():
        wire.putrequest("GET", path, skip_host=False)
        wire.putheader("cookie", cookie)
        wire.endheaders()
        answer = wire.getresponse()
        body = answer.read()
        assert answer.status in (400, 404), path
        assert b"root:" not in body
    wire.close()


def follows_the_line(page):
    """The verdict changes by itself, the ticker grows, a picture of a kept part appears."""
    page.wait_for_selector(".ticker li:nth-child(3)")
    part = page.locator('[data-f="part"]').inner_text()
    page.wait_for_function("was => document.querySelector('[data-f=part]').textContent !== was",
                           arg=part)  # fmt: skip
    page.wait_for_function("() => document.querySelector('[data-img]').naturalWidth > 100")
    assert page.locator("[data-box]").get_attribute("data-box") == "online"
    assert page.locator("[data-lost]").is_hidden()


def reviews_by_keyboard(page):
    """One key a label, U for unsure, Z to undo, → to skip, H for the heatmap; a box by dragging."""
    page.goto("/review")
    page.wait_for_selector("[data-say]")
    waiting = "document.querySelector('.progress dd').textContent"
    sample = page.locator("input[name=sample]").first.input_value()
    before = int(page.evaluate(waiting))
    page.keyboard.press("h")
    assert page.locator("[data-heat-toggle]").get_attribute("aria-pressed") == "true"
    frame = page.locator("[data-frame]").bounding_box()
    page.mouse.move(frame["x"] + 20, frame["y"] + 20)
    page.mouse.down()
    page.mouse.move(frame["x"] + 80, frame["y"] + 60)
    page.mouse.up()
    assert page.locator("[data-box-field]").first.input_value().count(",") == 3
    press(page, "1")
    assert page.locator("input[name=sample]").first.input_value() != sample
    press(page, "z")
    assert page.locator("input[name=sample]").first.input_value() == sample
    press(page, "u")
    press(page, "2")
    press(page, "ArrowRight")
    assert int(page.evaluate(waiting)) <= before + 200
    log = page.request.get("/audit").text()
    assert "label undone" in log


def press(page, key):
    """A key that leads to the next page."""
    with page.expect_navigation():
        page.keyboard.press(key)
    page.wait_for_load_state()


def finds_a_part(page):
    """From a search to the verdict and its picture, by keyboard."""
    page.goto("/verdicts")
    page.locator("tbody tr", has_text="kept").locator("a").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".show .word").inner_text() in ("Pass", "Fail", "Review")
    page.wait_for_function("() => document.querySelector('img[data-heat]').naturalWidth > 100")


def looks_well(page):
    """axe-core finds nothing, in both languages and both themes; no page is wider than its screen.

    Neither a tablet's nor a telephone's.
    """
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --no-save axe-core")
    page.set_viewport_size({"width": 1024, "height": 600})
    found = []
    for language in ("en", "de"):
        for theme in ("light", "dark"):
            for path in PAGES:
                joint = "&" if "?" in path else "?"
                page.goto(f"{path}{joint}lang={language}&theme={theme}")
                found += [(path, language, theme, *flaw) for flaw in flaws(page)]
                found += [(path, language, theme, flaw) for flaw in too_wide(page, 1024)]
    page.set_viewport_size({"width": 390, "height": 844})
    for language in ("en", "de"):
        for path in PAGES:
            page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}&theme=light")
            found += [(path, language, flaw) for flaw in too_wide(page, 390)]
    page.set_viewport_size({"width": 1024, "height": 600})
    assert found == [], "\n".join(map(str, found))
    page.goto("/?lang=en&theme=auto")


def too_wide(page, screen):
    """How wide the page is, if that is more than the screen, and what reaches beyond it."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    beyond = page.evaluate(
        "screen => [...document.querySelectorAll('body *')]"
        ".filter(one => one.getBoundingClientRect().right > screen + 1)"
        ".map(one => one.tagName + '.' + one.className).slice(0, 8)",
        screen,
    )
    return [f"{wide} pixels wide: {beyond}"] if wide > screen else []


def flaws(page):
    """What axe-core objects to: (rule, where)."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
    return [(one["id"], node["html"][:160]) for one in found["violations"] for node in one["nodes"]]
