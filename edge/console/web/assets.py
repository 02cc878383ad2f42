"""The page's own files: read once from the package, known by name, nothing else is ever served."""

import json
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge.console.accounts.roles import Role
from edge.console.web.door import Asked, Door
from edge.console.web.language import LANGUAGES, catalogue

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HOUR = "public, max-age=3600"


def _loaded() -> dict[str, tuple[bytes, str]]:
    folder = files("edge.console.web") / "static"
    return {
        one.name: (one.read_bytes(), TYPES[one.name.rpartition(".")[2]])
        for one in folder.iterdir()
        if one.name.rpartition(".")[2] in TYPES
    }


FILES = _loaded()


def doors() -> list[Door]:
    """The assets' routes."""
    return [
        Door("/static/{name}", asset, Role.PUBLIC),
        Door("/words/{code}", texts, Role.PUBLIC),
    ]


def asset(asked: Asked) -> Response:
    """A style sheet, script or symbol."""
    found = FILES.get(asked.path["name"])
    if found is None:
        raise HTTPException(404, "There is no such page")
    body, kind = found
    return Response(body, media_type=kind, headers={"cache-control": HOUR})


def texts(asked: Asked) -> Response:
    """A language's catalogue, for the scripts."""
    code = asked.path["code"]
    if code not in LANGUAGES:
        raise HTTPException(404, "There is no such page")
    body = json.dumps(dict(catalogue(code)), ensure_ascii=False)
    return Response(body, media_type="application/json", headers={"cache-control": HOUR})
