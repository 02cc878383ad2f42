"""The clerk: serves a result's contact sheet to people, and writes down what they say about it.

On loopback unless told otherwise. A word is taken only as JSON from the sheet's own origin, so
that no other page in the browser can speak for its reader.
"""

import http.server
import json
import mimetypes
import threading
from email.message import Message
from http import HTTPStatus
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from edge.catalog import overrules, sheet
from edge.catalog.overrules import Overrule
from edge.catalog.porter import Porter
from edge.catalog.result import SHEET
from export.errors import ConfigError, LinewardenError

MOST = 64 * 1024
REQUEST_S = 10.0


class Clerk:
    """Answers until `stop`.

    Args:
        result: the result's folder.
        host, port: where it listens; port 0 takes a free one.

    Raises:
        ConfigError: there is no sheet, or nobody can listen there.
    """

    def __init__(self, result: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        if not (result / SHEET).is_file():
            raise ConfigError(f"{result} holds no {SHEET}", "run `linewarden catalog select` first")
        self._lock = threading.Lock()
        try:
            self._server = http.server.ThreadingHTTPServer(
                (host, port), _handler(result, self._lock, host)
            )
        except OSError as error:
            raise ConfigError(
                f"nobody can listen on {host}:{port}: {error.strerror}", "choose another --port"
            ) from error
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def serve(self) -> None:
        """Answer until `stop` is called from elsewhere."""
        self._server.serve_forever(0.1)

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler(
    result: Path, lock: threading.Lock, host: str
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(Porter, http.server.BaseHTTPRequestHandler):
        """One connection."""

        timeout = REQUEST_S
        ours = host

        def do_GET(self) -> None:
            """The sheet, a thumbnail, or the overrules."""
            self.reply(*_page(result, self.path.partition("?")[0].lstrip("/") or SHEET))

        def do_POST(self) -> None:
            """Write an overrule down."""
            try:
                one = _overrule(self.path, self.headers, self.rfile)
                with lock:
                    overrules.add(result / overrules.FILE, one)
            except (ValueError, KeyError, TypeError) as error:
                self.reply(HTTPStatus.BAD_REQUEST, "text/plain", f"{error}\n".encode())
            except LinewardenError as error:
                self.reply(HTTPStatus.CONFLICT, "text/plain", f"{error}\n".encode())
            else:
                self.reply(HTTPStatus.OK, "application/json", b"{}\n")

    return Handler


def _page(result: Path, name: str) -> tuple[HTTPStatus, str, bytes]:
    """What stands at an address: the sheet, a thumbnail, the overrules, and nothing else."""
    thumb = name.removeprefix(f"{sheet.THUMBS}/")
    allowed = name in (SHEET, overrules.FILE) or (thumb != name and "/" not in thumb)
    file = result / name
    if not allowed or ".." in name or not file.is_file():
        return HTTPStatus.NOT_FOUND, "text/plain", b"there is no such page\n"
    return HTTPStatus.OK, mimetypes.guess_type(name)[0] or "text/plain", file.read_bytes()


def _overrule(path: str, headers: Message, body: BufferedIOBase) -> Overrule:
    """The overrule in a request; raises ValueError, KeyError or TypeError if it isn't one."""
    if path != "/overrules":
        raise ValueError("POST goes to /overrules")
    if headers.get_content_type() != "application/json":
        raise ValueError("only the sheet itself may say so, in JSON")
    length = int(headers.get("Content-Length") or 0)
    if not 0 < length <= MOST:
        raise ValueError(f"a word of {length} bytes is not taken")
    said: Any = json.loads(body.read(length))
    return Overrule(str(said["path"]), said["verdict"], str(said["category"]))
