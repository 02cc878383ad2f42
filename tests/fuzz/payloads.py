"""Hostile payloads before the real handlers: commands to a box, and what a consumer hears of one.

The judge of what is sound is not ours: Python's JSON and the published JSON Schemas. What they call
unsound must be rejected, be counted, and leave everything as it was.
"""

import base64
import random
import tempfile
from pathlib import Path

import structlog
from jsonschema import Draft202012Validator

from edge.alarm import Alarms
from edge.camera.slot import Slot
from edge.consumer.watch import Watcher
from edge.flagged.keeper import Keeper, KeeperSettings
from edge.flagged.pantry import Quota
from edge.health import Health
from edge.inspection.bench import Bench
from edge.inspection.command import Orders
from edge.inspection.lane import Lane
from edge.inspection.part import Terms
from edge.messages import Health as HealthMessage
from edge.messages import OutboxReport, State, schema
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.pipe import Bell
from edge.mqtt.pump import Pump
from edge.mqtt.session import BrokerSession
from edge.outbox import Outbox
from edge.topics import Topics
from edge.trigger.trigger import OnOrder
from export.confined import own_bytes
from export.figures import Figure
from export.verdict import MAX_BYTES as VERDICT_BYTES
from tests.edge.verdicts import verdict
from tests.fuzz.messages import MAX_BYTES, Messages, is_sound
from tests.fuzz.tally import Tally
from tests.fuzz.ward import CRASHED, REFUSED, TAKEN, Ward

PREFIX, CAMERA, EPOCH = "acme/cell1", "eye", 7
COMMANDS = {"trigger": "Trigger", "flag": "Flag", "replay": "Replay"}
HEARD = {"verdicts": "Verdict", "state": "State", "health": "Health"}
SLOW_S, GROWN_BYTES = 1.0, 64 << 20
TOPICS = Topics(PREFIX)


class Box:
    """The real handlers of commands, without a broker or threads."""

    def __init__(self, folder: Path):
        health, alarms = Health((CAMERA,)), Alarms()
        self.outbox = Outbox(folder / "outbox.db")
        self.outbox.epoch = EPOCH
        self._pump = Pump(self.outbox, TOPICS)
        self._recorded = 0
        self._bench = Bench(self._record, EPOCH, health)
        self._lane = Lane(Slot(), OnOrder(), Terms(CAMERA, None, 500.0, 8), self._bench, health)
        quota = Quota(1 << 20, 0)
        self._keeper = Keeper(KeeperSettings(folder / "samples", quota, queue=10**9), health)
        self._keeper.start()
        self._orders = Orders({CAMERA: self._lane}, self._keeper)
        handlers = {"trigger": self._orders.trigger, "flag": self._orders.flag}
        birth = State(state="online", boots=1, session=1, epoch=EPOCH, version="0", at="")
        self._session = BrokerSession(
            BrokerSettings(BrokerUrl("127.0.0.1", 1)), "fuzz", TOPICS, self._pump, birth,
            bell=Bell(), health=lambda: None, alarms=alarms, commands=handlers,
        )  # fmt: skip

    def _record(self, _camera, make):
        self._recorded += 1
        return make(self._recorded)

    def hear(self, topic: str, payload: bytes) -> int:
        """Handle a message; returns how many were rejected by now."""
        self._session._command(topic, payload)
        assert self._keeper.flush(5)
        assert self._keeper._thread.is_alive(), "the keeper of samples died"
        return self._session.rejected + self._pump.replay_refused

    def state(self):
        """Everything that a command may change."""
        orders, tally = self._orders, self._keeper.tally()
        return (
            [part.name for part in self._lane._orders], len(self._bench._awaited), self._recorded,
            list(orders._done), list(self._pump._asked), tally,
        )  # fmt: skip


class Consumer:
    """The real watcher, without a connection."""

    def __init__(self):
        settings = BrokerSettings(BrokerUrl("127.0.0.1", 1))
        self._handed = 0
        self._watcher = Watcher(settings, TOPICS, self._hand, from_start=True)

    def _hand(self, _verdict):
        self._handed += 1

    def hear(self, topic: str, payload: bytes) -> int:
        """Handle a message; returns how many were rejected by now."""
        self._watcher._hear(topic, payload)
        self._watcher._follower.gaps()
        return self._watcher.report().rejected

    def state(self):
        """Everything that a message may change."""
        follower = self._watcher._follower
        lines = {name: (one.epoch, one.next, one.tail) for name, one in follower._lines.items()}
        told = (self._watcher.state, self._watcher.health, self._handed)
        return (lines, str(follower.counts), told)


