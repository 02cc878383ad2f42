"""A consumer that misses nothing: follows one box over MQTT and asks again for what is missing.

For integrators:

    from edge.consumer.watch import Watcher
    with Watcher(BrokerSettings(BrokerUrl.parse("mqtt://host")), Topics("acme/line1"), print):
        ...

Each verdict is handed over once and in order; with a position file, also over restarts (at least
once: what was handed over just before a crash comes again, with the same key).
"""

import json
import random
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from edge.consumer.ask import Asker
from edge.consumer.follow import Counts, Follower, Lost, Position
from edge.messages import Health, State, read
from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Bell, Pipe, PipeClosed, Publication
from edge.mqtt.session import now_s
from edge.topics import Topics
from export.errors import StoreError
from export.verdict import Verdict

STEP_S = 0.2
SAVE_EVERY_S = 1.0
DROPPED = "it was dropped there, or damaged on its disk"


class Enough(Exception):  # noqa: N818 - a wish, not an error
    """Raised by a callback to end the watcher; all is well."""


@dataclass(frozen=True, slots=True)
class WatchReport:
    """A watcher so far: the follower's counts, requests sent, payloads that made no sense."""

    counts: Counts
    asked: int
    rejected: int
    connections: int


class Watcher:
    """Follows the box below one topic prefix, in a thread of its own.

    Args:
        settings: where the broker is.
        topics: the box's topics.
        on_verdict: called in the watcher's thread with each verdict, once and in order. If it
            raises, the watcher ends, that verdict counts as not handed over, and `stop` raises the
            same; `Enough` ends it quietly, that verdict included.
        on_lost: called with verdicts that will never come.
        from_start: begin with the first verdict the box has; else with the next to arrive.
        position: a file in which it notes where it stands, to go on from there when restarted.

    Attributes:
        state: the box's last birth or will.
        health: the box's last Health.
        connected: to the broker; else `state` and `health` are what was, and nobody knows what is.
        trouble: why there is no connection, or what the broker refuses; "" when all is well.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        on_verdict: Callable[[Verdict], None],
        *,
        on_lost: Callable[[Lost], None] | None = None,
        from_start: bool = False,
        position: Path | None = None,
    ) -> None:
        self.state: State | None = None
        self.health: Health | None = None
        self.connected, self.trouble = False, "not yet connected"
        self._settings, self._topics = settings, topics
        self._on_verdict, self._on_lost = on_verdict, on_lost
        self._position = position
        self._follower = Follower(
            from_start=from_start, positions=_load(position, topics) if position else None
        )
        self._handed = self._saved = self._follower.positions()
        self._save_due_s = 0.0
        self._asker = Asker()
        self._rejected = self._connections = 0
        self._bell = Bell()
        self._stopping = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> Self:
        """Start the thread; returns at once, whether or not there is a broker."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, note the position; raises what `on_verdict` has raised."""
        self._stopping.set()
        self._bell.ring()
        if self._thread.ident is not None:
            self._thread.join()
        self._bell.close()
        if self._error is not None:
            raise self._error

    def wait(self, timeout_s: float) -> bool:
        """Wait for the watcher to end by itself; returns whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """False before `start`, after `stop`, and when a callback has raised."""
        return self._thread.is_alive()

    def report(self) -> WatchReport:
        """How it went so far."""
        counts = replace(self._follower.counts)
        counts.stale += self._follower.unconfirmed
        return WatchReport(counts, self._asker.asked, self._rejected, self._connections)

    def _run(self) -> None:
        pause_s = self._settings.backoff_min_s
        try:
            while not self._stopping.is_set():
                pipe = Pipe(self._settings, f"lww-{secrets.token_hex(8)}")
                try:
                    self._follow(pipe)
                    pause_s = self._settings.backoff_min_s
                except PipeClosed as closed:
                    if not self.trouble:
                        pause_s = self._settings.backoff_min_s
                    self.trouble = str(closed)
                finally:
                    self.connected = False
                    pipe.close()
                self._stopping.wait(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(self._settings.backoff_max_s, pause_s * 2)
        except Enough:
            return
        except Exception as error:  # noqa: BLE001 - the thread's outermost line; stop() raises it
            self._error = error
        finally:
            self._save_at_end()

    def _follow(self, pipe: Pipe) -> None:
        pipe.open()
        for name in ("state", "health"):
            pipe.subscribe(self._topics(name), retained=True)
        pipe.subscribe(f"{self._topics.prefix}/+/verdicts", retained=False)
        self._connections += 1
        self.connected, self.trouble = True, ""
        self._asker.restart()
        while not self._stopping.is_set():
            pipe.step(STEP_S, self._bell)
            while pipe.messages:
                self._hear(*pipe.messages.popleft())
            self._ask(pipe)
            self._save(SAVE_EVERY_S)
            refused = [*pipe.refused, *(ack.failure for ack in pipe.acks if ack.failure)]
            pipe.acks.clear()
            if refused:
                self.trouble = f"the broker refuses: {refused[-1]}"
        pipe.close(goodbye=True)

    def _hear(self, topic: str, payload: bytes) -> None:
        if not payload:
            return  # a retained message was cleared, or the doctor tried its right
        message = self._understood(topic, payload)
        if message is None:
            self._rejected += 1
        elif isinstance(message, Verdict):
            if message.replay:
                self._asker.heard(message.camera, message.seq)
            self._deliver(self._follower.take(message))
        elif isinstance(message, Health):
            self.health = message
            self._deliver(self._follower.heads(message))
        elif self.state is None or _is_newer(message, self.state):
            self.state = message
            if message.state == "online":
                self._deliver(self._follower.confirm(message.epoch))

    def _understood(self, topic: str, payload: bytes) -> Verdict | State | Health | None:
        try:
            if topic == self._topics("state"):
                return read(State, payload)
            if topic == self._topics("health"):
                return read(Health, payload)
            verdict = Verdict.from_json(payload)
        except ValueError:
            return None
        return verdict if self._topics.camera_of(topic, "verdicts") == verdict.camera else None

    def _deliver(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            after = {verdict.camera: Position(verdict.epoch, verdict.seq + 1)}
            try:
                self._on_verdict(verdict)
            except Enough:
                self._handed = {**self._handed, **after}
                raise
            self._handed = {**self._handed, **after}
        for lost in self._follower.take_lost():
            if self._on_lost is not None:
                self._on_lost(lost)
        self._handed = self._follower.positions()

    def _ask(self, pipe: Pipe) -> None:
        gaps = self._follower.gaps()
        for request in self._asker.due(gaps, now_s()):
            payload = request.model_dump_json().encode()
            pipe.publish(Publication(self._topics("replay"), payload))
        aside = self.health is not None and self.health.outbox.quarantined > 0
        why = f"the box passed it over: {'it lies in quarantine' if aside else DROPPED}"
        for gap in self._asker.hopeless(gaps, quarantine=aside):
            self._deliver(self._follower.give_up(gap, why))

    def _save_at_end(self) -> None:
        self._save_due_s = 0.0
        try:
            self._save(0.0)
        except StoreError as error:
            self._error = self._error or error

    def _save(self, every_s: float) -> None:
        positions = self._handed
        if self._position is None or positions == self._saved or now_s() < self._save_due_s:
            return
        self._save_due_s = now_s() + every_s
        _store(self._position, self._topics, positions)
        self._saved = positions


def _is_newer(state: State, than: State) -> bool:
    """Whether `state` tells of the same connection or a later one: a will may come late."""
    return state.epoch != than.epoch or (state.boots, state.session) >= (than.boots, than.session)


def _load(path: Path, topics: Topics) -> dict[str, Position]:
    """Where a watcher stood; raises StoreError if the file is damaged or another box's."""
    if not path.exists():
        return {}
    remedy = f"name another file, or delete {path} to begin afresh"
    try:
        kept = json.loads(path.read_bytes())
        prefix = kept["prefix"]
        positions = {
            str(camera): Position(int(epoch), int(number))
            for camera, (epoch, number) in kept["cameras"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"position file {path} can't be read: {error!r}", remedy) from error
    if prefix != topics.prefix:
        raise StoreError(f"position file {path} is of {prefix!r}, not {topics.prefix!r}", remedy)
    return positions


def prefix_of(path: Path) -> str:
    """The prefix of the box whose position file this is; "" if it is none."""
    try:
        return str(json.loads(path.read_bytes())["prefix"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _store(path: Path, topics: Topics, positions: dict[str, Position]) -> None:
    cameras = {camera: [at.epoch, at.next] for camera, at in positions.items()}
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(json.dumps({"prefix": topics.prefix, "cameras": cameras}), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise StoreError(
            f"position file {path} can't be written: {error}", "check its folder and disk"
        ) from error
