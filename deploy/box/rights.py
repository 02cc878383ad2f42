"""Who may what at the broker, by role, from the one table of topics; written as Mosquitto's ACL.

An account is the common name of a certificate. Its scope is a topic prefix in which a level may be
`+`, so that one account can read every box of an area; a box's own has none. Knows no file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from deploy.box.program import InstallError
from edge.topics import TABLE, Direction, Owner, check_level

OF_THE_BROKER = "$SYS/#"


class Role(StrEnum):
    """What an account is for."""

    BOX = "box"
    CONSOLE = "console"
    ASSISTANT = "assistant"
    GATEWAY = "gateway"
    SHOP = "shop"
    VIEWER = "viewer"
    COLLECTOR = "collector"
    OPERATOR = "operator"
    HOST = "host"
    SITE = "site"
    MONITOR = "monitor"


MEANING = {
    Role.BOX: "publishes the line's topics and gets its commands",
    Role.CONSOLE: "reads state, health and alarms",
    Role.ASSISTANT: "gets questions, publishes answers, reads state and alarms",
    Role.GATEWAY: "follows its box, speaks Sparkplug and tells Home Assistant",
    Role.SHOP: "gets orders for product pictures and answers them",
    Role.VIEWER: "reads everything that boxes say",
    Role.COLLECTOR: "reads everything, and may ask for missing verdicts again",
    Role.OPERATOR: "reads everything and gives every command",
    Role.HOST: "a SCADA host or Home Assistant: reads everything and what gateways tell",
    Role.SITE: "a site's broker at the one above: brings what its boxes say, takes commands down",
    Role.MONITOR: "reads the broker's own figures",
}
SAID = tuple(row.name for row in TABLE if row.direction is Direction.FROM_BOX)
COMMANDS = tuple(row.name for row in TABLE if row.direction is Direction.TO_BOX)


def _of(owner: Owner, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(row.name for row in TABLE if row.owner is owner and row.name in names)


READS = {
    Role.BOX: _of(Owner.LINE, COMMANDS),
    Role.CONSOLE: ("state", "health", "alarms"),
    Role.ASSISTANT: (*_of(Owner.ASSISTANT, COMMANDS), "state", "alarms"),
    Role.GATEWAY: _of(Owner.LINE, SAID),
    Role.SHOP: _of(Owner.SHOP, COMMANDS),
    Role.VIEWER: SAID,
    Role.COLLECTOR: SAID,
    Role.OPERATOR: SAID,
    Role.HOST: SAID,
    Role.SITE: COMMANDS,
    Role.MONITOR: (),
}
WRITES = {
    Role.BOX: _of(Owner.LINE, SAID),
    Role.CONSOLE: (),
    Role.ASSISTANT: _of(Owner.ASSISTANT, SAID),
    Role.GATEWAY: ("replay",),
    Role.SHOP: _of(Owner.SHOP, SAID),
    Role.VIEWER: (),
    Role.COLLECTOR: ("replay",),
    Role.OPERATOR: COMMANDS,
    Role.HOST: (),
    Role.SITE: SAID,
    Role.MONITOR: (),
}
# What lies outside a box's prefix: group, node and device of Sparkplug B stand in the settings.
_TOLD = (
    *(f"spBv1.0/+/{kind}/+" for kind in ("NBIRTH", "NDATA", "NDEATH")),
    *(f"spBv1.0/+/{kind}/+/+" for kind in ("DBIRTH", "DDATA", "DDEATH")),
    "homeassistant/+/+/+/config",
)
_ORDERED = ("spBv1.0/+/NCMD/+", "spBv1.0/STATE/+", "homeassistant/status")
ELSEWHERE: dict[Role, tuple[tuple[str, ...], tuple[str, ...]]] = {  # (reads, writes)
    Role.GATEWAY: (_ORDERED, _TOLD),
    Role.HOST: ((*_TOLD, *_ORDERED), _ORDERED),
    Role.MONITOR: ((OF_THE_BROKER,), ()),
}
# Neither Mosquitto's ACL nor a topic may take a part of it for something else.
_NAME = re.compile(r"""[^\s+#/"\\]([^+#/"\\]*[^\s+#/"\\])?""")
# An account's certificate and key are called by its name, beside these.
TAKEN = frozenset({"ca", "revoked", "server", "web", "grafana", "above", "above-ca"})
_LEVELS = {row.name: row.levels.replace("{camera}", "+") for row in TABLE}


@dataclass(frozen=True, slots=True)
class Account:
    """One account at the broker; `scope` is the topic prefix that it is for."""

    name: str
    role: Role
    scope: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not self.name.isprintable():
            raise InstallError(f"{self.name!r} can't be an account's name", "letters, digits, -")
        if self.name in TAKEN:
            raise InstallError(
                f"the box has files of its own called {self.name!r}", "take another name"
            )
        if len(self.name) > 64:  # X.520's upper bound of a common name
            raise InstallError(f"the account name {self.name!r} is too long", "64 at most")
        if self.role is Role.MONITOR:
            return
        for level in self.scope.split("/"):
            if level == "+" and self.role is not Role.BOX:
                continue
            try:
                check_level(level)
            except ValueError as error:
                said = f"account {self.name}: the scope {self.scope!r} is no topic prefix: {error}"
                raise InstallError(said, "write enterprise/site/area/line/cell") from error

    def topics(self, names: Iterable[str]) -> list[str]:
        """The topics called `names` below the account's scope, as topic filters."""
        return [f"{self.scope}/{_LEVELS[name]}" for name in names]

    def lines(self) -> list[str]:
        """Its rights, as lines of Mosquitto's ACL."""
        read, written = ELSEWHERE.get(self.role, ((), ()))
        read = (*self.topics(READS[self.role]), *read)
        written = (*self.topics(WRITES[self.role]), *written)
        rights = [f"topic read {topic}" for topic in read if topic not in written]
        rights += [f"topic write {topic}" for topic in written if topic not in read]
        rights += [f"topic readwrite {topic}" for topic in written if topic in read]
        return [f"# {self.role}: {MEANING[self.role]}", f"user {self.name}", *rights]


def acl(accounts: Iterable[Account]) -> str:
    """Mosquitto's ACL of these accounts: whatever isn't allowed here is denied."""
    parts = ["# Written by linewarden-box from accounts.json: change accounts, not this file.\n"]
    parts += ["\n".join(one.lines()) + "\n" for one in sorted(accounts, key=lambda a: a.name)]
    return "\n".join(parts)
