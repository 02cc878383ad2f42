"""Which of the box's own messages a broker bears: health and alarms, whatever isn't a verdict.

A broker may have a limit on messages that it doesn't announce, and end the connection on a longer
one. So a new connection sends these one at a time before anything else; one that ends connections
while nothing else is on its way is made shorter, or left out if it can't be. Remembers over
connections, until the box is started again. Knows no network and no clock.
"""

from collections import Counter
from collections.abc import Callable

from edge.messages import AlarmList, Health, State
from edge.mqtt.pipe import Ack, Limits, Publication
from edge.mqtt.pump import PATIENCE, POISON

SHORTER = 0.5  # of a message that was too long, the next may have


class OwnMessages:
    """What was sent, what was borne, and how long each topic's message may be.

    Args:
        refusals: connections that a message may end, with a reason of the broker's, before it is
            made shorter.
    """

    def __init__(self, refusals: int = 3) -> None:
        self._refusals = refusals
        self._flying: dict[int, Publication] = {}
        self._borne: dict[str, int] = {}
        self._room: dict[str, int] = {}
        self._strikes: Counter[str] = Counter()
        self.refused: dict[str, str] = {}

    @property
    def flying(self) -> int:
        """Messages sent and not yet answered."""
        return len(self._flying)

    def begin(self) -> None:
        """A new connection."""
        self._flying.clear()
        self.refused.clear()

    def room(self, topic: str, limits: Limits) -> int:
        """Bytes that a message on `topic` may have, as far as is known."""
        announced = limits.packet_bytes - Publication(topic, b"").packet_bytes
        return min(announced, self._room.get(topic, announced))

    def sent(self, mid: int, publication: Publication) -> None:
        """`publication` is on its way as packet `mid`."""
        self._flying[mid] = publication

    def answered(self, ack: Ack) -> None:
        """Take an answer; those to other packets are ignored."""
        publication = self._flying.pop(ack.mid, None)
        if publication is None:
            return
        topic, length = publication.topic, len(publication.payload)
        if not ack.failure:
            self.refused.pop(topic, None)
            self._strikes.pop(topic, None)
            self._borne[topic] = max(length, self._borne.get(topic, 0))
            return
        self.refused[topic] = f"the broker refuses {topic}: {ack.failure}"
        if ack.code in POISON:
            self._strike(publication, self._refusals)

    def broke(self, code: int | None, others: int) -> bool:
        """The connection ended while `others` were on their way too; `code` is the broker's reason.

        Returns whether one of these may be why: then no verdict is to be suspected.
        """
        longer = [p for p in self._flying.values() if len(p.payload) > self._borne.get(p.topic, 0)]
        if len(self._flying) == 1 and longer and not others:
            self._strike(longer[0], self._refusals if code in POISON else PATIENCE)
        return bool(longer)

    def faults(self) -> tuple[str, ...]:
        """What the broker won't have, in words."""
        short = (
            f"the broker takes no message of more than about {room} bytes on {topic}: it is"
            " shortened or left out until the box is started again"
            for topic, room in self._room.items()
        )
        return (*self.refused.values(), *short)

    def _strike(self, publication: Publication, most: int) -> None:
        topic = publication.topic
        self._strikes[topic] += 1
        if self._strikes[topic] >= most:
            self._room[topic] = int(len(publication.payload) * SHORTER)
            del self._strikes[topic]


def health_in(room: int, health: Health) -> bytes | None:
    """`health` in at most `room` bytes: whole, without its texts, without its cameras, or None."""
    bare = {name: one.model_copy(update={"faults": ()}) for name, one in health.cameras.items()}
    untold = len(health.faults) + sum(len(one.faults) for one in health.cameras.values())
    outbox = health.outbox.model_copy(update={"fault": ""})
    short = health.model_copy(
        update={"faults": (f"{untold} faults untold",), "cameras": bare, "outbox": outbox}
    )
    steps: tuple[Callable[[], Health], ...] = (
        lambda: health,
        lambda: short,
        lambda: short.model_copy(update={"cameras": {}}),
    )
    return next((said for step in steps if len(said := as_json(step())) <= room), None)


def as_json(message: State | Health | AlarmList) -> bytes:
    """The message as it goes out."""
    return message.model_dump_json().encode()
