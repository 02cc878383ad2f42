"""The broker: reached, willing to take everything that the line says, and to bring it orders.

What the shop and the assistant use is theirs to ask for: the line judges without them.

Every right is tried, since a broker may acknowledge what it then drops: under MQTT 5 it must say
so (3.4.2.1). What is published is empty, which says nothing and clears nothing.
"""

from collections.abc import Iterator

from edge.clock import monotonic_ns
from edge.config import Appliance
from edge.doctor.finding import Finding, doubtful, ill, well
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Pipe, PipeClosed, Publication
from edge.topics import TABLE, Direction, Owner, Topics
from export.verdict import MAX_BYTES

ORGAN = "broker"
ANSWER_S = 5.0
RIGHTS = "let this user write its own topics and read its cmd/ topics (see docs/mqtt.md)"


def broker(
    appliance: Appliance, settings: BrokerSettings | None, *, may_be_away: bool = False
) -> Iterator[Finding]:
    """The connection, each right, and the broker's limits; `may_be_away`: it is only a doubt."""
    if settings is None:
        yield doubtful(ORGAN, "none is configured: verdicts are only kept", "add [broker]")
        return
    pipe = Pipe(settings, f"linewarden-doctor-{monotonic_ns()}")
    try:
        pipe.open()
        yield from _rights(pipe, appliance)
        yield from _limits(pipe)
    except PipeClosed as closed:
        grave = doubtful if may_be_away else ill
        yield grave(
            ORGAN, str(closed), "check address, user, password, certificate and the network"
        )
    finally:
        pipe.close(goodbye=True)


def _rights(pipe: Pipe, appliance: Appliance) -> Iterator[Finding]:
    topics = Topics(appliance.station.prefix)
    rows = [row for row in TABLE if row.owner is Owner.LINE]
    ours = [
        topics(row.name, camera)
        for row in rows
        if row.direction is Direction.FROM_BOX
        for camera in (appliance.cameras if "{camera}" in row.levels else [""])
    ]
    sent = {pipe.publish(Publication(topic, b"")): topic for topic in ours}
    orders = [topics(row.name) for row in rows if row.direction is Direction.TO_BOX]
    for topic in orders:
        pipe.subscribe(topic, retained=False)
    until_ns = monotonic_ns() + round(ANSWER_S * 1e9)
    refused: list[str] = []

    def unanswered() -> int:
        return len(orders) - pipe.granted - len(pipe.refused)

    while (sent or unanswered()) and monotonic_ns() < until_ns:
        pipe.step(0.1)
        while pipe.acks:
            ack = pipe.acks.popleft()
            topic = sent.pop(ack.mid, "")
            refused += [f"{topic} ({ack.failure})"] if ack.failure else []
    if refused:
        yield ill("broker, rights", f"it refuses {', '.join(refused)}", RIGHTS)
    if sent:
        yield ill("broker, rights", f"no answer for {', '.join(sent.values())}", "see its log")
    if pipe.refused:
        yield ill("broker, orders", "; ".join(sorted(set(pipe.refused))), RIGHTS)
    if unanswered():
        said = f"no answer to {unanswered()} of {len(orders)} subscriptions"
        yield ill("broker, orders", said, "see its log")
    if not (refused or sent or pipe.refused or unanswered()):
        yield well(
            ORGAN, f"takes all {len(ours)} topics of the line and brings {len(orders)} orders"
        )


def _limits(pipe: Pipe) -> Iterator[Finding]:
    limits = pipe.limits
    if limits.packet_bytes < MAX_BYTES + 1024:
        said = f"it takes {limits.packet_bytes} bytes at most; a verdict may have {MAX_BYTES}"
        yield ill("broker, limits", said, f"raise max_packet_size to {2 * MAX_BYTES} at least")
    if not limits.retain:
        said = "it keeps no retained messages: who comes later knows neither state nor alarms"
        yield doubtful("broker, limits", said, "allow retained messages")
