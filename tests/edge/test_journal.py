import json

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
