"""Server-sent events (WHATWG HTML, 9.2): the newest snapshot, again and again, to one watcher.

Each watcher has a task of its own, which waits for its own connection only. One that doesn't take
what it is sent for SLOW_S is let go: its browser comes back by itself. One who may no longer watch
(logged out, account closed) is let go too, and doesn't.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge import clock
from edge.console.hub import Hub

SLOW_S = 15.0
ASK_S = 10.0  # whether the watcher still may
BEAT_S = 10.0  # a comment, so that a dead connection is noticed
RETRY_MS = 2000
_SECOND = 1_000_000_000


class Stream(Response):
    """The live view's events in one language, while `may_watch` says so."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, language: str, may_watch: Callable[[], bool]) -> None:
        super().__init__(headers={"x-accel-buffering": "no", "cache-control": "no-store"})
        del self.headers["content-length"]
        self._hub, self._language, self._may_watch = hub, language, may_watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send snapshots until the watcher goes, or is too slow."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        self._hub.joined(self._language)
        gone = asyncio.create_task(_gone(receive))
        try:
            if await self._pour(send, gone):
                with suppress(OSError):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._hub.left(self._language)
            gone.cancel()

    async def _pour(self, send: Send, gone: "asyncio.Task[None]") -> bool:
        """Until the watcher goes; False if it was too slow: there is nothing more to say to it."""
        await _give(send, f"retry: {RETRY_MS}\n\n".encode())
        number, asked_ns = 0, clock.monotonic_ns()
        while not gone.done():
            newest = asyncio.create_task(self._hub.next(self._language, number))
            await asyncio.wait({newest, gone}, timeout=BEAT_S, return_when="FIRST_COMPLETED")
            if newest.done():
                number, body = newest.result()
                sent = await _give(send, b"data: " + body + b"\n\n")
            else:
                newest.cancel()
                sent = await _give(send, b": still here\n\n")
            if not sent:
                return False
            if clock.monotonic_ns() > asked_ns + ASK_S * _SECOND:
                asked_ns = clock.monotonic_ns()
                if not await to_thread.run_sync(self._may_watch):
                    return True
        return True


async def _give(send: Send, body: bytes) -> bool:
    """Whether the watcher took it in time."""
    try:
        await asyncio.wait_for(
            send({"type": "http.response.body", "body": body, "more_body": True}), SLOW_S
        )
    except (TimeoutError, OSError):
        return False
    return True


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
