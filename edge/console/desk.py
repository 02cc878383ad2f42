"""The console's composition root: store, samples, bulletins, accounts and hub, put together.

    outbox.db ──▶ feeder ──▶ verdict store ──▶ pages
                     └─────▶ hub ──▶ live view        samples ──▶ shelf ──▶ pages, review
                                                      broker ──▶ bulletins ──▶ health

Everything is overridable through the settings; nothing starts before `start`.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge import clock
from edge.config import Appliance
from edge.console.accounts.book import Book
from edge.console.accounts.limiter import Limiter
from edge.console.accounts.roles import Role
from edge.console.bulletins import Bulletins
from edge.console.hub import Draw, Hub
from edge.console.inbox import Inbox
from edge.console.inquiry import Inquiry
from edge.console.issuer import Issuer
from edge.console.pictures import Pictures
from edge.console.readers import Readers
from edge.console.review.queue import Reader, waiting
from edge.console.shelf import Shelf
from edge.mqtt.address import settings_of
from edge.outbox import OUTBOX_FILE
from edge.store import search
from edge.store.feeder import Feeder
from edge.store.retention import Keep
from edge.topics import Topics
from export.verdict import Verdict

VERDICTS, INBOX = "verdicts.db", "inbox"
TRIES, PER_S = 5, 60.0  # logins from one address
NAME_TRIES = 10  # and for one name, from anywhere
ANYBODY = Reader("", Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Disk:
    """Room on the disk of a folder, bytes."""

    folder: Path
    free: int
    total: int


class Desk:
    """Everything that the pages stand on.

    Args:
        appliance: the box's settings.
        draw: makes a snapshot for the live view; see Hub.

    Raises:
        StoreError, ConfigError: a file can't be used, or the broker's settings are wrong.
    """

    def __init__(self, appliance: Appliance, draw: "Callable[[Desk], Draw]") -> None:
        section = appliance.console
        self.appliance, self.settings = appliance, section
        self.book = Book(section.folder, round(section.idle_minutes * 60))
        self.issuer = Issuer(section.oidc) if section.oidc else None
        self.by_address = Limiter(TRIES, PER_S)
        self.by_name = Limiter(NAME_TRIES, PER_S)
        self.hub = Hub(draw(self))
        store = section.folder / VERDICTS
        keep = Keep(
            seconds=round(section.keep_days * 86_400),
            bytes=round(section.keep_gb * 1024**3),
            leave_free=round(section.leave_free_gb * 1024**3),
        )
        self.feeder = Feeder(store, appliance.store.folder / OUTBOX_FILE, keep, self._hear)
        self.readers = Readers(store)
        self.shelf = Shelf(appliance.samples.folder, self._shelf_changed)
        self.inquiry = Inquiry(appliance.assistant)
        self.pictures = Pictures(self.shelf.folder)
        self.inbox = Inbox(
            section.folder / INBOX, appliance.trust.keys,
            round(section.leave_free_gb * 1024**3),
        )  # fmt: skip
        topics = Topics(appliance.station.prefix)
        self._waiting = (-1, 0)
        broker = settings_of(appliance.broker) if appliance.broker else None
        self.bulletins = Bulletins(broker, topics, self.hub.touch)

    @property
    def station(self) -> str:
        """Where the box stands."""
        return self.appliance.station.prefix

    def cameras(self) -> list[str]:
        """Every camera of the settings."""
        return list(self.appliance.cameras)

    def start(self) -> None:
        """Recall what was last, and start every thread; in the event loop that serves."""
        with self.readers.lend() as db:
            last = [
                found.verdict
                for name in self.cameras()
                if (found := search.last_of(db, name)) is not None
            ]
            recent = [one.verdict for one in reversed(search.newest(db, 24))]
        self.hub.hear([*last, *recent])
        self.shelf.look()  # before anything is forgotten: what has a label stays
        self.shelf.start()
        self.bulletins.start()
        self.feeder.start()
        self.hub.start()

    def stop(self) -> None:
        """Stop every thread and close every file."""
        self.hub.stop()
        self.feeder.stop()
        self.bulletins.stop()
        self.shelf.stop()
        self.readers.close()
        self.book.close()

    def disks(self) -> list[Disk]:
        """Room where verdicts, samples and the console's own files lie."""
        folders = (
            self.appliance.store.folder, self.appliance.samples.folder, self.settings.folder
        )  # fmt: skip
        return [_disk(folder) for folder in folders if folder.exists()]

    def waiting(self) -> int:
        """How many samples wait for a first label; counted anew when the shelf has changed."""
        number, count = self._waiting
        if number != self.shelf.number:
            number = self.shelf.number
            count = len(waiting(self.shelf.all(), ANYBODY, 0.0))
            self._waiting = (number, count)
        return count

    def now_ms(self) -> int:
        """This moment, milliseconds since 1970 in UTC."""
        return clock.wall_ns() // 1_000_000

    def _hear(self, verdicts: Sequence[Verdict]) -> None:
        self.hub.hear(verdicts)

    def _shelf_changed(self) -> None:
        self.feeder.pin(self.shelf.labelled())
        self.hub.touch()


def _disk(folder: Path) -> Disk:
    usage = shutil.disk_usage(folder)
    return Disk(folder, usage.free, usage.total)
