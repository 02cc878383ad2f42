"""GenICam cameras, against Aravis' fake GigE Vision camera on loopback."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from edge.camera import aravis, mosaic
from edge.camera.camera import Camera, CameraSettings
from edge.camera.genicam import ANEW, Order
from edge.camera.slot import Slot
from edge.doctor import cameras
from edge.doctor.finding import State
from edge.frame import Frame
from edge.health import Health
from edge.sections import GenicamSource
from export.errors import CameraError
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.box import PREFIX, Box
from tests.edge.camera.fake_genicam import HOST, FakeCamera, needs_aravis
from tests.listener import Listener

RUN = "from edge.cli.run import run; import sys; from pathlib import Path; run(Path(sys.argv[1]))"
CAMERA = """
[cameras.top]
bundle = "bundle"
deadline_ms = 10000.0
queue = 500
trigger = {{ kind = "camera" }}
[cameras.top.source]
kind = "genicam"
camera = "{name}"
pixel_format = "BayerRG8"
width = 256
height = 192
"""
SIGNALS = {code: layout for code, layout in mosaic.LAYOUTS.items() if layout.values == 1}


@contextmanager
def running(limits=(8.0, 3.0), **settings):
    """A camera at work: (camera, slot, health)."""
    source = GenicamSource(kind="genicam", **settings).model_dump(mode="json")
    health, slot = Health(("eye",)), Slot(lossless=False)
    camera = Camera(CameraSettings("eye", source, False, *limits), slot, health)
    camera.start()
    try:
        yield camera, slot, health
    finally:
        camera.stop()


def until(holds, timeout_s=10.0):
    """Whether it came true in time."""
    end = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(holds())


@needs_aravis
@pytest.mark.parametrize("pixel_format", ["Mono16", "BayerRG8"])
def test_frames_of_a_gige_vision_camera_are_seen(pixel_format):
    """Whole, of the size that was asked for, moving, in colour or grey."""
    told = {"camera": HOST, "pixel_format": pixel_format}
    with FakeCamera(), running(**told, width=320, height=240) as (_, slot, health):
        seen = [slot.take(8.0) for _ in range(3)]
    assert [type(one) for one in seen] == [Frame] * 3
    assert {one.pixels.shape for one in seen} == {(240, 320, 3)}
    assert np.ptp(seen[0].pixels) > 100
    assert not np.array_equal(seen[0].pixels, seen[1].pixels)
    assert health.standing() == ()


@needs_aravis
@needs_mosquitto
def test_a_box_inspects_a_camera_that_loses_packets_and_counts_them(tmp_path):
    """Each frame that came whole is judged, each that didn't is a failed part, all are counted."""
    box = Box(tmp_path)
    with Mosquitto(tmp_path) as broker, FakeCamera(lost=0.004) as fake:
        settings = box.write(CAMERA.format(name=fake.name), broker.url)
        with Listener(broker.port, f"{PREFIX}/#") as ear:
            box_at_work = subprocess.Popen([sys.executable, "-c", RUN, str(settings)])
            try:
                assert ear.wait_for(lambda it: len(it.bodies("/top/verdicts")) >= 60, 30)
                kinds = "frames_incomplete", "packets_missing"
                assert ear.wait_for(lambda it: all(kind in counted(it) for kind in kinds))
            finally:
                box_at_work.send_signal(signal.SIGTERM)
                assert box_at_work.wait(10) == 0
            verdicts, faults = ear.bodies("/top/verdicts"), counted(ear)
    reasons = [one["reason"] for one in verdicts]
    assert [one["seq"] for one in verdicts] == list(range(1, len(verdicts) + 1))
    bad = [one for one in verdicts if one["reason"] == "frame_not_usable"]
    judged = [one for one in verdicts if one["score"] is not None]
    assert len(bad) + len(judged) == len(verdicts), set(reasons)
    assert {one["outcome"] for one in bad} == {"fail"}
    assert any("packets of it are missing" in one["detail"] for one in bad)
    assert not any(one["simulated"] for one in verdicts)
    assert faults["frames_incomplete"] <= len(bad)
    assert len(judged) > 10


def counted(ear):
    """{kind: count} of the newest health message."""
    told = [body["cameras"]["top"]["faults"] for body in ear.bodies("/health")]
    return {kind: int(n) for kind, n in (one.split(": ") for one in told[-1])} if told else {}


@pytest.mark.slow
@needs_aravis
def test_a_killed_capture_and_a_camera_that_goes_are_found_again():
    """Kill -9 leaves the camera held for seconds; one switched off and on is found too."""
    with FakeCamera() as fake, running(camera=fake.name) as (camera, slot, health):
        assert slot.take(8.0) is not None
        os.kill(camera.pid, signal.SIGKILL)
        assert until(lambda: health.counts("eye").reconnects >= 1)
        before = health.counts("eye").frames
        assert until(lambda: health.counts("eye").frames > before + 2, 20), health.standing()
        fake.stop()
        assert until(lambda: health.standing() != ()), "its absence is no fault"
        fake.start()
        assert until(lambda: health.standing() == (), 25), health.standing()


