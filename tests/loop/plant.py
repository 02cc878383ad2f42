"""A plant for the loop: box, console and broker as processes, a browser, and a ledger of verdicts.

The ledger hears MQTT and shares no code with the box; the truth of each part is the virtual line's.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import sync_playwright

from export.figures import save, table
from export.sample_folder import SampleFolder
from tests.broker import Mosquitto, free_port

LINEWARDEN = Path(sys.executable).with_name("linewarden")
PREFIX = "acme/plant1/machining/line3/cell4"
PASSWORD = "a long enough one"
REACH = 3  # frames between a part's middle and its verdict's frame

SETTINGS = """\
[station]
prefix = "{prefix}"
[broker]
url = "{broker}"
[trust]
keys = ["signing.pub"]
[samples]
picture = "jpg"
audit_rate = 0.05
queue = 64
[console]
port = {port}
second_reader = 0.0
[shadow]
parts = {parts}
most = 3000
loosened = 0.03
tightened = 0.05
[cameras.belt]
bundle = "bundle-1"
deadline_ms = 4000
open_s = 120.0
trigger = {{ kind = "gate" }}
[cameras.belt.source]
kind = "virtual"
seed = {seed}
parts = 100000
fps = {fps}
width = {width}
height = {height}
defect_rate = {rate}
designs = ["bracket"]
defect_size = {size}
"""


class Process:
    """A command of ours, its words in a file."""

    def __init__(self, folder, name, *words, nice=0, token=""):
        self.log = folder / f"{name}.log"
        self._out = self.log.open("w")
        self.process = subprocess.Popen(
            ["nice", "-n", str(nice), str(LINEWARDEN), *map(str, words)],
            cwd=folder, stdout=self._out, stderr=subprocess.STDOUT,
            env=os.environ | {"LINEWARDEN_TOKEN": token},
        )  # fmt: skip

    def said(self, pattern, timeout_s=180.0):
        """The first match in what it said, waited for."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if found := re.search(pattern, self.log.read_text()):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError(f"{pattern!r} was not said: {self.log.read_text()[-3000:]}")

    def wait(self, timeout_s=3600.0):
        """Its exit code."""
        code = self.process.wait(timeout_s)
        self._out.close()
        return code

    def stop(self):
        """SIGTERM, and how it ended."""
        self.process.terminate()
        return self.wait(30)


def call(folder, *words, nice=10, token=""):
    """Run a command to its end, in sight; (exit code, what it said)."""
    print(f"$ linewarden {' '.join(map(str, words))}", flush=True)
    name = "-".join(str(word) for word in words[:2]).replace("/", "_")
    job = Process(folder, name, *words, nice=nice, token=token)
    code = job.wait()
    return code, job.log.read_text()


class Ledger:
    """Every verdict that came over MQTT, and when."""

    def __init__(self, port):
        self.verdicts, self.came, self.doubles, self.shadows = {}, [], 0, []
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(f"{PREFIX}/+/verdicts", 1), (f"{PREFIX}/health", 1)]
        )
        self._client.on_message = self._count
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _count(self, _client, _data, message):
        body = json.loads(message.payload)
        with self._lock:
            if message.topic.endswith("/health"):
                self.shadows += [one["shadow"] for one in body["cameras"].values() if one["shadow"]]
                return
            self.doubles += body["seq"] in self.verdicts
            self.verdicts[body["seq"]] = body
            self.came.append(time.monotonic())

    def lost(self):
        """Numbers that are missing between the first and the last."""
        return max(self.verdicts) - len(self.verdicts)

    def longest_s(self):
        """The longest that no verdict came."""
        return max(b - a for a, b in zip(self.came, self.came[1:], strict=False))

    def close(self):
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()


class Truth:
    """What each part of the virtual line is, by the frame of its verdict."""

    def __init__(self, line):
        self._parts = sorted(line, key=lambda one: one.centre_frame)
        self._frames = [one.centre_frame for one in self._parts]

    def label(self, frame):
        """The class of the part that was before the gate in that frame; None near none."""
        at = bisect_left(self._frames, frame)
        near = [self._parts[i] for i in (at - 1, at) if 0 <= i < len(self._parts)]
        best = min(near, key=lambda one: abs(one.centre_frame - frame))
        return best.label if abs(best.centre_frame - frame) <= REACH else None


