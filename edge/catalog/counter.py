"""The counter: the desk over HTTP.

GET  /healthz            {"bundle": …}
POST /v1/look?name=NAME  a picture file's bytes → what there is to say of it
POST /v1/select          {"folder": …, "per_category": 3} as JSON → the choice, with reasons
"""

import threading
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog

from edge.callers import Callers
from edge.catalog.desk import Desk
from edge.catalog.doorkeeper import Doorkeeper, listening
from edge.messages import CatalogOrder, read
from export.errors import PictureError
from export.picture_header import MAX_BYTES

AT_ONCE = 4
LOOK, SELECT = "/v1/look", "/v1/select"

Answer = tuple[HTTPStatus, dict[str, Any]]


class Counter:
    """Answers until `stop`.

    Args:
        desk: does the work.
        host, port: where it listens; port 0 takes a free one.
        names: by which it is called besides.

    Raises:
        ConfigError: nobody can listen there.
    """

    def __init__(
        self, desk: Desk, host: str = "127.0.0.1", port: int = 0, names: Iterable[str] = ()
    ) -> None:
        self._server = listening(_handler(desk, Callers(host, names)), host, port)
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
    if parts.path == LOOK:
        name = parse_qs(parts.query).get("name", ["picture"])[0][:255]
        try:
            return HTTPStatus.OK, desk.look(body, name)
        except PictureError as error:
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"problem": error.problem}
    if parts.path == SELECT:
        try:
            order = read(CatalogOrder, body)
        except ValueError as error:
            return HTTPStatus.BAD_REQUEST, {"problem": str(error)}
        told = desk.select(order)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if told.problem else HTTPStatus.OK
        return status, told.model_dump()
    return HTTPStatus.NOT_FOUND, {"paths": [LOOK, SELECT]}


def _handler(desk: Desk, who: Callers) -> type[Doorkeeper]:
    room = threading.BoundedSemaphore(AT_ONCE)

    class Handler(Doorkeeper):
        """One connection."""

        callers = who

        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            """Say that it is there."""
            if self.path == "/healthz":
                self.tell(HTTPStatus.OK, {"bundle": desk.bundle})
            else:
                self.tell(HTTPStatus.NOT_FOUND, {"paths": ["/healthz"]})

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            """Look or choose, if there is room."""
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or not 0 < int(length) <= MAX_BYTES:
                told = {"problem": f"a body of {length or 'no'} bytes; at most {MAX_BYTES}"}
                self.tell(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
                return
            if urlsplit(self.path).path == SELECT and not self.is_json:
                told = {"problem": "send an order as Content-Type: application/json"}
                self.tell(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)
                return
            if not room.acquire(blocking=False):
                self.tell(HTTPStatus.SERVICE_UNAVAILABLE, {"problem": "busy: ask again"})
                return
            try:
                self.tell(*answer(desk, self.path, self.rfile.read(int(length))))
            except Exception:  # noqa: BLE001 - outermost line of the request's thread
                structlog.get_logger("catalog").exception("no answer", path=self.path[:100])
                self.tell(HTTPStatus.INTERNAL_SERVER_ERROR, {"problem": "see the log"})
            finally:
                room.release()

    return Handler
