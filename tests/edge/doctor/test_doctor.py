"""Every planted fault is found, names its remedy, and keeps the box from being armed."""

import json
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli.doctor import findings
from edge.doctor import cameras, disk, doors, house, models, post, time_of_day
from edge.doctor.finding import State, examined
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.pipe import Pipe
from edge.outbox import OUTBOX_FILE
from edge.outbox.lock import held, lock
from edge.swap import standing
from edge.swap.shelf import Chosen
from edge.swap.standing import digest_at
from export.command import application
from export.errors import StoreError
from export.signature import load_or_make
from tests.broker import Mosquitto, free_port, needs_mosquitto
from tests.edge.box import PREFIX, Box, folder_camera
from tests.edge.output.plc import Plc
from tests.export.small_bundle import golden_files, small_bundle, small_graph

VIRTUAL = 'source = { kind = "virtual", parts = 400, width = 320, height = 256 }'


@pytest.fixture
def box(tmp_path):
    """A box that is well, and plays a folder."""
    made = Box(tmp_path)
    made.pictures([20, 128])
    made.write(folder_camera())
    return made


def ills(found):
    """What keeps the box from being armed: {organ: what was said}; each has its remedy."""
    bad = [one for one in found if one.state is State.ILL]
    assert all(one.remedy for one in bad)
    return {one.organ: one.said for one in bad}


def look(appliance):
    """Findings about the bundles of an appliance."""
    return examined("bundles", lambda: models.bundles(appliance))


def test_a_well_box_is_fit_to_be_armed(box):
    """Nothing ill is found where nothing is wrong; the missing broker is but a doubt."""
    found = list(findings(box.appliance(), 0.5))
    assert not ills(found)
    assert {one.organ for one in found} >= {
        "program", "runtime", "disk of the store", "bundle of top", "pace of top", "camera top",
    }  # fmt: skip


def test_a_namesake_package_is_found():
    """A distribution that installed its own `trainer` over ours, or an `edge` from elsewhere."""
    found = ills(house.installed(owners={"trainer": ["trainer", "linewarden"]}))
    assert found == {"program": "the package 'trainer' was also installed by trainer"}
    homes = {"edge": Path("/a/edge"), "export": Path("/b/export")}
    assert "different places" in ills(house.installed(homes=homes, owners={}))["program"]


