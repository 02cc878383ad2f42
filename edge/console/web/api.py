"""What a workstation asks by its token: the samples as they lie here, record and picture.

JSON and bytes, no pages. A sample's record goes out as the box has it; nothing is changed here.
"""

from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge.console.accounts.roles import Role
from edge.console.web.door import Asked, Door
from edge.console.web.page import number
from export.doorway import SAMPLES, Listed, Listing
from export.errors import SampleError
from export.sample import Sample

PAGE = 500
TYPES = {"png": "image/png", "jpg": "image/jpeg"}


def doors() -> list[Door]:
    """The routes for workstations that read."""
    return [
        Door(SAMPLES, samples, Role.OPERATOR),
        Door(f"{SAMPLES}/{{name}}/record", record, Role.OPERATOR),
        Door(f"{SAMPLES}/{{name}}/picture", picture, Role.OPERATOR),
    ]


def samples(asked: Asked) -> Response:
    """A page of those that somebody spoke about; of `all=1`, of every one. `after`: an id."""
    desk, query = asked.desk, asked.query
    kept = desk.shelf.all()
    found = sorted((s for s in kept if s.labels or query.get("all") == "1"), key=lambda s: s.id)
    after = query.get("after", "")
    size = number(query, "limit", 1, PAGE) or PAGE
    left = [one for one in found if one.id > after]
    return document(
        Listing(
            station=desk.station,
            total=len(found),
            samples=tuple(_listed(one) for one in left[:size]),
            more=len(left) > size,
        )
    )


def record(asked: Asked) -> Response:
    """A sample's record with its heatmap and the whole history of its labels."""
    return document(_sample(asked))


def picture(asked: Asked) -> Response:
    """A sample's picture, the very bytes that the box keeps."""
    sample = _sample(asked)
    try:
        body = asked.desk.shelf.folder.picture(sample).read_bytes()
    except OSError:  # a label moves it while we look
        try:
            body = asked.desk.shelf.folder.picture(_sample(asked)).read_bytes()
        except OSError as error:
            raise HTTPException(404, "There is no such sample") from error
    return Response(body, media_type=TYPES[sample.image.suffix])


def document(told: Listing | Sample) -> Response:
    """A contract as JSON."""
    return Response(told.model_dump_json(), media_type="application/json")


def _sample(asked: Asked) -> Sample:
    name = asked.path["name"]
    if asked.desk.shelf.get(name) is None:
        raise HTTPException(404, "There is no such sample")
    try:
        return asked.desk.shelf.folder.read(name)
    except SampleError as error:
        raise HTTPException(404, "There is no such sample") from error


def _listed(sample: Sample) -> Listed:
    return Listed(
        id=sample.id, mark=sample.mark, label=sample.label, sha256=sample.image.sha256,
        bytes=sample.image.bytes,
    )  # fmt: skip
