"""The edge's one clock. Monotonic time orders and limits; wall time only labels."""

import time
from datetime import UTC, datetime


def monotonic_ns() -> int:
    """Nanoseconds on a clock that never steps: for ages, deadlines, stalls and back-off.

    On Linux it counts from boot for all processes alike, so a capture process and the daemon
    may compare readings.
    """
    return time.monotonic_ns()


def thread_ns() -> int:
    """Nanoseconds of processor time that the calling thread has had."""
    return time.thread_time_ns()


def wall_ns() -> int:
    """Nanoseconds since 1970 in UTC, as the box believes: a label, never an order."""
    return time.time_ns()


def rfc3339(wall: int) -> str:
    """`wall` nanoseconds since 1970 as RFC 3339 with microseconds, in UTC."""
    seconds, rest = divmod(wall, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def local(at_ms: int) -> datetime:
    """A moment in milliseconds since 1970 in the box's own time zone: for people only."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()
