"""Requests over MQTT and their answers, for a service that may take longer than a keepalive.

The pipe's thread hears and says; another does the work, one request at a time, so that the
connection lives however long that takes. An answer is kept until the broker has acknowledged it,
over any number of connections, and made as short as the broker takes. One that ends connection
after connection is replaced by a refusal, and given up at last: none stands in the way of the next.
What a request means, its service knows: a Trade.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

import structlog

from edge.messages import MAX_BYTES
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Pipe, PipeClosed, Publication
from edge.mqtt.pump import PATIENCE, POISON
from edge.mqtt.standing import Standing
from edge.topics import Topics

WAITING = 8  # requests
KEPT = 64  # answers, beyond which mere refusals are dropped
KNOWN = 256  # requests by their identity
STEP_S = 0.25
PARTING_S = 2.0  # for the last answers to leave

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Why(Enum):
    """Why a request gets no answer."""

    BUSY = auto()
    FAILED = auto()
    UNSENDABLE = auto()


class Trade(Protocol[Asked, Told]):
    """A service's requests and answers.

    Attributes:
        requests, answers: their topics' names in the table.
    """

    requests: str
    answers: str

    def read(self, payload: bytes) -> Asked:
        """A request; raises ValueError if it is none."""
        ...

    def identity(self, asked: Asked) -> str:
        """By which one that comes twice is known and done once; "" does it again."""
        ...

    def answer(self, asked: Asked) -> Told:
        """Do the work, in the worker's thread."""
        ...

    def refuse(self, asked: Asked, why: Why) -> Told:
        """Instead of an answer."""
        ...

    def misread(self, payload: bytes, why: str) -> Told | None:
        """Instead of an answer to what is no request; None says nothing."""
        ...

    def fit(self, told: Told, most_bytes: int) -> bytes | None:
        """The answer's payload, cut if that leaves it true; None if it can't be so short."""
        ...


@dataclass(slots=True)
class _Letter(Generic[Asked, Told]):
    """An answer on its way; `asked` is None once nothing shorter is left to say."""

    told: Told
    asked: Asked | None
    breaks: int = 0


