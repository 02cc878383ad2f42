"""The tables of the gateway in the settings: to whom it tells what the box says.

Each is a typed model in which an unknown key is an error; `edge.config` puts them together.
"""

from pathlib import Path

from pydantic import Field, field_validator

from edge.sections import LocalPath, Section
from edge.topics import check_level

LISTEN = r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
HERE = ("127.0.0.1", "::1", "localhost")


class Sparkplug(Section):
    """Sparkplug B 3.0 over the box's broker: the box is an edge node, its cameras are devices."""

    group: str = Field(description="Sparkplug's group id")
    node: str = Field(description="the edge node's id, unique in the group")
    primary_host: str = Field(
        default="", description="host application without which nothing is said; empty: none"
    )

    @field_validator("group", "node", "primary_host")
    @classmethod
    def _level(cls, value: str) -> str:
        return check_level(value) if value else value

    def model_post_init(self, _context: object, /) -> None:
        """Refuse an empty id."""
        if not (self.group and self.node):
            raise ValueError("group and node can't be empty")


class HomeAssistant(Section):
    """Home Assistant's MQTT discovery over the box's broker."""

    prefix: str = Field(default="homeassistant", description="its discovery prefix")

    @field_validator("prefix")
    @classmethod
    def _topic(cls, value: str) -> str:
        for level in value.split("/"):
            check_level(level)
        return value


class OpcUa(Section):
    """An OPC UA server, read only."""

    listen: str = Field(
        default="127.0.0.1:4840", pattern=LISTEN, description="host:port; 0.0.0.0: every network"
    )
    certificate: LocalPath | None = Field(default=None, description="of the server (DER or PEM)")
    key: LocalPath | None = Field(default=None, description="of the certificate (PEM)")
    plain: bool = Field(
        default=False, description="serve a network without encryption: everybody may read along"
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse half a certificate, and a network that may read along unasked."""
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        if not (self.address[0] in HERE or self.certificate or self.plain):
            raise ValueError(
                f"listen {self.listen} is a network: give certificate and key, or plain = true"
            )

    @property
    def address(self) -> tuple[str, int]:
        """(host, port) of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Gateway(Section):
    """What other systems are told, by a process of its own (linewarden gateway)."""

    folder: LocalPath = Field(
        default=Path("gateway"), validate_default=True, description="where it notes its place"
    )
    room: int = Field(
        default=10_000, ge=1, le=1_000_000, description="verdicts that may wait for each system"
    )
    sparkplug: Sparkplug | None = None
    home_assistant: HomeAssistant | None = None
    opcua: OpcUa | None = None
