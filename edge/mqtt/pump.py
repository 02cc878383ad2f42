"""What to send next, and what an answer means: the outbox's side of one broker, without a network.

Rows go out in the order they were stored, a window at a time, and leave the outbox's waiting list
on the broker's acknowledgement. Before them goes each camera's newest verdict, whatever the
backlog, and beside them what was asked for again. What the broker refuses waits and is tried
again; what ends the connection time after time is put in quarantine, so that the rest can move on.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from edge.messages import Replay
from edge.mqtt.pipe import Ack, Limits, Publication
from edge.outbox import Row
from edge.topics import Topics

REPLAY_ROWS = 10_000  # the most that one request brings
REPLAY_REQUESTS = 64
REPLAY_SHARE = 4  # a quarter of the window
REFILL = 4  # a window is filled again when it is this part empty
LASTS = 4  # newest verdicts that may fly beside a full window
RESERVE = 6 + LASTS  # of the broker's own limit, for state, health and the newest verdicts
PAGES = 20
AHEAD_ROWS = 50  # read at once; a query for each row would halve the drain
SUSPICIOUS = 3  # connections lost without a reason before a row is suspected of it
PATIENCE = 10  # and before it is convicted
# Malformed Packet, Protocol Error, Topic Name invalid, Packet too large, Payload format invalid
POISON = frozenset({0x81, 0x82, 0x90, 0x95, 0x99})
HOLD_MIN_S = 0.5
HOLD_MAX_S = 10.0


class Source(Protocol):
    """What the pump needs of the outbox."""

    epoch: int

    def unacked(self, limit: int, after: int = 0) -> list[Row]:
        """Waiting rows above `after`."""
        ...

    def newest(self) -> list[Row]:
        """The newest row of each camera."""
        ...

    def replay(self, camera: str, first: int, last: int, limit: int = 50) -> list[Row]:
        """Kept rows of a camera by seq."""
        ...

    def mark_acked(self, rows: Iterable[int]) -> None:
        """These have arrived."""
        ...

    def quarantine(self, n: int, reason: str) -> None:
        """This one never will."""
        ...


class Kind(Enum):
    """Why a row is sent."""

    VERDICT = auto()
    LAST = auto()
    REPLAY = auto()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A row on its way."""

    kind: Kind
    row: Row
    publication: Publication


@dataclass(slots=True)
class _Hold:
    """A camera whose verdicts the broker refuses: tried one at a time, with growing pauses."""

    until_s: float
    refusals: int = 1
    why: str = ""


