"""Writes docs/reference/ from the code, so that it can't say what the code doesn't do.

`make docs` writes the pages; a test fails when they differ from what this would write.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

from edge import messages
from edge.catalog.rules.house import HouseRules
from edge.config import Appliance
from edge.topics import TABLE, Direction
from export.catalog import CatalogManifest
from export.command import application
from export.manifest import Manifest
from export.verdict import Verdict

FOLDER = Path(__file__).parent / "reference"
NOTICE = "<!-- Written by `make docs` from the code: change the code, not this page. -->\n\n"
PREFIX_NOTE = (
    "Below the box's prefix, by ISA-95 levels: `enterprise/site/area/line/cell`.\n"
    "The AsyncAPI document is [asyncapi.json](asyncapi.json).\n\n"
)
TERMINAL = {"TERMINAL_WIDTH": "100", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def commands() -> str:
    """Every command's --help."""
    runner, app = CliRunner(), application()

    def help_of(words: list[str]) -> str:
        shown = runner.invoke(app, [*words, "--help"], env=TERMINAL, prog_name="linewarden").output
        return "\n".join(line.rstrip() for line in shown.strip().splitlines())

    parts = ["# Commands\n\n", NOTICE, f"```\n{help_of([])}\n```\n"]
    for name, command in sorted(subcommands(get_command(app)).items()):
        parts.append(f"\n## linewarden {name}\n\n```\n{help_of([name])}\n```\n")
        for sub in subcommands(command):
            shown = help_of([name, sub])
            parts.append(f"\n### linewarden {name} {sub}\n\n```\n{shown}\n```\n")
    return "".join(parts)


def subcommands(command: object) -> dict[str, object]:
    """A group's commands by name; none of a command that is no group."""
    return getattr(command, "commands", {})


def rows(schema: dict[str, Any], root: dict[str, Any], prefix: str = "") -> list[tuple[str, ...]]:
    """(dotted field, type, default, meaning) of an object's schema, nested objects included."""
    found: list[tuple[str, ...]] = []
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        key = f"{prefix}{name}"
        default = "required" if name in required else json.dumps(field.get("default", ""))
        default = "" if default == '""' else f"`{default}`" if default != "required" else default
        found.append((f"`{key}`", kind(field, root), default, field.get("description", "")))
        for nested, label in objects(field, root):
            found.extend(rows(nested, root, f"{key}.{label}"))
    return found


def resolve(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema that `field` refers to, or itself."""
    if "$ref" not in field:
        return field
    return root["$defs"][field["$ref"].rsplit("/", 1)[1]]


def objects(field: dict[str, Any], root: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The object schemas inside a field, each with the step that leads into it."""
    field = resolve(field, root)
    if "properties" in field:
        chosen = field["properties"].get("kind", {}).get("const")
        return [(field, f"({chosen})." if chosen else "")]
    if isinstance(field.get("additionalProperties"), dict):
        return [(o, f"NAME.{step}") for o, step in objects(field["additionalProperties"], root)]
    if "items" in field:
        return [(o, f"[].{step}") for o, step in objects(field["items"], root)]
    return [
        o for choice in field.get("oneOf", field.get("anyOf", [])) for o in objects(choice, root)
    ]


def kind(field: dict[str, Any], root: dict[str, Any]) -> str:
    """A field's type in words."""
    field = resolve(field, root)
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    for choice in ("oneOf", "anyOf"):
        if choice in field:
            return " or ".join(dict.fromkeys(kind(one, root) for one in field[choice]))
    if field.get("type") == "array":
        return f"list of {kind(field['items'], root)}" if "items" in field else "list"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {field[name]}" for name, sign in limits.items() if name in field]
    return " ".join([field.get("type", "any"), *bounds])


def page(title: str, opening: str, model: type[BaseModel], mode: Any = "serialization") -> str:
    """A page that lists the fields of a model."""
    schema = model.model_json_schema(mode=mode)
    return f"# {title}\n\n{NOTICE}{opening}\n\n{fields(schema)}"


def fields(schema: dict[str, Any]) -> str:
    """A Markdown table of a schema's fields."""
    lines = ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
        for row in rows(schema, schema)
    ]
    return "\n".join(lines) + "\n"


