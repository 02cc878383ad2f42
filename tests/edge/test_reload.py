"""SIGHUP: the box takes over what it can, and keeps its settings when the new ones are wrong."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from edge import daemon as daemon_module
from edge.adoption import adoptable
from edge.alarm import Alarms
from edge.cli.run import Reload
from edge.daemon import Daemon, armed
from edge.inspection import lane as lane_module
from export.errors import BundleError, ConfigError
from export.signature import load_or_make
from tests.broker import free_port
from tests.edge.box import Box
from tests.export.small_bundle import small_bundle

MAIN = "from export.command import main; main()"
CAMERA = """
[status]
listen = "127.0.0.1:{port}"
[cameras.top]
bundle = "{bundle}"
deadline_ms = {deadline}
{more}
source = {{ kind = "virtual", parts = 20000, fps = 20.0, width = 320, height = 256 }}
"""


@contextmanager
def running(settings):
    """A box at work: its process."""
    told = [sys.executable, "-c", MAIN, "run", "--config", str(settings), "--forever"]
    process = subprocess.Popen(told, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def metrics(port):
    """What the box says of itself, or "" while it starts."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as page:
            return page.read().decode()
    except OSError:
        return ""


FAIL_SAFE_AND_QUEUE = ("cameras.top.fail_safe", "cameras.top.queue")
HOURLY = ("cameras.top.challenge.every_minutes",)


def until(holds, timeout_s=20.0):
    """Whether it came true in time."""
    end = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(holds())


def test_a_box_takes_over_what_it_can_and_refuses_the_rest(tmp_path):
    """Nonsense, a restart's key and a stranger's bundle change nothing; another bundle judges."""
    box, port = Box(tmp_path), free_port()
    key, _ = load_or_make(tmp_path / "signing.key")
    stranger, _ = load_or_make(tmp_path / "stranger.key")
    small_bundle(tmp_path / "newer", key, version=2)
    small_bundle(tmp_path / "strange", stranger, version=3)

    def write(bundle="bundle", deadline=5000.0, more=""):
        told = {"port": port, "bundle": bundle, "deadline": deadline, "more": more}
        return box.write(CAMERA.format(**told))

    with running(write()) as process:

        def refused():
            return 'linewarden_alarm{name="settings_refused"' in metrics(port)

        def judged():
            return metrics(port).count("linewarden_verdicts_total{")

        assert until(lambda: judged() > 0)
        for wrong in (
            lambda: write(more="colour = 3"),
            lambda: write(more="health = { light = 0.5 }"),
            lambda: write(bundle="strange"),
        ):
            wrong()
            process.send_signal(signal.SIGHUP)
            assert until(refused)
            write()
            process.send_signal(signal.SIGHUP)
            assert until(lambda: not refused())
        settings = write(bundle="newer", deadline=4000.0)
        process.send_signal(signal.SIGHUP)
        assert until(lambda: active(settings) == 2)
        assert not refused()
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def active(settings):
    """The version of the bundle that judges."""
    told = [sys.executable, "-c", MAIN, "bundle", "list", "--json", "--config", str(settings)]
    said = subprocess.run(told, capture_output=True, text=True, check=True).stdout
    return json.loads(said)["top"]["active"]["version"]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({}, ()),
        ({"deadline": 7.5}, ("cameras.top.deadline_ms",)),
        ({"more": 'fail_safe = "review"\nqueue = 3'}, FAIL_SAFE_AND_QUEUE),
        ({"more": "challenge = { every_minutes = 5.0 }"}, HOURLY),
        ({"port": 2}, "a restart is needed for status.listen"),
        ({"more": "stall_s = 9.0", "deadline": 7.5}, "a restart is needed for cameras.top.stall_s"),
    ],
)
def test_what_may_change_is_known(tmp_path, after, said):
    """Together or not at all."""
    box = Box(tmp_path)
    told = {"port": 1, "bundle": "bundle", "deadline": 5.0, "more": ""}
    box.write(CAMERA.format(**told))
    before = box.appliance()
    box.write(CAMERA.format(**told | after))
    if isinstance(said, str):
        with pytest.raises(ConfigError, match=said):
            adoptable(before, box.appliance())
    else:
        assert set(said) <= set(adoptable(before, box.appliance()))


