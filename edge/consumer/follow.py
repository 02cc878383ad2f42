"""The consumer's side of "none is lost": verdicts in any order, twice or never, come out in order.

Pure: knows no broker, no clock and no file. Feed it what arrives (`take`) and what the box says it
has (`heads`); it hands back verdicts in order of (camera, epoch, seq), each once, and says what to
ask for (`gaps`). What can no longer be had is reported as lost, never stepped over in silence.
One verdict doesn't begin a new epoch: the box's own State or Health must say so (`confirm`).
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edge.consumer.ahead import Ahead
from edge.messages import Health
from export.verdict import Verdict

REMEMBERED = 10_000  # digests of delivered verdicts per camera, to tell duplicates from conflicts
AHEAD = 20_000  # verdicts that may wait for those before them, all cameras together
HELD = 10_000  # verdicts of epochs not yet confirmed, all cameras together
CAMERAS = 256  # more than one box has; the names come from whoever may publish
PAST = 1000  # epochs that are over


@dataclass(frozen=True, slots=True)
class Position:
    """Where a consumer stands with a camera: everything before `next` of `epoch` is done."""

    epoch: int
    next: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Verdicts that are missing: seq `first` to `last`, both included."""

    camera: str
    epoch: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Verdicts that will never come, and why."""

    gap: Gap
    why: str


@dataclass(slots=True)
class Counts:
    """What a follower has seen."""

    delivered: int = 0
    duplicates: int = 0
    conflicts: int = 0
    lost: int = 0
    stale: int = 0
    postponed: int = 0


@dataclass(slots=True)
class _Line:
    """One camera's verdicts."""

    camera: str
    epoch: int
    next: int
    tail: int = 0
    ahead: Ahead = field(default_factory=Ahead)
    digests: OrderedDict[int, bytes] = field(default_factory=OrderedDict[int, bytes])
    past: deque[int] = field(default_factory=lambda: deque[int](maxlen=PAST))
    rumour: tuple[int, str] = (0, "")

    def gaps(self, end: int) -> Iterator[Gap]:
        """What is missing from `next` up to and including `end`."""
        for first, last in self.ahead.missing(self.next, end):
            yield Gap(self.camera, self.epoch, first, last)

    @property
    def newest(self) -> int:
        """The highest seq that is known to be there."""
        return max(self.tail, self.ahead.newest)


