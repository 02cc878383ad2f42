import json
import os
import threading
import time

import pytest
import structlog

from edge import journal


@pytest.fixture(autouse=True)
def restored():
    """The log's settings are put back."""
    yield
    structlog.reset_defaults()


def test_a_machine_reads_json_with_time_and_level(capsys):
    """One object per line, on standard error; a trace is text without local variables."""
    journal.begin(as_json=True)
    hidden = "a local value"
    try:
        int(hidden[0])
    except ValueError:
        structlog.get_logger().exception("it broke", camera="top")
    out, err = capsys.readouterr()
    told = json.loads(err)
    assert out == ""
    assert (told["event"], told["camera"], told["level"]) == ("it broke", "top", "error")
    assert told["timestamp"].endswith("Z")
    assert "ValueError: invalid literal" in told["exception"]
    assert hidden not in told["exception"]


def test_a_person_reads_a_line(capsys):
    """On a terminal the event and its fields stand on one line."""
    journal.begin(as_json=False)
    structlog.get_logger().info("camera opened", camera="top")
    assert "camera opened" in capsys.readouterr().err


def test_less_than_the_level_is_not_written(capsys):
    """Debug lines are for whoever asked for them."""
    journal.begin("info", as_json=True)
    structlog.get_logger().debug("detail")
    assert capsys.readouterr().err == ""
    journal.begin("debug", as_json=True)
    structlog.get_logger().debug("detail")
    assert "detail" in capsys.readouterr().err


def test_nobody_waits_for_a_log_that_is_not_read(monkeypatch):
    """What finds no room is dropped, and that is said when somebody reads again."""
    reads, writes = os.pipe()
    monkeypatch.setattr(journal, "WAITING", 10)
    log = journal.Aside(writes)
    began = time.monotonic()
    for number in range(200):
        log.write(f"{number} {'.' * 4000}\n")
    assert time.monotonic() - began < 0.5
    assert log.lost > 100
    text = b""
    while b"log lost" not in text:
        text += os.read(reads, 1 << 20)
        log.write("and so on\n")
    told = next(json.loads(line) for line in text.splitlines() if b"log lost" in line)
    assert told["pieces"] > 100
    log.end()
    assert not log._thread.is_alive()
    os.close(reads)
    os.close(writes)


def test_a_log_on_a_full_disk_is_nobodys_error():
    """Nor is a reader that has gone; both cost lines."""
    full = os.open("/dev/full", os.O_WRONLY)
    reads, gone = os.pipe()
    os.close(reads)
    for descriptor in (full, gone):
        log = journal.Aside(descriptor)
        log.write("a line\n")
        log.end()
        assert log.lost == 1
        os.close(descriptor)


def test_a_log_on_a_descriptor_is_written_aside(capfd):
    """Whole lines, in their order; in memory, as in a test, it is written at once."""
    journal.begin(as_json=True, aside=True)
    log = structlog.get_logger()
    for number in range(3):
        log.info("one", number=number)
    for made in [one for one in threading.enumerate() if one.name == "log"]:
        made._target.__self__.end()
    err = capfd.readouterr().err
    assert [json.loads(line)["number"] for line in err.splitlines()] == [0, 1, 2]
