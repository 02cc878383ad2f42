"""A mailbox never grows beyond its room, never waits, and counts what it let go."""

import threading

import pytest

from edge.config import load
from edge.gateway.gateway import Gateway
from edge.gateway.mailbox import Mailbox
from export.errors import ConfigError
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