@pytest.mark.slow
@needs_aravis
def test_a_triggered_camera_may_give_no_frame_for_long(tmp_path):
    """It answers: nothing is restarted, nobody is alarmed, and the doctor finds it well."""
    line = {"trigger": "Line0", "limits": (4.0, 0.5)}
    with FakeCamera() as fake:
        with running(camera=fake.name, **line) as (camera, slot, health):
            assert slot.take(2.5) is None
            assert (health.counts("eye").reconnects, health.standing()) == (0, ())
            assert camera.settings.waits
        box = Box(tmp_path)
        source = f'{{ kind = "genicam", camera = "{fake.name}", trigger = "Line0" }}'
        box.write(f'[cameras.top]\nbundle = "bundle"\nopen_s = 3.0\nsource = {source}\n')
        (found,) = cameras.lenses(box.appliance(), 0.5)
    assert (found.state, "waits for its trigger" in found.said) == (State.WELL, True)


@needs_aravis
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"camera": "Nobody-1"}, "those that answer: Aravis-Fake-GV01"),
        ({"pixel_format": "Mono12"}, "choose one of: BayerBG8"),
        ({"features": {"Gian": 3}}, "refuses features: [Gian] Not found"),
        ({"trigger": "Line9"}, "refuses trigger"),
    ],
)
def test_what_a_camera_refuses_is_said(settings, said):
    """The setting, the camera's own words, and what it has instead."""
    with FakeCamera(), running(**({"camera": HOST} | settings)) as (_, _slot, health):
        assert until(lambda: any(said in one for one in health.standing())), health.standing()


def test_without_aravis_it_says_how_to_get_it(monkeypatch):
    """Names both ways: the distribution's package, and ours from PyPI."""
    monkeypatch.setattr(aravis, "LIBRARY", "libaravis-that-nobody-has.so")
    with pytest.raises(CameraError) as refused:
        aravis.Aravis()
    assert "needs Aravis" in refused.value.problem
    assert "linewarden[genicam]" in refused.value.remedy


@pytest.mark.parametrize(
    ("came", "skipped"),
    [
        ([7, 8, 9], [0, 0, 0]),
        ([7, 8, 11, 12], [0, 0, 2, 0]),
        ([65534, 65535, 1, 2], [0, 0, 0, 0]),
        ([65534, 2, 3], [0, 2, 0]),
        ([7, 9, 8, 10], [0, 1, None, 0]),
        ([0, 1, 2], [0, 0, 0]),
        ([70_000, 70_005, 70_001], [0, 4, None]),
    ],
)
def test_frame_ids_tell_what_was_lost(came, skipped):
    """Over the turn of 16 bits; one whose place was given up doesn't count twice."""
    order = Order()
    assert [order.skipped(number) for number in came] == skipped


@pytest.mark.parametrize("code", SIGNALS, ids=lambda code: SIGNALS[code].name)
def test_every_format_comes_out_as_the_colours_that_went_in(code):
    """A flat colour, laid out as the sensor would, is that colour again, at every bit depth."""
    layout, colour = SIGNALS[code], (30, 120, 210)  # blue, green, red
    rows = {"Mono": ["GG", "GG"], "BayerGR": ["GR", "BG"], "BayerRG": ["RG", "GB"]}
    rows |= {"BayerGB": ["GB", "RG"], "BayerBG": ["BG", "GR"]}
    name = layout.name.rstrip("0123456789")
    tile = [[colour["BGR".index(letter)] for letter in row] for row in rows[name]]
    sensor = np.tile(np.array(tile, np.uint16), (8, 8)) << (layout.bits - 8)
    raw = sensor.astype("<u2" if layout.bits > 8 else np.uint8).tobytes()
    pixels = mosaic.bgr(np.frombuffer(raw, np.uint8), code, 16, 16)
    wanted = (120, 120, 120) if name == "Mono" else colour
    assert pixels[4:12, 4:12].reshape(-1, 3).min(0).tolist() == list(wanted)
    assert pixels[4:12, 4:12].reshape(-1, 3).max(0).tolist() == list(wanted)


def test_rgb_and_padded_rows_are_read():
    """Red comes first in RGB8, and what follows each row is left out."""
    picture = np.random.default_rng(1).integers(0, 255, (4, 5, 3), np.uint8)
    padded = np.pad(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).reshape(4, 15), ((0, 0), (0, 1)))
    assert np.array_equal(mosaic.bgr(padded.ravel(), 0x02180014, 5, 4), picture)
    assert np.array_equal(mosaic.bgr(picture.ravel(), 0x02180015, 5, 4), picture)


@pytest.mark.parametrize(
    ("code", "size", "said"), [(0x010C0006, 64, "0x010c0006"), (0x01080001, 63, "too few")]
)
def test_what_is_no_picture_is_refused(code, size, said):
    """A packed format that isn't understood, and fewer bytes than the size wants."""
    with pytest.raises(ValueError, match=said):
        mosaic.bgr(np.zeros(size, np.uint8), code, 8, 8)


def test_a_camera_that_begins_to_number_again_is_not_blind_for_long():
    """Else thousands of its frames, or all, would count as out of turn, and it as alive."""
    order = Order()
    assert [order.skipped(number) for number in range(100_000, 100_003)] == [0, 0, 0]
    told = [order.skipped(number) for number in range(1, 12)]
    assert told.count(None) < ANEW
    assert told[-3:] == [0, 0, 0]
