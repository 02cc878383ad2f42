"""What replies share: the desk that they are made at, what was counted, refusals and citations."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from edge.assistant.answer import Answer, Citation, Source
from edge.assistant.calendar import Calendar, Span
from edge.assistant.records import Records, Tally
from edge.assistant.speech import Speech
from edge.assistant.vocabulary import Which
from edge.messages import AlarmList
from edge.store.search import joined
from export.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing that is counted, of which there are several in a comparison."""

    name: str
    span: Span
    cameras: tuple[str, ...]
    kinds: tuple[str, ...]
    tally: Tally
    which: Which

    @property
    def chosen(self) -> int:
        """How many parts are meant."""
        return self.tally.chosen(self.which, self.kinds)


@dataclass(frozen=True, slots=True)
class Heard:
    """The box's alarms as it last published them, and whether it runs; None: nobody said."""

    list: AlarmList
    running: bool | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What replies are made from.

    Attributes:
        alarms: what was heard of the box's alarms; None: nothing.
    """

    records: Records
    calendar: Calendar
    now_ms: int
    alarms: Heard | None = None


def refusal(speech: Speech, english: str, german: str, nearest: Iterable[Citation] = ()) -> Answer:
    """'No entry', with the reason."""
    why = speech.say(english, german)
    text = speech.say(f"No entry: {why}.", f"Kein Eintrag: {why}.")
    return Answer(text, speech.language, Source.NONE, nearest=tuple(nearest), why=why)


def verdict_citation(told: Verdict, name: str, speech: Speech) -> Citation:
    """A link to one verdict's page, with its picture and heatmap."""
    camera, epoch, seq = told.key
    query = urlencode({"camera": camera, "epoch": epoch, "seq": seq})
    return Citation(
        name,
        "verdict",
        f"{speech.say('Verdict', 'Urteil')} {camera}/{epoch}/{seq}",
        f"/verdict?{query}",
    )


def counted_citation(item: Counted, name: str, calendar: Calendar) -> Citation:
    """A link to the search that lists what was counted."""
    at = [
        calendar.local(ms).isoformat(timespec="minutes")
        for ms in (item.span.since_ms, item.span.until_ms - 60_000)
    ]
    query = {"since": at[0], "until": at[1]}
    outcome = {
        Which.PASSED: "pass",
        Which.FAILED: "fail",
        Which.REVIEW: "review",
        Which.REJECTS: "rejects",
        Which.NOVEL: "novel",
        Which.LATE: "late",
        Which.FAIL_SAFE: "fail_safe",
    }.get(item.which, "")
    if outcome or item.kinds:
        query["outcome"] = outcome or "rejects"
    if item.cameras:
        query["camera"] = joined(item.cameras)
    if item.kinds:
        query["kind"] = joined(item.kinds)
    return Citation(name, "verdicts", item.name, f"/verdicts?{urlencode(query)}")
