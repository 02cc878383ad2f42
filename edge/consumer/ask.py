"""When to ask the box for missing verdicts, and for how many at once. Pure: time is an argument.

A gap gets a moment to close by itself (verdicts may be on their way), then a request; the next one
follows when that is answered, or after a pause without progress. One question a camera at a time,
so that a box with a long backlog isn't asked for the same rows over and over.

What was dropped or is damaged never comes, and the box doesn't say so. But it answers in turn: if
the verdict behind the gap is asked for after the gap and comes alone, the box has passed it over.
"""

from dataclasses import dataclass, replace
from itertools import groupby

from edge.consumer.follow import Gap
from edge.messages import Replay

SETTLE_S = 0.3
AGAIN_S = 2.0
ROWS = 1000
RANGES = 16
PATIENCE = 5
DOUBT = 2  # unanswered requests, from which on the verdict behind the gap is asked for too
PASSED_OVER = 3  # times that it came alone


@dataclass(slots=True)
class _Question:
    """What a camera was last asked for: everything missing from `head` up to `end`.

    `behind` is the verdict after the first gap, as far as that was asked for up to `head_end`.
    """

    head: int
    moved_s: float
    asked_s: float = 0.0
    end: int = 0
    tries: int = 0
    head_end: int = 0
    behind: int = 0
    passed_over: int = 0


class Asker:
    """Paces replay requests.

    Attributes:
        asked: requests made.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._open: dict[str, _Question] = {}

    def restart(self) -> None:
        """A new connection: whatever was asked may have been forgotten."""
        self._open.clear()

    def due(self, gaps: list[Gap], now_s: float) -> list[Replay]:
        """The requests to send now, given all that is missing (by camera, then by seq)."""
        requests: list[Replay] = []
        by_camera = {camera: list(some) for camera, some in groupby(gaps, key=lambda g: g.camera)}
        for camera in self._open.keys() - by_camera.keys():
            del self._open[camera]
        for camera, missing in by_camera.items():
            head = missing[0].first
            question = self._open.setdefault(camera, _Question(head, now_s))
            if head != question.head:
                question.head, question.moved_s, question.tries = head, now_s, 0
                question.behind = question.passed_over = 0
            if not _is_due(question, now_s):
                continue
            requests += (asked := _requests(missing))
            question.end, question.asked_s = asked[-1].last, now_s
            question.tries += 1
            question.head_end = asked[0].last
            if question.tries > DOUBT:
                question.behind = missing[0].last + 1
                behind = {"first": question.behind, "last": question.behind}
                requests.append(asked[0].model_copy(update=behind))
        self.asked += len(requests)
        return requests

    def heard(self, camera: str, seq: int) -> None:
        """A replayed verdict has come: perhaps the one that was asked for behind a gap."""
        question = self._open.get(camera)
        if question is not None and seq == question.behind:
            question.passed_over += 1

    def hopeless(self, gaps: list[Gap], *, quarantine: bool = False) -> list[Gap]:
        """Those that were asked for several times and never came, as far as they were asked for.

        Args:
            gaps: what is missing.
            quarantine: whether the box has verdicts aside, so that no other sign is needed.
        """
        return [
            replace(gap, last=min(gap.last, question.head_end))
            for gap in gaps
            if (question := self._open.get(gap.camera)) is not None
            and question.head == gap.first
            and question.tries > PATIENCE
            and (quarantine or question.passed_over >= PASSED_OVER)
        ]


def _is_due(question: _Question, now_s: float) -> bool:
    if question.end == 0:
        return now_s - question.moved_s >= SETTLE_S
    if question.head > question.end:
        return True
    return now_s - max(question.asked_s, question.moved_s) >= AGAIN_S


def _requests(missing: list[Gap]) -> list[Replay]:
    """The first few ranges, of ROWS verdicts together."""
    requests: list[Replay] = []
    room = ROWS
    for gap in missing[:RANGES]:
        last = min(gap.last, gap.first + room - 1)
        requests.append(Replay(camera=gap.camera, epoch=gap.epoch, first=gap.first, last=last))
        room -= last - gap.first + 1
        if room <= 0:
            break
    return requests
