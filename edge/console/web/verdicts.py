"""Verdicts: found by time, part, type, score and camera; and each on a page of its own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge.clock import local
from edge.console.accounts.roles import Role
from edge.console.review.standing import steps
from edge.console.web import live, telling
from edge.console.web.door import Asked, Door
from edge.console.web.language import Words
from edge.console.web.page import number, page
from edge.store import search, tally
from edge.store.search import Found, Place, Search
from export.sample import Sample, sample_id
from export.verdict import FAIL_SAFE, MAX_COUNT, Outcome, Reason

PART_CHARS = 128
FIELD = "%Y-%m-%dT%H:%M"  # of a form's date and time
REASONS: Mapping[str, tuple[str, ...]] = {
    "novel": (Reason.NOVEL.value,),
    "late": (Reason.LATE.value,),
    "fail_safe": tuple(sorted(one.value for one in FAIL_SAFE)),
}
SAME_PART = 20


def doors() -> list[Door]:
    """The verdicts' routes."""
    return [
        Door("/verdicts", verdicts, Role.VIEWER),
        Door("/verdict", verdict, Role.VIEWER),
    ]


def verdicts(asked: Asked) -> Response:
    """The search and one page of what it found."""
    wanted, after = _search(asked.query), _place(asked.query)
    with asked.desk.readers.lend() as db:
        found = search.find(db, wanted, after)
        kinds, cameras = tally.kinds(db), tally.cameras(db)
    further = ""
    if found.next is not None:
        kept = {name: value for name, value in asked.query.items() if name not in ("at", "id")}
        further = urlencode({**kept, "at": found.next.at_ms, "id": found.next.id})
    looked = found.looked_back_ms
    return page(
        asked, "verdicts", rows=[_row(asked, one) for one in found.found], further=further,
        **_form(asked.query, kinds, cameras), first=after is None,
        looked_back=None if looked is None else local(looked),
    )  # fmt: skip


def verdict(asked: Asked) -> Response:
    """Everything that is known of one part's verdict."""
    camera = asked.query.get("camera", "")
    epoch = number(asked.query, "epoch", 0, MAX_COUNT)
    seq = number(asked.query, "seq", 0, MAX_COUNT)
    if epoch is None or seq is None:
        raise HTTPException(404, "There is no such verdict")
    with asked.desk.readers.lend() as db:
        found = search.one(db, camera, epoch, seq)
        if found is None:
            raise HTTPException(404, "There is no such verdict")
        same = search.find(db, Search(part=found.verdict.part)).found
    name = sample_id(camera, epoch, seq)
    sample = asked.desk.shelf.get(name)
    others = [one for one in same if one.verdict.part == found.verdict.part and one.id != found.id]
    return page(
        asked, "verdict", found=found, told=found.verdict, at=local(found.at_ms), sample=sample,
        bar=live.bar(found.verdict, asked.words), history=_history(sample),
        reason=telling.reason(found.verdict, asked.words), shares=_shares(found, asked.words),
        others=[_row(asked, one) for one in others[:SAME_PART]],
    )  # fmt: skip


def _row(asked: Asked, found: Found) -> dict[str, Any]:
    told, said, at = found.verdict, asked.words, local(found.at_ms)
    return {
        "href": live.href(told),
        "camera": told.camera,
        "part": told.part,
        "outcome": told.outcome.value,
        "word": said(telling.OUTCOMES[told.outcome]),
        "day": said.day(at),
        "time": said.time(at),
        "score": said.score(told.score),
        "reason": telling.reason(told, said),
        "picture": asked.desk.shelf.get(sample_id(*told.key)) is not None,
    }


def _shares(found: Found, said: Words) -> list[tuple[str, str, int]]:
    """Each class's probability, the likeliest first: name, in words, in thousandths."""
    ordered = sorted(found.verdict.probabilities.items(), key=lambda one: -one[1])
    return [(telling.kind(name), said.percent(p), round(1000 * p)) for name, p in ordered]


def _history(sample: Sample | None) -> list[tuple[Any, bool]]:
    """Each step of its labels, and whether it still counts."""
    if sample is None:
        return []
    counting = steps(sample)
    return [(label, any(label is one for one in counting)) for label in sample.labels]


def _search(query: Mapping[str, str]) -> Search:
    outcome = query.get("outcome", "")
    outcomes = {"": (), "rejects": ("fail", "review")}.get(outcome, (outcome,))
    known = {one.value for one in Outcome}
    since, until = _moment(query.get("since", "")), _moment(query.get("until", ""))
    fields: dict[str, Any] = {
        "reasons": REASONS.get(outcome, ()),
        "outcomes": tuple(one for one in outcomes if one in known),
        "cameras": search.parted(query.get("camera", "")),
        "kinds": search.parted(query.get("kind", "")),
        "part": query.get("part", "").strip()[:PART_CHARS],
        "percent_from": number(query, "from", 0, 100),
        "percent_to": number(query, "to", 0, 100),
    }
    if since is not None:
        fields["since_ms"] = since
    if until is not None:
        fields["until_ms"] = until + 60_000  # the minute that was named is in it
    return Search(**fields)


def _form(query: Mapping[str, str], kinds: Sequence[str], cameras: Sequence[str]) -> dict[str, Any]:
    """The search as its form shows it."""
    times = {name: _field(query.get(name, "")) for name in ("since", "until")}
    return {
        "asked": {**query, **times},
        "kinds": _choices(kinds, query.get("kind", ""), telling.kind),
        "cameras": _choices(cameras, query.get("camera", ""), str),
    }


def _choices(names: Sequence[str], chosen: str, said: Callable[[str], str] = str) -> dict[str, str]:
    """Names to choose from, by what a form sends; several, as a link asks for, are one choice."""
    choices = {search.joined([name]): said(name) for name in names}
    several = ", ".join(said(name) for name in search.parted(chosen))
    return choices | ({chosen: several} if several and chosen not in choices else {})


def _field(text: str) -> str:
    """A moment as a form's field takes it, in the box's time; a link tells its offset, too."""
    at_ms = _moment(text)
    try:
        return "" if at_ms is None else local(at_ms).strftime(FIELD)
    except (ValueError, OverflowError):
        return ""


def _moment(text: str) -> int | None:
    """A local date and time of a form (`2026-11-24T06:00`), in milliseconds since 1970."""
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def _place(query: Mapping[str, str]) -> Place | None:
    at_ms = number(query, "at", -(2**62), 2**62)
    row = number(query, "id", -1, 2**62)
    return None if at_ms is None or row is None else Place(at_ms, row)
