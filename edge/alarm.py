"""The book of alarms: what is wrong and needs a person, by name, from raising to clearing.

Whoever watches something raises and clears here, as often as it likes: only changes are news. The
broker publishes the whole book after each change, from memory, so that an alarm goes out even when
the disk is full. Knows no broker and no disk; safe to use from every thread.
"""

import threading
from collections import deque
from collections.abc import Callable

from edge import clock
from edge.messages import Alarm, AlarmList, Severity

STANDING = 48  # alarms that may stand at once; more are counted
CLEARED = 16  # that stay in the list after clearing, so that a short one is seen too
DETAIL_CHARS = 256
ROOM_BYTES = 49_152


class Alarms:
    """What stands now, and what was cleared last.

    Args:
        wall_ns: the label for `since` and `until`; nanoseconds since 1970.

    Attributes:
        number: changes so far.
        unlisted: alarms that found the book full and were not listed.
    """

    def __init__(self, wall_ns: Callable[[], int] = clock.wall_ns) -> None:
        self.number = self.unlisted = 0
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        self._standing: dict[tuple[str, str], Alarm] = {}
        self._cleared: deque[Alarm] = deque(maxlen=CLEARED)
        self._on_change: Callable[[], None] = _nobody

    def on_change(self, call: Callable[[], None]) -> None:
        """After each change `call` is called, in the thread that made it; it must be quick."""
        self._on_change = call

    def raise_(
        self, source: str, name: str, detail: str = "", severity: Severity = Severity.WARNING
    ) -> bool:
        """`name` is wrong with `source` until `clear`; returns whether that is news.

        Raising what stands already changes nothing, unless its severity grew: `since` and `detail`
        stay those of the first time, so that a watcher may raise on every frame. Raises ValueError
        for a source or name that the Alarm message can't carry.
        """
        with self._lock:
            before = self._standing.get((source, name))
            if before is not None and not _graver(severity, before.severity):
                return False
            if before is None and len(self._standing) >= STANDING:
                self.unlisted += 1
                return False
            since = before.since if before else clock.rfc3339(self._wall_ns())
            self._standing[source, name] = Alarm(
                source=source,
                name=name,
                severity=severity,
                state="raised",
                since=since,
                detail=detail[:DETAIL_CHARS],
            )
            self.number += 1
        self._on_change()
        return True

    def clear(self, source: str, name: str) -> bool:
        """It is well again; returns whether it wasn't before."""
        with self._lock:
            alarm = self._standing.pop((source, name), None)
            if alarm is None:
                return False
            until = clock.rfc3339(self._wall_ns())
            self._cleared.append(alarm.model_copy(update={"state": "cleared", "until": until}))
            self.number += 1
        self._on_change()
        return True

    def set(
        self,
        source: str,
        name: str,
        detail: str,
        severity: Severity = Severity.WARNING,
    ) -> bool:
        """Raise it if `detail` says something, clear it if that is empty; whether it is news."""
        return self.raise_(source, name, detail, severity) if detail else self.clear(source, name)

    def standing(self) -> tuple[Alarm, ...]:
        """What stands now, in the order in which it was raised."""
        with self._lock:
            return tuple(self._standing.values())

    def told(self, epoch: int, boots: int, room_bytes: int = ROOM_BYTES) -> AlarmList:
        """The book as the message that is published, retained, after each change.

        `epoch` and `boots` tell an old retained list from the present one. What doesn't fit into
        `room_bytes` of JSON is left out, the cleared ones first, and counted as unlisted.
        """
        with self._lock:
            alarms = [*self._standing.values(), *reversed(self._cleared)]
            standing, unlisted, number = len(self._standing), self.unlisted, self.number
        while True:
            missing = unlisted + max(0, standing - len(alarms))
            said = AlarmList(
                epoch=epoch, boots=boots, number=number, alarms=tuple(alarms), unlisted=missing
            )
            if not alarms or len(said.model_dump_json().encode()) <= room_bytes:
                return said
            alarms.pop()


def _graver(severity: Severity, than: Severity) -> bool:
    return severity is Severity.CRITICAL and than is Severity.WARNING


def _nobody() -> None: ...