class Reader:
    """A person at the review, who knows the truth and has a keyboard."""

    def __init__(self, page, samples, truth):
        self.page, self.samples, self.truth = page, SampleFolder(samples), truth
        self.said = {}

    def label(self, wanted=lambda sample, label: True, at_most=1, patience=60):
        """Label up to so many of the waiting ones that are wanted, the most valuable first."""
        done = 0
        for _ in range(patience):
            if done >= at_most:
                break
            self.page.goto("/review")
            done += self._next(wanted, skips=12)
        return done

    def _next(self, wanted, skips):
        for _ in range(skips):
            field = self.page.locator("form[data-say] input[name=sample]")
            if not field.count():
                time.sleep(1.0)
                return 0
            sample = self.samples.read(field.first.input_value())
            label = self.truth.label(sample.verdict.frame)
            if label is not None and not sample.labels and wanted(sample, label):
                self._press(label)
                self.said[sample.id] = (label, sample)
                return 1
            with self.page.expect_navigation():
                self.page.keyboard.press("ArrowRight")
        return 0

    def _press(self, label):
        button = self.page.locator(f'form[data-say] button[value="{label}"]')
        with self.page.expect_navigation():
            if button.count() and (key := button.get_attribute("data-key")):
                self.page.keyboard.press(key)
                return
            self.page.locator("details.more summary").focus()
            self.page.keyboard.press("Enter")
            self.page.locator("form.another input[name=label]").focus()
            self.page.keyboard.type(label)
            self.page.keyboard.press("Enter")


@contextmanager
def workplace(folder, prefix):
    """The folder that was asked for, made where it is lacking, or one that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix=prefix) as scratch:
        at = (folder or Path(scratch)).absolute()
        at.mkdir(parents=True, exist_ok=True)
        yield at


def ended(name, figures, seed):
    """Print the table and write results/NAME.json; the exit code, 1 where a target is missed."""
    print(f"\n{table(figures)}\nwritten to {save(name, figures, seed=seed)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


@contextmanager
def browser(port, code):
    """A page of somebody who has just made the first account."""
    with sync_playwright() as tool:
        chrome = tool.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = chrome.new_context(
            base_url=f"http://127.0.0.1:{port}", locale="en-GB",
            viewport={"width": 1280, "height": 800},
        )  # fmt: skip
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto("/")
        page.get_by_label("One-time code").fill(code.lower())
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-live]")
        yield page
        chrome.close()


def token(page):
    """A machine's, as an admin makes it."""
    page.goto("/people")
    form = page.locator('form[action="/tokens/add"]')
    form.locator("input[name=name]").fill("workstation")
    form.locator("select[name=role]").select_option("engineer")
    with page.expect_navigation():
        form.locator("button").press("Enter")
    return page.locator("code.secret").inner_text()


@contextmanager
def plant(folder, **settings):
    """Box, broker and console at work: (ledger, port of the console, its one-time code)."""
    port = free_port()
    with Mosquitto(folder) as broker:
        text = SETTINGS.format(prefix=PREFIX, broker=broker.url, port=port, **settings)
        (folder / "appliance.toml").write_text(text)
        ledger = Ledger(int(broker.url.rpartition(":")[2]))
        line = Process(folder, "run", "run", "--config", "appliance.toml")
        console = Process(folder, "console", "console", "--config", "appliance.toml")
        try:
            code = console.said(r"one-time code (\S+)")[1]
            console.said(r"console on http")
            time.sleep(1.0)
            yield ledger, port, code
        finally:
            codes = line.stop(), console.stop()
            time.sleep(1.0)
            ledger.close()
    assert codes == (0, 0), codes
    assert "Traceback" not in console.log.read_text()


def read_truth(path):
    """{part: class} of a data set's truth.csv."""
    with path.open(newline="") as file:
        return {row["part"]: row["label"] for row in csv.DictReader(file)}
