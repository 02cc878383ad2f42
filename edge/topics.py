"""The one table of MQTT topics. Whatever speaks MQTT asks here; the docs are checked against it."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Who speaks."""

    FROM_BOX = "from the box"
    TO_BOX = "to the box"


class Owner(StrEnum):
    """Which of a box's processes speaks there, or is spoken to; each has its own account."""

    LINE = "line"
    SHOP = "shop"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Topic:
    """One row: the levels below the prefix ({camera} stands for a camera's name) and the terms."""

    name: str
    levels: str
    owner: Owner
    direction: Direction
    qos: int
    retained: bool
    payload: str
    meaning: str


TABLE = (
    Topic(
        "verdicts", "{camera}/verdicts", Owner.LINE, Direction.FROM_BOX, 1, False, "Verdict",
        "every verdict, in order of seq",
    ),
    Topic(
        "last", "{camera}/last", Owner.LINE, Direction.FROM_BOX, 1, True, "Verdict",
        "the newest verdict, even while a backlog drains",
    ),
    Topic(
        "state", "state", Owner.LINE, Direction.FROM_BOX, 1, True, "State",
        "birth and last will: online or offline, with the boot count",
    ),
    Topic(
        "health", "health", Owner.LINE, Direction.FROM_BOX, 1, True, "Health",
        "every second: first and last seq kept per camera, outbox depth, faults",
    ),
    Topic(
        "alarms", "alarms", Owner.LINE, Direction.FROM_BOX, 1, True, "AlarmList",
        "on each change: the alarms that stand, and the last that were cleared",
    ),
    Topic(
        "replay", "cmd/replay", Owner.LINE, Direction.TO_BOX, 1, False, "Replay",
        "send the verdicts of a camera from one seq to another again",
    ),
    Topic(
        "trigger", "cmd/trigger", Owner.LINE, Direction.TO_BOX, 1, False, "Trigger",
        "a part stands before a camera: judge the next frame, and call it so",
    ),
    Topic(
        "flag", "cmd/flag", Owner.LINE, Direction.TO_BOX, 1, False, "Flag",
        "keep the picture of a part, for people to look at",
    ),
    Topic(
        "catalog_order", "cmd/catalog", Owner.SHOP, Direction.TO_BOX, 1, False, "CatalogOrder",
        "choose among a folder of product pictures (`linewarden catalog serve`)",
    ),
    Topic(
        "catalog", "catalog", Owner.SHOP, Direction.FROM_BOX, 1, False, "CatalogAnswer",
        "what came of an order for product pictures",
    ),
    Topic(
        "ask", "cmd/ask", Owner.ASSISTANT, Direction.TO_BOX, 1, False, "Ask",
        "a question to the operators' assistant; it can only read",
    ),
    Topic(
        "answers", "answers", Owner.ASSISTANT, Direction.FROM_BOX, 1, False, "Reply",
        "the assistant's answers, each with the id of its question",
    ),
)  # fmt: skip
BY_NAME = {topic.name: topic for topic in TABLE}

_LEVEL = re.compile(r"[^+#/\x00-\x1f$][^+#/\x00-\x1f]*")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one box, below its prefix of ISA-95 levels (enterprise/site/area/line/cell)."""

    prefix: str

    def __post_init__(self) -> None:
        levels = self.prefix.split("/")
        if "" in levels:
            raise ValueError("a topic prefix has no '/' at its beginning or end, and none doubled")
        for level in levels:
            check_level(level)
        if len(self.prefix.encode()) > 512:
            raise ValueError("the topic prefix is longer than 512 bytes")

    def __call__(self, name: str, camera: str = "") -> str:
        """The full topic called `name`; `camera` fills its {camera} level, if it has one."""
        levels = BY_NAME[name].levels
        if "{camera}" in levels:
            levels = levels.replace("{camera}", check_level(camera))
        return f"{self.prefix}/{levels}"

    def camera_of(self, topic: str, name: str) -> str | None:
        """The camera that `topic` is the topic `name` of, or None if it is another topic."""
        before, after = f"{self.prefix}/", BY_NAME[name].levels.removeprefix("{camera}")
        if not (topic.startswith(before) and topic.endswith(after)):
            return None
        camera = topic[len(before) : len(topic) - len(after)]
        return camera if _LEVEL.fullmatch(camera) else None


def check_level(level: str) -> str:
    """Return `level` if it can be one level of a topic; raises ValueError if it can't."""
    if not _LEVEL.fullmatch(level):
        raise ValueError(
            f"{level!r} can't be a topic level: not empty, no '+', '#', '/', no leading '$'"
        )
    return level
