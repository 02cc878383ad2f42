"""People, machines' tokens and the audit log: the admin's page."""

from starlette.responses import RedirectResponse, Response

from edge.console.accounts.book import Refused
from edge.console.accounts.roles import PEOPLE, Role, role
from edge.console.web.door import Asked, Door
from edge.console.web.page import number, page

ENTRIES = 100


def doors() -> list[Door]:
    """The admin's routes."""
    return [
        Door("/people", people, Role.ADMIN),
        Door("/people/add", add, Role.ADMIN, method="POST"),
        Door("/people/change", change, Role.ADMIN, method="POST"),
        Door("/tokens/add", make_token, Role.ADMIN, method="POST"),
        Door("/tokens/revoke", revoke, Role.ADMIN, method="POST"),
        Door("/audit", audit, Role.ADMIN),
        Door("/account", account, Role.VIEWER),
        Door("/account", set_password, Role.VIEWER, method="POST"),
    ]


def people(asked: Asked, wrong: str = "", secret: str = "", status: int = 200) -> Response:
    """Everybody, and every token."""
    book = asked.desk.book
    return page(
        asked, "people", status, people=book.people(), tokens=book.tokens(), roles=PEOPLE,
        wrong=wrong, secret=secret,
    )  # fmt: skip


def add(asked: Asked) -> Response:
    """Give somebody an account."""
    form = asked.form
    try:
        asked.desk.book.add(
            asked.session.name, form.get("name", "").strip(), _role(form.get("role", "")),
            form.get("password", ""),
        )  # fmt: skip
    except Refused as refused:
        return people(asked, asked.words(str(refused)), status=422)
    return RedirectResponse("/people", 303)


def change(asked: Asked) -> Response:
    """Another role, another password, or no account any more."""
    form, book, by = asked.form, asked.desk.book, asked.session.name
    name = form.get("name", "")
    try:
        if form.get("password"):
            book.set_password(by, name, form["password"])
        if form.get("role") == "closed":
            book.change(by, name, enabled=False)
        elif form.get("role"):
            book.change(by, name, of=_role(form["role"]))
    except Refused as refused:
        return people(asked, asked.words(str(refused)), status=422)
    return RedirectResponse("/people", 303)


def make_token(asked: Asked) -> Response:
    """A token for a machine; its secret is shown this once."""
    form = asked.form
    try:
        secret = asked.desk.book.make_token(
            asked.session.name, form.get("name", "").strip(), _role(form.get("role", ""))
        )
    except Refused as refused:
        return people(asked, asked.words(str(refused)), status=422)
    return people(asked, secret=secret)


def revoke(asked: Asked) -> Response:
    """Make a token void."""
    try:
        asked.desk.book.revoke(asked.session.name, asked.form.get("name", ""))
    except Refused as refused:
        return people(asked, asked.words(str(refused)), status=422)
    return RedirectResponse("/people", 303)


def audit(asked: Asked) -> Response:
    """The audit log, the newest first, and whether its chain holds."""
    book = asked.desk.book
    below = number(asked.query, "below", 1, 2**62) or 2**62
    entries = book.log(ENTRIES, below)
    further = entries[-1].n if len(entries) == ENTRIES else None
    return page(asked, "audit", entries=entries, finding=book.verify(), further=further)


def account(asked: Asked, wrong: str = "", status: int = 200) -> Response:
    """One's own account."""
    return page(asked, "account", status, wrong=wrong)


def set_password(asked: Asked) -> Response:
    """Another password for oneself; all sessions end, this one too."""
    desk, name = asked.desk, asked.session.name
    if desk.by_name.wait_s(name.lower()):
        return account(asked, asked.words("Too many tries: wait a minute."), 429)
    known = desk.book.log_in(name, asked.form.get("old", ""), asked.address)
    if known is None:
        return account(asked, asked.words("The present password doesn't match."), 422)
    try:
        desk.book.set_password(name, name, asked.form.get("password", ""))
    except Refused as refused:
        desk.book.log_out(known)
        return account(asked, asked.words(str(refused)), 422)
    return RedirectResponse("/login", 303)


def _role(word: str) -> Role:
    try:
        return role(word)
    except ValueError as error:
        raise Refused("choose a role") from error
