"""Renders templates, with everything escaped, and the words and marks that each page has."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from edge.clock import local
from edge.console.accounts.roles import Role
from edge.console.review.queue import Reader, waiting
from edge.console.web import telling
from edge.console.web.door import Asked
from edge.console.web.language import LANGUAGES

YEAR_S = 31_536_000


def _template(name: str) -> str | None:
    place = files("edge.console.web") / "templates" / name
    return place.read_text("utf-8") if place.is_file() else None


PAGES = Environment(
    loader=FunctionLoader(_template), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, auto_reload=False,
)  # fmt: skip
PAGES.globals |= {  # pyright: ignore[reportUnknownMemberType]
    "Role": Role, "LANGUAGES": LANGUAGES, "local": local, "telling": telling,
}  # fmt: skip


def page(asked: Asked, template: str, status: int = 200, /, **values: Any) -> Response:
    """The page of a template (its name without .html)."""
    text = PAGES.get_template(f"{template}.html").render(
        _=asked.words, words=asked.words, session=asked.session, desk=asked.desk,
        theme=asked.theme, path=asked.request.url.path, link=Link(asked),
        badge=_badge(asked), **values,
    )  # fmt: skip
    response = HTMLResponse(text, status)
    for name, value in (("lang", asked.query.get("lang")), ("theme", asked.query.get("theme"))):
        if value is not None:
            _remember(response, name, asked.words.code if name == "lang" else asked.theme)
    return response


def _badge(asked: Asked) -> int:
    """How many samples wait for this reader."""
    if asked.session.role < Role.OPERATOR:
        return 0
    reader = Reader(asked.session.name, asked.session.role)
    return len(waiting(asked.desk.shelf.all(), reader, asked.desk.settings.second_reader))


class Link:
    """Makes links to the present page with other query values."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def __call__(self, **changes: object) -> str:
        """This page, with `changes` in its query; None takes a value out."""
        url = self._asked.request.url.include_query_params(
            **{key: value for key, value in changes.items() if value is not None}
        )
        gone = [key for key, value in changes.items() if value is None]
        url = url.remove_query_params(gone)
        return f"?{url.query}" if url.query else url.path


def _remember(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR_S, samesite="strict", httponly=True)


def number(values: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    """A whole number of a form or query, or None; out of range it is brought within."""
    text = values.get(name, "").strip()
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        return None
    return min(high, max(low, int(text)))
