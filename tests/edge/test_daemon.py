import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from edge.daemon import Daemon, armed
from export.errors import BundleError, ConfigError, SignatureError, StoreError
from export.signature import load_or_make
from export.verdict import Reason
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.box import BRIGHT, DARK, MIDDLE, PREFIX, Box, folder_camera
from tests.listener import Listener

GREYS = [DARK, MIDDLE, BRIGHT] * 10
RUN = "from edge.cli.run import run; import sys; from pathlib import Path; run(Path(sys.argv[1]))"
VIRTUAL = """
[cameras.line]
bundle = "bundle"
deadline_ms = 60000.0
source = { kind = "virtual", parts = 400, fps = 60.0, width = 320, height = 256 }
trigger = { kind = "gate" }
"""


@pytest.fixture
def box(tmp_path):
    """A box with thirty pictures."""
    made = Box(tmp_path)
    made.pictures(GREYS)
    return made


def run(box, stop=None, stop_after_s=0.0):
    """Run the box in this process until its sources end; (summary, verdicts kept on it)."""
    appliance = box.appliance()
    daemon = Daemon(appliance, armed(appliance))
    if stop_after_s:
        threading.Timer(stop_after_s, stop.set).start()
    kept = {}
    close = daemon.outbox.close

    def keep():
        for name in appliance.cameras:
            kept[name] = [
                json.loads(row.body) for row in daemon.outbox.replay(name, 1, 10_000, limit=10_000)
            ]
        close()

    daemon.outbox.close = keep
    return daemon.run(stop or threading.Event(), forever=False, tick=lambda: None), kept


def test_a_folder_is_judged_part_by_part(box):
    """Without a broker: every picture has its verdict in the store, named by its file."""
    box.write(folder_camera())
    summary, kept = run(box)
    outcomes = [one["outcome"] for one in kept["top"]]
    assert outcomes == ["pass", "review", "fail"] * 10
    assert [one["part"] for one in kept["top"]] == [f"p{n:03}.png" for n in range(30)]
    assert [one["seq"] for one in kept["top"]] == list(range(1, 31))
    assert summary.cameras["top"].outcomes == {"pass": 10, "review": 10, "fail": 10}
    assert summary.faults == ()


def test_a_bad_picture_is_a_failed_part(box):
    """A damaged file is a part that nobody could look at, and the rest is judged."""
    (box.folder / "pictures" / "p005x.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    box.write(folder_camera())
    summary, kept = run(box)
    bad = [one for one in kept["top"] if one["part"] == "p005x.png"]
    assert [one["reason"] for one in bad] == [Reason.BAD_FRAME]
    assert len(kept["top"]) == 31
    assert summary.cameras["top"].faults == {Reason.BAD_FRAME.value: 1}


def test_a_camera_that_never_opens_leaves_the_others_alone(box):
    """One wrong address is a fault in the summary; the other camera keeps its rate."""
    dead = (
        '[cameras.dead]\nbundle = "bundle"\nsource = { kind = "stream", url = "http://[::1]:9" }\n'
    )
    box.write(folder_camera() + dead)
    summary, kept = run(box, threading.Event(), stop_after_s=3)
    assert len(kept["top"]) == 30
    assert summary.cameras["dead"].reconnects >= 1
    assert any("the stream" in said for said in summary.faults)


def test_seq_goes_on_after_a_restart(box):
    """The second run continues where the first one ended."""
    box.write(folder_camera())
    run(box)
    _, kept = run(box)
    assert [one["seq"] for one in kept["top"]] == list(range(1, 61))


def test_a_record_that_breaks_ends_the_box(box, monkeypatch):
    """A box that can't store verdicts doesn't go on as if it could: its supervisor starts it."""
    box.write(folder_camera())
    daemon = Daemon(box.appliance(), armed(box.appliance()))

    def malformed(*_rows):
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(daemon.outbox._store, "write", malformed)
    with pytest.raises(StoreError, match="malformed"):
        daemon.run(threading.Event(), forever=True, tick=lambda: None)


def test_a_region_of_its_own_replaces_the_bundles(box):
    """A camera may look at another part of the picture than the bundle was made for."""
    more = "region = { x = 0.25, y = 0.25, width = 0.5, height = 0.5 }"
    box.write(folder_camera(more=more))
    inspector = armed(box.appliance())["top"]
    assert inspector.input.region.x == 0.25


def test_what_is_not_to_be_trusted_is_not_armed(box):
    """A bundle with a changed byte, and one signed by another key, are refused at the start."""
    box.write(folder_camera())
    load_or_make(box.folder / "other.key")
    box.settings.write_text(box.settings.read_text().replace("signing.pub", "other.pub"))
    with pytest.raises(SignatureError):
        armed(box.appliance())
    box.write(folder_camera())
    model = box.folder / "bundle" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"?")
    with pytest.raises(BundleError):
        armed(box.appliance())


