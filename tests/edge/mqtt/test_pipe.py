"""A pipe's manners towards the network, against a real mosquitto."""

import socket

import pytest

from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.pipe import Pipe, Publication
from tests.broker import Mosquitto, needs_mosquitto


@needs_mosquitto
@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="this system has no TCP_QUICKACK")
def test_every_answer_is_acknowledged_at_once(tmp_path):
    """Or a broker with Nagle's algorithm keeps the next answer back for 40 ms (tcp(7))."""
    broker = Mosquitto(tmp_path, log=False)
    broker.start()
    pipe = Pipe(BrokerSettings(BrokerUrl("127.0.0.1", broker.port)), "box")
    try:
        pipe.open()
        for _ in range(3):
            pipe.publish(Publication("a", b"b"))
            while not pipe.acks:
                pipe.step(1.0)
            pipe.acks.clear()
            sock = pipe._socket()
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1
    finally:
        pipe.close()
        broker.kill()
