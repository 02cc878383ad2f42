import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.camera.camera import Camera, CameraSettings
from edge.camera.slot import Slot
from edge.frame import Frame, Unusable
from edge.health import Health

FAST = {"open_s": 3.0, "stall_s": 0.6}


@pytest.fixture
def pictures(tmp_path):
    """Ten pictures of different sizes, each of one grey that tells its number."""
    for index in range(10):
        picture = np.full((40 + 8 * index, 64, 3), 10 * index, np.uint8)
        cv2.imwrite(str(tmp_path / f"{index:02}.png"), picture)
    return tmp_path


@contextmanager
def running(source, *, lossless=True, **limits):
    """A camera at work, with its slot and the box's health; stopped afterwards."""
    health = Health(("eye",))
    slot = Slot(lossless=lossless)
    camera = Camera(CameraSettings("eye", source, lossless, **(FAST | limits)), slot, health)
    camera.start()
    try:
        yield camera, slot, health
    finally:
        camera.stop()


def until(condition, timeout_s=10.0):
    """Whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def everything(slot):
    """All that comes out of a slot until it is finished."""
    seen = []
    while not slot.finished:
        if (item := slot.take(0.2)) is not None:
            seen.append(item)
    return seen


def test_a_folder_is_delivered_whole_in_order_and_unchanged(pictures):
    """A played source loses nothing, whatever the size of its pictures."""
    with running({"kind": "folder", "path": str(pictures)}) as (_, slot, health):
        seen = everything(slot)
    assert [frame.label for frame in seen] == [f"{index:02}.png" for index in range(10)]
    assert [frame.number for frame in seen] == list(range(10))
    for index, frame in enumerate(seen):
        assert frame.pixels.shape == (40 + 8 * index, 64, 3)
        assert (frame.pixels == 10 * index).all()
    assert health.counts("eye").frames == 10


def test_a_bad_picture_takes_its_place_as_unusable(pictures):
    """A damaged file is told apart, and the others are delivered."""
    (pictures / "03x.png").write_bytes(b"not a picture")
    with running({"kind": "folder", "path": str(pictures)}) as (_, slot, _health):
        seen = everything(slot)
    assert [type(one) for one in seen].count(Unusable) == 1
    assert isinstance(seen[4], Unusable)
    assert "03x.png" in seen[4].why
    assert len(seen) == 11


def test_a_killed_capture_is_restarted_and_goes_on_where_it_was(pictures):
    """Kill -9 in the middle of a folder: no picture twice, none missing."""
    seen, killed = [], False
    with running({"kind": "folder", "path": str(pictures)}) as (camera, slot, health):
        while not slot.finished:
            if (item := slot.take(0.2)) is not None:
                seen.append(item)
            if len(seen) == 3 and not killed:
                killed = True
                os.kill(camera.pid, signal.SIGKILL)
    assert [frame.number for frame in seen] == list(range(10))
    assert health.counts("eye").reconnects == 1
    assert health.standing() == ()


def test_a_picture_that_kills_the_capture_is_led_past(pictures, monkeypatch):
    """One file that crashes a decoder each time costs its own verdict, not the line's."""
    monkeypatch.setattr("edge.camera.camera.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr("edge.camera.camera.LAST_BACKOFF_S", 0.01)
    os.mkfifo(pictures / "04x.png")  # a read from it hangs: as bad as a crash
    with running({"kind": "folder", "path": str(pictures)}, open_s=1.5, stall_s=0.5) as (
        _,
        slot,
        health,
    ):
        seen = everything(slot)
    bad = [one for one in seen if isinstance(one, Unusable)]
    assert len(bad) == 1
    assert bad[0].number == 5
    assert len(seen) == 11
    assert health.counts("eye").reconnects == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "folder", "path": "/nowhere"}, "'/nowhere' is not a folder"),
        ({"kind": "video", "path": "/nowhere.mp4", "loop": False}, "does not exist"),
        ({"kind": "stream", "url": "http://127.0.0.1:9/x"}, "can't be opened"),
        (
            {"kind": "device", "index": 97, "width": None, "height": None, "fps": None},
            "/dev/video97 can't be opened",
        ),
    ],
)
def test_a_source_that_cannot_be_opened_is_named_and_tried_again(source, said):
    """The fault says which source and why; the camera keeps trying."""
    with running(source) as (_, slot, health):
        assert until(lambda: health.counts("eye").reconnects >= 2)
        assert said in health.standing()[0]
        assert not slot.finished


def test_a_silent_stream_is_killed_and_tried_again():
    """A server that accepts and says nothing holds a capture for no longer than its time-out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/stream"
        with running({"kind": "stream", "url": url}, lossless=False, open_s=0.8) as (_, _slot, h):
            assert until(lambda: h.counts("eye").reconnects >= 2)
            assert "did not open within 0.8 s" in h.standing()[0]
            assert url.rpartition("//")[2] in h.standing()[0]


class Eye(ThreadingHTTPServer):
    """A network camera on loopback that sends grey JPEGs, multipart, until it is shut."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port=0):
        self.on = True
        super().__init__(("127.0.0.1", port), EyeHandler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self):
        self.on = False
        self.shutdown()
        self.server_close()


class EyeHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        body = cv2.imencode(".jpg", np.full((48, 64, 3), 99, np.uint8))[1].tobytes()
        head = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body)
        while self.server.on:
            try:
                self.wfile.write(head + body + b"\r\n")
            except OSError:
                return
            time.sleep(0.02)

    def log_message(self, *_):
        return


def test_a_network_camera_that_goes_and_comes_is_found_again():
    """Frames flow; the camera is switched off and is a fault; it is on again and frames flow."""
    eye = Eye()
    port = eye.server_address[1]
    source = {"kind": "stream", "url": f"http://127.0.0.1:{port}/live.mjpg"}
    with running(source, lossless=False, open_s=8.0, stall_s=1.0) as (_, slot, health):
        frame = slot.take(8)
        assert frame.pixels.shape == (48, 64, 3)
        eye.shut()
        assert until(health.standing)
        eye = Eye(port)
        before = health.counts("eye").frames
        assert until(lambda: health.counts("eye").frames > before + 10, 15)
        assert health.standing() == ()
    eye.shut()


def test_a_pipe_without_a_writer_does_not_hang_the_box(tmp_path):
    """Opening it blocks for ever in the library; the watchdog doesn't care."""
    pipe = tmp_path / "video.mp4"
    os.mkfifo(pipe)
    source = {"kind": "video", "path": str(pipe), "loop": False}
    with running(source, open_s=0.8) as (camera, _, health):
        assert until(lambda: health.counts("eye").reconnects >= 1)
        started = time.monotonic()
        camera.stop()
        assert time.monotonic() - started < 2


def test_a_stopped_capture_is_seen_as_a_stall(tmp_path):
    """SIGSTOP is what a hung driver looks like: killed after stall_s, then frames flow again."""
    video = film(tmp_path / "film.avi", 20)
    source = {"kind": "video", "path": str(video), "loop": True}
    with running(source, lossless=False) as (camera, slot, health):
        assert slot.take(5) is not None
        os.kill(camera.pid, signal.SIGSTOP)
        assert until(lambda: health.counts("eye").reconnects == 1)
        before = health.counts("eye").frames
        assert until(lambda: health.counts("eye").frames > before + 5)
        assert until(lambda: health.standing() == ())


def film(path, frames):
    """A video file whose frames are grey: 0, then 5, then 10 and so on."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    for index in range(frames):
        writer.write(np.full((48, 64, 3), 5 * index, np.uint8))
    writer.release()
    return path


def test_a_video_is_delivered_whole(tmp_path):
    """Every frame of a file, in order."""
    source = {"kind": "video", "path": str(film(tmp_path / "film.avi", 15)), "loop": False}
    with running(source) as (_, slot, _health):
        seen = everything(slot)
    assert [frame.number for frame in seen] == list(range(15))
    levels = [float(frame.pixels.mean()) for frame in seen]
    assert levels == pytest.approx([5 * index for index in range(15)], abs=3)


def test_a_live_source_loses_frames_to_newer_ones_and_counts_them(tmp_path):
    """A slow line sees the newest frame; seen + overwritten = delivered."""
    source = {"kind": "video", "path": str(film(tmp_path / "film.avi", 40)), "loop": False}
    with running(source, lossless=False) as (_, slot, health):
        seen = []
        while not slot.finished:
            time.sleep(0.01)
            if (item := slot.take(0.2)) is not None:
                seen.append(item.number)
    counts = health.counts("eye")
    assert seen == sorted(seen)
    assert len(seen) + counts.overwritten == 40
    assert all(isinstance(number, int) for number in seen)


PARENT = """
import sys, time
from edge.camera.camera import Camera, CameraSettings
from edge.health import Health
from edge.camera.slot import Slot
source = {"kind": "video", "path": sys.argv[1], "loop": True}
camera = Camera(CameraSettings("eye", source, True), Slot(lossless=True), Health(("eye",)))
camera.start()
while camera.slot.take(1) is None:
    pass
print(camera.pid, flush=True)
time.sleep(60)
"""


def test_a_capture_dies_with_the_daemon(tmp_path):
    """Kill -9 of the daemon leaves no process behind."""
    video = film(tmp_path / "film.avi", 10)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(video)], stdout=subprocess.PIPE)
    try:
        child = int(parent.stdout.readline())
        assert alive(child)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    assert until(lambda: not alive(child), 3)


def alive(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_frames_are_copies_of_their_own(pictures):
    """A frame kept is not overwritten when its buffer is used again."""
    with running({"kind": "folder", "path": str(pictures)}) as (_, slot, _health):
        kept = [one for one in everything(slot) if isinstance(one, Frame)]
    assert [int(frame.pixels[0, 0, 0]) for frame in kept] == [10 * index for index in range(10)]
