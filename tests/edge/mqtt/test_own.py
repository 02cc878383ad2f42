"""Laws of the box's own messages: what ends connections is found, made shorter, and said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.messages import CameraReport, Health, OutboxReport, read
from edge.mqtt.own import OwnMessages, as_json, health_in
from edge.mqtt.pipe import Ack, Limits, Publication

HEALTH, ALARMS = "acme/health", "acme/alarms"


def health(faults=3, cameras=2) -> Health:
    """A health message with much to say."""
    told = tuple(f"fault {number}: {'x' * 60}" for number in range(faults))
    report = CameraReport(oldest=1, newest=9, faults=told)
    return Health(
        at="2026-01-02T03:04:05.000000Z",
        boots=1,
        epoch=1,
        cameras={f"cam{number}": report for number in range(cameras)},
        outbox=OutboxReport(depth=4, waiting_in_memory=0, quarantined=0, bytes=9),
        faults=told,
    )


@given(st.integers(0, 4000), st.integers(0, 5), st.integers(0, 4))
def test_health_says_what_there_is_room_for(room, faults, cameras):
    """Never longer than the room, whole if it can be, and always a health message."""
    whole = health(faults, cameras)
    said = health_in(room, whole)
    if said is None:
        assert room < len(as_json(health(0, 0))) + 40
        return
    assert len(said) <= room
    assert read(Health, said).outbox == whole.outbox
    assert len(as_json(whole)) > room or said == as_json(whole)


class Broker:
    """Ends the connection on what is longer than `most`, as mosquitto does, and says nothing."""

    def __init__(self, most, code=0x82):
        self.own, self.most, self.code, self.broken = OwnMessages(refusals=3), most, code, 0

    def tell(self, topic, length, others=0):
        """One message; returns whether it was borne."""
        self.own.sent(7, Publication(topic, b"x" * length))
        if length <= self.most:
            self.own.answered(Ack(7, 0, ""))
            return True
        self.broken += 1
        assert self.own.broke(self.code, others)
        self.own.begin()
        return False


@pytest.mark.parametrize(("code", "connections"), [(0x82, 3), (None, 10)])
def test_what_ends_connections_alone_is_made_shorter(code, connections):
    """Named by the broker it may end three connections, unnamed ten; then it has less room."""
    broker = Broker(1000, code)
    assert broker.tell(HEALTH, 500)
    for _ in range(connections):
        assert broker.own.room(HEALTH, Limits()) > 2000
        assert not broker.tell(HEALTH, 1200)
    assert broker.own.room(HEALTH, Limits()) == 600
    assert broker.own.room(ALARMS, Limits()) > 2000
    assert "no message of more than about 600 bytes on acme/health" in broker.own.faults()[0]


def test_beside_verdicts_it_is_suspected_and_not_convicted():
    """A message longer than any that was borne takes the suspicion, one that was borne doesn't."""
    broker = Broker(1000)
    for _ in range(20):
        broker.tell(HEALTH, 1200, others=5)
    assert broker.own.room(HEALTH, Limits()) > 2000
    assert broker.tell(HEALTH, 900)
    broker.own.sent(8, Publication(HEALTH, b"x" * 900))
    assert not broker.own.broke(0x82, 1)


def test_an_announced_limit_is_kept():
    """What the broker says of its limit counts without a try."""
    room = OwnMessages().room(HEALTH, Limits(packet_bytes=600))
    assert Publication(HEALTH, b"x" * room).packet_bytes == 600


def test_a_refusal_is_a_fault_until_it_is_borne():
    """Missing rights shorten nothing; "packet too large" does, also without a disconnect."""
    own = OwnMessages(refusals=2)
    for code, why in ((0x87, "Not authorized"), (0x95, "Packet too large"), (0x95, "too large")):
        own.sent(1, Publication(HEALTH, b"x" * 800))
        own.answered(Ack(1, code, why))
        assert own.faults()[0] == f"the broker refuses {HEALTH}: {why}"
    assert own.room(HEALTH, Limits()) == 400
    own.sent(2, Publication(HEALTH, b"x" * 400))
    own.answered(Ack(2, 0, ""))
    assert HEALTH not in own.refused
