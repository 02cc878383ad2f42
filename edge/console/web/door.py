"""A door: one route, and who may go through it.

There is no other way to make a route, so none is without a role. A door reads the (small) body,
finds out who asks, refuses who may not, and asks for a token that only our own pages know before
anything is changed. What is behind it is a plain function of what was asked, run in a thread.
"""

import hmac
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlsplit

from anyio import fail_after, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge.console.accounts.book import Session
from edge.console.accounts.roles import Role
from edge.console.desk import Desk
from edge.console.web.language import Words, chosen, words
from export.doorway import Refusal
from export.errors import AbsentError, BusyError, LinewardenError, StoreError

MOST_BYTES = 65_536
SLOWEST_S = 1800.0  # for a file to come in
NOBODY = Session("", Role.PUBLIC)
SAFE = frozenset({"GET", "HEAD"})
_STATUS = ((AbsentError, 503), (BusyError, 409), (StoreError, 507))  # for machines; all else 422
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: by whom, in which language, with which form."""

    request: Request
    desk: Desk
    session: Session
    words: Words
    theme: str
    form: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, str]:
        """What stands in the path's places."""
        return self.request.path_params

    @property
    def address(self) -> str:
        """Where the request came from."""
        return self.request.client.host if self.request.client else "unknown"


Answer = Callable[[Asked], Response]


class Door(Route):
    """A route with its role."""

    def __init__(self, path: str, answer: Answer, role: Role, *, method: str = "GET") -> None:
        async def endpoint(request: Request) -> Response:
            body = await _body(request)
            return await to_thread.run_sync(_answered, request, body, answer, role)

        super().__init__(path, endpoint, methods=[method], name=f"{method} {path}")
        self.role, self.method = role, method


class Piece(Protocol):
    """Where a streamed body goes."""

    def write(self, piece: bytes) -> None:
        """Take a piece, or raise LinewardenError."""
        ...

    def keep(self) -> None:
        """It was the whole."""
        ...


class Intake(Door):
    """A route for a file: it is let in before a byte of it is read, and never held in memory.

    Args:
        path: of the route.
        begin: makes the context that the pieces go to.
        role: who may.
    """

    def __init__(
        self, path: str, begin: Callable[[Asked], AbstractContextManager[Piece]], role: Role
    ) -> None:
        async def endpoint(request: Request) -> Response:
            asked = await to_thread.run_sync(_admitted, request, role)
            if isinstance(asked, Response):
                return asked
            try:
                with fail_after(SLOWEST_S):
                    await _streamed(request, begin, asked)
            except LinewardenError as error:
                return refused(error)
            except TimeoutError as error:
                raise HTTPException(408, "Too slow") from error
            return Response(status_code=204)

        Route.__init__(self, path, endpoint, methods=["PUT"], name=f"PUT {path}")
        self.role, self.method = role, "PUT"


async def _streamed(
    request: Request, begin: Callable[[Asked], AbstractContextManager[Piece]], asked: Asked
) -> None:
    context = await to_thread.run_sync(begin, asked)
    with context as place:
        async for chunk in request.stream():
            await to_thread.run_sync(place.write, chunk)
        await to_thread.run_sync(place.keep)


def _admitted(request: Request, role: Role) -> "Asked | Response":
    """Who may; a person's page shows its token in a header here."""
    session = who(request, request.app.state.desk)
    if session.role < role:
        return _turned_away(request, session)
    _check_origin(request)
    if session.csrf:
        _check_token(request, session, {})
    return asked(request, session)


def refused(error: LinewardenError) -> Response:
    """What the box said no to, for machines."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 422)
    told = Refusal(error=error.problem, remedy=error.remedy)
    return Response(told.model_dump_json(), status, media_type="application/json")


async def _body(request: Request) -> bytes:
    """The body, refused as soon as it is too large."""
    if request.method in SAFE:
        return b""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise HTTPException(413, "Too much was sent")
        chunks.append(chunk)
    return b"".join(chunks)


def _answered(request: Request, body: bytes, answer: Answer, role: Role) -> Response:
    desk: Desk = request.app.state.desk
    session = who(request, desk)
    if session.role < role:
        return _turned_away(request, session)
    form = _form(request, body)
    if request.method not in SAFE:
        _check_origin(request)
        if session.csrf:
            _check_token(request, session, form)
    return answer(asked(request, session, form))


def asked(request: Request, session: Session, form: Mapping[str, str] | None = None) -> Asked:
    """The request as an answer takes it; choices of language and theme come from link or cookie."""
    query, cookies = request.query_params, request.cookies
    wish = query.get("lang") or cookies.get("lang", "")
    theme = query.get("theme") or cookies.get("theme", "auto")
    code = chosen(wish, request.headers.get("accept-language", ""))
    theme = theme if theme in THEMES else "auto"
    return Asked(request, request.app.state.desk, session, words(code), theme, form or {})


def cookie_name(*, secure: bool) -> str:
    """The session's cookie; its prefix makes a browser insist on Secure (RFC 6265bis, 4.1.3.2)."""
    return "__Host-session" if secure else "session"


def is_secure(desk: Desk) -> bool:
    """Whether the browser reaches us over TLS."""
    return desk.settings.certificate is not None or desk.settings.plain_http


def secret_of(request: Request, desk: Desk) -> str:
    """The session's secret that the browser sent, or ""."""
    return request.cookies.get(cookie_name(secure=is_secure(desk)), "")


def who(request: Request, desk: Desk, *, used: bool = True) -> Session:
    """Who asks: a machine by its token, a person by the session's cookie, or nobody."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return desk.book.machine(token.strip()) or NOBODY
    secret = secret_of(request, desk)
    return (desk.book.session(secret, used=used) if secret else None) or NOBODY


def _turned_away(request: Request, session: Session) -> Response:
    if session.role is not Role.PUBLIC:
        raise HTTPException(403, "Your role may not do this")
    if request.method in SAFE and "text/html" in request.headers.get("accept", ""):
        back = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
        return RedirectResponse(f"/login?next={back}", 303)
    if "authorization" in request.headers:
        raise HTTPException(401, "This token is unknown here, or was revoked")
    raise HTTPException(401, "Log in first")


def _form(request: Request, body: bytes) -> dict[str, str]:
    """The fields of a form; what isn't a form has none."""
    if not body:
        return {}
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(415, "Only forms are read here")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=64))
    except (UnicodeDecodeError, ValueError) as error:
        raise HTTPException(400, "This form can't be read") from error


def _check_origin(request: Request) -> None:
    """A change must come from our own page, where the browser says where it comes from."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign or site not in ("same-origin", "none"):
        raise HTTPException(403, "This was sent from another page")


def _check_token(request: Request, session: Session, form: Mapping[str, str]) -> None:
    told = request.headers.get("x-csrf-token") or form.get("csrf", "")
    if not hmac.compare_digest(told.encode(), session.csrf.encode()):
        raise HTTPException(403, "This page is too old: reload it")