def topics() -> str:
    """The table of topics and the payloads."""
    parts = [
        "# Topics\n\n",
        NOTICE,
        PREFIX_NOTE,
        "| topic | who speaks | QoS | retained | payload | meaning |\n",
        "| --- | --- | --- | --- | --- | --- |\n",
    ]
    for topic in TABLE:
        retained = "yes" if topic.retained else "no"
        parts.append(
            f"| `{topic.levels}` | {topic.direction} | {topic.qos} | {retained} "
            f"| {topic.payload} | {topic.meaning} |\n"
        )
    parts.extend(
        f"\n## {payload}\n\n{fields(messages.schema(payload))}"
        for payload in (
            "State",
            "Health",
            "AlarmList",
            "Replay",
            "Trigger",
            "Flag",
            "CatalogOrder",
            "CatalogAnswer",
            "Ask",
            "Reply",
        )
    )
    parts.append("\nA verdict's fields are on [their own page](verdict.md).\n")
    return "".join(parts)


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.1 document of the box, with MQTT bindings."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in TABLE:
        channel: dict[str, Any] = {
            "address": "{prefix}/" + topic.levels,
            "messages": {topic.payload: {"$ref": f"#/components/messages/{topic.payload}"}},
            "parameters": {"prefix": {"description": "enterprise/site/area/line/cell"}},
            "description": topic.meaning,
        }
        if "{camera}" in topic.levels:
            channel["parameters"]["camera"] = {"description": "the camera's name"}
        channels[topic.name] = channel
        sends = topic.direction is Direction.FROM_BOX
        operations[f"{'send' if sends else 'receive'}{topic.name.capitalize()}"] = {
            "action": "send" if sends else "receive",
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "bindings": {
                "mqtt": {"qos": topic.qos, "retain": topic.retained, "bindingVersion": "0.2.0"}
            },
        }
    payloads = dict.fromkeys(topic.payload for topic in TABLE)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Linewarden box",
            "version": "1",
            "description": "What an inspection box says and hears over MQTT 5.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "payload": {
                        "schemaFormat": "application/schema+json;version=draft-07",
                        "schema": inlined(messages.schema(name)),
                    },
                }
                for name in payloads
            }
        },
    }


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with each $ref to its own $defs replaced by what it names."""
    definitions = schema.get("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return {**walk(definitions[node["$ref"].rsplit("/", 1)[1]]), **rest}
        return {key: walk(value) for key, value in node.items() if key != "$defs"}

    return walk(schema)


def as_json(document: object) -> str:
    """Pretty JSON with a final newline."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def pages() -> dict[str, str]:
    """Every generated page: file name → text."""
    return {
        "commands.md": commands(),
        "topics.md": topics(),
        "config.md": page(
            "appliance.toml",
            "Every key of the settings, checked by `linewarden config check`. An environment "
            "variable `LINEWARDEN__SECTION__KEY` overrides a key.",
            Appliance,
            "validation",
        ),
        "verdict.md": page("Verdict", "The fields of one verdict, in JSON.", Verdict),
        "manifest.md": page("Manifest", "The fields of a bundle's `manifest.json`.", Manifest),
        "catalog-manifest.md": page(
            "Catalog manifest",
            "The fields of `manifest.json` in a bundle for product pictures.",
            CatalogManifest,
        ),
        "house-rules.md": page(
            "House rules",
            "Every key of a shop's rules (`linewarden catalog rules marketplace`).",
            HouseRules,
            "validation",
        ),
        "asyncapi.json": as_json(asyncapi()),
        "verdict.schema.json": as_json(Verdict.model_json_schema(mode="serialization")),
        "manifest.schema.json": as_json(Manifest.model_json_schema(mode="serialization")),
        "appliance.schema.json": as_json(Appliance.model_json_schema()),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        print(f"docs/reference/{name}")
