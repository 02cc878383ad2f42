"""Review: one kept picture after the other, the most valuable first, and one key for each label."""

import math
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from edge.console.accounts.book import Refused
from edge.console.accounts.roles import Role
from edge.console.review import labels
from edge.console.review.agreement import agreement
from edge.console.review.queue import Reader, Task, waiting
from edge.console.review.standing import Due, due, pair
from edge.console.web import live, telling
from edge.console.web.door import Asked, Door
from edge.console.web.page import page
from export.errors import SampleError
from export.sample import Sample, Window

KEYS = "123456789"  # the first nine labels; further ones by pointing


def doors() -> list[Door]:
    """The review's routes."""
    return [
        Door("/review", review, Role.OPERATOR),
        Door("/review", say, Role.OPERATOR, method="POST"),
        Door("/review/undo", undo, Role.OPERATOR, method="POST"),
    ]


def review(asked: Asked, notice: str = "", status: int = 200) -> Response:
    """The next sample for this reader, or the one that was asked for by its id."""
    desk, reader = asked.desk, _reader(asked)
    samples = desk.shelf.all()
    tasks = waiting(samples, reader, desk.settings.second_reader)
    skipped = frozenset(asked.query.get("skip", "").split(",")[-50:])
    task = _chosen(asked, tasks, skipped)
    pairs = [told for one in samples if (told := pair(one)) is not None]
    own = labels.last_of(samples, reader)
    values: dict[str, Any] = {
        "task": task, "notice": notice, "waiting": len(tasks), "agreement": agreement(pairs),
        "own": own, "skip": ",".join([*sorted(skipped), task.sample.id]) if task else "",
        "labelled": sum(1 for one in samples if one.label is not None), "total": len(samples),
    }  # fmt: skip
    if task is not None:
        values |= _shown(asked, task, labels.names(samples))
    return page(asked, "review", status, **values)


def say(asked: Asked) -> Response:
    """Take a label, or `unsure`; then the next sample."""
    desk, form = asked.desk, asked.form
    name, label = form.get("sample", ""), form.get("label", "").strip()
    if desk.shelf.get(name) is None:
        return review(asked, asked.words("this sample is gone; here is the next one"), 409)
    try:
        saying = labels.Saying(
            label=None if form.get("unsure") else label,
            box=_box(form.get("box", "")),
            note=form.get("note", "").strip(),
            seen=int(form.get("seen", "0")) if form.get("seen", "0").isdecimal() else 0,
        )
        reader = _reader(asked)
        sample = labels.say(desk.shelf.folder, name, reader, saying, desk.settings.second_reader)
    except Refused as refused:
        return review(asked, asked.words(str(refused)), 409)
    except SampleError as error:
        return review(asked, error.problem, 409)
    desk.book.note(asked.session.name, "label", name, label or "unsure")
    _noticed(asked, sample)
    return RedirectResponse("/review", 303)


def undo(asked: Asked) -> Response:
    """Take the reader's own last step back, and show that sample again."""
    desk, reader = asked.desk, _reader(asked)
    sample = labels.last_of(desk.shelf.all(), reader)
    if sample is None:
        return review(asked, asked.words("there is nothing of yours to undo"), 409)
    try:
        labels.undo(desk.shelf.folder, sample, reader)
    except (Refused, SampleError) as error:
        return review(asked, asked.words(str(error)), 409)
    desk.book.note(asked.session.name, "label undone", sample.id)
    desk.shelf.look()
    return RedirectResponse(f"/review?sample={quote(sample.id)}", 303)


def _noticed(asked: Asked, sample: Sample) -> None:
    """The shelf knows at once, so that the next page is true; its verdict is never forgotten."""
    asked.desk.feeder.pin([sample.verdict.key])
    asked.desk.shelf.look()


def _reader(asked: Asked) -> Reader:
    return Reader(asked.session.name, asked.session.role)


def _chosen(asked: Asked, tasks: list[Task], skipped: frozenset[str]) -> Task | None:
    wanted = asked.query.get("sample", "")
    sample = asked.desk.shelf.get(wanted) if wanted else None
    if sample is not None:
        return Task(sample, due(sample, asked.desk.settings.second_reader), 0.0)
    left = [one for one in tasks if one.sample.id not in skipped]
    return next(iter(left or tasks), None)


def _shown(asked: Asked, task: Task, names: list[str]) -> dict[str, Any]:
    sample, said = task.sample, asked.words
    blind = task.due is Due.SECOND
    return {
        "choices": [
            (name, telling.kind(name), KEYS[n] if n < len(KEYS) else "")
            for n, name in enumerate(names)
        ],
        "why": [said(telling.WHY[why.value]) for why in sample.why],
        "reason": telling.reason(sample.verdict, said),
        "bar": live.bar(sample.verdict, said),
        "blind": blind,
        "history": [] if blind else list(sample.labels),
    }


def _box(text: str) -> Window | None:
    """`x,y,width,height` as fractions 0..1 of the picture; nothing if it makes no sense."""
    try:
        values = [round(float(one), 4) for one in text.split(",")]
    except ValueError:
        return None
    if len(values) != 4 or not all(math.isfinite(one) for one in values):
        return None
    x, y, width, height = values
    inside = 0 <= x < 1 and 0 <= y < 1 and width > 0 and height > 0
    if not inside or x + width > 1.001 or y + height > 1.001:
        return None
    return Window(x=x, y=y, width=min(width, 1 - x), height=min(height, 1 - y))
