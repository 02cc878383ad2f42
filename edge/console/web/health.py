"""The box's health: alarms, cameras, broker, disk, the record and what is missing of it."""

from typing import Any

from starlette.responses import Response

from edge.clock import local, monotonic_ns
from edge.console.accounts.roles import Role
from edge.console.web import live
from edge.console.web.door import Asked, Door
from edge.console.web.page import page
from edge.store import tally

ALARMS = 64
LATE_MS = 5000.0  # a camera whose newest frame is older gives none


def doors() -> list[Door]:
    """The health page's route."""
    return [Door("/health", health, Role.VIEWER)]


def health(asked: Asked) -> Response:
    """The page."""
    desk, said = asked.desk, asked.words
    heard = desk.bulletins.now()
    fresh = heard.fresh(monotonic_ns()) and heard.health is not None
    with desk.readers.lend() as db:
        gaps, contents = tally.gaps(db, 20), tally.contents(db)
    cleared = [one for one in heard.alarms.alarms if one.state == "cleared"] if heard.alarms else []
    return page(
        asked, "health", box=live.box(desk, said), alarms=live.alarms(desk, said, ALARMS),
        heard=heard, fresh=fresh, cameras=_cameras(asked, fresh=fresh), gaps=gaps,
        contents=contents, feeder=desk.feeder.report(), disks=desk.disks(), cleared=cleared,
        watchers=desk.hub.watchers, local=local,
    )  # fmt: skip


def _cameras(asked: Asked, *, fresh: bool) -> list[dict[str, Any]]:
    heard = asked.desk.bulletins.now().health
    last = asked.desk.hub.now().cameras
    rows: list[dict[str, Any]] = []
    for name in asked.desk.cameras():
        told = heard.cameras.get(name) if heard and fresh else None
        state = "unknown"
        if told is not None:
            state = "good" if told.frames and told.frame_age_ms < LATE_MS else "silent"
        rows.append({"name": name, "state": state, "told": told, "last": last.get(name)})
    return rows
