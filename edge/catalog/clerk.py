"""The clerk: serves a result's contact sheet to people, and writes down what they say about it.

On loopback unless told otherwise. A word is taken only as JSON from the sheet's own origin, so
that no other page in the browser can speak for its reader (edge/callers.py).
"""

import json
import mimetypes
from collections.abc import Iterable
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any

from edge.callers import Callers
from edge.catalog import overrules, sheet
from edge.catalog.doorkeeper import JSON, Doorkeeper, listening
from edge.catalog.overrules import Overrule
from edge.catalog.result import SHEET
from export.errors import ConfigError, LinewardenError

MOST = 64 * 1024
REQUEST_S = 10.0
SAID = "overrules"  # the address where words are asked for and taken


class Clerk:
    """Answers until `stop`.

    Args:
        result: the result's folder.
        host, port: where it listens; port 0 takes a free one.
        names: by which it is called besides.

    Raises:
        ConfigError: there is no sheet, or nobody can listen there.
    """

    def __init__(
        self, result: Path, host: str = "127.0.0.1", port: int = 0, names: Iterable[str] = ()
    ) -> None:
        if not (result / SHEET).is_file():
            raise ConfigError(f"{result} holds no {SHEET}", "run `linewarden catalog select` first")
        self._server = listening(_handler(result, Callers(host, names)), host, port)
        self.port: int = self._server.server_address[1]

    def serve(self) -> None:
        """Answer until `stop` is called from elsewhere."""
        self._server.serve_forever(0.1)

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler(result: Path, who: Callers) -> type[Doorkeeper]:
    class Handler(Doorkeeper):
        """One connection."""

        callers = who
        timeout = REQUEST_S

        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            """The sheet, a thumbnail, or the overrules."""
            name = self.path.partition("?")[0].lstrip("/") or SHEET
            self.reply(*(_said(result) if name == SAID else _page(result, name)))

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            """Write an overrule down."""
            try:
                overrules.add(result / overrules.FILE, self._overrule())
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                self.reply(HTTPStatus.BAD_REQUEST, "text/plain", f"{error}\n".encode())
            except LinewardenError as error:
                self.reply(HTTPStatus.CONFLICT, "text/plain", f"{error}\n".encode())
            else:
                self.reply(HTTPStatus.OK, JSON, b"{}\n")

        def _overrule(self) -> Overrule:
            if self.path != f"/{SAID}" or not self.is_json:
                raise ValueError("a word goes to /overrules, in JSON")
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= MOST:
                raise ValueError(f"a word of {length} bytes is not taken")
            said: Any = json.loads(self.rfile.read(length))
            return Overrule(str(said["path"]), said["verdict"], str(said["category"]))

    return Handler


def _said(result: Path) -> tuple[HTTPStatus, str, bytes]:
    """What people said so far, as JSON."""
    try:
        found = overrules.read(result / overrules.FILE)
    except LinewardenError as error:
        return HTTPStatus.CONFLICT, "text/plain", f"{error}\n".encode()
    told = [asdict(one) for one in found.values()]
    return HTTPStatus.OK, JSON, json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _page(result: Path, name: str) -> tuple[HTTPStatus, str, bytes]:
    """What stands at an address: the sheet, a thumbnail, the overrules, and nothing else."""
    thumb = name.removeprefix(f"{sheet.THUMBS}/")
    allowed = name in (SHEET, overrules.FILE) or (thumb != name and "/" not in thumb)
    file = result / name
    if not allowed or ".." in name or not file.is_file():
        return HTTPStatus.NOT_FOUND, "text/plain", b"there is no such page\n"
    return HTTPStatus.OK, mimetypes.guess_type(name)[0] or "text/plain", file.read_bytes()