def test_two_runtimes_are_found():
    """They own the same import name and overwrite each other."""
    both = ["onnxruntime", "onnxruntime-gpu", "linewarden"]
    found = ills(examined("runtime", lambda: house.installed(distributions=both)))
    assert "overwrite each other" in found["runtime"]


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        ("unsigned", "manifest.sig is missing"),
        ("changed", "model.onnx"),
        ("wrong key", "key"),
        ("parity", "golden"),
        ("fall back to the processor", "CUDA"),
    ],
)
def test_a_bundle_that_must_not_judge_is_found(box, plant, said):
    """Unsigned, changed, signed by a stranger, answering otherwise here, or not on its device."""
    bundle = box.folder / "bundle"
    if plant == "unsigned":
        (bundle / "manifest.sig").unlink()
    elif plant == "changed":
        body = bytearray((bundle / "model.onnx").read_bytes())
        body[len(body) // 2] ^= 1
        (bundle / "model.onnx").write_bytes(body)
    elif plant == "fall back to the processor":
        box.write(folder_camera() + '\n[engine]\nprovider = "cuda"\n')
    else:
        shutil.rmtree(bundle)
        name = "signing.key" if plant == "parity" else "stranger.key"
        key, _ = load_or_make(box.folder / name)
        small_bundle(bundle, key, small_graph(gain=0.5 if plant == "parity" else 1.0))
    (told,) = ills(look(box.appliance())).values()
    assert said in told


def test_a_model_that_is_too_slow_is_found(box, monkeypatch):
    """Timed here, against the deadline."""
    monkeypatch.setattr(models, "_judged_ms", lambda *_: 6000.0)
    assert "5000 ms are allowed" in ills(look(box.appliance()))["pace of top"]
    monkeypatch.setattr(models, "_judged_ms", lambda *_: 4000.0)
    assert State.DOUBTFUL in {one.state for one in look(box.appliance())}


class Silent(BaseHTTPRequestHandler):
    """A network camera that gives `frames` pictures, moving or not, and then hangs."""

    frames, frozen = 3, False

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
        self.end_headers()
        chance = np.random.default_rng(1)
        picture = chance.integers(0, 255, (48, 64, 3), np.uint8)
        for _ in range(self.frames):
            if not self.frozen:
                picture = chance.integers(0, 255, (48, 64, 3), np.uint8)
            body = cv2.imencode(".jpg", picture)[1].tobytes()
            head = f"--x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + body + b"\r\n")
            except OSError:
                return
            self.server.over.wait(0.05)
        self.server.over.wait(10)

    def log_message(self, *_):
        pass


@contextmanager
def camera_on_the_network(**kind):
    """Its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kind", (Silent,), kind))
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def lens(box, source, open_s=8.0):
    """Findings about one camera."""
    more = f"open_s = {open_s}\nstall_s = 5.0\n"
    box.write(f'[cameras.top]\nbundle = "bundle"\n{more}{source}\n')
    return list(cameras.lenses(box.appliance(), 1.0))


def test_a_camera_that_stops_is_found(box):
    """It opens, gives a few frames, and falls silent."""
    with camera_on_the_network() as url:
        found = ills(lens(box, f'source = {{ kind = "stream", url = "{url}" }}'))
    assert "the newest is" in found["camera top"]


def test_a_frozen_camera_is_found(box):
    """Frames keep coming, and are the same to the bit."""
    with camera_on_the_network(frames=200, frozen=True) as url:
        found = ills(lens(box, f'source = {{ kind = "stream", url = "{url}" }}'))
    assert "frozen" in found["camera top"]


def test_a_camera_that_is_not_there_is_found(box):
    """With the capture's own words."""
    found = ills(lens(box, 'source = { kind = "stream", url = "http://127.0.0.1:9/" }', open_s=1.0))
    assert "can't be opened" in found["camera top"]


def test_a_camera_that_runs_is_well(box):
    """Its size and pace are said; the truth file of a virtual line isn't touched."""
    (found,) = lens(box, VIRTUAL.replace("}", ', truth = "truth.csv" }'))
    assert (found.state, found.said[:7]) == (State.WELL, "320x256")
    assert not (box.folder / "truth.csv").exists()


def test_a_broker_that_is_away_is_found(box):
    """Nobody listens there."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = BrokerSettings(BrokerUrl("127.0.0.1", nobody.getsockname()[1]))
        assert "can't be reached" in ills(post.broker(box.appliance(), settings))["broker"]
        (found,) = post.broker(box.appliance(), settings, may_be_away=True)
        assert (found.state, "can't be reached" in found.said) == (State.DOUBTFUL, True)


@needs_mosquitto
def test_wrong_rights_at_the_broker_are_found(box, tmp_path):
    """One topic that may not be written, commands that may not be read: each is named."""
    acl = tmp_path / "acl"
    acl.write_text(f"topic write {PREFIX}/#\ntopic deny {PREFIX}/top/verdicts\n")
    with Mosquitto(tmp_path, f"acl_file {acl}") as broker:
        settings = BrokerSettings(BrokerUrl.parse(broker.url))
        found = ills(post.broker(box.appliance(), settings))
    assert f"{PREFIX}/top/verdicts (Not authorized)" in found["broker, rights"]
    assert f"{PREFIX}/health" not in found["broker, rights"]


@needs_mosquitto
def test_a_plants_own_broker_needs_to_know_the_line_alone(box, tmp_path):
    """Topics of the shop and of the assistant may be closed to it: the line judges without them."""
    lines = [f"topic read {PREFIX}/cmd/{name}" for name in ("replay", "trigger", "flag")]
    lines += [f"topic write {PREFIX}/{name}" for name in ("state", "health", "alarms")]
    lines += [f"topic write {PREFIX}/+/{name}" for name in ("verdicts", "last")]
    (tmp_path / "acl").write_text("\n".join([*lines, ""]))
    with Mosquitto(tmp_path, f"acl_file {tmp_path / 'acl'}") as broker:
        settings = BrokerSettings(BrokerUrl.parse(broker.url))
        assert not ills(post.broker(box.appliance(), settings))


@needs_mosquitto
def test_a_broker_that_takes_too_little_is_found(box, tmp_path):
    """A verdict may have 8 KiB; a limit of 2,000 bytes would lose some."""
    with Mosquitto(tmp_path, "max_packet_size 2000") as broker:
        settings = BrokerSettings(BrokerUrl.parse(broker.url))
        assert "2000 bytes" in ills(post.broker(box.appliance(), settings))["broker, limits"]


@needs_mosquitto
def test_a_right_is_tried_without_disturbing_anybody(box, tmp_path):
    """What is retained stays; a consumer hears no nonsense."""
    from edge.consumer.watch import Watcher
    from edge.topics import Topics

    with Mosquitto(tmp_path) as broker:
        settings = BrokerSettings(BrokerUrl.parse(broker.url))
        with Watcher(settings, Topics(PREFIX), lambda _: None) as watcher:
            threading.Event().wait(0.5)
            assert not ills(post.broker(box.appliance(), settings))
            threading.Event().wait(0.3)
            report = watcher.report()
    assert report.rejected == 0


def test_a_full_disk_is_found(box, monkeypatch):
    """No room for the reserve is ill; less than the settings may keep is doubtful."""
    free = {"bytes": 10 * 1024**2}
    usage = type("Usage", (), {"free": property(lambda _: free["bytes"])})
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage())
    assert "0.0 GB free" in ills(disk.room(box.appliance()))["disk of the store"]
    free["bytes"] = 1024**3
    (found,) = disk.room(box.appliance())
    assert found.state is State.DOUBTFUL


def test_the_days_that_are_left_are_told(box, monkeypatch):
    """What came in ten days goes on coming; of a store that is no day old nothing is said."""
    store = box.appliance().store
    store.folder.mkdir(parents=True, exist_ok=True)
    (store.folder / "verdicts").write_bytes(b"x" * 1024**2)
    (found,) = disk.room(box.appliance())
    assert "days" not in found.said
    ten_days_ago = time.time() - 10 * 86400
    os.utime(store.folder / "verdicts", (ten_days_ago, ten_days_ago))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: type("U", (), {"free": 80 * 1024**2}))
    (found,) = disk.room(box.appliance())
    assert "full in 800 days" in found.said
    monkeypatch.undo()
    (found,) = disk.room(box.appliance())
    assert "the oldest give way in" in found.said


def test_a_folder_that_can_not_be_written_is_found(box, monkeypatch):
    """The box would lose its record."""

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk, "TemporaryFile", refused)
    assert "Permission denied" in ills(disk.room(box.appliance()))["disk of the store"]


def test_a_wrong_clock_is_found():
    """Before a bundle was made is ill; kept by nothing is doubtful."""
    made = "2026-01-01T00:00:00Z"
    in_1970 = list(time_of_day.clock([made], kept=True, now_ns=5 * 10**9))
    assert "1970-01-01" in ills(in_1970)["clock"]
    now_ns = int(datetime.fromisoformat("2026-06-01T00:00:00Z").timestamp() * 1e9)
    states = [one.state for one in time_of_day.clock([made], kept=False, now_ns=now_ns)]
    assert states == [State.DOUBTFUL]
    assert next(time_of_day.clock([made], kept=True, now_ns=now_ns)).state is State.WELL
    if sys.platform == "linux":
        assert time_of_day.synchronised() in (True, False)


def test_the_command_ends_with_what_it_found(box):
    """0 where it is fit, 1 where it isn't, 2 where there are no settings; JSON says the same."""
    runner = CliRunner()
    done = runner.invoke(application(), ["doctor", "--config", str(box.settings)])
    assert done.exit_code == 0, done.output
    assert "fit to be armed" in done.output
    (box.folder / "bundle" / "manifest.sig").unlink()
    done = runner.invoke(application(), ["doctor", "--config", str(box.settings), "--json"])
    assert done.exit_code == 1
    assert {one["organ"] for one in json.loads(done.stdout) if one["state"] == "ill"} == {"bundles"}


def test_a_box_that_runs_is_left_alone(box):
    """Its gate would reject good parts while it is tried; a record that nobody holds is no box."""
    outbox = box.folder / "store" / OUTBOX_FILE
    asked = ["doctor", "--config", str(box.settings)]
    door = lock(outbox)
    try:
        assert held(outbox)
        done = CliRunner().invoke(application(), asked)
    finally:
        os.close(door)
    assert isinstance(done.exception, StoreError)
    assert "a box runs" in done.exception.problem
    assert done.exception.remedy
    assert not done.stdout
    assert not held(outbox)
    assert CliRunner().invoke(application(), asked).exit_code == 0


def test_golden_answers_are_what_parity_is_measured_by():
    """The planted fault above is one: half the gain gives half the score."""
    assert json.loads(golden_files()["golden/golden.json"])["samples"][0]["score"] == 0.2


def test_a_key_that_is_missing_hides_no_other_fault(box):
    """It is one finding; the cameras and the clock are looked at all the same."""
    (box.folder / "signing.pub").unlink()
    shutil.rmtree(box.folder / "pictures")
    found = list(findings(box.appliance(), 0.5))
    assert ills(found).keys() >= {"bundles", "camera top"}
    assert "clock" in {one.organ for one in found}


def test_the_bundle_that_would_judge_is_looked_at(box):
    """Activated at run time: that of the settings judges no part, and may be gone."""
    appliance = box.appliance()
    key, _ = load_or_make(box.folder / "signing.key")
    new = small_bundle(box.folder / "newer", key, version=2)
    kept = standing.shelf(appliance)
    slot = kept.admit(new).path
    told = {"configured": str(appliance.cameras["top"].bundle), "configured_digest": ""}
    record = Chosen(**told, active=new.ref, before=None, probation="paused")
    record = record.model_copy(update={"configured_digest": digest_at(box.folder / "bundle")})
    kept.choose("top", record)
    (found, _) = look(appliance)
    assert "small 2" in found.said
    shutil.rmtree(box.folder / "bundle")
    assert not ills(look(appliance))
    (slot / "model.onnx").write_bytes(b"x")
    assert "model.onnx" in next(iter(ills(look(appliance)).values()))
    assert kept.chosen("top") == record


def test_a_clock_that_can_not_be_asked_about_is_a_doubt(monkeypatch, tmp_path):
    """A sandbox in which nobody may set it lets nobody ask either: then systemd's word counts."""
    monkeypatch.setattr(time_of_day, "TIMESYNCD", tmp_path / "synchronized")
    monkeypatch.setattr(time_of_day, "_status", lambda: None)
    assert time_of_day.synchronised() is None
    (found,) = time_of_day.clock([], kept=None)
    assert found.state is State.DOUBTFUL
    (tmp_path / "synchronized").touch()
    assert time_of_day.synchronised() is True


def test_two_folders_on_one_disk_share_its_room(box, monkeypatch):
    """Each would fit by itself."""
    box.write(folder_camera() + "\n[samples]\nkeep_gb = 5.0\n")
    appliance = box.appliance()
    wanted = appliance.store.keep_gb + appliance.samples.keep_gb
    assert appliance.samples.keep_gb
    free = round((wanted - 0.5) * 1024**3 + appliance.samples.leave_free_gb * 1024**3)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free})())
    assert State.DOUBTFUL in {one.state for one in disk.room(appliance)}


