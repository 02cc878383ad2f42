"""A mailbox never grows beyond its room, never waits, and counts what it let go."""

import threading
import time

import pytest

from edge.config import load
from edge.gateway.gateway import Gateway
from edge.gateway.mailbox import Mailbox
from edge.messages import State
from export.errors import ConfigError
from tests.broker import Mosquitto, needs_mosquitto
from tests.edge.box import Box, folder_camera
from tests.edge.verdicts import verdict


def test_the_oldest_gives_way_and_is_counted():
    """What is left are the newest, in order."""
    box = Mailbox(3)
    for seq in range(1, 8):
        box.put(verdict(1, seq))
    assert (len(box), box.dropped) == (3, 4)
    assert [one.seq for one in box.take(2)] == [5, 6]
    assert [one.seq for one in box.take(9)] == [7]
    assert box.take(9) == []


def test_one_that_wants_none_takes_none():
    """Nothing waits and nothing counts as dropped."""
    box = Mailbox(0)
    box.put(verdict(1, 1))
    assert (len(box), box.dropped) == (0, 0)


def test_taken_and_dropped_are_all_that_was_put():
    """From two threads at once: nothing twice, nothing unaccounted for."""
    box, taken = Mailbox(50), []
    news = [verdict(1, seq) for seq in range(1, 3001)]
    filling = threading.Thread(target=lambda: [box.put(one) for one in news])
    filling.start()
    while filling.is_alive():
        taken += box.take(7)
    filling.join()
    taken += box.take(50)
    seqs = [one.seq for one in taken]
    assert seqs == sorted(set(seqs))
    assert len(taken) + box.dropped == 3000


@pytest.mark.parametrize(
    ("broker", "said"), [("", "follows the box over MQTT"), ("mqtt://127.0.0.1:9", "nobody")]
)
def test_a_gateway_without_a_broker_or_somebody_to_tell_is_refused(tmp_path, broker, said):
    """With what to add."""
    box = Box(tmp_path)
    with pytest.raises(ConfigError, match=said):
        Gateway(load(box.write(folder_camera(), broker), {}).appliance)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[gateway.sparkplug]\ngroup = "a/b"\nnode = "n"', "topic level"),
        ('[gateway.sparkplug]\ngroup = ""\nnode = "n"', "empty"),
        ('[gateway.home_assistant]\nprefix = "a#"', "topic level"),
        ('[gateway.opcua]\nlisten = "0.0.0.0:4840"', "plain = true"),
        ('[gateway.opcua]\ncertificate = "c.pem"', "belong together"),
        ('[gateway.opcua]\nlisten = "4840"', "listen"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, table, said):
    """Named by key, with what to do."""
    box = Box(tmp_path)
    with pytest.raises(ConfigError, match=said):
        load(box.write(f"{folder_camera()}\n{table}\n"), {})


@needs_mosquitto
def test_who_hears_nothing_does_not_say_that_all_is_well(tmp_path):
    """Without the broker nobody knows how the box is: its last values are no longer good."""
    box, stop, teller = Box(tmp_path), threading.Event(), Patient()
    box.pictures([20])
    with Mosquitto(tmp_path) as broker:
        box.write(folder_camera() + "\n[gateway.home_assistant]\n", broker.url)
        made = Gateway(box.appliance())
        made.tellers = [teller]
        made._watcher.state = State(
            state="online", at="", epoch=1, boots=1, session=1, version="1"
        )  # fmt: skip
        thread = threading.Thread(target=made.run, args=(stop,))
        thread.start()
        try:
            assert teller.waits_until(online=True)
            broker.kill()
            assert teller.waits_until(online=False)
        finally:
            stop.set()
            thread.join()


class Patient:
    """A teller that tells nobody."""

    name, trouble = "patient", ""

    def __init__(self):
        self.mailbox = Mailbox(1)

    def start(self):
        """Nothing."""

    def stop(self, _timeout_s):
        """Nothing."""

    def waits_until(self, *, online):
        """Whether the box came to be so in time."""
        end = time.monotonic() + 5
        while self.mailbox.online is not online and time.monotonic() < end:
            time.sleep(0.02)
        return self.mailbox.online is online
