"""edge/mqtt/standing.py: a connection that is there again after every break."""

import threading
from pathlib import Path

import certifi
import pytest
import structlog

from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.pipe import Pipe, PipeClosed
from edge.mqtt.standing import Standing

SETTINGS = BrokerSettings(
    BrokerUrl.parse("mqtt://127.0.0.1:1"), backoff_min_s=0.01, backoff_max_s=1000.0
)


@pytest.fixture(autouse=True)
def _quiet():
    """Planted failures are not printed."""
    with structlog.testing.capture_logs():
        yield


class Fake:
    """A pipe that opens or doesn't."""

    def __init__(self, opens=True):
        self.opens, self.closed = opens, None

    def open(self):
        if not self.opens:
            raise PipeClosed("nobody there")

    def close(self, *, goodbye=False):
        self.closed = goodbye


def standing(session, pipes=Fake, lost=lambda _why: None):
    """One over fake pipes."""
    return Standing(SETTINGS, "test", pipes, session, lost)


def test_each_connection_begins_the_pauses_anew():
    """12 breaks one after the other; doubled each time, the pauses would last 40 seconds."""
    count, enough, whys = 0, threading.Event(), []

    def session(_pipe):
        nonlocal count
        count += 1
        if count == 12:
            enough.set()
        raise PipeClosed("cut")

    line = standing(session, lost=whys.append)
    line.start()
    assert enough.wait(10)
    line.stop()
    assert set(whys) == {"cut"}


def test_pauses_grow_while_nobody_is_there():
    """And stop ends the longest of them at once."""
    made = []

    def pipe():
        made.append(Fake(opens=False))
        return made[-1]

    line = standing(lambda _pipe: None, pipe)
    line.start()
    assert not line.ending.wait(1.0)
    line.stop(timeout_s=5.0)
    assert 3 <= len(made) <= 8
    assert all(one.closed is False for one in made[:-1]), "no goodbye to a broker that isn't there"


def test_a_session_that_errs_is_not_the_end():
    """It is told, and the next one comes."""
    again, whys = threading.Event(), []

    def session(_pipe):
        if whys:
            again.set()
            line.ending.wait()
            return
        raise ValueError("planted")

    line = standing(session, lost=whys.append)
    line.start()
    assert again.wait(5)
    line.stop()
    assert whys == ["ValueError('planted')"]


def test_goodbye_is_said_at_the_end():
    """By a session that returns because it is asked to."""
    pipe = Fake()
    line = standing(lambda _pipe: line.ending.wait(), lambda: pipe)
    line.start()
    line.stop()
    assert pipe.closed is True


def test_one_that_never_started_stops():
    """Nothing waits for it."""
    standing(lambda _pipe: None).stop()


def test_a_certificate_that_is_being_exchanged_ends_an_attempt_only(tmp_path):
    """Read when a connection is opened: one that can't be is a reason to come again."""
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(Path(certifi.where()).read_bytes())
    settings = BrokerSettings(BrokerUrl.parse("mqtts://127.0.0.1:1"), ca_file=trusted)
    trusted.rename(tmp_path / "away.pem")
    pipe = Pipe(settings, "box")
    with pytest.raises(PipeClosed, match=r"ca\.pem"):
        pipe.open()
    (tmp_path / "away.pem").rename(trusted)
    with pytest.raises(PipeClosed, match="can't be reached"):
        pipe.open()
    pipe.close()