class Pump:
    """The flow of one outbox to one broker, over any number of connections; for one thread.

    Args:
        source: the outbox.
        topics: where things go.
        window: parcels in flight, at most.
        refusals: this many in a row are a fault, or the end of a poisonous row.
    """

    def __init__(self, source: Source, topics: Topics, window: int = 50, refusals: int = 3) -> None:
        self._source = source
        self._topics = topics
        self._window_set = self._window = window
        self._refusals = refusals
        self._limits = Limits()
        self._flying: dict[int, Parcel] = {}
        self._cursor = 0
        self._ahead: deque[Row] = deque()
        self._more = False  # whether the last page was full
        self._skipped = False
        self._lasts: dict[str, int] = {}
        self._news = True
        self._asked: deque[Replay] = deque()
        self._holds: dict[str, _Hold] = {}
        self._breaks: Counter[int] = Counter()
        self._banned: set[int] = set()
        self._careful_to = 0
        self._last_refused = ""
        self.replay_refused = 0

    @property
    def flying(self) -> int:
        """Parcels sent and not yet answered."""
        return len(self._flying)

    def begin(self, limits: Limits) -> None:
        """A new connection: start at the first waiting row; forget what was asked for again."""
        self._limits = limits
        self._window = max(1, min(self._window_set, limits.in_flight - RESERVE))
        self._flying.clear()
        self._asked.clear()
        self._lasts.clear()
        self._rewind()
        self._skipped, self._news = False, True

    def end(self) -> None:
        """The connection is gone, and what was on its way with it."""
        self._flying.clear()

    def stored(self) -> None:
        """The outbox has new rows; for any thread."""
        self._news = True

    @property
    def behind(self) -> bool:
        """Whether more verdicts wait than could go at once: a backlog."""
        return bool(self._ahead) or self._more

    def ask(self, request: Replay) -> bool:
        """Queue a replay; False, and counted, if it is for another epoch or too many wait."""
        if request in self._asked:
            return True
        if request.epoch != self._source.epoch or len(self._asked) >= REPLAY_REQUESTS:
            self.replay_refused += 1
            return False
        last = min(request.last, request.first + REPLAY_ROWS - 1)
        self._asked.append(request.model_copy(update={"last": last}))
        return True

    def newest(self) -> Iterator[Parcel]:
        """What may be sent of the present; the caller sends each and says so with `sent`."""
        if self._news and not self._careful():
            yield from self._newest()

    def parcels(self, now_s: float) -> Iterator[Parcel]:
        """What may be sent of the record now; sent and said like the `newest`, which go before.

        Ends early when something new is stored: the caller comes back for that at once.
        """
        for parcel in self._waiting(now_s):
            yield parcel
            if self._news:
                return
        if not self._careful():
            yield from self._again()

    def sent(self, mid: int, parcel: Parcel) -> None:
        """`parcel` is on its way as packet `mid`."""
        self._flying[mid] = parcel

    def answered(self, acks: Iterable[Ack], now_s: float) -> None:
        """Take the broker's answers; those to other packets are ignored."""
        arrived: list[int] = []
        for ack in acks:
            parcel = self._flying.pop(ack.mid, None)
            if parcel is None:
                continue
            if parcel.kind is Kind.LAST:
                self._last_refused = ack.failure and f"{parcel.publication.topic}: {ack.failure}"
                self._news = True
            elif parcel.kind is Kind.VERDICT and ack.failure:
                self._refused(parcel.row, ack, now_s)
            elif parcel.kind is Kind.VERDICT:
                arrived.append(parcel.row.n)
                self._breaks.pop(parcel.row.n, None)
                if self._holds.pop(parcel.row.camera, None):
                    self._rewind()
        if arrived:
            self._source.mark_acked(arrived)

    def broke(self, code: int | None) -> None:
        """The connection ended; `code` is the broker's reason, None if it gave none.

        Call it only for a connection on which something was acknowledged and which the other side
        ended: silence is nobody's fault.
        """
        rows = {p.row.n: p for p in self._flying.values() if p.kind is Kind.VERDICT}
        if not rows:  # what was asked for will be asked for again: no suspect
            rows = {p.row.n: p for p in self._flying.values() if p.kind is Kind.LAST}
        if not rows:
            return
        head = rows[min(rows)]
        self._breaks[head.row.n] += 1
        named, strikes = code in POISON, self._breaks[head.row.n]
        if head.kind is Kind.VERDICT and (named or strikes >= SUSPICIOUS):
            self._careful_to = max(rows)
        if len(rows) == 1 and strikes >= (self._refusals if named else PATIENCE):
            reason = f"ended {strikes} connections"
            self._convict(head, f"{reason}, reason code 0x{code:02x}" if code else reason)

    def faults(self) -> tuple[str, ...]:
        """What the broker won't have."""
        held = [
            f"the broker refuses verdicts of {camera}: {hold.why} ({hold.refusals} times)"
            for camera, hold in self._holds.items()
            if hold.refusals >= self._refusals
        ]
        if self._last_refused:
            held.append(f"the broker refuses {self._last_refused}")
        return tuple(held)

    def _careful(self) -> bool:
        """Whether a row that is next, or on its way, is suspected of ending connections.

        Then verdicts go one at a time and nothing goes beside them, so that it can be told which.
        """
        if not self._careful_to:
            return False
        verdicts = (p.row.n for p in self._flying.values() if p.kind is Kind.VERDICT)
        return min(verdicts, default=self._cursor + 1) <= self._careful_to

    def _room(self) -> int:
        """How many more verdicts may fly; a part of the window is left to what was asked for."""
        share = self._window // REPLAY_SHARE if self._asked else 0
        return (1 if self._careful() else max(1, self._window - share)) - len(self._flying)

    def _newest(self) -> Iterator[Parcel]:
        busy = {p.row.camera for p in self._flying.values() if p.kind is Kind.LAST}
        self._news = False  # before looking: what is stored meanwhile is news again
        for row in self._source.newest():
            if row.n <= self._lasts.get(row.camera, 0) or row.camera in busy:
                continue
            if len(self._flying) >= self._window + LASTS:
                self._news = True
                return
            self._lasts[row.camera] = row.n
            parcel = self._parcel(Kind.LAST, row)
            if self._fits(parcel) and row.n not in self._banned:
                yield parcel

    def _waiting(self, now_s: float) -> Iterator[Parcel]:
        if self._skipped and any(now_s >= hold.until_s for hold in self._holds.values()):
            self._rewind()
            self._skipped = False
        batch = 1 if self._careful() or not self._flying else self._window // REFILL
        if self._ahead and self._room() < batch:
            return  # a backlog goes in batches: far fewer wakings for the same flow
        flying = {p.row.n for p in self._flying.values() if p.kind is Kind.VERDICT}
        for _ in range(PAGES * AHEAD_ROWS):
            if self._room() <= 0:
                return
            row = self._next_row()
            if row is None:
                if not any(p.kind is Kind.VERDICT for p in self._flying.values()):
                    self._careful_to = 0  # nothing waits: no suspect is left
                return
            self._cursor = row.n
            if row.n in flying or not self._may_go(row, now_s):
                continue
            parcel = self._parcel(Kind.VERDICT, row)
            if self._fits(parcel):
                yield parcel
            else:
                self._convict(parcel, f"over the broker's {self._limits.packet_bytes} bytes")

    def _next_row(self) -> Row | None:
        """The next waiting row above the cursor, read ahead by the page."""
        if not self._ahead:
            self._ahead.extend(self._source.unacked(AHEAD_ROWS, self._cursor))
            self._more = len(self._ahead) == AHEAD_ROWS
        return self._ahead.popleft() if self._ahead else None

    def _rewind(self) -> None:
        """Begin again with the first row that waits."""
        self._cursor = 0
        self._ahead.clear()

    def _again(self) -> Iterator[Parcel]:
        flying = sum(p.kind is Kind.REPLAY for p in self._flying.values())
        while self._asked and (room := self._window - len(self._flying)) > 0:
            if flying >= max(1, self._window // REPLAY_SHARE):
                return
            request = self._asked.popleft()
            rows = self._source.replay(request.camera, request.first, request.last, min(room, 5))
            if rows and rows[-1].seq < request.last:
                self._asked.appendleft(request.model_copy(update={"first": rows[-1].seq + 1}))
            for row in rows:
                parcel = self._parcel(Kind.REPLAY, row)
                if self._fits(parcel) and row.n not in self._banned:
                    flying += 1
                    yield parcel

    def _fits(self, parcel: Parcel) -> bool:
        return parcel.publication.packet_bytes <= self._limits.packet_bytes

    def _may_go(self, row: Row, now_s: float) -> bool:
        hold = self._holds.get(row.camera)
        if hold is None:
            return True
        probing = any(
            p.row.camera == row.camera and p.kind is Kind.VERDICT for p in self._flying.values()
        )
        if now_s >= hold.until_s and not probing:
            return True
        self._skipped = True
        return False

    def _refused(self, row: Row, ack: Ack, now_s: float) -> None:
        if ack.code in POISON:
            self._breaks[row.n] += 1
            if self._breaks[row.n] >= self._refusals:
                self._source.quarantine(row.n, f"refused: {ack.failure}")
                return
        hold = self._holds.setdefault(row.camera, _Hold(now_s, 0))
        if now_s >= hold.until_s:  # the rest of a refused window counts once
            hold.refusals += 1
            hold.until_s = now_s + min(HOLD_MAX_S, HOLD_MIN_S * 2 ** min(hold.refusals - 1, 10))
        hold.why = ack.failure
        self._skipped = True

    def _convict(self, parcel: Parcel, reason: str) -> None:
        """Never send it like this again; a verdict goes to quarantine, where it is a fault."""
        self._banned.add(parcel.row.n)
        self._breaks.pop(parcel.row.n, None)
        if parcel.kind is Kind.VERDICT:
            self._source.quarantine(parcel.row.n, reason)

    def _parcel(self, kind: Kind, row: Row) -> Parcel:
        topic = self._topics("last" if kind is Kind.LAST else "verdicts", row.camera)
        body = _replayed(row.body) if kind is Kind.REPLAY else row.body
        return Parcel(kind, row, Publication(topic, body, retain=kind is Kind.LAST))


def _replayed(body: bytes) -> bytes:
    """The same verdict with its `replay` set, and every other byte as it was."""
    before, found, after = body.rpartition(b'"replay":false')
    if found:
        return before + b'"replay":true' + after
    return json.dumps(
        {**json.loads(body), "replay": True}, ensure_ascii=False, separators=(",", ":")
    ).encode()
