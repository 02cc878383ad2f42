"""A text model behind any OpenAI-compatible address: llama.cpp's server, vLLM, Ollama, or a cloud.

Streams over HTTP with the standard library alone. The key stands in a file and goes nowhere else.
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from export.dialogue import Turn
from export.errors import LanguageError

TIMEOUT_S = 60.0
MOST_LINE = 1 << 20


class OpenAiUrl:
    """Asks `url` (which ends in /v1) for the model `name`.

    Raises:
        LanguageError: the address is none.
    """

    def __init__(self, url: str, name: str, key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LanguageError(
                f"{url!r} is no address of a text model", "write http://HOST:PORT/v1"
            )
        self.name = name
        self._parts, self._key, self._timeout_s = parts, key, timeout_s

    def words(self, turns: Sequence[Turn], most_tokens: int) -> Iterator[str]:
        """The answer as it streams."""
        https = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        host = self._parts.hostname or ""
        connection = kind(host, self._parts.port, timeout=self._timeout_s)
        try:
            yield from self._streamed(connection, turns, most_tokens)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise LanguageError(
                f"the text model at {self._parts.netloc} doesn't answer: {error}",
                "check that it runs, and assistant.model_url",
            ) from error
        finally:
            connection.close()

    def _streamed(
        self, connection: http.client.HTTPConnection, turns: Sequence[Turn], most_tokens: int
    ) -> Iterator[str]:
        body = {
            "model": self.name,
            "messages": [turn.as_dict() for turn in turns],
            "temperature": 0,
            "max_tokens": most_tokens,
            "stream": True,
        }
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        connection.request(
            "POST", f"{self._parts.path}/chat/completions", json.dumps(body), headers
        )
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise ValueError(f"status {response.status}")
        while line := response.readline(MOST_LINE):
            told = line.strip()
            if not told.startswith(b"data:"):
                continue
            if told == b"data: [DONE]":
                return
            with suppress(KeyError, IndexError, TypeError):
                event: Any = json.loads(told[5:])
                piece = event["choices"][0]["delta"].get("content")
                if isinstance(piece, str) and piece:
                    yield piece
