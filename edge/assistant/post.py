"""The assistant over MQTT: questions on cmd/ask, answers on answers; and the box's alarms, heard.

A connection of its own, which the daemon doesn't know. A question that comes twice (QoS 1) is
answered once; one that isn't a question is counted and passed over.
"""

import secrets
from collections import deque

import structlog

from edge.assistant.desk import Desk
from edge.messages import AlarmList, Ask, Reply, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Pipe, Publication
from edge.mqtt.standing import Standing
from edge.topics import Topics

STEP_S = 0.5
KNOWN = 256


class Post:
    """Listens below `topics`, in a thread of its own.

    Attributes:
        rejected: payloads that were no questions.
    """

    def __init__(self, settings: BrokerSettings, topics: Topics, desk: Desk) -> None:
        self.rejected = 0
        self._topics, self._desk = topics, desk
        self._answered: deque[str] = deque(maxlen=KNOWN)
        self._log = structlog.get_logger("assistant")
        self._line = Standing(
            settings, "post", lambda: Pipe(settings, f"lwa-{secrets.token_hex(8)}"),
            self._listen, self._lost,
        )  # fmt: skip

    def start(self) -> None:
        """Start listening."""
        self._line.start()

    def stop(self) -> None:
        """Stop listening, after the answer in hand."""
        self._line.stop()

    def _lost(self, why: str) -> None:
        self._desk.alarms = None  # what isn't heard isn't known
        self._log.warning("broker", why=why)

    def _listen(self, pipe: Pipe) -> None:
        pipe.subscribe(self._topics("ask"), retained=False)
        pipe.subscribe(self._topics("alarms"), retained=True)
        while not self._line.ending.is_set():
            pipe.step(STEP_S, self._line.bell)
            while pipe.messages:
                self._hear(pipe, *pipe.messages.popleft())

    def _hear(self, pipe: Pipe, topic: str, payload: bytes) -> None:
        try:
            if topic == self._topics("alarms"):
                self._desk.alarms = read(AlarmList, payload)
            elif topic == self._topics("ask"):
                self._answer(pipe, read(Ask, payload))
        except ValueError as error:
            self.rejected += 1
            self._log.warning("no question", why=str(error))

    def _answer(self, pipe: Pipe, ask: Ask) -> None:
        if ask.id in self._answered:
            return
        self._desk.refresh()
        answer = self._desk.clerk.ask(ask.question, ask.language)
        told = Reply(
            id=ask.id, question=ask.question, text=answer.text, language=answer.language,
            source=answer.source.value, quoted=answer.quoted,
            figures={one.name: one.value for one in answer.figures},
            citations=tuple(
                f"{one.name}: {one.label} {one.href}".strip() for one in answer.citations
            ),
        )  # fmt: skip
        pipe.publish(Publication(self._topics("answers"), told.model_dump_json().encode()))
        self._answered.append(ask.id)
