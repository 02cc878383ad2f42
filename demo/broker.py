"""The rest of the plant: an embedded broker, and a subscriber that owes the daemon nothing.

The subscriber speaks plain paho and counts what arrived; it shares no code with the box, so that
its count is evidence.
"""

import json
import socket
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from iotcore import Broker
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

_RUMQTTD = """\
id = 0
[router]
id = 0
max_connections = 32
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "plant"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 100
dynamic_filters = true
"""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def broker(folder: Path) -> Broker:
    """An MQTT 5 broker in a child process, listening on a free loopback port once entered."""
    settings = folder / "rumqttd.toml"
    settings.write_text(_RUMQTTD.format(port=free_port()))
    return Broker(config_path=str(settings))


class Subscriber:
    """Counts every verdict below a prefix, by the key (camera, epoch, seq)."""

    def __init__(self, port: int, prefix: str) -> None:
        self.verdicts: dict[tuple[str, int, int], dict[str, Any]] = {}
        self.duplicates = 0
        self.states: list[str] = []
        self._prefix = prefix
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="independent", protocol=mqtt.MQTTv5
        )
        self._client.on_connect = self._subscribe
        self._client.on_message = self._count
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _subscribe(
        self,
        client: mqtt.Client,
        _data: object,
        _flags: mqtt.ConnectFlags,
        _code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        client.subscribe([(f"{self._prefix}/+/verdicts", 1), (f"{self._prefix}/state", 1)])

    def _count(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload)
        if message.topic.endswith("/state"):
            self.states.append(body["state"])
            return
        key = (body["camera"], body["epoch"], body["seq"])
        self.duplicates += key in self.verdicts
        self.verdicts[key] = body

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
