"""The wall clock: kept by something, and not before the bundles were made.

Nothing on the line depends on it; people who read the times of verdicts do.
"""

import ctypes
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge.clock import wall_ns
from edge.doctor.finding import Finding, doubtful, ill, well

TIMESYNCD = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd.service(8)
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)


class _Timex(ctypes.Structure):
    """The head of struct timex (adjtimex(2)); the rest is only room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )


def synchronised() -> bool | None:
    """Whether something keeps the clock, as the kernel or systemd says; None if neither does."""
    status = _status()
    if status is not None:
        return not status & _UNSYNCHRONISED
    return True if TIMESYNCD.exists() else None


def _status() -> int | None:
    """The kernel's; None in a sandbox such as the service's, where nobody may set the clock."""
    told = _Timex()
    result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    return None if result < 0 else told.status


def clock(
    made_at: Iterable[str], kept: bool | None = None, now_ns: int | None = None
) -> Iterator[Finding]:
    """Whether times will mean anything.

    Args:
        made_at: RFC 3339, when each bundle was made.
        kept: as `synchronised` says.
        now_ns: wall clock; None reads it.
    """
    now = datetime.fromtimestamp((wall_ns() if now_ns is None else now_ns) / 1e9, UTC)
    newest = max(map(datetime.fromisoformat, made_at), default=None)
    if newest is not None and newest.tzinfo and now < newest:
        said = f"it says {now:%Y-%m-%d %H:%M}, before a bundle was made ({newest:%Y-%m-%d %H:%M})"
        yield ill("clock", said, "set it: timedatectl set-ntp true, or set it by hand")
    elif kept is False:
        said = f"it says {now:%Y-%m-%d %H:%M} UTC, and nothing keeps it right"
        yield doubtful("clock", said, "timedatectl set-ntp true, or run chrony")
    elif kept is None:
        said = f"it says {now:%Y-%m-%d %H:%M} UTC; whether anything keeps it can't be asked here"
        yield doubtful("clock", said, "look: timedatectl show --property NTPSynchronized")
    else:
        yield well("clock", f"it says {now:%Y-%m-%d %H:%M} UTC")
