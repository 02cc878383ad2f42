"""Home Assistant's MQTT discovery: says, retained, how to read the box's own topics.

No value passes through here: Home Assistant listens to the box itself, and knows from its State
whether it is there. What is said again whenever Home Assistant starts is always the same.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.gateway.mailbox import Mailbox
from edge.gateway_tables import HomeAssistant
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Pipe, Publication
from edge.mqtt.standing import Standing
from edge.topics import Topics
from export import __version__
from export.verdict import Outcome

STEP_S = 0.5
OUTCOMES = [one.value for one in Outcome]


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that Home Assistant shows.

    Attributes:
        component: sensor or binary_sensor.
        key: its id within the device.
        name: as people read it.
        topic: of its values.
        template: how a value is read from a payload.
        more: further keys of its configuration.
    """

    component: str
    key: str
    name: str
    topic: str
    template: str
    more: dict[str, Any]


def configurations(
    topics: Topics, cameras: tuple[str, ...], prefix: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(topic, configuration) of every entity of a box, to be published retained."""
    box = "linewarden_" + hashlib.sha256(topics.prefix.encode()).hexdigest()[:12]
    device = {
        "identifiers": [box],
        "name": f"Linewarden {topics.prefix}",
        "manufacturer": "Linewarden",
        "model": "inspection box",
        "sw_version": __version__,
    }
    for entity in (*_of_box(topics), *(one for camera in cameras for one in _of(topics, camera))):
        ident = f"{box}_{entity.key}"
        yield (
            f"{prefix}/{entity.component}/{box}/{entity.key}/config",
            {
                "name": entity.name,
                "unique_id": ident,
                "object_id": ident,
                "state_topic": entity.topic,
                "value_template": entity.template,
                "availability": [
                    {
                        "topic": topics("state"),
                        "value_template": "{{ value_json.state }}",
                        "payload_available": "online",
                        "payload_not_available": "offline",
                    }
                ],
                "device": device,
                "origin": {"name": "linewarden", "sw_version": __version__},
                **entity.more,
            },
        )


def _of_box(topics: Topics) -> Iterator[Entity]:
    standing = "value_json.alarms | selectattr('state', 'eq', 'raised') | list | count"
    diagnostic = {"entity_category": "diagnostic"}
    yield Entity(
        "binary_sensor", "problem", "Problem", topics("alarms"),
        f"{{{{ 'ON' if {standing} else 'OFF' }}}}",
        {"device_class": "problem", "json_attributes_topic": topics("alarms")},
    )  # fmt: skip
    yield Entity(
        "sensor", "outbox_depth", "Verdicts not yet delivered", topics("health"),
        "{{ value_json.outbox.depth }}", {"state_class": "measurement", **diagnostic},
    )  # fmt: skip


def _of(topics: Topics, camera: str) -> Iterator[Entity]:
    key, last, health = slug(camera), topics("last", camera), topics("health")
    of_health = f"value_json.cameras[{json.dumps(camera)}]"
    yield Entity(
        "sensor", f"{key}_outcome", f"{camera} outcome", last, "{{ value_json.outcome }}",
        {"device_class": "enum", "options": OUTCOMES, "json_attributes_topic": last},
    )  # fmt: skip
    yield Entity(
        "sensor", f"{key}_score", f"{camera} score", last, "{{ value_json.score }}",
        {"state_class": "measurement", "suggested_display_precision": 3},
    )  # fmt: skip
    yield Entity(
        "sensor", f"{key}_latency", f"{camera} capture to verdict", last,
        "{{ value_json.latency_ms.total }}",
        {"state_class": "measurement", "device_class": "duration", "unit_of_measurement": "ms"},
    )  # fmt: skip
    yield Entity(
        "sensor", f"{key}_verdicts", f"{camera} verdicts", health,
        f"{{{{ {of_health}.verdicts }}}}", {"state_class": "total_increasing"},
    )  # fmt: skip
    yield Entity(
        "binary_sensor", f"{key}_frames", f"{camera} gives frames", health,
        f"{{{{ 'ON' if {of_health}.frames and {of_health}.frame_age_ms < 5000 else 'OFF' }}}}",
        {"device_class": "connectivity", "entity_category": "diagnostic"},
    )  # fmt: skip


def slug(camera: str) -> str:
    """As an id of letters, digits and _, another one for each name."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", camera)
    if plain == camera:
        return plain
    return f"{plain}_{hashlib.sha256(camera.encode()).hexdigest()[:8]}"


class Discovery:
    """Tells Home Assistant of one box.

    Args:
        settings: where the broker is.
        section: of the settings.
        topics: the box's.
        mailbox: says which cameras there are; verdicts in it are not needed.

    Attributes:
        trouble: why it can't be told; "" when all is well.
    """

    name = "home assistant"

    def __init__(
        self, settings: BrokerSettings, section: HomeAssistant, topics: Topics, mailbox: Mailbox
    ) -> None:
        self.trouble = "not yet connected"
        self.mailbox = mailbox
        self._topics, self._prefix = topics, section.prefix
        self._line = Standing(
            settings, "home assistant", lambda: Pipe(settings, f"lwha-{secrets.token_hex(8)}"),
            self._session, self._lost,
        )  # fmt: skip

    def start(self) -> None:
        """Start the thread."""
        self._line.start()

    def stop(self, timeout_s: float) -> None:
        """End; what was said stays with the broker."""
        self._line.stop(timeout_s)

    def _lost(self, why: str) -> None:
        self.trouble = why

    def _session(self, pipe: Pipe) -> None:
        status = f"{self._prefix}/status"
        pipe.subscribe(status, retained=False)
        told: tuple[str, ...] = ()
        self.trouble = ""
        while not self._line.ending.is_set():
            cameras = tuple(self.mailbox.health.cameras) if self.mailbox.health else ()
            while pipe.messages:
                if pipe.messages.popleft() == (status, b"online"):
                    told = ()  # it has started: say everything again
            if cameras and cameras != told:
                for topic, said in configurations(self._topics, cameras, self._prefix):
                    pipe.publish(Publication(topic, json.dumps(said).encode(), retain=True))
                told = cameras
            pipe.step(STEP_S, self._line.bell)
            refused = [ack.failure for ack in pipe.acks if ack.failure]
            pipe.acks.clear()
            if refused:
                self.trouble = f"the broker refuses: {refused[-1]}"
