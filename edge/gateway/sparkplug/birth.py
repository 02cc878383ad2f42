"""What an edge node has to say and when: births, data, deaths, and their running number.

Sparkplug B 3.0, chapters 5 and 6. Pure: it is given how the box is and yields messages; it opens no
connection and asks no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge.gateway.sparkplug.payload import TYPES, Codec, DataType, Metric
from edge.gateway.tags import BOX, CAMERA, RESULT, VISION_STATE, Tag, Told, moment, vision_state
from edge.messages import Health, State
from export.verdict import Verdict

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
TURN = 256


@dataclass(frozen=True, slots=True)
class Said:
    """A message: its topic and body."""

    topic: str
    body: bytes


class Node:
    """One session of the node, from its birth to its death.

    Args:
        codec: of payloads.
        group: Sparkplug's group id.
        node: the edge node's id.
        bd_seq: of this session's birth and death, 0..255.
        version: of the program.
    """

    def __init__(self, codec: Codec, group: str, node: str, bd_seq: int, version: str) -> None:
        self._codec, self._group, self._node = codec, group, node
        self._bd_seq, self._version = bd_seq, version
        self._seq = 0
        self._last: dict[str, Verdict] = {}
        self._born: dict[str, str] = {}
        self._box: dict[str, object] = {}
        self._cameras: dict[str, dict[str, object]] = {}

    def topic(self, kind: str, device: str = "") -> str:
        """Of a kind of message."""
        below = f"/{device}" if device else ""
        return f"{NAMESPACE}/{self._group}/{kind}/{self._node}{below}"

    def death(self, at_ms: int) -> Said:
        """The will, and what is said before going on purpose."""
        body = self._codec.encode([self._bd(at_ms)], at_ms, None)
        return Said(self.topic("NDEATH"), body)

    def late_death(self, at_ms: int) -> Said:
        """The death of the session before, which is certain: the one message that may be QoS 1."""
        bd_seq = Metric("bdSeq", DataType.INT64, (self._bd_seq - 1) % TURN, at_ms)
        return Said(self.topic("NDEATH"), self._codec.encode([bd_seq], at_ms, None))

    def birth(self, state: State, health: Health, at_ms: int) -> Iterator[Said]:
        """The node's, and each camera's; also after a rebirth was asked for."""
        self._seq = 0
        self._born.clear()
        metrics = [
            self._bd(at_ms),
            Metric(REBIRTH, DataType.BOOLEAN, False, at_ms),
            Metric("Properties/Software", DataType.STRING, f"linewarden {self._version}", at_ms),
            Metric("Properties/Box", DataType.STRING, state.version, at_ms),
            *_metrics(BOX, health, at_ms),
        ]
        self._box = _values(BOX, health)
        yield self._said("NBIRTH", metrics, at_ms)
        for camera in health.cameras:
            yield self._camera_birth(camera, state, health, at_ms)

    def changed(self, state: State, health: Health, at_ms: int) -> Iterator[Said]:
        """What is otherwise than was said last: of the box, and of each camera."""
        now = _values(BOX, health)
        if now != self._box:
            tags = [tag for tag in BOX if now[tag.name] != self._box[tag.name]]
            self._box = now
            yield self._said("NDATA", _metrics(tags, health, at_ms), at_ms)
        for camera, report in health.cameras.items():
            if camera not in self._born:
                yield self._camera_birth(camera, state, health, at_ms)
                continue
            before, told = self._cameras[camera], _values(CAMERA, report)
            tags = [tag for tag in CAMERA if told[tag.name] != before[tag.name]]
            metrics = _metrics(tags, report, at_ms)
            vision = vision_state(state, report)
            if vision != self._born[camera]:
                metrics.append(Metric(VISION_STATE, DataType.STRING, vision, at_ms))
            self._born[camera], self._cameras[camera] = vision, told
            if metrics:
                yield self._said("DDATA", metrics, at_ms, camera)
        for camera in set(self._born) - set(health.cameras):
            del self._born[camera]
            yield self._said("DDEATH", [], at_ms, camera)

    def note(self, verdict: Verdict) -> None:
        """A verdict from before the birth, which will say the last of them."""
        self._last[verdict.camera] = verdict

    def result(self, verdict: Verdict, at_ms: int, *, historical: bool) -> Iterator[Said]:
        """A verdict of a camera; nothing while that isn't born, since its birth will say it."""
        camera = verdict.camera
        if not historical:
            self._last[camera] = verdict
        if camera in self._born:
            metrics = _metrics(RESULT, verdict, _decided_ms(verdict, at_ms), historical=historical)
            yield self._said("DDATA", metrics, at_ms, camera)

    def _camera_birth(self, camera: str, state: State, health: Health, at_ms: int) -> Said:
        report, last = health.cameras[camera], self._last.get(camera)
        vision = self._born[camera] = vision_state(state, report)
        self._cameras[camera] = _values(CAMERA, report)
        nothing = [Metric(tag.name, TYPES[tag.kind], None, at_ms) for tag in RESULT]
        metrics = [
            *(_metrics(RESULT, last, _decided_ms(last, at_ms)) if last else nothing),
            *_metrics(CAMERA, report, at_ms),
            Metric(VISION_STATE, DataType.STRING, vision, at_ms),
        ]
        return self._said("DBIRTH", metrics, at_ms, camera)

    def _bd(self, at_ms: int) -> Metric:
        return Metric("bdSeq", DataType.INT64, self._bd_seq, at_ms)

    def _said(self, kind: str, metrics: list[Metric], at_ms: int, device: str = "") -> Said:
        seq, self._seq = self._seq, (self._seq + 1) % TURN
        return Said(self.topic(kind, device), self._codec.encode(metrics, at_ms, seq))


def _metrics(
    tags: "list[Tag[Told]] | tuple[Tag[Told], ...]", told: Told, at_ms: int, *,
    historical: bool = False,
) -> list[Metric]:  # fmt: skip
    return [Metric(tag.name, TYPES[tag.kind], tag.read(told), at_ms, historical) for tag in tags]


def _decided_ms(verdict: Verdict, at_ms: int) -> int:
    """When its values came to be (6.4), however late they are told."""
    told = moment(verdict.decided_at)
    return round(told.timestamp() * 1000) if told else at_ms


def _values(tags: "tuple[Tag[Told], ...]", told: Told) -> dict[str, object]:
    return {tag.name: tag.read(told) for tag in tags}
