import contextlib
import http.client
import json
import socket
import time

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from edge.daemon import Daemon, armed
from edge.health import CameraCounts
from edge.messages import Alarm, CameraReport, Health, OutboxReport, Severity
from edge.status.door import AT_ONCE, Door
from edge.status.metrics import Metrics
from edge.status.readiness import STALE_S, Known, unready
from export.errors import ConfigError
from tests.edge.box import DARK, Box, folder_camera
from tests.edge.verdicts import verdict

FINE = Known(
    still=(),
    idle_s={"inspector": 0.2},
    health=Health(
        at="",
        boots=1,
        epoch=7,
        cameras={"top": CameraReport(oldest=1, newest=9, frames=30, frame_age_ms=20.0)},
        outbox=OutboxReport(depth=3, waiting_in_memory=0, quarantined=0, bytes=4096),
    ),
    live=frozenset({"top"}),
    connected=True,
    alarms=(),
)


def but(**more) -> Known:
    """All well but for this."""
    return Known(**{name: getattr(FINE, name) for name in Known.__slots__} | more)


def with_camera(**more) -> Known:
    """All well but for camera `top`."""
    cameras = {"top": FINE.health.cameras["top"].model_copy(update=more)}
    return but(health=FINE.health.model_copy(update={"cameras": cameras}))


def alarm(severity) -> Alarm:
    """A full disk, so grave."""
    return Alarm(
        source="box", name="disk_full", severity=severity, state="raised", since="", detail="full"
    )


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (FINE, ()),
        (but(still=("inspector has not moved for 12 s",)), ("inspector has not moved for 12 s",)),
        (with_camera(frames=0), ("camera top has given no frame yet",)),
        (with_camera(frame_age_ms=9e3), ("camera top has given no frame for 9 s",)),
        (with_camera(frame_age_ms=STALE_S * 1e3), ()),
        (but(connected=False), ("no broker; 3 verdicts wait on the disk",)),
        (but(connected=None), ()),
        (but(alarms=(alarm(Severity.CRITICAL),)), ("box: full",)),
        (but(alarms=(alarm(Severity.WARNING),)), ()),
    ],
)
def test_ready_is_what_can_be_trusted_with_parts(known, says):
    """Every stage moves, live cameras see, the broker answers, and nothing critical stands."""
    assert unready(known) == says


def figures(page: bytes) -> dict:
    """{(name, *sorted label values): value} as Prometheus' own parser reads a page."""
    return {
        (one.name, *sorted(one.labels.values())): one.value
        for family in text_string_to_metric_families(page.decode())
        for one in family.samples
    }


def test_the_figures_are_those_of_the_books():
    """Read by Prometheus' parser: counts, ages, alarms, and every verdict's latency."""
    counts = {"top": CameraCounts(frames=30, triggers=9, verdicts=9, outcomes={"pass": 7})}
    metrics = Metrics(lambda: but(alarms=(alarm(Severity.CRITICAL),)), lambda: counts, "1.2.3")
    metrics.decided(verdict(7, 1, "top"))
    metrics.decided(verdict(7, 2, "top"))
    read = figures(metrics.page())
    assert read["linewarden_frames_total", "top"] == 30
    assert read["linewarden_verdicts_total", "pass", "top"] == 7
    assert read["linewarden_outbox_depth",] == 3
    assert read["linewarden_broker_connected",] == 1
    assert read["linewarden_alarm", "box", "critical", "disk_full"] == 1
    assert read["linewarden_stage_idle_seconds", "inspector"] == 0.2
    assert read["linewarden_frame_age_seconds", "top"] == 0.02
    assert read["linewarden_latency_seconds_count", "top", "total"] == 2
    total_s = verdict(7, 1, "top").latency_ms.total / 1e3
    assert read["linewarden_latency_seconds_sum", "top", "total"] == pytest.approx(2 * total_s)


