"""The live view: what the page shows at first, and the snapshots that keep it true."""

import json
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from edge.clock import local, monotonic_ns
from edge.console import figures
from edge.console.accounts.roles import Role
from edge.console.desk import Desk
from edge.console.hub import Draw, Now
from edge.console.web import telling
from edge.console.web.door import Asked, Door, who
from edge.console.web.language import DASH, Words, words
from edge.console.web.page import page
from edge.console.web.stream import Stream
from edge.store import entry
from export.audit import EscapeEstimate
from export.sample import Sample
from export.verdict import Verdict

KINDS_SHOWN, ALARMS_SHOWN, STRIP = 6, 5, 6
SHORT = 9  # characters of a part's name on a small tile: its end tells parts apart


def doors() -> list[Door]:
    """The live view's routes."""
    return [
        Door("/", live, Role.VIEWER),
        Door("/live/events", events, Role.VIEWER),
    ]


def live(asked: Asked) -> Response:
    """The page; what it shows at first is a snapshot too."""
    return page(asked, "live", shot=snapshot(asked.desk, asked.desk.hub.now(), asked.words))


def events(asked: Asked) -> Response:
    """Snapshots as server-sent events, for as long as whoever asked may see them.

    Watching keeps a viewer logged in, as a screen on the wall; who may change something must come
    back now and then.
    """
    request, desk = asked.request, asked.desk
    idle = asked.session.role is not Role.VIEWER
    return Stream(
        desk.hub, asked.words.code, lambda: who(request, desk, used=not idle).role >= Role.VIEWER
    )


def drawer(desk: Desk) -> Draw:
    """Makes the hub's snapshots."""

    def draw(now: Now, code: str) -> bytes:
        return json.dumps(snapshot(desk, now, words(code)), ensure_ascii=False).encode()

    return draw


def snapshot(desk: Desk, now: Now, said: Words) -> dict[str, Any]:
    """All that the live view shows, in words."""
    now_ms = desk.now_ms()
    with desk.readers.lend() as db:
        today = figures.figures(db, figures.day(now_ms))
    return {
        "now_ms": now_ms,
        "clock": said.time(local(now_ms), seconds=False),
        "trouble": _trouble(desk, said),
        "cameras": [_camera(desk, name, now.cameras.get(name), said) for name in desk.cameras()],
        "ticker": [_short(verdict, said) for verdict in now.ticker],
        "today": _today(today, said),
        "escapes": escapes(desk.shelf.escapes(), said),
        "alarms": alarms(desk, said),
        "box": box(desk, said),
        "waiting": desk.waiting(),
    }


def _trouble(desk: Desk, said: Words) -> str:
    """What keeps the page from being true, or ""."""
    report = desk.feeder.report()
    if report.trouble:
        return said("Verdicts are not read: {why}", why=report.trouble)
    return said("Catching up with the box's record …") if report.catching_up else ""


def _camera(desk: Desk, name: str, verdict: Verdict | None, said: Words) -> dict[str, Any]:
    kept = desk.shelf.newest(name, STRIP + 1)
    shown: dict[str, Any] = {
        "name": name,
        "picture": _picture(kept, verdict, said),
        "strip": [thumbnail(sample, said) for sample in kept[1:]],
    }
    if verdict is None:
        return {**shown, "outcome": "none", "word": said("No part yet"), "part": "", "reason": "",
                "score": DASH, "novelty": "", "time": "", "at_ms": None, "href": "", "bar": None,
                "conditions": []}  # fmt: skip
    at_ms = entry.at_ms(verdict, 0)
    return {
        **shown,
        "outcome": verdict.outcome.value,
        "word": said(telling.OUTCOMES[verdict.outcome]),
        "part": verdict.part,
        "reason": telling.reason(verdict, said),
        "score": said.score(verdict.score),
        "novelty": _novelty(verdict, said),
        "time": said.time(local(at_ms)),
        "at_ms": at_ms,
        "href": href(verdict),
        "bar": bar(verdict, said),
        "conditions": [telling.alarm(one, said) for one in verdict.health.conditions],
    }


def bar(verdict: Verdict, said: Words) -> dict[str, Any] | None:
    """The score on its thresholds, in thousandths; None without them."""
    limits = verdict.thresholds
    if limits is None:
        return None
    return {
        "at": None if verdict.score is None else round(1000 * verdict.score),
        "low": round(1000 * limits.pass_below),
        "high": round(1000 * limits.fail_above),
        "low_text": said.score(limits.pass_below),
        "high_text": said.score(limits.fail_above),
    }


def _novelty(verdict: Verdict, said: Words) -> str:
    if verdict.novelty is None:
        return ""
    limit = verdict.thresholds.novel_above if verdict.thresholds else None
    if limit is None:
        return said.score(verdict.novelty, 2)
    return f"{said.score(verdict.novelty, 2)} / {said.score(limit, 2)}"