def test_a_folder_that_is_a_file_is_found(box):
    """Nothing can be written below it."""
    (box.folder / "store").write_text("")
    assert ills(disk.room(box.appliance())).keys() == {"disk of the store"}


class Mute(Pipe):
    """A broker that says nothing of subscriptions."""

    def _on_subscribe(self, *_):
        pass


@needs_mosquitto
def test_orders_that_nobody_promised_are_not_well(box, tmp_path, monkeypatch):
    """No answer to a subscription is no yes."""
    monkeypatch.setattr(post, "Pipe", Mute)
    monkeypatch.setattr(post, "ANSWER_S", 0.5)
    with Mosquitto(tmp_path) as broker:
        settings = BrokerSettings(BrokerUrl.parse(broker.url))
        assert ills(post.broker(box.appliance(), settings)).keys() == {"broker, orders"}


def test_a_gate_that_can_not_be_reached_is_found(box):
    """Every part would be rejected; a doubt only where the plant may start after the box."""
    port = free_port()
    told = folder_camera(more=f'output = {{ kind = "modbus", host = "127.0.0.1", port = {port} }}')
    box.write(told)
    assert str(port) in ills(doors.gates(box.appliance()))["gate of top"]
    (found,) = doors.gates(box.appliance(), may_be_away=True)
    assert found.state is State.DOUBTFUL
    with Plc(port):
        (found,) = doors.gates(box.appliance())
    assert found.state is State.WELL


def test_a_taken_status_port_is_found(box):
    """`linewarden run` would refuse to start."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        box.write(folder_camera() + f'[status]\nlisten = "127.0.0.1:{port}"\n')
        assert "nobody can listen" in ills(doors.status(box.appliance()))["status port"]
    (found,) = doors.status(box.appliance())
    assert found.state is State.WELL
