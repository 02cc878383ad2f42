"""Kept pictures, by the id of their sample."""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge.console.accounts.roles import Role
from edge.console.pictures import WIDTHS
from edge.console.web.door import Asked, Door
from edge.console.web.page import number
from export.errors import LinewardenError

DAY = "private, max-age=86400, immutable"


def doors() -> list[Door]:
    """The pictures' routes."""
    return [Door("/picture/{name}", picture, Role.VIEWER)]


def picture(asked: Asked) -> Response:
    """A sample's picture as JPEG: `width` (one of WIDTHS), and `heat=1` with its heatmap."""
    name = asked.path["name"]
    if asked.desk.shelf.get(name) is None:
        raise HTTPException(404, "No picture was kept of this part")
    wanted = number(asked.query, "width", 1, WIDTHS[-1]) or WIDTHS[1]
    width = next(one for one in WIDTHS if one >= wanted)
    try:
        body = asked.desk.pictures.jpeg(name, width, hot=asked.query.get("heat") == "1")
    except LinewardenError as error:
        raise HTTPException(404, "No picture was kept of this part") from error
    return Response(body, media_type="image/jpeg", headers={"cache-control": DAY})
