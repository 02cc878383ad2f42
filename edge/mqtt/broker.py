"""The broker's thread: one connection after the other, with a pause between them that grows.

Nothing here is durable and nothing here is lost: the outbox holds whatever was not acknowledged,
and a new connection starts at the first row that waits.
"""

import hashlib
import random
import threading
from collections.abc import Callable

import structlog

from edge import clock
from edge.alarm import Alarms
from edge.messages import Health, Severity, State
from edge.mqtt.address import BrokerSettings
from edge.mqtt.own import OwnMessages
from edge.mqtt.pipe import Bell, PipeClosed
from edge.mqtt.pump import Pump
from edge.mqtt.session import BrokerSession, Commands, now_s
from edge.outbox import Outbox
from edge.pulse import Pulse
from edge.topics import Topics

FAREWELL_S = 1.0
QUIET_S = 5.0  # a shorter absence of the broker is not yet a fault
SHORT_S = 1.0  # a connection that ends sooner than this
SHORTS = 5  # so many times in a row, is a fault
STILL_S = 60.0  # a name server may take its time
ABSENT, REFUSES = "broker_absent", "broker_refuses"  # alarms


class Broker:
    """Publishes the outbox, the state and the health of one box, and answers replay requests.

    Args:
        settings: where the broker is.
        topics: the box's topics.
        outbox: an opened outbox; the caller closes it after `stop`.
        health: called once a second in the broker's thread; must be quick and not raise.
        version: what the birth message says about the program.
        alarms: the box's book, to publish; what is wrong with the broker is written there too.
        commands: topic's name → what to do with a payload; quick, raising ValueError if it can't.
        pulse: told that the thread moves.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        outbox: Outbox,
        health: Callable[[], Health],
        version: str = "",
        *,
        alarms: Alarms | None = None,
        commands: Commands | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._outbox = outbox
        self._health = health
        self._version = version
        self._alarms = alarms or Alarms()
        self._commands = commands or {}
        self._beat = (pulse or Pulse()).stage("broker", STILL_S)
        self._pump = Pump(outbox, topics, settings.window, settings.refusals)
        self._own = OwnMessages(settings.refusals)
        self._bell = Bell()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._log = structlog.get_logger("broker")
        self._stopping = threading.Event()
        self._stop_at_s = 0.0
        self._sessions = self._rejected = self._shorts = 0
        self._session: BrokerSession | None = None
        self._connected = False
        self._absent_since_s, self._trouble = now_s(), "not yet connected"

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and answers."""
        return self._connected

    @property
    def rejected(self) -> int:
        """Commands not understood or not allowed, replays for another epoch, or too many."""
        session = self._session
        here = session.rejected if session is not None else 0
        return self._rejected + here + self._pump.replay_refused

    def faults(self) -> tuple[str, ...]:
        """What is wrong between us and the broker; empty when all is well."""
        if self._shorts >= SHORTS or (self._connected and self._session is not None):
            return self._refusals()
        away_s = now_s() - self._absent_since_s
        return (f"no broker for {away_s:.0f} s: {self._trouble}",) if away_s > QUIET_S else ()

    def _refusals(self) -> tuple[str, ...]:
        """What a broker that can be reached doesn't let us do."""
        if self._shorts >= SHORTS:
            why = f"the last {self._shorts} connections ended at once: {self._trouble}"
            return (f"{why}; does another box use the prefix {self._topics.prefix}?",)
        return (*self._pump.faults(), *self._own.faults())

    def start(self) -> None:
        """Start the thread; returns at once, whether or not there is a broker."""
        self._outbox.on_stored(self._news)
        self._alarms.on_change(self._bell.ring)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Send what is stored if that can be done in time, say goodbye (clean) and end."""
        self._stop_at_s = now_s() + timeout_s
        self._stopping.set()
        self._bell.ring()
        self._thread.join(timeout_s + self._settings.connect_s + FAREWELL_S)
        self._outbox.on_stored(_nobody)
        self._alarms.on_change(_nobody)
        if not self._thread.is_alive():
            self._bell.close()

    def _news(self) -> None:
        """In the outbox's thread, after each commit."""
        self._pump.stored()
        self._bell.ring()

    def _run(self) -> None:
        pause_s = self._settings.backoff_min_s
        while not self._stopping.is_set():
            self._beat()
            if (away_s := now_s() - self._absent_since_s) > QUIET_S:
                why = f"no broker since {away_s:.0f} s: {self._trouble}; verdicts wait on the disk"
                self._alarms.raise_("broker", ABSENT, why)
            session = self._session = self._next_session()
            began_s = now_s()
            try:
                self._live(session)
            except PipeClosed as closed:
                self._lost(session, str(closed), closed.code)
            except Exception as error:  # noqa: BLE001 - the thread's outermost line
                self._log.exception("broker session failed")
                self._lost(session, f"the session failed: {error!r}", None)
            finally:
                session.close()
                self._connected = False
            if session.acknowledged:
                self._shorts = self._shorts + 1 if now_s() - began_s < SHORT_S else 0
                if self._shorts < SHORTS:
                    pause_s = self._settings.backoff_min_s
            self._stopping.wait(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(self._settings.backoff_max_s, pause_s * 2)

    def _live(self, session: BrokerSession) -> None:
        session.open()
        self._connected = True
        self._log.info("broker connected", url=str(self._settings.url))
        began_s = now_s()
        while not self._stopping.is_set():
            session.turn()
            self._beat()
            if self._shorts and now_s() - began_s > SHORT_S:
                self._shorts = 0
        session.drain(self._outbox, self._stop_at_s - FAREWELL_S)
        session.farewell(FAREWELL_S)

    def _lost(self, session: BrokerSession, why: str, code: int | None) -> None:
        if self._connected:
            self._absent_since_s = now_s()
        if why != self._trouble:
            self._log.warning("broker lost", why=why)
        self._trouble = why
        judge = session.acknowledged and not session.stalled
        if judge and not self._own.broke(code, self._pump.flying):
            self._pump.broke(code)

    def _next_session(self) -> BrokerSession:
        if self._session is not None:
            self._rejected += self._session.rejected
            self._session.rejected = 0
        self._sessions += 1
        birth = State(
            state="online",
            boots=self._outbox.boots,
            session=self._sessions,
            epoch=self._outbox.epoch,
            version=self._version,
            at=clock.rfc3339(clock.wall_ns()),
        )
        return BrokerSession(
            self._settings,
            client_id(self._topics),
            self._topics,
            self._pump,
            birth,
            own=self._own,
            bell=self._bell,
            health=self._health_and_alarms,
            alarms=self._alarms,
            commands=self._commands,
        )

    def _health_and_alarms(self) -> Health:
        """Once a second while connected."""
        self._alarms.clear("broker", ABSENT)
        self._alarms.set("broker", REFUSES, "; ".join(self._refusals()), Severity.CRITICAL)
        return self._health().model_copy(update={"rejected": self.rejected})


def client_id(topics: Topics) -> str:
    """The box's name at the broker, of 19 characters: every broker must take 23 of these."""
    return "lw-" + hashlib.sha256(topics.prefix.encode()).hexdigest()[:16]


def _nobody() -> None: ...
