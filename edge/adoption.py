"""Which settings a running box can take over, and which need a restart. Pure."""

from edge.config import Appliance, flatten
from export.errors import ConfigError

TAKEN = frozenset({"bundle", "deadline_ms", "queue", "fail_safe", "challenge"})  # of a camera


def adoptable(before: Appliance, after: Appliance) -> tuple[str, ...]:
    """The keys that differ, all of which may change while the box runs.

    Raises:
        ConfigError: one of them needs a restart; nothing is to be taken over then.
    """
    old, new = (flatten(one.model_dump(mode="json")) for one in (before, after))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    fixed = [key for key in changed if not _may_change(key)]
    if fixed:
        raise ConfigError(
            f"a restart is needed for {', '.join(fixed)}; nothing was taken over",
            f"restart the box, or change only {', '.join(sorted(TAKEN))} of its cameras",
        )
    return tuple(changed)


def _may_change(key: str) -> bool:
    table, *below = key.split(".")
    if table == "cameras":
        return len(below) > 1 and below[1] in TAKEN
    return table in ("gateway", "console", "assistant")  # other processes read these
