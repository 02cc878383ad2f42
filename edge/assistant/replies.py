"""Replies: slots and records in, a sentence with its figures and citations out.

Finds who answers what was asked, and refuses what can't be meant. Knows no text model.
"""

from collections.abc import Callable

from edge.assistant.answer import Answer, Language
from edge.assistant.calendar import Calendar, Span
from edge.assistant.counts import counted, trend
from edge.assistant.records import NotKept
from edge.assistant.singles import alarms, bundles, last, part
from edge.assistant.slots import Slots
from edge.assistant.sources import Desk, refusal
from edge.assistant.speech import Speech
from edge.assistant.vocabulary import Measure

_NIGHT_MS = 6 * 3_600_000


def reply(slots: Slots, desk: Desk, language: Language) -> Answer:
    """The answer to a question that records can answer (`slots.clear`)."""
    speech = Speech(language, desk.calendar)
    if trouble := _trouble(slots, speech):
        return trouble
    ways: dict[Measure, Callable[[Slots, Desk, Speech], Answer]] = {
        Measure.PART: part, Measure.LAST: last, Measure.BUNDLES: bundles,
        Measure.ALARMS: alarms, Measure.TREND: trend, Measure.WORST_HOUR: trend,
        Measure.TOP_HOUR: trend,
    }  # fmt: skip
    assert slots.measure is not None
    try:
        return ways.get(slots.measure, counted)(slots, desk, speech)
    except NotKept as limit:
        return refusal(
            speech,
            f"the records no longer hold that so finely ({limit}); ask for whole hours, or a"
            f" shorter span",
            f"So genau halten die Aufzeichnungen das nicht mehr ({limit}); fragen Sie nach ganzen"
            f" Stunden"
            " oder einer kürzeren Zeit",
        )


def _trouble(slots: Slots, speech: Speech) -> Answer | None:
    match slots.trouble:
        case "future":
            return refusal(
                speech, "that time lies in the future", "diese Zeit liegt in der Zukunft"
            )
        case "":
            pass
        case _:
            return refusal(
                speech, "there is no such day or time", "diesen Tag oder diese Zeit gibt es nicht"
            )
    if any(span.empty for span in slots.spans):
        if any(_clocks_changed(span, speech.calendar) for span in slots.spans if span.empty):
            return refusal(
                speech, "that time doesn't exist: the clocks were changed then",
                "diese Zeit gibt es nicht: Da wurde die Uhr umgestellt",
            )  # fmt: skip
        return refusal(
            speech, "that time is empty: it ends before it begins",
            "diese Zeit ist leer: Sie endet, bevor sie beginnt",
        )  # fmt: skip
    return None


def _clocks_changed(span: Span, calendar: Calendar) -> bool:
    """Whether an empty span is an hour that the clocks passed over."""
    before, after = (calendar.local(span.since_ms + way * _NIGHT_MS) for way in (-1, 1))
    short = span.since_ms - span.until_ms < _NIGHT_MS
    return short and before.utcoffset() != after.utcoffset()