class Eater:
    """Hands one payload over, and holds the law against what became of it."""

    def __init__(self):
        structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
        self._folder = tempfile.TemporaryDirectory()
        box, consumer = Box(Path(self._folder.name)), Consumer()
        self._sides = {**dict.fromkeys(COMMANDS, box), **dict.fromkeys(HEARD, consumer)}
        self._judges = {
            name: Draft202012Validator(schema(kind)) for name, kind in {**COMMANDS, **HEARD}.items()
        }

    def eat(self, told):
        name, payload = told["to"], base64.b64decode(told["payload"])
        side, sound = self._sides[name], self._sound(name, payload, told["topic"])
        before, rejected = side.state(), side.hear("", b"")
        rejected_by_it = side.hear(told["topic"], payload) - rejected
        if not sound:
            assert rejected_by_it == 1, "an unsound message was not rejected"
            assert side.state() == before, "an unsound message changed something"
        more = {"rss": own_bytes("VmRSS"), "sound": sound}
        return REFUSED if rejected_by_it else TAKEN, "", more

    def _sound(self, name: str, payload: bytes, topic: str) -> bool:
        limit = VERDICT_BYTES if name == "verdicts" else MAX_BYTES
        return is_sound(payload, self._judges[name], limit) and topic == _topic(name)


def _topic(name: str) -> str:
    return TOPICS(name, CAMERA)


def sound(name: str, dice: random.Random, number: int) -> dict:
    """A sound message to change."""
    seq = dice.randrange(1, 2000)
    if name == "verdicts":
        return verdict(EPOCH, seq, CAMERA, part=f"part-{number}").model_dump(mode="json")
    if name == "state":
        told = {"state": dice.choice(["online", "offline"]), "boots": 3, "session": number}
        return {**told, "clean": False, "epoch": EPOCH, "version": "1", "at": "2026-01-01"}
    if name == "health":
        cameras = {CAMERA: {"oldest": 1, "newest": seq, "frames": number}}
        box = OutboxReport(depth=0, waiting_in_memory=0, quarantined=0, bytes=4096)
        told = HealthMessage(at=str(number), boots=3, epoch=EPOCH, outbox=box)
        return {**told.model_dump(mode="json"), "cameras": cameras}
    if name == "replay":
        return {"camera": CAMERA, "epoch": EPOCH, "first": seq, "last": seq + dice.randrange(99)}
    if name == "flag":
        asked = [{}, {"epoch": EPOCH, "seq": seq}, {"part": "bolt"}]
        return {"camera": CAMERA, **dice.choice(asked)}
    return {"camera": CAMERA, "part": f"bolt-{number}", "id": f"m-{number}"}


def draw(messages: Messages, number: int) -> tuple[str, str, str, bytes]:
    """The next hostile payload: (for which topic's name, the topic, the kind, the payload)."""
    dice = messages.dice
    name = dice.choice([*COMMANDS, *HEARD])
    kind, payload = messages.draw(sound(name, dice, number))
    topic = _topic(name)
    if dice.random() < 0.03:
        kind, topic = "topic", dice.choice(["", "x", f"{topic}/", topic.upper(), TOPICS("alarms")])
    return name, topic, kind, payload


def fuzz(count: int, seed: int, keep: Path, advance=lambda *_: None) -> Tally:
    """Feed `count` payloads of a seed to a ward."""
    messages, tally = Messages(seed), Tally("payloads", keep)
    with Ward("tests.fuzz.payloads") as ward:
        for number in range(count):
            name, topic, kind, payload = draw(messages, number)
            coded = base64.b64encode(payload).decode()
            meal = ward.feed({"to": name, "topic": topic, "payload": coded})
            files = {"payload": payload, "topic": topic.encode()}
            tally.note(f"{name}: {kind}", meal, meal.cpu_s > SLOW_S, lambda files=files: files)
            advance()
    return tally


def figures(tally: Tally) -> list[Figure]:
    """What it came to."""
    held = [meal.more["rss"] for _, meal in tally.meals if "rss" in meal.more]
    grown = (held[-1] - held[len(held) // 50]) / 2**20 if held else 0.0
    unsound = sum(meal.more.get("sound") is False for _, meal in tally.meals)
    return [
        Figure("hostile payloads", len(tally.meals), "", note=f"{unsound} unsound by their schema"),
        Figure("payloads: rejected and counted", tally.count(REFUSED), ""),
        Figure("payloads: taken", tally.count(TAKEN), ""),
        Figure("payloads: crashes, or a law broken", tally.count(CRASHED), "", "== 0"),
        Figure("payloads: hangs", tally.hangs, "", "== 0"),
        Figure("payloads: over 1 s of processor time", tally.over(SLOW_S), "", "== 0"),
        Figure("payloads: slowest, processor time", 1e3 * tally.slowest, "ms", "",
               tally.slowest_kind),
        Figure("payloads: memory grown over all", grown, "MiB", f"<= {GROWN_BYTES >> 20}"),
    ]  # fmt: skip
