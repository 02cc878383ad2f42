"""Laws of the watcher: every verdict once and in order, whatever happened between."""

import json
import os
import subprocess
import sys

import pytest

from edge.consumer.watch import Enough, Watcher
from edge.mqtt.address import BrokerSettings, BrokerUrl
from export.errors import StoreError
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.mqtt.test_broker import TOPICS, Box, wait
from tests.edge.verdicts import verdict
from tests.listener import Listener

COMMAND = "from export.command import main; main()"


@pytest.fixture
def mosquitto(tmp_path):
    """A broker that runs."""
    with Mosquitto(tmp_path) as broker:
        yield broker


def settings(mosquitto):
    """How to reach it, impatiently."""
    return BrokerSettings(BrokerUrl.parse(mosquitto.url), backoff_max_s=0.3)


@needs_mosquitto
def test_what_came_before_is_asked_for(tmp_path, mosquitto):
    """From the start: everything the box keeps, in order, then what comes."""
    box = Box(tmp_path, mosquitto.url)
    box.put(1500)
    assert box.delivered()
    got = []
    with Watcher(settings(mosquitto), TOPICS, got.append, from_start=True) as watcher:
        assert wait(lambda: len(got) >= 1500)
        box.put(10)
        assert wait(lambda: len(got) == 1510)
        assert [v.seq for v in got] == list(range(1, 1511))
        assert wait(lambda: watcher.state is not None)
        assert watcher.state.state == "online"
        assert watcher.report().counts.lost == 0
    box.close()


@needs_mosquitto
def test_a_broker_that_forgets_costs_nothing(tmp_path, mosquitto):
    """Verdicts that the broker took and lost are asked for again."""
    box = Box(tmp_path, mosquitto.url)
    got = []
    with Watcher(settings(mosquitto), TOPICS, got.append, from_start=True) as watcher:
        box.put(5)
        assert wait(lambda: len(got) == 5)
        mosquitto.restart()
        assert wait(lambda: box.broker.connected)
        box.put(5)  # taken by the broker, perhaps before the watcher is back
        assert wait(lambda: len(got) == 10, 15)
        assert [v.seq for v in got] == list(range(1, 11))
        assert watcher.report().connections >= 2
    box.close()


@needs_mosquitto
def test_a_position_file_carries_over_a_restart(tmp_path, mosquitto):
    """Stopped in the middle of a delivery it goes on with the next verdict, none twice."""
    box = Box(tmp_path, mosquitto.url)
    box.put(20)
    assert box.delivered()
    place = tmp_path / "place.json"
    got = []

    def five(one):
        got.append(one.seq)
        if len(got) % 5 == 0:
            raise Enough

    for times in range(1, 5):
        more = {"from_start": True, "position": place}
        with Watcher(settings(mosquitto), TOPICS, five, **more) as watcher:
            assert watcher.wait(10)
        assert got == list(range(1, 5 * times + 1))
    box.close()


@needs_mosquitto
def test_a_callback_that_raises_ends_the_watcher_and_keeps_its_verdict(tmp_path, mosquitto):
    """The error comes out of `stop`; the verdict it could not take comes again."""
    box = Box(tmp_path, mosquitto.url)
    box.put(3)
    assert box.delivered()
    place = tmp_path / "place.json"

    def fails_on_two(one):
        if one.seq == 2:
            raise RuntimeError("the database is away")

    watcher = Watcher(settings(mosquitto), TOPICS, fails_on_two, from_start=True, position=place)
    watcher.start()
    assert watcher.wait(10)
    with pytest.raises(RuntimeError, match="away"):
        watcher.stop()
    got = []
    with Watcher(settings(mosquitto), TOPICS, got.append, position=place):
        assert wait(lambda: len(got) == 2)
    assert [v.seq for v in got] == [2, 3]
    box.close()


@needs_mosquitto
def test_nonsense_on_the_topics_is_counted_and_ignored(mosquitto):
    """A payload that isn't a verdict, or is another camera's, reaches nobody."""
    got = []
    with (
        Listener(mosquitto.port, "none") as liar,
        Watcher(settings(mosquitto), TOPICS, got.append) as watcher,
    ):
        assert wait(lambda: watcher.trouble == "")
        body = verdict(1, 1, "cam").to_json()
        for topic, payload in (
            (TOPICS("verdicts", "cam"), b"{}"),
            (TOPICS("verdicts", "other"), body),
            (TOPICS("health"), b"\xff"),
            (TOPICS("state"), b"[]"),
            (TOPICS("verdicts", "cam"), body),
        ):
            liar.publish(topic, payload).wait_for_publish(5)
        assert wait(lambda: len(got) == 1)
        assert watcher.report().rejected == 4


@pytest.mark.parametrize("text", ["", "{}", '{"prefix": "other", "cameras": {}}', "[1]"])
def test_a_position_file_that_makes_no_sense_is_refused(tmp_path, text):
    """Damaged, or another box's: an error that names it, instead of a fresh start."""
    place = tmp_path / "place.json"
    place.write_text(text)
    with pytest.raises(StoreError, match=r"place\.json"):
        Watcher(BrokerSettings(BrokerUrl("nowhere", 1)), TOPICS, print, position=place)


@needs_mosquitto
def test_the_command_shows_verdicts_and_sums_up(tmp_path, mosquitto):
    """`linewarden watch --json --count N`: N lines on standard output, the rest on the other."""
    box = Box(tmp_path, mosquitto.url)
    box.put(8)
    assert box.delivered()
    asked = ["watch", "--broker", mosquitto.url, "--prefix", TOPICS.prefix, "--from-start"]

    def run(*more):
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *asked, *more],
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
            env={**os.environ, "NO_COLOR": "1"},
        )

    state = ["--state", str(tmp_path / "place.json")]
    done = run("--json", "--count", "5", *state)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [1, 2, 3, 4, 5]
    assert "5 verdicts in order" in done.stderr
    done = run("--count", "4", "--timeout", "2", *state)
    assert done.returncode == 1, "three of four"
    assert [line.split()[2] for line in done.stdout.splitlines()[1:]] == ["6", "7", "8"]
    box.close()


def test_the_command_refuses_a_wrong_address():
    """A wrong address is exit code 2 and a sentence."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "watch", "--broker", "http://x", "--prefix", "a/b"],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "mqtt://HOST" in done.stderr