@pytest.mark.parametrize("table", ["assistant", "gateway", "console"])
def test_what_other_processes_read_is_their_affair(tmp_path, table):
    """A line goes on whatever is told to the assistant, the gateway or the console."""
    box = Box(tmp_path)
    told = CAMERA.format(port=1, bundle="bundle", deadline=5.0, more="")
    box.write(told)
    before = box.appliance()
    box.write(f'{told}\n[{table}]\nfolder = "elsewhere"\n')
    assert adoptable(before, box.appliance()) == (f"{table}.folder",)


@pytest.mark.parametrize("more", ["", "colour = 3"])
def test_the_service_manager_hears_when_a_reload_begins_and_ends(tmp_path, more):
    """Also of settings that are refused: the box is ready with the old ones."""
    settings = Box(tmp_path).write(CAMERA.format(port=1, bundle="bundle", deadline=5.0, more=more))
    said, alarms = [], Alarms()
    alarms.raise_("box", Reload.ALARM, "an earlier mistake")
    daemon = SimpleNamespace(adopt=lambda _: (), alarms=alarms)
    service = SimpleNamespace(
        reloading=lambda: said.append("reloading"), ready=lambda: said.append("ready")
    )
    before = signal.getsignal(signal.SIGHUP)
    try:
        reload = Reload(daemon, settings, service)
        reload.turn()
        assert said == []
        signal.raise_signal(signal.SIGHUP)
        reload.turn()
        assert until(lambda: len(said) == 2)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert said == ["reloading", "ready"]
    details = " ".join(one.detail for one in alarms.standing())
    assert ("colour" in details) if more else (details == "")


@pytest.fixture
def daemon(tmp_path):
    """(a daemon that wasn't started, a function that reads other settings of its camera)."""
    box = Box(tmp_path)
    key, _ = load_or_make(tmp_path / "signing.key")
    small_bundle(tmp_path / "newer", key, version=2)

    def settings(bundle="bundle", deadline=5000.0, more=""):
        box.write(CAMERA.format(port=free_port(), bundle=bundle, deadline=deadline, more=more))
        box.settings.write_text(box.settings.read_text().replace("[status]\nlisten", "#"))
        return box.appliance()

    appliance = settings()
    made = Daemon(appliance, armed(appliance))
    yield made, settings
    made.bundles.stop()
    made.outbox.close()


def test_a_new_bundle_is_held_to_the_new_deadline(daemon):
    """Settings that give it longer are obeyed; those that give it too little change nothing."""
    made, settings = daemon
    seat = made.bundles.exchange._seats["top"]
    with pytest.raises(BundleError, match="are allowed"):
        made.adopt(settings("newer", 1e-3))
    assert (seat.deadline_ms, seat.inspector.bundle.version) == (5000.0, 1)
    seat.deadline_ms = 1e-3  # as if those were the settings so far
    made.adopt(settings("newer", 4000.0))
    assert (seat.deadline_ms, seat.inspector.bundle.version) == (4000.0, 2)


def test_terms_that_change_from_two_sides_keep_both_changes(daemon, monkeypatch):
    """A rollback while the settings are taken over: the bundle that was taken back is gone."""
    made, settings = daemon
    lane, bad = made._lanes[0], object()
    good, held = lane.terms.judge, lane_module.replace
    made._install("top", SimpleNamespace(input=SimpleNamespace(region=None), judge=bad))

    def meanwhile(terms, **changes):
        if "room" in changes:
            monkeypatch.setattr(lane_module, "replace", held)
            monkeypatch.setattr(daemon_module, "replace", held)
            back = threading.Thread(target=made._install, args=("top", good))
            back.start()
            back.join(0.2)
            rolled.append(back)
        return held(terms, **changes)

    rolled = []
    monkeypatch.setattr(lane_module, "replace", meanwhile)
    monkeypatch.setattr(daemon_module, "replace", meanwhile)
    made.adopt(settings(more="queue = 3"))
    rolled[0].join()
    assert (lane.terms.judge, lane.terms.room) == (good, 3)
