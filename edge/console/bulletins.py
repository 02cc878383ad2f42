"""What the box says of itself over MQTT: state, health and alarms, as a listener hears them.

The console is one more subscriber: it publishes nothing, and the daemon doesn't know it. Without a
broker in the settings, or with none that answers, it says so instead of showing what was.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge import clock
from edge.messages import AlarmList, Health, State, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Pipe
from edge.mqtt.standing import Standing
from edge.topics import Topics

STEP_S = 0.5
STALE_S = 5.0  # health comes every second
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Bulletin:
    """The box as it last told of itself; `trouble` says why nothing is heard, "" if it is."""

    state: State | None = None
    health: Health | None = None
    alarms: AlarmList | None = None
    heard_ns: int = 0
    trouble: str = ""

    @property
    def online(self) -> bool | None:
        """Whether the box runs; None while that isn't known."""
        if self.trouble or self.state is None:
            return None
        return self.state.state == "online"

    def fresh(self, now_ns: int) -> bool:
        """Whether its health was heard just now."""
        return self.health is not None and now_ns - self.heard_ns < STALE_S * _SECOND


class Bulletins:
    """Listens to the box below `topics`, in a thread of its own.

    Args:
        settings: where the broker is; None: the box has none.
        topics: the box's.
        on_change: called when state or alarms change, in the listener's thread.
    """

    def __init__(
        self,
        settings: BrokerSettings | None,
        topics: Topics,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._topics, self._on_change = topics, on_change
        waits = "not yet connected to the broker"
        self._now = Bulletin(trouble=waits if settings else "the settings name no broker")
        self._line = settings and Standing(
            settings, "bulletins", lambda: Pipe(settings, f"lwc-{secrets.token_hex(8)}"),
            self._listen, lambda why: self._change(replace(self._now, trouble=f"broker: {why}")),
        )  # fmt: skip

    def start(self) -> None:
        """Start listening."""
        if self._line is not None:
            self._line.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._line is not None:
            self._line.stop()

    def now(self) -> Bulletin:
        """The last that was heard."""
        return self._now

    def _listen(self, pipe: Pipe) -> None:
        assert self._line is not None
        for name in ("state", "health", "alarms"):
            pipe.subscribe(self._topics(name), retained=True)
        self._change(replace(self._now, trouble=""))
        while not self._line.ending.is_set():
            pipe.step(STEP_S, self._line.bell)
            while pipe.messages:
                self._hear(*pipe.messages.popleft())
            if pipe.refused:
                self._change(replace(self._now, trouble=pipe.refused[-1]))

    def _hear(self, topic: str, payload: bytes) -> None:
        try:
            if topic == self._topics("state"):
                self._change(replace(self._now, state=read(State, payload)))
            elif topic == self._topics("alarms"):
                self._change(replace(self._now, alarms=read(AlarmList, payload)))
            elif topic == self._topics("health"):
                self._now = replace(
                    self._now, health=read(Health, payload), heard_ns=clock.monotonic_ns()
                )
        except ValueError:
            return  # not the box's: its messages are checked where they are made

    def _change(self, bulletin: Bulletin) -> None:
        changed = bulletin != self._now
        self._now = bulletin
        if changed:
            self._on_change()
