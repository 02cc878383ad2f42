"""What Home Assistant's documentation allows in a discovery message, as JSON Schema.

After home-assistant.io/integrations/mqtt, sensor.mqtt and binary_sensor.mqtt, the keys that are
used here. Home Assistant's own schema is asked too where LINEWARDEN_HOME_ASSISTANT names a Python
that has it.
"""

TEXT = {"type": "string", "minLength": 1}
TOPIC = {"type": "string", "pattern": "^[^#+]+$"}
AVAILABILITY = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["topic"],
        "properties": {
            "topic": TOPIC,
            "value_template": TEXT,
            "payload_available": TEXT,
            "payload_not_available": TEXT,
        },
    },
}
DEVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["identifiers"],
    "properties": {
        "identifiers": {"type": "array", "minItems": 1, "items": TEXT},
        "name": TEXT, "manufacturer": TEXT, "model": TEXT, "sw_version": TEXT,
    },
}  # fmt: skip
ORIGIN = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": TEXT, "sw_version": TEXT, "support_url": TEXT},
}
COMMON = {
    "name": TEXT, "unique_id": TEXT, "object_id": {"type": "string", "pattern": "^[a-zA-Z0-9_]+$"},
    "state_topic": TOPIC, "value_template": TEXT, "availability": AVAILABILITY, "device": DEVICE,
    "origin": ORIGIN, "json_attributes_topic": TOPIC,
    "entity_category": {"enum": ["diagnostic", "config"]},
}  # fmt: skip
SENSOR = {
    "state_class": {"enum": ["measurement", "total", "total_increasing"]},
    "device_class": {"enum": ["enum", "duration"]},
    "options": {"type": "array", "minItems": 1, "items": TEXT},
    "unit_of_measurement": {"enum": ["ms", "s"]},
    "suggested_display_precision": {"type": "integer", "minimum": 0},
}
BINARY_SENSOR = {"device_class": {"enum": ["problem", "connectivity"]}}
REQUIRED = ["name", "unique_id", "state_topic", "availability", "device", "origin"]


def schema(component):
    """Of the configuration of one component's entities."""
    own = {"sensor": SENSOR, "binary_sensor": BINARY_SENSOR}[component]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": REQUIRED,
        "properties": COMMON | own,
        "dependentRequired": {"options": ["device_class"]},
    }


# Run by a Python that has Home Assistant: reads [[component, configuration], …] from stdin.
ASK = """
import asyncio, json, sys
from homeassistant.components.mqtt import binary_sensor, sensor
from homeassistant.components.mqtt.abbreviations import ABBREVIATIONS
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import template

OLD = tuple(map(int, __version__.split(".")[:2])) < (2024, 9)

async def main():
    try:
        hass = HomeAssistant("/tmp")
    except TypeError:
        hass = HomeAssistant()
    asked = json.load(sys.stdin)
    for component, told, payload, wanted in asked:
        schema = {"sensor": sensor, "binary_sensor": binary_sensor}[component].DISCOVERY_SCHEMA
        read = schema(told)
        # An enum's options are known from 2024.9 on; before, an unknown key is left out.
        lost = set(told) - set(read) - ({"options"} if OLD else set())
        assert not lost, f"not understood: {lost}"
        if payload is not None:
            made = read["value_template"]
            made.hass = hass
            shown = made.async_render_with_possible_json_value(payload, parse_result=False)
            assert str(shown) == wanted, (told["name"], shown, wanted)
    print(__version__, len(asked))
    await hass.async_stop(force=True)

asyncio.run(main())
"""
