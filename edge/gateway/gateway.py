"""The gateway's composition root: one follower of the box, one mailbox for each teller.

box ══MQTT══▶ watcher ──verdicts, state, health──▶ mailboxes ──▶ Sparkplug, Home Assistant, OPC UA
"""

import threading
from collections.abc import Callable
from typing import Protocol

from edge.config import Appliance
from edge.consumer.watch import Watcher
from edge.gateway.home_assistant import Discovery
from edge.gateway.mailbox import Mailbox
from edge.gateway.opcua import OpcUaServer
from edge.gateway.sparkplug.edge_node import EdgeNode
from edge.mqtt.address import settings_of
from edge.topics import Topics
from export.errors import ConfigError
from export.verdict import Verdict

TICK_S = 0.2
STOP_S = 3.0
PLACE = "place.json"


class Teller(Protocol):
    """Tells one kind of system, from a thread of its own."""

    @property
    def name(self) -> str:
        """Of the kind of system."""
        ...

    @property
    def mailbox(self) -> Mailbox:
        """What it has still to tell."""
        ...

    @property
    def trouble(self) -> str:
        """Why it can't; "" when all is well."""
        ...

    def start(self) -> None:
        """Start the thread."""
        ...

    def stop(self, timeout_s: float) -> None:
        """Say goodbye and end."""
        ...


class Gateway:
    """Follows one box and tells.

    Args:
        appliance: the box's settings.

    Raises:
        ConfigError: there is no broker or nobody to tell, or a package isn't installed.
        StoreError: the note of its place is damaged.
    """

    def __init__(self, appliance: Appliance) -> None:
        if appliance.broker is None:
            raise ConfigError("the gateway follows the box over MQTT", "add [broker]")
        self._appliance = appliance
        self._settings = settings_of(appliance.broker)
        self._topics = Topics(appliance.station.prefix)
        self.tellers = self._made()
        if not self.tellers:
            raise ConfigError(
                "nobody is to be told",
                "add [gateway.sparkplug], [gateway.home_assistant] or [gateway.opcua]",
            )
        folder = appliance.gateway.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._watcher = Watcher(self._settings, self._topics, self._heard, position=folder / PLACE)

    def run(self, stop: threading.Event, tick: Callable[[], None] = lambda: None) -> None:
        """Until `stop` is set; raises what the follower raises."""
        for teller in self.tellers:
            teller.start()
        self._watcher.start()
        try:
            while not stop.wait(TICK_S) and self._watcher.running:
                state = self._watcher.state if self._watcher.connected else None
                for teller in self.tellers:
                    teller.mailbox.tell(state, self._watcher.health)
                tick()
        finally:
            for teller in self.tellers:
                teller.stop(STOP_S)
            self._watcher.stop()

    def troubles(self) -> dict[str, str]:
        """{who: why not, or how many verdicts were dropped}, of those where something is wrong."""
        found = {"box": self._watcher.trouble} if self._watcher.trouble else {}
        for teller in self.tellers:
            dropped = teller.mailbox.dropped
            said = [teller.trouble, f"{dropped} verdicts found no room" if dropped else ""]
            if any(said):
                found[teller.name] = "; ".join(one for one in said if one)
        return found

    def _made(self) -> list[Teller]:
        told, made = self._appliance.gateway, list[Teller]()
        if told.sparkplug:
            made.append(EdgeNode(self._settings, told.sparkplug, Mailbox(told.room), told.folder))
        if told.home_assistant:
            box = Mailbox(0)
            made.append(Discovery(self._settings, told.home_assistant, self._topics, box))
        if told.opcua:
            made.append(OpcUaServer(told.opcua, self._topics.prefix, Mailbox(told.room)))
        return made

    def _heard(self, verdict: Verdict) -> None:
        for teller in self.tellers:
            teller.mailbox.put(verdict)