@pytest.fixture
def door():
    """A door to a box that can be changed: (ask, box)."""
    box = {"known": FINE}
    metrics = Metrics(lambda: box["known"], dict, "1.2.3")
    made = Door("127.0.0.1", 0, lambda: box["known"], metrics)
    made.start()

    def ask(path, method="GET"):
        line = http.client.HTTPConnection("127.0.0.1", made.port, timeout=5)
        line.request(method, path)
        answer = line.getresponse()
        body = answer.read()
        line.close()
        return answer.status, body

    yield ask, box
    made.stop()


def test_alive_and_ready_are_told_apart(door):
    """A box without a broker is alive, so a restart mends nothing, but not ready."""
    ask, box = door
    assert ask("/healthz") == (200, b'{"alive": true, "reasons": []}\n')
    assert ask("/readyz?verbose")[0] == 200
    box["known"] = but(connected=False)
    assert ask("/healthz")[0] == 200
    status, body = ask("/readyz")
    assert (status, json.loads(body)["ready"]) == (503, False)
    box["known"] = but(still=("inspector has not moved for 12 s",))
    assert json.loads(ask("/healthz")[1])["reasons"] == ["inspector has not moved for 12 s"]


def test_nothing_else_is_to_be_had(door):
    """Other paths are not found, other methods not known, a HEAD has no body."""
    ask, _ = door
    assert ask("/../../etc/passwd")[0] == 404
    assert ask("/metrics", "HEAD") == (200, b"")
    assert ask("/metrics", "POST")[0] == 501


def test_a_daemon_answers_where_it_is_told_to(tmp_path):
    """Settings to socket; a port that is taken is one sentence, and the record isn't left open."""
    box = Box(tmp_path)
    box.pictures([DARK] * 3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        box.write(folder_camera() + f'\n[status]\nlisten = "127.0.0.1:{port}"\n')
        appliance = box.appliance()
        with pytest.raises(ConfigError, match=r"status\.listen: nobody can listen"):
            Daemon(appliance, armed(appliance))
    daemon = Daemon(appliance, armed(appliance))
    daemon.start()
    try:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        line.request("GET", "/readyz")
        assert json.loads(line.getresponse().read()) == {"ready": True, "reasons": []}
        line.close()
    finally:
        daemon.stop()


def test_one_who_dawdles_keeps_nobody_out(monkeypatch):
    """A letter now and then is no request: after its time its place is free for the others."""
    monkeypatch.setattr("edge.status.door.REQUEST_S", 0.3)
    made = Door("127.0.0.1", 0, lambda: FINE, Metrics(lambda: FINE, dict, "1.2.3"))
    made.start()
    slow, end = [], time.monotonic() + 0.9
    while time.monotonic() < end:
        if len(slow) < AT_ONCE:
            slow.append(socket.create_connection(("127.0.0.1", made.port)))
        for one in slow:
            with contextlib.suppress(OSError):
                one.send(b"G")
        time.sleep(0.03)
    line = http.client.HTTPConnection("127.0.0.1", made.port, timeout=5)
    line.request("GET", "/healthz")
    assert line.getresponse().status == 200
    for one in (line, *slow):
        one.close()
    made.stop()


def test_it_may_listen_by_the_newer_protocol():
    """The settings take [::1]:9464."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    made = Door("::1", 0, lambda: FINE, Metrics(lambda: FINE, dict, "1.2.3"))
    made.start()
    try:
        line = http.client.HTTPConnection("::1", made.port, timeout=5)
        line.request("GET", "/healthz")
        assert line.getresponse().status == 200
        line.close()
    finally:
        made.stop()


def test_a_book_that_can_not_be_read_is_an_answer(door):
    """Who watches the box is told so at once, and nothing of it."""
    ask, box = door
    with structlog.testing.capture_logs() as told:
        box["known"] = None
        assert ask("/readyz") == (500, b"{}\n")
    assert [one["event"] for one in told] == ["no answer"]
