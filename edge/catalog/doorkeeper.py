"""The doorkeeper: what the catalog's two HTTP services have in common, before their own work.

A request that another page's browser was made to send gets no further than here (edge/callers.py).
"""

import http.server
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from edge.callers import Callers
from export.errors import ConfigError

JSON = "application/json"


class Doorkeeper(http.server.BaseHTTPRequestHandler):
    """One connection, let in or turned away. Subclasses answer; `callers` is theirs to set."""

    callers: Callers
    timeout = 30.0
    server_version, sys_version = "linewarden", ""

    def parse_request(self) -> bool:
        """Whether the request is to be answered; else it has been refused."""
        if not super().parse_request():
            return False
        hosts = self.headers.get_all("Host", [])
        host = hosts[0] if len(hosts) == 1 else ""
        if why := self.callers.refusal(host, self.headers.get("Origin")):
            self.close_connection = True
            self.tell(HTTPStatus.FORBIDDEN, {"problem": why})
            return False
        return True

    @property
    def is_json(self) -> bool:
        """Whether the body says that it is JSON, as no form of another page can."""
        return self.headers.get_content_type() == JSON

    def tell(self, status: HTTPStatus, told: dict[str, Any]) -> None:
        """Answer with JSON."""
        self.reply(status, JSON, json.dumps(told, ensure_ascii=False).encode() + b"\n")

    def reply(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        """Answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests aren't logged."""


def listening(
    handler: Callable[..., Doorkeeper], host: str, port: int
) -> http.server.ThreadingHTTPServer:
    """A server at `host` and `port` (0: a free one); raises ConfigError if nobody can listen."""
    try:
        server = http.server.ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise ConfigError(
            f"nobody can listen on {host}:{port}: {error.strerror}", "choose another --port"
        ) from error
    server.daemon_threads = True
    return server
