"""The porter: what the counter's and the clerk's HTTP handlers do alike, before and after.

Turns away whom `edge.visitor` names, before anything of a request is read.
"""

import http.server
import json
from http import HTTPStatus

from edge.visitor import turned_away

JSON = "application/json"


class Porter(http.server.BaseHTTPRequestHandler):
    """One connection; `ours` is the name that the door was opened under."""

    server_version, sys_version = "linewarden", ""
    ours = ""

    def parse_request(self) -> bool:
        """Go on only for who may call here."""
        if not super().parse_request():
            return False
        why = turned_away(self.headers.get, self.ours)
        if why:
            self.reply(HTTPStatus.FORBIDDEN, JSON, json.dumps({"problem": why}).encode() + b"\n")
        return not why

    def reply(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        """Send a whole answer, which nobody keeps."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests aren't logged."""
