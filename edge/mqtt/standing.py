"""A standing connection: opened, used, and opened again when it breaks, in a thread of its own.

For whoever listens and answers. What loses nothing over a break is more than this: broker.py for
the box's verdicts, edge/consumer/ for those who read them.
"""

import random
import threading
from collections.abc import Callable

import structlog

from edge.mqtt.address import BrokerSettings
from edge.mqtt.pipe import Bell, Pipe, PipeClosed


class Standing:
    """Keeps `session` supplied with an open pipe until `stop`.

    Pauses between two attempts grow up to the settings' longest, and begin anew once a connection
    has come about; each is drawn from its upper half, so that many don't knock at once.

    Attributes:
        bell: wakes the session where it waits in `Pipe.step`.
        ending: set when the session must return.

    Args:
        settings: where the broker is.
        name: of the thread, and in the log.
        pipe: makes one, not yet open.
        session: subscribes, hears and says, until `ending`; PipeClosed is let through.
        lost: told why a connection ended, or never came about.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        name: str,
        pipe: Callable[[], Pipe],
        session: Callable[[Pipe], None],
        lost: Callable[[str], None],
    ) -> None:
        self.bell, self.ending = Bell(), threading.Event()
        self._settings, self._pipe, self._session, self._lost = settings, pipe, session, lost
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._log = structlog.get_logger(name)

    def start(self) -> None:
        """Start the thread, whether or not there is a broker."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """End the session and say goodbye; waits at most so long."""
        self.ending.set()
        self.bell.ring()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self.bell.close()

    def _run(self) -> None:
        pause_s = self._settings.backoff_min_s
        while not self.ending.is_set():
            pipe = self._pipe()
            try:
                pipe.open()
                pause_s = self._settings.backoff_min_s
                self._session(pipe)
            except PipeClosed as closed:
                self._lost(str(closed))
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                self._log.exception("the session failed")
                self._lost(repr(error))
            finally:
                pipe.close(goodbye=self.ending.is_set())
            self.ending.wait(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(self._settings.backoff_max_s, pause_s * 2)
