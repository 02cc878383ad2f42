"""Inquiries: the console's line to the assistant's process, over loopback.

The assistant may be absent, busy or slow: that is told in words, and nothing of the console waits
for it longer than PATIENCE_S.
"""

import http.client
import json
from typing import Any, cast
from urllib.parse import urlencode

from edge.config import Assistant

PATIENCE_S = 90.0  # a text model on a busy box takes its time
MOST_BYTES = 262_144


class Inquiry:
    """Asks the assistant that the settings name."""

    def __init__(self, section: Assistant) -> None:
        self._host, self._port = section.host, section.port

    def ask(self, question: str, language: str) -> dict[str, Any] | None:
        """The answer as JSON; None if the assistant can't be reached."""
        return self._post("/ask", {"question": question, "language": language})

    def feedback(self, name: str, kind: str, correction: str, who: str) -> bool:
        """Whether it was kept."""
        body = {"id": name, "kind": kind, "correction": correction, "who": who}
        return self._post("/feedback", body) is not None

    def section(self, name: str, language: str) -> dict[str, Any] | None:
        """A section of the documents."""
        return self._send("GET", f"/section?{urlencode({'id': name, 'language': language})}", None)

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any] | None:
        return self._send("POST", path, json.dumps(body).encode())

    def _send(self, method: str, path: str, body: bytes | None) -> dict[str, Any] | None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            told = response.read(MOST_BYTES)
            if response.status != http.client.OK:
                return None
            found: Any = json.loads(told)
            return cast("dict[str, Any]", found) if isinstance(found, dict) else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