def _picture(kept: list[Sample], verdict: Verdict | None, said: Words) -> dict[str, Any] | None:
    """The newest kept picture; it need not be of the last part, and says so."""
    if not kept:
        return None
    same = verdict is not None and kept[0].verdict.key == verdict.key
    return {**thumbnail(kept[0], said), "same": same}


def thumbnail(sample: Sample, said: Words) -> dict[str, Any]:
    """A kept picture and what was decided on it."""
    verdict = sample.verdict
    return {
        "id": sample.id,
        "part": verdict.part,
        "outcome": verdict.outcome.value,
        "word": said(telling.OUTCOMES[verdict.outcome]),
        "time": said.time(local(entry.at_ms(verdict, 0))),
        "href": href(verdict),
    }


def _short(verdict: Verdict, said: Words) -> dict[str, Any]:
    return {
        "key": "/".join(map(str, verdict.key)),
        "camera": verdict.camera,
        "part": short(verdict.part),
        "outcome": verdict.outcome.value,
        "word": said(telling.OUTCOMES[verdict.outcome]),
        "time": said.time(local(entry.at_ms(verdict, 0))),
        "href": href(verdict),
    }


def short(part: str) -> str:
    """The end of a long name."""
    return part if len(part) <= SHORT else f"…{part[1 - SHORT :]}"


def href(verdict: Verdict) -> str:
    """Where the verdict has its own page; the camera's name goes into the query, escaped."""
    key = {"camera": verdict.camera, "epoch": verdict.epoch, "seq": verdict.seq}
    return f"/verdict?{urlencode(key)}"


def _today(told: figures.Figures, said: Words) -> dict[str, Any]:
    most = max((one.n for one in told.rejects), default=1)
    return {
        "fpy": said.percent(told.first_pass),
        "parts": said.number(told.parts),
        "pass": said.number(told.passed),
        "fail": said.number(told.failed),
        "review": said.number(told.reviewed),
        "kinds": [
            {
                "name": rejects_name(one, said),
                "n": said.number(one.n),
                "share": said.percent(one.n / told.parts, 2),
                "width": round(1000 * one.n / most),
            }
            for one in told.rejects[:KINDS_SHOWN]
        ],
    }


def rejects_name(one: figures.Rejects, said: Words) -> str:
    """A defect type, or why there is none."""
    if one.kind:
        return telling.kind(one.kind)
    known: dict[str, str] = {why.value: text for why, text in telling.REASONS.items()}
    return said(known.get(one.reason, one.reason))


def escapes(told: EscapeEstimate, said: Words) -> dict[str, str]:
    """The audited outgoing escape rate, with what it stands on."""
    if told.rate is None:
        return {
            "rate": DASH,
            "text": said("Passes drawn: {drawn}. None is labelled yet.", drawn=told.drawn),
        }
    return {
        "rate": said.percent(told.rate, 2),
        "text": said(
            "{low} to {high} with 95% confidence; {found} defective of {reviewed} audited passes",
            low=said.percent(told.low, 2),
            high=said.percent(told.high, 2),
            found=told.found,
            reviewed=told.reviewed,
        ),
    }


def alarms(desk: Desk, said: Words, limit: int = ALARMS_SHOWN) -> list[dict[str, str]]:
    """The alarms that stand, critical ones first."""
    heard = desk.bulletins.now().alarms
    standing = [one for one in heard.alarms if one.state == "raised"] if heard else []
    standing.sort(key=lambda one: one.severity.value)
    return [
        {
            "source": one.source,
            "name": telling.alarm(one.name, said),
            "severity": one.severity.value,
            "word": said("Critical") if one.severity.value == "critical" else said("Warning"),
            "detail": one.detail,
            "since": one.since,
        }
        for one in standing[:limit]
    ]


def box(desk: Desk, said: Words) -> dict[str, str]:
    """Whether the box runs, as it says itself over MQTT; unknown where nobody can hear it."""
    told = desk.bulletins.now()
    if desk.appliance.broker is None:
        why = said("The settings name no broker, over which the box could be heard.")
        return {"state": "unknown", "word": said("Box: unknown"), "why": why}
    if told.online is None:
        why = told.trouble or "the box has not been heard"
        return {"state": "unknown", "word": said("Box: unknown"), "why": why}
    if not told.online:
        return {"state": "offline", "word": said("Box: stopped"), "why": ""}
    if not told.fresh(monotonic_ns()):
        return {"state": "unknown", "word": said("Box: silent"), "why": ""}
    return {"state": "online", "word": said("Box: running"), "why": ""}
