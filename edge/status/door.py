"""The door: a small HTTP server with /healthz, /readyz and /metrics, for what watches the box.

GET and HEAD only, a few requests at a time, each with a time limit; meant for the box itself or
the plant's inner network, as there is nothing secret in it and nothing can be changed by it.
"""

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus

import structlog

from edge.status.metrics import Metrics
from edge.status.readiness import Known, unready
from export.errors import ConfigError

REQUEST_S = 5.0
AT_ONCE = 8
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"

Answer = tuple[HTTPStatus, str, bytes]


class Door:
    """Answers until `stop`.

    Args:
        host, port: where it listens; port 0 takes a free one.
        known: what the daemon knows; called for each request.
        metrics: the figures.

    Raises:
        ConfigError: nobody can listen there.
    """

    def __init__(self, host: str, port: int, known: Callable[[], Known], metrics: Metrics) -> None:
        self._known, self._metrics = known, metrics
        try:
            self._server = _Server((host, port), _handler(self.answer))
        except OSError as error:
            raise ConfigError(
                f"status.listen: nobody can listen on {host}:{port}: {error.strerror}",
                "choose another address or port, or leave status.listen out",
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="status", daemon=True
        )

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> Answer:
        """What stands at a path."""
        if path == "/metrics":
            return HTTPStatus.OK, PROMETHEUS, self._metrics.page()
        if path == "/healthz":
            return _told("alive", self._known().still)
        if path == "/readyz":
            return _told("ready", unready(self._known()))
        return HTTPStatus.NOT_FOUND, JSON, b'{"paths":["/healthz","/readyz","/metrics"]}\n'


class _Server(http.server.ThreadingHTTPServer):
    """One that takes only so many requests at once."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[http.server.BaseHTTPRequestHandler]
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def process_request(self, request: object, client_address: object) -> None:
        """Give a request a thread, if there is room for it."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[arg-type]
            return
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        """The request's thread; one who dawdles has no more time than the others in all."""
        cut = threading.Timer(REQUEST_S, _cut, (request,))
        cut.daemon = True
        cut.start()
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            cut.cancel()
            self._room.release()


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _told(state: str, reasons: tuple[str, ...]) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    body = {state: not reasons, "reasons": list(reasons)}
    return status, JSON, json.dumps(body, ensure_ascii=False).encode() + b"\n"


def _handler(answer: Callable[[str], Answer]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """One connection."""

        timeout = REQUEST_S
        server_version, sys_version = "linewarden", ""

        def do_GET(self) -> None:
            """Answer."""
            self._reply(body=True)

        def do_HEAD(self) -> None:
            """Answer without the body."""
            self._reply(body=False)

        def _reply(self, *, body: bool) -> None:
            try:
                status, kind, text = answer(self.path.partition("?")[0])
            except Exception:  # noqa: BLE001 - outermost line of the request's thread
                structlog.get_logger("status").exception("no answer", path=self.path[:100])
                status, kind, text = HTTPStatus.INTERNAL_SERVER_ERROR, JSON, b"{}\n"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if body:
                self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Requests aren't logged: one comes every few seconds."""

    return Handler