def test_a_wrong_broker_is_refused_before_anything_runs(box):
    """An address with a path, or a password file that isn't there."""
    box.write(folder_camera(), "mqtt://localhost:1883/path")
    with pytest.raises(ConfigError):
        run(box)


@needs_mosquitto
def test_parts_verdicts_and_messages_are_equal_in_number(box):
    """Through a real broker: each of two cameras' parts arrives once, in order."""
    box.pictures([DARK] * 20, "others")
    with Mosquitto(box.folder) as broker, Listener(broker.port, f"{PREFIX}/#") as listener:
        box.write(folder_camera() + folder_camera("side", "others"), broker.url)
        summary, _ = run(box)
        assert listener.wait_for(lambda one: len(one.bodies("/verdicts")) == 50)
        top, side = listener.bodies("top/verdicts"), listener.bodies("side/verdicts")
        assert [one["seq"] for one in top] == list(range(1, 31))
        assert [one["seq"] for one in side] == list(range(1, 21))
        assert listener.wait_for(lambda one: one.bodies("/state")[-1]["state"] == "offline")
        assert listener.bodies("/state")[-1]["clean"]
        assert summary.undelivered == 0


@needs_mosquitto
def test_a_broker_that_comes_later_gets_everything(box):
    """What was judged without a broker is delivered by the next run that finds one."""
    with Mosquitto(box.folder) as broker:
        broker.stop()
        box.write(folder_camera(), broker.url)
        summary, _ = run(box)
        assert summary.undelivered == 30
        broker.start()
        with Listener(broker.port, f"{PREFIX}/#") as listener:
            run(box)
            assert listener.wait_for(lambda one: len(one.bodies("/verdicts")) == 60)
            assert [one["seq"] for one in listener.bodies("/verdicts")] == list(range(1, 61))


@needs_mosquitto
def test_health_tells_of_a_camera_that_is_gone(box):
    """Once a second the box says how each camera does, and what is wrong."""
    dead = '[cameras.dead]\nbundle = "bundle"\nsource = { kind = "video", path = "no.mp4" }\n'
    with Mosquitto(box.folder) as broker, Listener(broker.port, f"{PREFIX}/#") as listener:
        box.write(folder_camera() + dead, broker.url)
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(box, stop))
        thread.start()
        told = listener.wait_for(
            lambda one: any("no.mp4" in str(body["faults"]) for body in one.bodies("/health"))
        )
        stop.set()
        thread.join()
        assert told
        last = listener.bodies("/health")[-1]
        assert last["cameras"]["top"]["newest"] == last["cameras"]["top"]["verdicts"] == 30
        assert last["cameras"]["dead"]["reconnects"] >= 1


@needs_mosquitto
def test_a_box_told_to_stop_loses_nothing_it_has_triggered(box):
    """SIGTERM in the middle of a virtual line: 0 within 5 s, every part stored and received."""
    with Mosquitto(box.folder) as broker, Listener(broker.port, f"{PREFIX}/#") as listener:
        settings = box.write(VIRTUAL, broker.url)
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(settings)], stdout=subprocess.PIPE, text=True
        )
        assert listener.wait_for(lambda one: len(one.bodies("/verdicts")) >= 10, 20)
        children = offspring(process.pid)
        assert children
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        assert process.returncode == 0
        assert time.monotonic() - started < 5
        parts, verdicts = (int(number) for number in told(out, "line")[2:4])
        assert parts == verdicts
        assert listener.wait_for(lambda one: len(one.bodies("/verdicts")) == verdicts)
        assert [one["seq"] for one in listener.bodies("/verdicts")] == list(range(1, parts + 1))
        assert listener.wait_for(lambda one: one.bodies("/state")[-1]["clean"])
        assert not [child for child in children if child.exists()]


def offspring(pid):
    """Paths under /proc of the children of `pid`."""
    return [Path(f"/proc/{child.pid}") for child in psutil.Process(pid).children(recursive=True)]


def told(out, camera):
    """The row of a camera in the summary."""
    return next(line.split() for line in out.splitlines() if line.startswith(camera))


def test_the_heartbeat_stands_still_while_a_stage_does(box):
    """Until systemd has killed the box, the PLC must know that it can't be trusted with parts."""
    box.write(folder_camera())
    daemon = Daemon(box.appliance(), armed(box.appliance()))
    daemon.start()
    try:
        assert daemon._alive()
        beat = daemon.pulse.stage("planted", 0.0)
        assert not daemon._alive()
        beat.rest()
        assert daemon._alive()
    finally:
        daemon.stop()


def test_a_log_that_nobody_reads_holds_no_part_up(box):
    """Each bad picture is logged; a pipe that is full of it stops neither the line nor its end."""
    root = box.folder / "pictures"
    for number in range(600):
        (root / f"q{number:03}.png").write_bytes(b"no picture")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(box.write(folder_camera()))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        out = process.stdout.read()
        assert process.wait(30) == 0
        assert told(out, "top")[2:4] == ["630", "630"]
    finally:
        process.kill()
        process.communicate()
