"""The assistant's composition root: records, documents, model and feedback, put together.

Everything is overridable through the settings; nothing starts before it is asked. The system
context is a file that an engineer edits: it is read again whenever it has changed.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from edge import clock
from edge.assistant.bundled_model import BundledModel
from edge.assistant.calendar import Calendar, shifts
from edge.assistant.clerk import Clerk
from edge.assistant.openai_url import OpenAiUrl
from edge.assistant.records import Records
from edge.assistant.sources import Heard
from edge.assistant.text_model import TextModel
from edge.config import Appliance, Assistant
from edge.messages import AlarmList
from edge.store import schema
from export.assistant_bundle import CONTEXT, DOCUMENTS, AssistantBundle, open_assistant
from export.errors import ConfigError, DocumentError, StoreError
from export.library import Library
from export.passage import read_folder
from export.signature import load_public

VERDICTS = "verdicts.db"  # as the console calls it in its folder
MOST_CONTEXT = 16_384
LOCALTIME = Path("/etc/localtime")


class Desk:
    """What every way of asking stands on.

    Attributes:
        clerk: answers.
        alarms, running: what the box last published, and whether it runs, None where that isn't
            known; set by whoever listens to the broker.

    Raises:
        ConfigError, BundleError, DocumentError, LanguageError: the settings, a bundle, a document
            or a model can't be used.
    """

    def __init__(self, appliance: Appliance, model: TextModel | None = None) -> None:
        section = appliance.assistant
        self.alarms: AlarmList | None = None
        self.running: bool | None = None
        self.bundle = _bundle(appliance)
        self._verdicts = appliance.console.folder / VERDICTS
        self._context = section.context
        self._read_context, self._missed = (-1, ""), ""
        self.library = _library(section, self.bundle)
        self._calendar = calendar(section)
        self.clerk = Clerk(
            self._records, self.library, self._calendar,
            lambda: clock.wall_ns() // 1_000_000, words=dict(section.words),
            model=model or _model(section, self.bundle), context=self.context(),
            alarms=self._heard, otherwise=section.language,
        )  # fmt: skip

    def warm(self) -> None:
        """Load the bundle's text model, so that the first question needn't wait for it.

        Warns if the console would show another time than is answered with.

        Raises:
            LanguageError, BundleError: it can't be run, or changed since the bundle was opened.
        """
        _warn_of_two_times(self._calendar)
        if isinstance(self.clerk.model, BundledModel):
            self.clerk.model.load()

    def context(self) -> str:
        """The system context, as it is in its file now; the bundle's without a file."""
        if self._context is None:
            return "" if self.bundle is None else self.bundle.text(CONTEXT)
        try:
            changed_ns = self._context.stat().st_mtime_ns
            if changed_ns != self._read_context[0]:
                text = self._context.read_text(encoding="utf-8")[:MOST_CONTEXT]
                self._read_context = (changed_ns, text)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"assistant.context {str(self._context)!r} can't be read: {error}",
                "name a text file, or take the key out",
            ) from error
        return self._read_context[1]

    def refresh(self) -> None:
        """Take up what an engineer has changed; before each question.

        One that can't be read any more stays as it was: an editor may be writing it.
        """
        try:
            self.clerk.context, missed = self.context(), ""
        except ConfigError as error:
            missed = str(error)
        if missed and missed != self._missed:
            structlog.get_logger("assistant").warning("the context stays as it was", why=missed)
        self._missed = missed

    def _heard(self) -> Heard | None:
        alarms = self.alarms  # another thread forgets them
        return None if alarms is None else Heard(alarms, self.running)

    def _opened(self) -> sqlite3.Connection | None:
        try:
            return schema.onlooker(self._verdicts) if self._verdicts.is_file() else None
        except (OSError, StoreError) as error:
            structlog.get_logger("assistant").warning("no records", why=str(error))
            return None

    @contextmanager
    def _records(self) -> Generator[Records | None]:
        """The verdict store for one question; None while there is none that can be read."""
        if (db := self._opened()) is None:
            yield None
            return
        try:
            yield Records(db)
        finally:
            db.close()


def library(appliance: Appliance) -> Library:
    """The sections that answers may cite; raises BundleError or DocumentError."""
    return _library(appliance.assistant, _bundle(appliance))


def calendar(section: Assistant) -> Calendar:
    """The plant's days and shifts; raises ConfigError if a zone or shift is none."""
    try:
        if section.time_zone:
            zone = ZoneInfo(section.time_zone)
        elif LOCALTIME.exists():
            with LOCALTIME.open("rb") as file:
                zone = ZoneInfo.from_file(file, key="local")
        else:
            zone = ZoneInfo("UTC")
        return Calendar(zone, shifts(section.shifts))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"assistant.time_zone or assistant.shifts: {error}",
            'write time_zone = "Europe/Berlin" and shifts = { early = "06:00-14:00" }',
        ) from error


def _warn_of_two_times(calendar: Calendar) -> None:
    """The console shows the box's own time: a part would have two."""
    now_ms = clock.wall_ns() // 1_000_000
    now, plant = clock.local(now_ms), calendar.local(now_ms)
    if now.utcoffset() != plant.utcoffset():
        structlog.get_logger("assistant").warning(
            "the console shows another time than the assistant",
            console=f"{now:%H:%M %Z}", assistant=f"{plant:%H:%M %Z}",
            remedy="give the box the plant's time zone: timedatectl set-timezone",
        )  # fmt: skip


def _bundle(appliance: Appliance) -> AssistantBundle | None:
    path = appliance.assistant.bundle
    if path is None:
        return None
    return open_assistant(path, [load_public(key) for key in appliance.trust.keys])


def _library(section: Assistant, bundle: AssistantBundle | None) -> Library:
    if section.documents is not None:
        if not section.documents.is_dir():
            raise DocumentError(
                f"assistant.documents {str(section.documents)!r} is no folder",
                "name the folder of the manuals, or take the key out",
            )
        return Library.of(read_folder(section.documents))
    return Library(None if bundle is None else bundle.path / DOCUMENTS)


def _model(section: Assistant, bundle: AssistantBundle | None) -> TextModel | None:
    if not section.model_url:
        if bundle is None or bundle.manifest.model is None or not section.bundle_model:
            return None
        return BundledModel(bundle, section.model_threads)
    key = section.model_key_file
    try:
        secret = key.read_text(encoding="utf-8").strip() if key is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"assistant.model_key_file can't be read: {error}", "check it") from error
    return OpenAiUrl(section.model_url, section.model_name, secret)
