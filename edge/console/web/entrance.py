"""Coming in and going out: the first admin with the one-time code, log in, log out.

Every try at a name's password counts against the address that it comes from and against the name.
"""

import math

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from edge.console.accounts.book import Refused
from edge.console.accounts.roles import Role
from edge.console.web.door import Asked, Door, cookie_name, is_secure, secret_of
from edge.console.web.page import page

WEEK_S = 604_800


def doors() -> list[Door]:
    """The entrance's routes."""
    return [
        Door("/login", login, Role.PUBLIC),
        Door("/login", let_in, Role.PUBLIC, method="POST"),
        Door("/setup", setup, Role.PUBLIC),
        Door("/setup", set_up, Role.PUBLIC, method="POST"),
        Door("/logout", let_out, Role.VIEWER, method="POST"),
    ]


def login(asked: Asked) -> Response:
    """The form; to the set-up while there is nobody."""
    if not asked.desk.book.people():
        return RedirectResponse("/setup", 303)
    return page(asked, "login", wrong="", name="", next=_back(asked.query.get("next", "")))


def let_in(asked: Asked) -> Response:
    """Log in; the answer is as slow and says as little whether the name exists or not."""
    name, back = asked.form.get("name", "").strip(), _back(asked.form.get("next", ""))
    if wait_s := _wait_s(asked, name):
        return _slower(asked, wait_s)
    secret = asked.desk.book.log_in(name, asked.form.get("password", ""), asked.address)
    if secret is None:
        wrong = asked.words("Name and password don't match.")
        return page(asked, "login", 401, wrong=wrong, name=name, next=back)
    return _carrying(asked, secret, back)


def setup(asked: Asked) -> Response:
    """The form for the one-time code."""
    return page(asked, "setup", wrong="", name="", wanted=asked.desk.book.wants_code)


def set_up(asked: Asked) -> Response:
    """Make the first admin, and log in."""
    name, password = asked.form.get("name", "").strip(), asked.form.get("password", "")
    if wait_s := _wait_s(asked, "setup code"):
        return _slower(asked, wait_s)
    try:
        asked.desk.book.redeem(asked.form.get("code", ""), name, password)
    except Refused as refused:
        wrong, wanted = asked.words(str(refused)), asked.desk.book.wants_code
        return page(asked, "setup", 422, wrong=wrong, name=name, wanted=wanted)
    secret = asked.desk.book.log_in(name, password, asked.address)
    return _carrying(asked, secret or "", "/")


def let_out(asked: Asked) -> Response:
    """Log out."""
    asked.desk.book.log_out(secret_of(asked.request, asked.desk))
    response = RedirectResponse("/login", 303)
    secure = is_secure(asked.desk)
    response.delete_cookie(
        cookie_name(secure=secure), secure=secure, httponly=True, samesite="strict"
    )
    return response


def _wait_s(asked: Asked, name: str) -> float:
    """Seconds until the next try; 0 if it may go on."""
    by_address = asked.desk.by_address.wait_s(asked.address)
    return by_address or asked.desk.by_name.wait_s(name.lower())


def _slower(asked: Asked, wait_s: float) -> Response:
    seconds = math.ceil(wait_s)
    asked.desk.book.note("console", "login slowed down", "", asked.address)
    raise HTTPException(429, "Too many tries", headers={"Retry-After": str(seconds)})


def _carrying(asked: Asked, secret: str, back: str) -> Response:
    response = RedirectResponse(back, 303)
    secure = is_secure(asked.desk)
    response.set_cookie(
        cookie_name(secure=secure), secret, max_age=WEEK_S, path="/",
        secure=secure, httponly=True, samesite="strict",
    )  # fmt: skip
    return response


def _back(path: str) -> str:
    """A path of ours to go on to, never another site's."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if ours and "\n" not in path and "\r" not in path else "/"
