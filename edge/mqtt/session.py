"""One connection to the broker: birth, flow, farewell. `Broker` makes one after the other.

Owns the pipe and whatever isn't a verdict (state, health, alarms, commands); the `Pump` owns the
flow of verdicts. Gives a connection up when nothing is acknowledged for a while: health goes out
every second, so silence is never for want of something to say.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog

from edge import clock
from edge.alarm import ROOM_BYTES, Alarms
from edge.messages import Health, Replay, State, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.own import OwnMessages, as_json, health_in
from edge.mqtt.pace import Pace
from edge.mqtt.pipe import Ack, Bell, Pipe, PipeClosed, Publication
from edge.mqtt.pump import Parcel, Pump
from edge.topics import Topics

HEALTH_EVERY_S = 1.0
STEP_S = 0.25
TOLD_EVERY_S = 10.0  # a rejected command, in the log
BACKLOG_SHARE = 0.25  # of a processor, to send a backlog; its answers take about as much again

Commands = Mapping[str, Callable[[bytes], None]]


class Record(Protocol):
    """What the session needs of the outbox."""

    epoch: int
    boots: int

    def depth(self) -> int:
        """Verdicts stored but not acknowledged."""
        ...


class BrokerSession:
    """From `open` to `close`, for one thread; each of its methods may raise PipeClosed.

    Args:
        settings: where the broker is.
        client_id: our name there; a second connection under it ends the first.
        topics: the box's topics.
        pump: the flow of verdicts.
        own: what the broker bears of everything else.
        birth: the state to announce; the will is the same, offline.
        bell: rung when the outbox has stored something.
        health: what to publish every second.
        alarms: the book to publish at the start and after each change.
        commands: topic's name → what to do with a payload; raises ValueError if it can't.

    Attributes:
        acknowledged: whether anything was, on this connection.
        stalled: whether it was given up for silence.
        rejected: commands that were not understood.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        topics: Topics,
        pump: Pump,
        birth: State,
        *,
        own: OwnMessages,
        bell: Bell,
        health: Callable[[], Health],
        alarms: Alarms,
        commands: Commands,
    ) -> None:
        self.acknowledged = self.stalled = False
        self.rejected, self._silent_until_s = 0, 0.0
        self._stall_s = settings.stall_s
        self._topics, self._pump, self._birth = topics, pump, birth
        self._own = own
        self._bell, self._health = bell, health
        self._alarms, self._alarms_told = alarms, -1
        self._commands = {topics(name): act for name, act in commands.items()}
        self._progress_s = self._health_due_s = now_s()
        self._pace = Pace(BACKLOG_SHARE)
        self._log = structlog.get_logger("broker")
        self._pipe = Pipe(settings, client_id, self._state("offline"))

    def open(self) -> None:
        """Connect, announce the birth, and start the flow once that is acknowledged.

        Not before: a broker that ends the connection takes acknowledgements on their way with it
        (TCP reset), and then nobody could tell a poisonous verdict from a broker that is down.
        """
        self._own.begin()
        self._pipe.open()
        self._progress_s = now_s()
        self._send(self._state("online"))
        self._await_answers()
        for topic in (self._topics("replay"), *self._commands):
            self._pipe.subscribe(topic, retained=False)  # a retained order is an old one
        self._pump.begin(self._pipe.limits)
        for tell in (self._tell_health, self._tell_alarms):  # one at a time: see OwnMessages
            tell()
            self._await_answers()

    def turn(self) -> None:
        """Send what may be sent, wait a little for the network, take what came."""
        if self._pump.behind and (rest_s := self._pace.rest_s(now_s())):
            self._bell.wait(rest_s)
        began_s = now_s()
        resting = self._pump.behind and self._pace.rest_s(began_s) > 0
        self._bell.hush()
        if now_s() >= self._health_due_s:
            self._tell_health()
        if self._alarms_told != self._alarms.number:
            self._tell_alarms()
        self._publish(self._pump.newest())
        if not resting:
            self._send_record(began_s)
        wait_s = min(STEP_S, max(0.0, self._health_due_s - now_s()))
        self._receive(0.0 if resting else wait_s)

    def drain(self, outbox: Record, until_s: float) -> None:
        """Keep the flow until everything stored has arrived, or time is up."""
        while now_s() < until_s and outbox.depth():
            self.turn()

    def farewell(self, timeout_s: float) -> None:
        """Say that the box is offline on purpose, and disconnect so that the will is not sent."""
        self._send(self._state("offline", clean=True))
        until_s = now_s() + timeout_s
        while self._own.flying and now_s() < until_s:
            self._receive(0.1)
        self._pipe.close(goodbye=True)

    def close(self) -> None:
        """Drop what is left of the connection; nothing is on its way any more."""
        self._pump.end()
        self._pipe.close()

    def _send_record(self, began_s: float) -> None:
        began_ns = clock.thread_ns()
        with self._pipe.together():
            self._publish(self._pump.parcels(began_s))
        self._pace.worked(began_s, (clock.thread_ns() - began_ns) / 1e9)

    def _publish(self, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            self._pump.sent(self._pipe.publish(parcel.publication), parcel)

    def _await_answers(self) -> None:
        while self._own.flying:
            self._receive(STEP_S)

    def _receive(self, timeout_s: float) -> None:
        self._pipe.step(timeout_s, self._bell)
        acks = _emptied(self._pipe.acks.popleft, len(self._pipe.acks))
        self._pump.answered(acks, now_s())
        self.acknowledged = self.acknowledged or bool(acks)
        for ack in acks:
            self._own.answered(ack)
        while self._pipe.messages:
            self._command(*self._pipe.messages.popleft())
        for why in self._pipe.refused:
            self._own.refused[self._topics("replay")] = why
        silent_s = now_s() - self._progress_s
        if acks or not (self._own.flying or self._pump.flying):
            self._progress_s = now_s()
        elif silent_s > self._stall_s:
            self.stalled = True
            raise PipeClosed(f"nothing was acknowledged for {silent_s:.1f} s")

    def _command(self, topic: str, payload: bytes) -> None:
        try:
            if topic == self._topics("replay"):
                self._pump.ask(read(Replay, payload))
                return
            if act := self._commands.get(topic):
                act(payload)
                return
            why = f"no command is expected on {topic!r}"
        except ValueError as error:
            why = str(error)
        self.rejected += 1
        if now_s() >= self._silent_until_s:  # a flood fills no log: the count goes on in health
            self._log.warning("command rejected", why=why[:300], rejected=self.rejected)
            self._silent_until_s = now_s() + TOLD_EVERY_S

    def _tell_health(self) -> None:
        topic, self._health_due_s = self._topics("health"), now_s() + HEALTH_EVERY_S
        said = health_in(self._own.room(topic, self._pipe.limits), self._health())
        if said is not None:
            self._send(Publication(topic, said, retain=True))

    def _tell_alarms(self) -> None:
        topic, self._alarms_told = self._topics("alarms"), self._alarms.number
        room = min(ROOM_BYTES, self._own.room(topic, self._pipe.limits))
        said = as_json(self._alarms.told(self._birth.epoch, self._birth.boots, room))
        if len(said) <= room:
            self._send(Publication(topic, said, retain=True))

    def _state(self, state: str, *, clean: bool = False) -> Publication:
        told = self._birth.model_copy(update={"state": state, "clean": clean})
        return Publication(self._topics("state"), as_json(told), retain=True)

    def _send(self, publication: Publication) -> None:
        self._own.sent(self._pipe.publish(publication), publication)


def now_s() -> float:
    """Monotonic seconds."""
    return clock.monotonic_ns() / 1e9


def _emptied(take: Callable[[], Ack], count: int) -> list[Ack]:
    return [take() for _ in range(count)]
