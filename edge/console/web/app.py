"""The web application: all doors, and how it answers what goes wrong.

An error tells a person what to do and a stranger nothing: no trace, no path, no version.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge.console.desk import Desk
from edge.console.web import (
    api,
    assets,
    bundles,
    entrance,
    health,
    inquiry,
    live,
    people,
    quality,
    review,
    samples,
    sign_on,
    verdicts,
)
from edge.console.web.door import NOBODY, Door, asked
from edge.console.web.headers import SecureHeaders
from edge.console.web.page import page

THREADS = 8  # requests answered at once; the line has the processor first
SAID = {
    404: "There is no such page",
    405: "This can't be done here",
    500: "Something went wrong; the console's log says what",
}


def doors() -> list[Door]:
    """Every route there is."""
    rooms = (
        entrance, live, quality, verdicts, samples, review, health, people, assets, api, bundles,
        sign_on, inquiry,
    )  # fmt: skip
    return [door for room in rooms for door in room.doors()]


def application(desk: Desk) -> Starlette:
    """The application around a desk, which it starts and stops."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        desk.start()
        yield
        await to_thread.run_sync(desk.stop)

    app = Starlette(
        routes=doors(),
        lifespan=lifespan,
        middleware=[Middleware(SecureHeaders, tls=desk.settings.certificate is not None)],
        exception_handlers={HTTPException: _refused, 404: _refused, 500: _failed},
    )
    app.state.desk = desk
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = SAID.get(error.status_code, error.detail) if error.status_code in (404, 405) else ""
    if told and error.detail not in ("Not Found", "Method Not Allowed"):
        told = error.detail
    return await to_thread.run_sync(
        _told, request, error.status_code, told or error.detail, {**(error.headers or {})}
    )


async def _failed(request: Request, error: Exception) -> Response:
    structlog.get_logger("web").error("a page failed", path=request.url.path, why=repr(error))
    nothing: dict[str, str] = {}
    return await to_thread.run_sync(_told, request, 500, SAID[500], nothing)


def _told(request: Request, status: int, text: str, headers: dict[str, str]) -> Response:
    """A page for people, JSON for machines."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": text}, status, headers)
    said = asked(request, NOBODY)
    response = page(said, "error", status, text=said.words(text), number=status)
    response.headers.update(headers)
    return response
