"""An OPC UA server, read only: each camera's newest result, its counts and state, and the box's.

Names follow OPC 40100-1 (machine vision) where it has one; it is not an implementation of that
companion specification. While the box is offline values say UncertainLastUsableValue.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from edge.gateway.mailbox import Mailbox
from edge.gateway.tags import BOX, CAMERA, RESULT, VISION_STATE, Kind, Value, vision_state
from edge.gateway_tables import OpcUa
from export import __version__
from export.errors import ConfigError
from export.verdict import Verdict

NAMESPACE = "urn:linewarden:box"
LOOK_S, AGAIN_S = 0.05, 2.0
AT_ONCE = 1000
NOTHING: Mapping[Kind, Value] = {
    Kind.TEXT: "", Kind.REAL: 0.0, Kind.COUNT: 0, Kind.FLAG: False, Kind.TIME: datetime(1970, 1, 1),  # noqa: DTZ001 - OPC UA's are in UTC and say no zone
}  # fmt: skip


class OpcUaServer:
    """Serves one box.

    Args:
        section: of the settings.
        prefix: the box's topics', which names it.
        mailbox: what is to be told.

    Attributes:
        trouble: why it doesn't serve; "" when all is well.

    Raises:
        ConfigError: asyncua isn't installed.
    """

    name = "opcua"

    def __init__(self, section: OpcUa, prefix: str, mailbox: Mailbox) -> None:
        self.trouble = "not yet started"
        self.mailbox = mailbox
        self._section, self._prefix = section, prefix
        self._ua = _library()
        self._nodes: dict[tuple[str, str], Any] = {}
        self._folders: dict[str, Any] = {}
        self._last: dict[str, Verdict] = {}
        self._told: dict[tuple[str, str], object] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opcua", daemon=True)
        self._log = structlog.get_logger("opcua")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Close the sessions and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._serve())
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                self.trouble = f"{self._section.listen} can't be served: {error}"
                self._last.clear()  # one of them may be why
                remedy = "is the port taken? see gateway.opcua.listen; it is tried again"
                self._log.warning("the OPC UA server failed", why=self.trouble, remedy=remedy)
                self._stopping.wait(AGAIN_S)

    async def _serve(self) -> None:
        server = self._ua.Server()
        await server.init()
        host, port = self._section.address
        server.set_endpoint(f"opc.tcp://{host}:{port}/linewarden")
        server.set_server_name("Linewarden")
        await server.set_application_uri(NAMESPACE)
        await self._secure(server)
        index = await server.register_namespace(NAMESPACE)
        self._nodes.clear()
        self._told.clear()
        self._folders = {"": await server.nodes.objects.add_object(index, "Linewarden")}
        box = self._folders[""]
        await box.add_property(index, "Prefix", self._prefix)
        await box.add_property(index, "Software", f"linewarden {__version__}")
        async with server:
            self.trouble = ""
            while not self._stopping.is_set():
                await self._turn(index)
                await asyncio.sleep(LOOK_S)

    async def _secure(self, server: Any) -> None:
        policies = self._ua.ua.SecurityPolicyType
        if self._section.certificate is None:
            server.set_security_policy([policies.NoSecurity])
            return
        await server.load_certificate(str(self._section.certificate))
        await server.load_private_key(str(self._section.key))
        server.set_security_policy([policies.Basic256Sha256_SignAndEncrypt])

    async def _turn(self, index: int) -> None:
        """Write what is new."""
        while verdicts := self.mailbox.take(AT_ONCE):
            self._last |= {one.camera: one for one in verdicts if not one.replay}
        state, health = self.mailbox.state, self.mailbox.health
        for camera, verdict in self._last.items():
            for tag in RESULT:
                await self._write(index, camera, tag.name, tag.kind, tag.read(verdict))
        if health is None:
            return
        for tag in BOX:
            await self._write(index, "", tag.name, tag.kind, tag.read(health))
        for camera, report in health.cameras.items():
            for one in CAMERA:
                await self._write(index, camera, one.name, one.kind, one.read(report))
            vision = vision_state(state, report)
            await self._write(index, camera, VISION_STATE, Kind.TEXT, vision)

    async def _write(self, index: int, camera: str, name: str, kind: Kind, value: Value) -> None:
        key, online = (camera, name), self.mailbox.online
        if self._told.get(key) == (value, online):
            return
        ua = self._ua.ua
        types = {
            Kind.TEXT: ua.VariantType.String,
            Kind.REAL: ua.VariantType.Double,
            Kind.COUNT: ua.VariantType.UInt64,
            Kind.FLAG: ua.VariantType.Boolean,
            Kind.TIME: ua.VariantType.DateTime,
        }
        node = self._nodes.get(key)
        if node is None:
            told = (camera, name, NOTHING[kind], types[kind])
            node = self._nodes[key] = await self._variable(index, *told)
        last = ua.StatusCodes.Good if online else ua.StatusCodes.UncertainLastUsableValue
        status = ua.StatusCodes.BadNoData if value is None else last
        plain = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        variant = ua.Variant(plain, types[kind]) if value is not None else ua.Variant()
        await node.write_value(ua.DataValue(variant, ua.StatusCode(status)))
        self._told[key] = (value, online)

    async def _variable(
        self, index: int, camera: str, name: str, at_first: Value, kind: Any
    ) -> Any:
        """Make the variable `name`, and the folders above it, ids being their path."""
        ua = self._ua.ua
        path = "/".join(part for part in ("Cameras" if camera else "", camera, name) if part)
        *above, leaf = path.split("/")
        folder, walked = self._folders[""], ""
        for level in above:
            walked = f"{walked}/{level}" if walked else level
            if walked not in self._folders:
                ident = ua.NodeId(walked, index)
                named = (ident, ua.QualifiedName(level, index))
                self._folders[walked] = await folder.add_object(*named)
            folder = self._folders[walked]
        told = (ua.NodeId(path, index), ua.QualifiedName(leaf, index), at_first, kind)
        return await folder.add_variable(*told, datatype=ua.NodeId(kind.value))


def _library() -> Any:
    try:
        import asyncua  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError(
            "[gateway.opcua] needs the package asyncua", "pip install 'linewarden[opcua]'"
        ) from error
    # It warns of what was chosen, and prints a trace of what is raised here all the same.
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    return asyncua
