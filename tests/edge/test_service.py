import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import structlog

from edge.config import service_manager
from edge.pulse import Pulse
from edge.service import Notify, Service
from tests.edge.box import DARK, Box, folder_camera


@pytest.fixture
def manager(tmp_path):
    """A service manager's end of the socket: call it for what was said since."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        address = str(tmp_path / "notify")
        door.bind(address)
        door.setblocking(False)

        def heard():
            said = []
            try:
                while True:
                    said += door.recv(4096).decode().splitlines()
            except BlockingIOError:
                return said

        heard.address, heard.door = address, door
        yield heard


def test_the_watchdog_is_fed_only_while_every_stage_moves(manager):
    """One stage that hangs starves it, and the manager is told which; moving again feeds it."""
    now = [0]
    pulse = Pulse(lambda: now[0])
    beat = pulse.stage("inspector", 5.0)
    service = Service(Notify(manager.address, 1e-9), pulse)
    service.turn("fine")
    assert manager() == ["STATUS=fine", "WATCHDOG=1"]
    now[0] = 6_000_000_000
    with structlog.testing.capture_logs() as told:
        service.turn("fine")
        service.turn("fine")
    assert manager() == ["STATUS=not moving: inspector has not moved for 6 s"]
    assert len(told) == 1
    beat()
    service.turn("fine")
    assert manager() == ["STATUS=fine", "WATCHDOG=1"]


def test_a_manager_is_told_of_a_reload_and_of_its_end(manager):
    """As sd_notify(3) wants it, with the monotonic time that Type=notify-reload asks for."""
    service = Service(Notify(manager.address), Pulse())
    service.reloading()
    service.ready()
    begun, stamp, ended = manager()
    assert (begun, ended) == ("RELOADING=1", "READY=1")
    assert abs(int(stamp.removeprefix("MONOTONIC_USEC=")) / 1e6 - time.monotonic()) < 5


def test_nobody_is_told_where_nobody_listens(tmp_path):
    """Started by hand, or by a manager that has gone: silence, no error."""
    Notify().send("READY=1")
    Notify(str(tmp_path / "gone"), 1.0).send("READY=1")


def test_what_the_manager_wants_is_in_the_environment():
    """As sd_notify(3) and sd_watchdog_enabled(3) say; another process's watchdog isn't ours."""
    told = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}
    assert service_manager(told) == ("/run/x", 30.0)
    assert service_manager(told | {"WATCHDOG_PID": str(os.getpid())}) == ("/run/x", 30.0)
    assert service_manager(told | {"WATCHDOG_PID": "1"}) == ("/run/x", 0.0)
    assert service_manager({}) == ("", 0.0)


def test_a_real_box_says_when_it_is_ready_and_when_it_stops(tmp_path, manager):
    """READY once, a watchdog fed while it runs, STOPPING on SIGTERM."""
    box = Box(tmp_path)
    box.pictures([DARK] * 3)
    box.write(folder_camera())
    run = (
        "from edge.cli.run import run; import sys; from pathlib import Path; "
        "run(Path(sys.argv[1]), forever=True)"
    )
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000"}
    process = subprocess.Popen(
        [sys.executable, "-c", run, str(box.settings)],
        env=os.environ | told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    said, until_s = [], time.monotonic() + 30
    while said.count("WATCHDOG=1") < 3 and time.monotonic() < until_s:
        time.sleep(0.05)
        said += manager()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    said += manager()
    assert said.count("READY=1") == 1
    assert said.index("READY=1") < said.index("WATCHDOG=1")
    assert said[-1] == "STOPPING=1" or said[-2:] == ["STOPPING=1", "WATCHDOG=1"]


def test_a_status_of_several_lines_is_one(manager):
    """What a camera or model says of itself must not pass for an assignment."""
    Service(Notify(manager.address), Pulse()).turn("! a fault\nWATCHDOG=1\r\nSTOPPING=1")
    assert manager() == ["STATUS=! a fault WATCHDOG=1 STOPPING=1"]
