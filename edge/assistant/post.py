"""The assistant over MQTT: questions on cmd/ask, answers on answers; and the box's alarms, heard.

A connection of its own, which the daemon doesn't know. A question that comes twice (QoS 1) is
answered once; what isn't a question is counted, and told so if it has an id.
"""

import secrets

from edge.assistant.desk import Desk
from edge.messages import AlarmList, Ask, Reply, State, id_of, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.answering import Answering, Why
from edge.topics import Topics

WORDS = {
    Why.BUSY: {
        "en": "Too many questions wait: ask again in a moment.",
        "de": "Zu viele Fragen warten: bitte gleich noch einmal fragen.",
    },
    Why.FAILED: {
        "en": "The assistant could not answer: see its log.",
        "de": "Der Assistent konnte nicht antworten: siehe sein Protokoll.",
    },
    Why.UNSENDABLE: {
        "en": "The broker does not take the answer: ask on the console.",
        "de": "Der Broker nimmt die Antwort nicht an: bitte an der Konsole fragen.",
    },
}


class Questions:
    """The desk's trade; a question is known by its id."""

    requests, answers = "ask", "answers"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def read(self, payload: bytes) -> Ask:
        """A question; raises ValueError if it is none."""
        return read(Ask, payload)

    def identity(self, asked: Ask) -> str:
        """Its id."""
        return asked.id

    def answer(self, asked: Ask) -> Reply:
        """Ask the clerk."""
        self._desk.refresh()
        answer = self._desk.clerk.ask(asked.question, asked.language)
        return Reply(
            id=asked.id, question=asked.question, text=answer.text, language=answer.language,
            source=answer.source.value, quoted=answer.quoted,
            figures={one.name: one.value for one in answer.figures},
            citations=tuple(
                f"{one.name}: {one.label} {one.href}".strip() for one in answer.citations
            ),
        )  # fmt: skip

    def refuse(self, asked: Ask, why: Why) -> Reply:
        """No entry, and why."""
        language = asked.language or "en"
        return Reply(
            id=asked.id, question=asked.question, text=WORDS[why][language], language=language,
            source="no entry",
        )  # fmt: skip

    def misread(self, payload: bytes, why: str) -> Reply | None:
        """No entry, and why, if it has an id to answer to."""
        if not (name := id_of(payload)):
            return None
        text = f"This is no question: {why}"[:1000]
        return Reply(id=name, question="", text=text, language="en", source="no entry")

    def fit(self, told: Reply, most_bytes: int) -> bytes | None:
        """Whole: half of an answer may say something else."""
        body = told.model_dump_json().encode()
        return body if len(body) <= most_bytes else None


class Post(Answering[Ask, Reply]):
    """The desk at a broker; `settings`, `topics` and `desk` are where it is and who answers."""

    def __init__(self, settings: BrokerSettings, topics: Topics, desk: Desk) -> None:
        def hear(payload: bytes) -> None:
            desk.alarms = read(AlarmList, payload)

        def hear_state(payload: bytes) -> None:
            desk.running = read(State, payload).state == "online"

        def lost() -> None:
            desk.alarms = desk.running = None  # what isn't heard isn't known

        super().__init__(
            settings, topics, Questions(desk), lambda: f"lwa-{secrets.token_hex(8)}",
            heard={"alarms": hear, "state": hear_state}, lost=lost,
        )  # fmt: skip