class Follower:
    """Puts verdicts in order.

    Args:
        from_start: begin each camera with its first verdict; else with the first one that arrives.
        positions: where an earlier follower stood; those cameras go on from there.

    Attributes:
        counts: what has been seen. `stale` are verdicts of another life of the box's record than
            the one it confirms: an earlier one's, a stray's or a forger's; `postponed` are those
            that could not be held, which will be asked for again.
        conflicts: keys (camera, epoch, seq) that came with two different bodies; the first of them.
        lost: what was given up, oldest first, until somebody takes it.
    """

    def __init__(
        self, *, from_start: bool = False, positions: Mapping[str, Position] | None = None
    ) -> None:
        self.counts = Counts()
        self.conflicts: list[tuple[str, int, int]] = []
        self.lost: list[Lost] = []
        self._held: deque[Verdict] = deque()
        self._confirmed = 0
        self._from_start = from_start
        self._lines = {
            camera: _Line(camera, position.epoch, position.next)
            for camera, position in (positions or {}).items()
        }

    def take(self, verdict: Verdict) -> list[Verdict]:
        """One verdict has arrived; returns those whose turn has come."""
        line = self._line_of(verdict)
        if line is None:
            self.counts.stale += 1
            return []
        if verdict.epoch != line.epoch:
            if verdict.epoch in line.past or verdict.epoch <= max(line.epoch, self._confirmed):
                self.counts.stale += 1
            else:
                self._hold(verdict)
            return []
        if verdict.seq < line.next or line.ahead.get(verdict.seq) is not None:
            self._seen_again(line, verdict)
            return []
        line.ahead.add(verdict)
        done = self._in_turn(line)
        if line.ahead and sum(len(one.ahead) for one in self._lines.values()) > AHEAD:
            line.ahead.drop_newest()
            self.counts.postponed += 1
        return done

    def confirm(self, epoch: int) -> list[Verdict]:
        """The box is online with this epoch: a later one begins everywhere. Returns like `take`.

        What was held for it is looked at; what was held for another is a stray.
        """
        self._confirmed = max(self._confirmed, epoch)
        done: list[Verdict] = []
        for line in self._lines.values():
            if epoch > line.epoch and epoch not in line.past:
                done += self._begin_epoch(line, epoch)
        held, self._held = self._held, deque()
        for verdict in held:
            if verdict.epoch == epoch:
                done += self.take(verdict)
            else:
                self.counts.stale += 1
        return done

    @property
    def unconfirmed(self) -> int:
        """Verdicts held until the box confirms their epoch."""
        return len(self._held)

    def heads(self, health: Health) -> list[Verdict]:
        """What the box has: shows a missing tail, and what is gone. Returns like `take`.

        A verdict that the box has stored but not yet delivered to the broker isn't missing.
        """
        done = self.confirm(health.epoch)
        for camera, report in health.cameras.items():
            line = self._lines.get(camera)
            if line is None:
                if not self._from_start or len(self._lines) >= CAMERAS:
                    continue
                line = self._lines[camera] = _Line(camera, health.epoch, 1)
            if health.epoch != line.epoch:
                if not _believed(line, health):
                    continue
                done += self._begin_epoch(line, health.epoch)
            if line.next < report.oldest:
                done += self._give_up(line, report.oldest - 1, "the box no longer keeps it")
            line.tail = max(line.tail, report.newest - health.outbox.depth)
        return done

    def gaps(self) -> list[Gap]:
        """What is known to be missing, to be asked for."""
        return [gap for line in self._lines.values() for gap in line.gaps(line.newest)]

    def give_up(self, gap: Gap, why: str) -> list[Verdict]:
        """Stop waiting for everything up to the gap's end; returns like `take`."""
        line = self._lines.get(gap.camera)
        if line is None or line.epoch != gap.epoch or line.next > gap.last:
            return []
        return self._give_up(line, gap.last, why)

    def take_lost(self) -> list[Lost]:
        """What was given up since this was asked last."""
        taken, self.lost = self.lost, []
        return taken

    def positions(self) -> dict[str, Position]:
        """Where it stands, for a follower to come."""
        return {camera: Position(line.epoch, line.next) for camera, line in self._lines.items()}

    def _line_of(self, verdict: Verdict) -> _Line | None:
        line = self._lines.get(verdict.camera)
        if line is None:
            if verdict.replay and not self._from_start:
                return None  # somebody else's question
            if len(self._lines) >= CAMERAS:
                return None
            first = 1 if self._from_start else verdict.seq
            line = self._lines[verdict.camera] = _Line(verdict.camera, verdict.epoch, first)
        return line

    def _hold(self, verdict: Verdict) -> None:
        if len(self._held) >= HELD:
            self.counts.postponed += 1
        else:
            self._held.append(verdict)

    def _in_turn(self, line: _Line) -> list[Verdict]:
        done: list[Verdict] = []
        for verdict in line.ahead.take(line.next):
            line.digests[line.next] = _digest(verdict)
            if len(line.digests) > REMEMBERED:
                line.digests.popitem(last=False)
            line.next += 1
            done.append(verdict)
        self.counts.delivered += len(done)
        return done

    def _give_up(self, line: _Line, end: int, why: str) -> list[Verdict]:
        """Report what is missing up to `end` as lost, and go on after it."""
        done: list[Verdict] = []
        for gap in list(line.gaps(end)):
            done += self._in_turn(line)
            self.lost.append(Lost(gap, why))
            self.counts.lost += gap.last - gap.first + 1
            line.next = gap.last + 1
        return done + self._in_turn(line)

    def _begin_epoch(self, line: _Line, epoch: int) -> list[Verdict]:
        """The box began a new record: what was still missing of the old one is gone with it."""
        done = self._give_up(line, line.newest, "the box's record was lost")
        line.past.append(line.epoch)
        line.epoch, line.next, line.tail = epoch, 1, 0
        line.digests.clear()
        return done

    def _seen_again(self, line: _Line, verdict: Verdict) -> None:
        self.counts.duplicates += 1
        held = line.ahead.get(verdict.seq)
        before = _digest(held) if held is not None else line.digests.get(verdict.seq)
        if before is not None and before != _digest(verdict):
            self.counts.conflicts += 1
            if len(self.conflicts) < REMEMBERED:
                self.conflicts.append(verdict.key)


def _believed(line: _Line, health: Health) -> bool:
    """Whether the box really has another epoch: a later one at once, an earlier one if repeated.

    An earlier epoch may be an old retained message, or a box whose clock went back.
    """
    if health.epoch in line.past:
        return False
    before, line.rumour = line.rumour, (health.epoch, health.at)
    return health.epoch > line.epoch or (before[0] == health.epoch and before[1] != health.at)


def _digest(verdict: Verdict) -> bytes:
    """Of everything but `replay`."""
    body = verdict.model_copy(update={"replay": False}).model_dump_json()
    return hashlib.blake2b(body.encode(), digest_size=16).digest()
