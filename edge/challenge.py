"""Challenge parts: known defects that are sent through the line on schedule, and must be stopped.

One that passes is a critical alarm until another is stopped; one that doesn't come in time is a
warning. A part is a challenge by its name, or because somebody announced it. What became of the
last is kept over restarts. Knows no camera, bundle or broker.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ValidationError

from edge.alarm import Alarms
from edge.clock import rfc3339, wall_ns
from edge.messages import Severity
from edge.sections import Challenge
from export.durable import replace
from export.verdict import FAIL_SAFE, Outcome, Verdict

PASSED, OVERDUE = "challenge_passed", "challenge_overdue"  # alarms
FILE = "challenges.json"


class Last(BaseModel, frozen=True):
    """What is known of one camera's challenges.

    Attributes:
        since: RFC 3339, when the last one was stopped, or the schedule began.
        stopped: so many, ever.
        passed: the part that went through, unless one was stopped since.
    """

    since: str
    stopped: int = 0
    passed: str = ""

    def late_s(self, every_minutes: float, now: datetime) -> float:
        """Seconds since the next one was due; negative before."""
        return (now - datetime.fromisoformat(self.since)).total_seconds() - 60 * every_minutes


@dataclass(slots=True)
class _Announced:
    """So many parts captured from then on are challenges."""

    from_: datetime
    count: int


class Challenges:
    """Of all cameras that have a schedule.

    Args:
        schedules: by camera.
        alarms: the box's book.
        folder: where the last ones are kept.
    """

    def __init__(self, schedules: Mapping[str, Challenge], alarms: Alarms, folder: Path) -> None:
        self._alarms, self._path = alarms, folder / FILE
        self._lock = threading.Lock()
        self._announced: dict[str, _Announced] = {}
        self._log = structlog.get_logger("challenge")
        self._dirty = False
        self._last = read(folder)
        self._schedules: dict[str, Challenge] = {}
        self.schedule(schedules)

    def schedule(self, schedules: Mapping[str, Challenge]) -> None:
        """From now on; a camera that is new to it has its whole period."""
        with self._lock:
            for camera in self._schedules.keys() - schedules.keys():
                self._alarms.clear(camera, OVERDUE)
                self._alarms.clear(camera, PASSED)
            for camera in schedules:
                self._last.setdefault(camera, Last(since=rfc3339(wall_ns())))
                if (part := self._last[camera].passed) and camera not in self._schedules:
                    self._alarm(camera, part)
            self._schedules = dict(schedules)  # last: the main thread looks without the lock
            self._dirty = bool(schedules)

    def announce(self, camera: str, count: int) -> None:
        """The next parts of a camera that will be captured are challenges."""
        with self._lock:
            self._announced[camera] = _Announced(_now(), count)

    def last(self) -> dict[str, Last]:
        """By camera, of those with a schedule."""
        with self._lock:
            return {camera: self._last[camera] for camera in self._schedules}

    def judged(self, verdict: Verdict) -> None:
        """A verdict was given; quick, and silent about parts that are no challenge."""
        told = self._schedules.get(verdict.camera)
        if told is None or not (verdict.part.startswith(told.names) or self._awaited(verdict)):
            return
        if verdict.reason in FAIL_SAFE:
            self._log.warning("a challenge proved nothing", camera=verdict.camera,
                              part=verdict.part, why=verdict.reason.value)  # fmt: skip
            return
        part = f"{verdict.part} (seq {verdict.seq}, score {verdict.score or 0:.3f})"
        passed = verdict.outcome is Outcome.PASS
        with self._lock:
            last = self._last[verdict.camera]
            stopped = Last(since=verdict.decided_at, stopped=last.stopped + 1)
            newest = last.model_copy(update={"passed": part}) if passed else stopped
            self._last[verdict.camera] = newest
            self._dirty = True
        if passed:
            self._alarm(verdict.camera, part)
        else:
            self._alarms.clear(verdict.camera, PASSED)
            self._alarms.clear(verdict.camera, OVERDUE)

    def turn(self) -> None:
        """Look whether one is overdue, and keep what is new; a few times a second."""
        now = _now()
        for camera, told in list(self._schedules.items()):
            late_s = self._last[camera].late_s(told.every_minutes, now)
            if late_s > 0:
                why = f"no challenge part was stopped for {told.every_minutes:g} minutes"
                self._alarms.raise_(camera, OVERDUE, f"{why}: send one through the line")
        if self._dirty:
            self._dirty = False
            self._keep()

    def _awaited(self, verdict: Verdict) -> bool:
        with self._lock:
            told = self._announced.get(verdict.camera)
            if told is None or datetime.fromisoformat(verdict.captured_at) < told.from_:
                return False
            told.count -= 1
            if not told.count:
                del self._announced[verdict.camera]
            return True

    def _alarm(self, camera: str, part: str) -> None:
        why = f"the challenge part {part} was passed: stop the line and find out why"
        self._alarms.raise_(camera, PASSED, why, Severity.CRITICAL)
        self._log.error("a challenge part was passed", camera=camera, part=part)

    def _keep(self) -> None:
        with self._lock:
            body = {camera: last.model_dump() for camera, last in self._last.items()}
        try:
            replace(self._path, json.dumps(body, indent=1).encode())
        except OSError as error:
            self._log.warning("the last challenge can't be kept", why=str(error))


def _now() -> datetime:
    return datetime.fromtimestamp(wall_ns() / 1e9, UTC)


def read(folder: Path) -> dict[str, Last]:
    """What was kept, by camera; nothing if there is none or it is damaged."""
    try:
        kept = json.loads((folder / FILE).read_bytes())
        return {str(camera): Last.model_validate(one) for camera, one in kept.items()}
    except (OSError, ValueError, AttributeError, ValidationError):
        return {}
