"""The counter: the desk over HTTP.

GET  /healthz            {"bundle": …}
POST /v1/look?name=NAME  a picture file's bytes → what there is to say of it
POST /v1/select          {"folder": …, "per_category": 3} → the choice, with reasons
"""

import http.server
import json
import threading
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog

from edge.catalog.desk import Desk
from edge.catalog.porter import JSON, Porter
from edge.messages import CatalogOrder, read
from export.errors import ConfigError, PictureError
from export.picture_header import MAX_BYTES

REQUEST_S = 30.0
AT_ONCE = 4

Answer = tuple[HTTPStatus, dict[str, Any]]


class Counter:
    """Answers until `stop`.

    Args:
        desk: does the work.
        host, port: where it listens; port 0 takes a free one. `host` is also the name that it may
            be called by, besides its addresses.

    Raises:
        ConfigError: nobody can listen there.
    """

    def __init__(self, desk: Desk, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self._server = http.server.ThreadingHTTPServer((host, port), _handler(desk, host))
        except OSError as error:
            raise ConfigError(
                f"nobody can listen on {host}:{port}: {error.strerror}", "choose another --port"
            ) from error
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="counter", daemon=True
        )

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answer(desk: Desk, path: str, body: bytes) -> Answer:
    """What a POST gets."""
    parts = urlsplit(path)
    if parts.path == "/v1/look":
        name = parse_qs(parts.query).get("name", ["picture"])[0][:255]
        try:
            return HTTPStatus.OK, desk.look(body, name)
        except PictureError as error:
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"problem": error.problem}
    if parts.path == "/v1/select":
        try:
            order = read(CatalogOrder, body)
        except ValueError as error:
            return HTTPStatus.BAD_REQUEST, {"problem": str(error)}
        told = desk.select(order)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if told.problem else HTTPStatus.OK
        return status, told.model_dump()
    return HTTPStatus.NOT_FOUND, {"paths": ["/v1/look", "/v1/select"]}


def _handler(desk: Desk, host: str) -> type[http.server.BaseHTTPRequestHandler]:
    room = threading.BoundedSemaphore(AT_ONCE)

    class Handler(Porter, http.server.BaseHTTPRequestHandler):
        """One connection."""

        timeout = REQUEST_S
        ours = host

        def do_GET(self) -> None:
            """Say that it is there."""
            if self.path == "/healthz":
                self._reply(HTTPStatus.OK, {"bundle": desk.bundle})
            else:
                self._reply(HTTPStatus.NOT_FOUND, {"paths": ["/healthz"]})

        def do_POST(self) -> None:
            """Look or choose, if there is room."""
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or not 0 < int(length) <= MAX_BYTES:
                told = {"problem": f"a body of {length or 'no'} bytes; at most {MAX_BYTES}"}
                self._reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
                return
            if not room.acquire(blocking=False):
                self._reply(HTTPStatus.SERVICE_UNAVAILABLE, {"problem": "busy: ask again"})
                return
            try:
                self._reply(*answer(desk, self.path, self.rfile.read(int(length))))
            except Exception:  # noqa: BLE001 - outermost line of the request's thread
                structlog.get_logger("catalog").exception("no answer", path=self.path[:100])
                self._reply(HTTPStatus.INTERNAL_SERVER_ERROR, {"problem": "see the log"})
            finally:
                room.release()

        def _reply(self, status: HTTPStatus, told: dict[str, Any]) -> None:
            self.reply(status, JSON, json.dumps(told, ensure_ascii=False).encode() + b"\n")

    return Handler
