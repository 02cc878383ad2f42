"""The stage of a storm: a box behind a proxy, a broker, a plain subscriber, a consumer of ours.

Starts them, breaks them when told to, and writes all that is heard into the ledger. Knows nothing
of when or how often.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil

from edge.consumer.follow import Lost
from edge.consumer.watch import Watcher
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import Topics
from tests.broker import Mosquitto, free_port
from tests.chaos.ear import Ear
from tests.chaos.ledger import Heard, Ledger, digest, quarantined
from tests.chaos.proxy import Proxy

PREFIX = "acme/plant1/area1/line1/cell1"
RECENT = 4000  # live verdicts of which it is known when they came
EVERYTHING = "topic readwrite #\n"

Command = Callable[[Path, str], list[str]]


class Stage:
    """All of it, in `folder`; `start` and `close` once each.

    Args:
        folder: for files; must exist.
        command: makes the box's command line of that folder and a broker's URL.
        database: the outbox's file in that folder.
        conf: further lines of the broker's configuration.

    Attributes:
        ledger: what was promised, heard and delivered.
        watcher: the consumer.
        lost: what the consumer was told that it will never get.
    """

    def __init__(self, folder: Path, command: Command, database: str, conf: str = "") -> None:
        self.folder, self._command, self._conf = folder, command, conf
        self.database = folder / database
        self._errors = (folder / "box.log").open("ab")
        self.ledger = Ledger()
        self.rights = folder / "rights.acl"
        self.rights.write_text(EVERYTHING)
        self._port = free_port()
        self.broker = self._broker("forgetful")
        self.box_proxy, self.consumer_proxy = Proxy(self._port), Proxy(self._port)
        self._box: subprocess.Popen[bytes] | None = None
        self._live: deque[tuple[float, str]] = deque(maxlen=RECENT)
        self._heard = threading.Condition()
        self._ear = Ear(self._port, [(f"{PREFIX}/+/verdicts", 1)], self._hear)
        self._orphans: list[psutil.Process] = []
        self.lost: list[Lost] = []
        self.watcher = self.consumer(self.ledger.delivered, self.lost)

    def start(self) -> None:
        """Start the broker, those who listen, and the box."""
        self.broker.start()
        self._ear.start()
        assert self._ear.listening.wait(10)
        self.watcher.start()
        self.start_box()

    def close(self) -> None:
        """End everything that was started."""
        self.watcher.stop()
        self.end_box()
        self._ear.stop()
        self.broker.kill()
        self.box_proxy.close()
        self.consumer_proxy.close()
        self._errors.close()

    def consumer(self, delivered: Heard, lost: list[Lost]) -> Watcher:
        """A consumer that begins with the first verdict, and what it is handed and told."""
        return Watcher(
            BrokerSettings(BrokerUrl("127.0.0.1", self.consumer_proxy.port)),
            Topics(PREFIX),
            lambda verdict: delivered.take(*digest(verdict.to_json())[:2]),
            on_lost=lost.append,
            from_start=True,
        )

    def start_box(self) -> None:
        """Start the box, or start it again."""
        url = f"mqtt://127.0.0.1:{self.box_proxy.port}"
        self._box = subprocess.Popen(
            self._command(self.folder, url), stdout=self._errors, stderr=self._errors
        )

    def end_box(self) -> None:
        """End it as systemd would."""
        if self._box is None:
            return
        self._box.terminate()
        try:
            self._box.wait(20)
        except subprocess.TimeoutExpired:
            self._box.kill()
            self._box.wait()
        self._box = None

    def kill_box(self) -> None:
        """Kill -9; what it had stored by then is promised."""
        assert self._box is not None
        self._orphans += self.captures()
        self._box.kill()
        self._box.wait()
        self.ledger.promise(self.database)

    def captures(self) -> list[psutil.Process]:
        """The box's own processes beside it; a minimal box has none."""
        assert self._box is not None
        return psutil.Process(self._box.pid).children(recursive=True)

    def orphans(self) -> int:
        """Processes that outlived their box."""
        return sum(child.is_running() for child in self._orphans)

    @contextlib.contextmanager
    def stopped(self, pid: int):
        """SIGSTOP a process for as long as the block takes."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @property
    def box_pid(self) -> int:
        """The box's process."""
        assert self._box is not None
        return self._box.pid

    def change_broker(self) -> None:
        """Another broker on the same port, one that keeps sessions over a kill."""
        self.broker.kill()
        self.broker = self._broker("persistent").start()

    def allow(self, rights: str = EVERYTHING) -> None:
        """What clients may do from now on, as in mosquitto's acl_file."""
        self.rights.write_text(rights)
        self.broker.reload()

    def limit(self, payload_bytes: int = 0) -> None:
        """How long a message may be from now on; the broker doesn't announce it. 0: any length."""
        self.broker.set("message_size_limit", payload_bytes)
        self.broker.reload()

    def await_live(self, since: float, timeout_s: float, camera: str) -> float | None:
        """When the first live verdict of `camera` after `since` was heard, or None."""

        def first() -> float | None:
            return next((at for at, of in self._live if at > since and camera == of), None)

        with self._heard:
            self._heard.wait_for(first, timeout_s)
            return first()

    def settle(self, timeout_s: float) -> bool:
        """Wait until the consumer has all that is in the file now, but for what is set aside."""
        self.ledger.promise(self.database)
        self.ledger.due = set(self.ledger.promised)
        self.ledger.aside = quarantined(self.database)
        return wait(lambda: not self.ledger.missing(), timeout_s)

    def hush(self) -> None:
        """Nobody listens any more, and the whole file is read: the ledger can be judged."""
        self.watcher.stop()
        self._ear.stop()
        self.ledger.check(self.database)

    def _hear(self, topic: str, body: bytes) -> None:
        if not self.ledger.hear(body):
            with self._heard:
                self._live.append((time.monotonic(), topic.split("/")[-2]))
                self._heard.notify_all()

    def _broker(self, name: str) -> Mosquitto:
        folder = self.folder / name
        folder.mkdir()
        # saved each second, not on each change: mosquitto takes some 250 messages a second so
        conf = f"acl_file {self.rights}\nautosave_on_changes false\n{self._conf}"
        return Mosquitto(folder, conf, port=self._port, persistence=name == "persistent", log=False)


def wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait until `condition` holds; returns whether it does."""
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True
