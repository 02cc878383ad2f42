"""The edge node's connection: one MQTT session after the other, each with its own last will.

Separate from the box's own, since MQTT gives each connection one will and a node needs its NDEATH.
"""

import random
import threading
from pathlib import Path

import structlog
from pydantic import BaseModel

from edge.clock import monotonic_ns, wall_ns
from edge.gateway.mailbox import Mailbox
from edge.gateway.sparkplug.birth import NAMESPACE, REBIRTH, TURN, Node, Said
from edge.gateway.sparkplug.payload import Codec
from edge.gateway_tables import Sparkplug
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Bell, Pipe, PipeClosed, Publication
from export import __version__
from export.durable import replace
from export.verdict import Verdict

STEP_S = 0.2
ANSWER_NS = 5_000_000_000
AT_ONCE = 200  # verdicts between two looks at the network


class HostState(BaseModel, strict=True):
    """What a host application says of itself (5.14); further fields are its own."""

    online: bool
    timestamp: int


class EdgeNode:
    """Tells one box's news by Sparkplug B.

    Args:
        settings: where the broker is.
        section: of the settings.
        mailbox: what is to be told.
        folder: where the number of sessions is kept.

    Attributes:
        trouble: why it isn't connected; "" when all is well.
        births: of the node, so far.
    """

    name = "sparkplug"

    def __init__(
        self, settings: BrokerSettings, section: Sparkplug, mailbox: Mailbox, folder: Path
    ) -> None:
        self.trouble, self.births = "not yet connected", 0
        self.mailbox = mailbox
        self._settings, self._section, self._kept = settings, section, folder / "bd_seq"
        self._codec, self._bell = Codec(), Bell()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sparkplug", daemon=True)
        self._log = structlog.get_logger("sparkplug")
        self._rebirth = self._host_online = False
        self._host_ms = 0
        mailbox.on_news(self._bell.ring)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Say the death and go."""
        self._stopping.set()
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._bell.close()

    def _run(self) -> None:
        pause_s = self._settings.backoff_min_s
        while not self._stopping.is_set():
            if not self._ready():
                self._bell.wait(STEP_S)
                self._bell.hush()
                continue
            births = self.births
            try:
                self._session()
            except PipeClosed as closed:
                self._complain(str(closed))
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                self._log.exception("the session failed")
                self._complain(repr(error))
            if self.births > births:  # it was connected
                pause_s = self._settings.backoff_min_s
            self._stopping.wait(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(self._settings.backoff_max_s, pause_s * 2)

    def _ready(self) -> bool:
        """Whether there is a box to speak of."""
        return self.mailbox.online and self.mailbox.health is not None

    def _complain(self, why: str) -> None:
        if why != self.trouble:
            self._log.warning("sparkplug lost the broker", why=why)
        self.trouble = why

    def _session(self) -> None:
        told = self._section
        node = Node(self._codec, told.group, told.node, self._next_bd_seq(), __version__)
        will = node.death(_now_ms())
        ident = f"lwsp-{random.getrandbits(64):016x}"
        pipe = Pipe(self._settings, ident, Publication(will.topic, will.body))
        try:
            pipe.open()
            pipe.subscribe(node.topic("NCMD"), retained=False)
            if told.primary_host:
                pipe.subscribe(f"{NAMESPACE}/STATE/{told.primary_host}", retained=True)
            self._live(pipe, node)
            _say(pipe, node.death(_now_ms()))
            pipe.close(goodbye=True)
        finally:
            pipe.close()  # without a goodbye before, the broker tells the will

    def _be_let(self, pipe: Pipe, probe: Said) -> None:
        """See that the broker takes what this node says; raises PipeClosed if it doesn't.

        Births and data are QoS 0, which a broker refuses in silence. A death is the one message
        that Sparkplug has at QoS 1 too, and there MQTT 5 has the broker say no (3.4.2.1).
        """
        mid, end_ns = pipe.publish(Publication(probe.topic, probe.body)), monotonic_ns() + ANSWER_NS
        while monotonic_ns() < end_ns and not self._stopping.is_set():
            pipe.step(STEP_S)
            for ack in pipe.acks:
                if ack.mid == mid and ack.failure:
                    said = f"the broker refuses {probe.topic}: {ack.failure}"
                    raise PipeClosed(f"{said}; this account needs the rights of a gateway")
                if ack.mid == mid:
                    return
        raise PipeClosed(f"the broker doesn't answer to {probe.topic}")

    def _live(self, pipe: Pipe, node: Node) -> None:
        """Until the box or the host goes, or `stop`."""
        self._host_online, self._host_ms, born = not self._section.primary_host, 0, False
        while not self._stopping.is_set() and self._ready():
            pipe.step(STEP_S, self._bell)
            self._bell.hush()
            while pipe.messages:
                self._hear(*pipe.messages.popleft())
            pipe.acks.clear()
            if not self._host_online:
                if born:
                    return
                self.trouble = f"the host {self._section.primary_host} is not online"
                continue
            if not born:
                self._be_let(pipe, node.late_death(_now_ms()))
            if not born or self._rebirth:
                born = self._be_born(pipe, node, backlog=not born) or born
            if born:
                self._tell(pipe, node)

    def _be_born(self, pipe: Pipe, node: Node, *, backlog: bool) -> bool:
        """Say the births; False if there is no box to speak of any more."""
        state, health = self.mailbox.state, self.mailbox.health
        if state is None or health is None:
            return False
        self._rebirth, self.trouble = False, ""
        waiting = self.mailbox.take(len(self.mailbox)) if backlog else []
        for verdict in waiting:
            node.note(verdict)
        now_ms = _now_ms()
        for said in node.birth(state, health, now_ms):
            _say(pipe, said)
        self.births += 1
        self._log.info("born", topic=node.topic("NBIRTH"), cameras=len(health.cameras))
        for verdict in waiting:
            self._publish(pipe, node, verdict, historical=True)
        return True

    def _tell(self, pipe: Pipe, node: Node) -> None:
        for verdict in self.mailbox.take(AT_ONCE):
            self._publish(pipe, node, verdict, historical=verdict.replay)
        state, health = self.mailbox.state, self.mailbox.health
        if state and health:
            for said in node.changed(state, health, _now_ms()):
                _say(pipe, said)

    def _publish(self, pipe: Pipe, node: Node, verdict: Verdict, *, historical: bool) -> None:
        for said in node.result(verdict, _now_ms(), historical=historical):
            _say(pipe, said)

    def _hear(self, topic: str, body: bytes) -> None:
        try:
            if topic.startswith(f"{NAMESPACE}/STATE/"):
                self._hear_host(body)
            else:
                self._rebirth |= self._codec.orders(body).get(REBIRTH, False)
        except ValueError as error:
            self._log.warning("a command was not understood", topic=topic, why=str(error))

    def _hear_host(self, body: bytes) -> None:
        told = HostState.model_validate_json(body)
        if told.timestamp < self._host_ms:
            raise ValueError("a STATE that is older than the last")
        self._host_online, self._host_ms = told.online, told.timestamp

    def _next_bd_seq(self) -> int:
        """One more than the last session's, kept over restarts: a late will must not match."""
        try:
            last = int(self._kept.read_text(encoding="ascii"))
        except (OSError, ValueError):
            last = -1
        number = (last + 1) % TURN
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        replace(self._kept, str(number).encode())
        return number


def _say(pipe: Pipe, said: Said) -> None:
    """Births, data and deaths are QoS 0 and not retained (6.4.20 and on)."""
    pipe.publish(Publication(said.topic, said.body, qos=0))


def _now_ms() -> int:
    return wall_ns() // 1_000_000