class Answering(Generic[Asked, Told]):
    """Answers until `stop`.

    Args:
        settings: where the broker is.
        topics: the box's topics.
        trade: the service.
        client_id: makes one for each connection.
        heard: topics besides, by name, with what takes their payloads (ValueError: not understood).
        lost: told why a connection ended.

    Attributes:
        rejected: payloads that were not understood.
        dropped: answers that were given up.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        trade: Trade[Asked, Told],
        client_id: Callable[[], str],
        *,
        heard: Mapping[str, Callable[[bytes], None]] | None = None,
        lost: Callable[[], None] | None = None,
    ) -> None:
        self.rejected = self.dropped = 0
        self._topics, self._trade, self._settings = topics, trade, settings
        self._heard, self._lost = dict(heard or {}), lost
        self._requests: queue.Queue[Asked] = queue.Queue(WAITING)
        self._letters: deque[_Letter[Asked, Told]] = deque()
        self._known: deque[str] = deque(maxlen=KNOWN)
        self._flying: int | None = None
        self._ending, self._leaving, self._parted = (threading.Event() for _ in range(3))
        self._online = False
        self._log = structlog.get_logger("answering").bind(requests=trade.requests)
        self._line = Standing(
            settings, "post", lambda: Pipe(settings, client_id()), self._session, self._gone
        )
        self._worker = threading.Thread(target=self._work, name="desk", daemon=True)

    def start(self) -> None:
        """Start listening, whether or not there is a broker."""
        self._line.start()
        self._worker.start()

    def stop(self) -> None:
        """Finish the request at hand, say its answer if there is a broker, and end."""
        self._ending.set()
        if self._worker.ident is not None:
            self._worker.join()
        self._leaving.set()
        self._line.bell.ring()
        if self._online:
            self._parted.wait(PARTING_S)
        self._line.stop()

    def _gone(self, why: str) -> None:
        self._online = False
        self._log.warning("no broker", why=why)
        if self._lost is not None:
            self._lost()

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                asked = self._requests.get(timeout=STEP_S)
            except queue.Empty:
                continue
            try:
                told = self._trade.answer(asked)
            except Exception:  # noqa: BLE001 - outermost line of the worker's thread
                self._log.exception("no answer")
                told = self._trade.refuse(asked, Why.FAILED)
            self._letters.append(_Letter(told, asked))
            self._line.bell.ring()

    def _session(self, pipe: Pipe) -> None:
        pipe.subscribe(self._topics(self._trade.requests), retained=False)
        for name in self._heard:
            pipe.subscribe(self._topics(name), retained=True)
        self._flying, self._online = None, True
        try:
            while not self._line.ending.is_set():
                pipe.step(STEP_S, self._line.bell)
                self._line.bell.hush()
                while pipe.messages:
                    self._hear(*pipe.messages.popleft())
                self._settle(pipe)
                if self._letters and self._flying is None:
                    self._send(pipe)
                if self._leaving.is_set() and not self._letters:
                    self._parted.set()
        except PipeClosed as closed:
            if self._flying is not None:
                self._broke(self._letters[0], named=closed.code in POISON)
            raise

    def _hear(self, topic: str, payload: bytes) -> None:
        try:
            for name, take in self._heard.items():
                if topic == self._topics(name):
                    take(payload)
            if topic == self._topics(self._trade.requests):
                self._take(self._trade.read(payload))
        except ValueError as error:
            self.rejected += 1
            self._log.warning("not understood", why=str(error))
            request = topic == self._topics(self._trade.requests)
            told = self._trade.misread(payload, str(error)) if request else None
            if told is not None and len(self._letters) < KEPT:
                self._letters.append(_Letter(told, None))

    def _take(self, asked: Asked) -> None:
        """Have the work done, unless it was asked for before or too much waits."""
        name = self._trade.identity(asked)
        if name and name in self._known:
            return
        try:
            self._requests.put_nowait(asked)
        except queue.Full:
            if len(self._letters) < KEPT:
                self._letters.append(_Letter(self._trade.refuse(asked, Why.BUSY), None))
            return
        if name:
            self._known.append(name)

    def _settle(self, pipe: Pipe) -> None:
        while pipe.acks:
            ack = pipe.acks.popleft()
            if ack.mid != self._flying:
                continue
            self._flying = None
            if ack.failure:
                self._shorten(self._letters[0], ack.failure)
            else:
                self._letters.popleft()

    def _send(self, pipe: Pipe) -> None:
        topic = self._topics(self._trade.answers)
        room = pipe.limits.packet_bytes - Publication(topic, b"").packet_bytes
        letter = self._letters[0]
        body = self._trade.fit(letter.told, min(MAX_BYTES, room))
        if body is None:
            self._shorten(letter, f"longer than {room} bytes")
            return
        self._flying = 0  # on its way, whatever becomes of the next line
        self._flying = pipe.publish(Publication(topic, body))

    def _broke(self, letter: _Letter[Asked, Told], *, named: bool) -> None:
        """A connection ended before the broker had acknowledged it, which the broker `named`."""
        letter.breaks += 1
        if letter.breaks >= (self._settings.refusals if named else PATIENCE):
            self._shorten(letter, f"it ended {letter.breaks} connections")

    def _shorten(self, letter: _Letter[Asked, Told], why: str) -> None:
        """Refuse instead, or, where that was tried, give it up."""
        if letter.asked is None:
            self.dropped += 1
            self._log.error("the broker does not take an answer: it is given up", why=why)
            self._letters.popleft()
            return
        self._log.warning("the broker does not take an answer: that is said instead", why=why)
        letter.told, letter.asked = self._trade.refuse(letter.asked, Why.UNSENDABLE), None
        letter.breaks = 0
