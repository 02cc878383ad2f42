"""Coming in by the plant's issuer, where the settings name one."""

import hmac

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from edge.console.accounts.book import Refused
from edge.console.accounts.roles import Role
from edge.console.issuer import Issuer
from edge.console.web.door import Asked, Door, cookie_name, is_secure
from edge.console.web.entrance import WEEK_S
from edge.console.web.page import page

STATE = "oidc_state"


def doors() -> list[Door]:
    """The two routes of a log-in elsewhere."""
    return [
        Door("/oidc/begin", begin, Role.PUBLIC),
        Door("/oidc/callback", callback, Role.PUBLIC),
    ]


def begin(asked: Asked) -> Response:
    """Send to the issuer."""
    try:
        where, state = _issuer(asked).begin()
    except Refused as refused:
        return _wrong(asked, refused)
    response = RedirectResponse(where, 303)
    # Lax: the way back begins on the issuer's page.
    response.set_cookie(STATE, state, max_age=600, path="/oidc", httponly=True, samesite="lax",
                        secure=is_secure(asked.desk))  # fmt: skip
    return response


def callback(asked: Asked) -> Response:
    """Come back: with a session, if the issuer vouches for somebody whose browser began here."""
    issuer, desk, query = _issuer(asked), asked.desk, asked.query
    if desk.by_address.wait_s(asked.address):
        raise HTTPException(429, "Too many tries")
    state = asked.request.cookies.get(STATE, "")
    ours = hmac.compare_digest(state.encode(), query.get("state", "").encode())
    try:
        found = issuer.finish(state if ours else "", query.get("code", ""))
        secret = desk.book.admit(found.name, found.subject, found.role, asked.address)
    except Refused as refused:
        desk.book.note("console", "login refused", "issuer", asked.address)
        return _wrong(asked, refused)
    # A page of ours goes on: a browser sends a Strict cookie on no way that began elsewhere.
    response = page(asked, "signed_on")
    secure = is_secure(desk)
    response.set_cookie(cookie_name(secure=secure), secret, max_age=WEEK_S, path="/",
                        secure=secure, httponly=True, samesite="strict")  # fmt: skip
    response.delete_cookie(STATE, path="/oidc")
    return response


def _issuer(asked: Asked) -> Issuer:
    if asked.desk.issuer is None:
        raise HTTPException(404, "There is no such page")
    return asked.desk.issuer


def _wrong(asked: Asked, refused: Refused) -> Response:
    return page(asked, "login", 401, wrong=asked.words(str(refused)), name="", next="/")
