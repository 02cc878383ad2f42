"""systemd's side of the box: readiness, one line of status, and a watchdog that can't be fooled.

Speaks sd_notify(3) over the socket that systemd names; silent where nothing started us. The
watchdog is fed only while every stage moves: when one hangs, systemd kills the box and starts it
again, and until then the reject gate's heartbeat stands still.
"""

import contextlib
import socket
from dataclasses import dataclass

import structlog

from edge.clock import monotonic_ns
from edge.pulse import Pulse


@dataclass(frozen=True, slots=True)
class Notify:
    """Datagrams to a service manager.

    Attributes:
        address: of its socket, '@name' if it is abstract; '' if there is none.
        watchdog_s: it wants to hear from us at least so often; 0: never.
    """

    address: str = ""
    watchdog_s: float = 0.0

    def send(self, *lines: str) -> None:
        """Send assignments such as READY=1; a manager that isn't there hears nothing."""
        if not self.address:
            return
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door,
        ):
            door.sendto("\n".join(lines).encode(), name)


class Service:
    """Tells the manager how it goes, from the main thread's loop.

    Args:
        notify: where to.
        pulse: of the stages.
    """

    def __init__(self, notify: Notify, pulse: Pulse) -> None:
        self._notify, self._pulse = notify, pulse
        self._told = ""
        self._fed_ns = 0
        self._still: tuple[str, ...] = ()
        self._log = structlog.get_logger("service")

    def ready(self) -> None:
        """Everything has started, or the settings have been read again."""
        self._notify.send("READY=1")

    def reloading(self) -> None:
        """The settings are being read again; `ready` ends it, whatever came of it."""
        self._notify.send("RELOADING=1", f"MONOTONIC_USEC={monotonic_ns() // 1000}")

    def turn(self, status: str) -> None:
        """Feed the watchdog if every stage moves, and say how it goes if that has changed."""
        still = self._pulse.still()
        if still and still != self._still:
            self._log.error("a stage does not move: the watchdog is not fed", what=list(still))
        self._still = still
        told = f"not moving: {'; '.join(still)}" if still else status
        said = " ".join(told.split())  # a second line would be an assignment of its own
        if said != self._told:
            self._told = said
            self._notify.send(f"STATUS={said}")
        due_ns = self._fed_ns + round(self._notify.watchdog_s / 4 * 1e9)
        if self._notify.watchdog_s and not still and monotonic_ns() >= due_ns:
            self._fed_ns = monotonic_ns()
            self._notify.send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun, and is meant."""
        self._notify.send("STOPPING=1")
