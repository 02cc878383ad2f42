"""What must be read out of each phrasing that the rules were developed with, and what may not be read.

`phrasings.txt` holds them by what is asked, `narrowings.txt` what must be refused.
"""

from datetime import datetime
from itertools import cycle
from pathlib import Path

from edge.assistant.calendar import Calendar, shifts
from edge.assistant.reading import spoken_spans
from edge.assistant.slots import Known, parse
from edge.assistant.vocabulary import Measure, Which
from export.terms import fold, language
from tests.assistant.recorded_line import CAMERAS, KINDS, SHIFTS, ZONE

HERE = Path(__file__).parent
NOW_MS = round(datetime(2026, 11, 25, 10, 30, tzinfo=ZONE).timestamp() * 1000)
CALENDAR = Calendar(ZONE, shifts(SHIFTS))
PART = "bolt-10017"
KNOWN = Known(CAMERAS, KINDS, {}, lambda name: name == PART)
TIMES = {
    "en": ("yesterday", "in the late shift yesterday", "today", "last night", "on 24 November",
           "between 6 and 8 am today", "the day before yesterday", "in the early shift today"),
    "de": ("gestern", "in der Spätschicht gestern", "heute", "letzte Nacht", "am 24.11.",
           "heute zwischen 6 und 8 Uhr", "vorgestern", "heute in der Frühschicht"),
}  # fmt: skip
TIMELESS = {Measure.PART, Measure.LAST, Measure.BUNDLES, Measure.ALARMS}

COMPARING = {Measure.TYPES, Measure.WORST_HOUR, Measure.TOP_HOUR}  # `most` in them compares nothing


def _lines(name):
    """(heading, line) of a file of phrasings."""
    heading = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            heading = line.strip("[]")
        elif line and not line.startswith("#"):
            yield heading, line


def phrasings():
    """(heading, question, the words of time in it) of all."""
    times = {code: cycle(told) for code, told in TIMES.items()}
    for heading, line in _lines("phrasings.txt"):
        time = next(times[heading[:2]]) if "{t}" in line else ""
        yield heading, line.replace("{t}", time).replace("{p}", PART), time


def misread(every=1):
    """(question, what was read) of those that aren't read as they must be; of each `every`th."""
    return [
        (question, why) for heading, question, time in list(phrasings())[::every]
        if (why := _wrong(heading, question, time))
    ]  # fmt: skip


def _wrong(heading, question, time):
    """`refused: …` or `wrong: …`, or "" if all is well."""
    code, measure, whiches, kinds, cameras, by = heading.split()
    told = parse(question, KNOWN, CALENDAR, NOW_MS)
    if language(question) != code:
        return f"language: {language(question)}"
    if not told.clear:
        return f"refused: {told.strange} {told.measure}"
    asked = _asked(told)
    meant = [
        (_measure(measure), which, *(_several(one) for one in (kinds, cameras)), by.strip("-"))
        for which in whiches.split("|")
    ]
    if asked not in meant:
        return f"wrong: {asked}"
    return _wrong_times(told, time, two=measure.startswith("compare"))


def _wrong_times(told, time, *, two):
    """What is wrong with the times that were read, or with what they are compared with."""
    if told.measure in TIMELESS and not time:
        return ""
    if two:
        found = max(len(told.spans), len(told.kinds), len(told.cameras)) == 2
        return "" if told.compares and found else "wrong: compares nothing"
    if told.compares and not told.by and told.measure not in COMPARING:
        return "wrong: compares"
    if time and told.spans != spoken_spans(CALENDAR, fold(time), NOW_MS).spans:
        return f"wrong: {len(told.spans)} spans"
    return ""


def _asked(told):
    """What was read, where counts and shares of one thing are one: an answer tells both."""
    which, measure = told.which, told.measure
    if measure is Measure.PART:
        return measure.value, "all", (), (), ""
    if measure is Measure.RATE and which is Which.ALL and not told.kinds:
        which = Which.REJECTS
    if measure is Measure.YIELD:
        which = Which.PASSED
    if measure is Measure.TYPES:
        which = Which.ALL
    measure = Measure.COUNT if measure in (Measure.RATE, Measure.YIELD) else measure
    return measure.value, which.value, told.kinds, told.cameras, told.by


def _measure(name):
    name = name.replace("-", " ").rstrip("@")
    return "count" if name in ("rate", "yield") or name.startswith("compare") else name


def _several(names):
    return tuple(one for one in names.split(",") if one != "-")


def unrefused():
    """(question, what was read) of all narrowing questions that would be answered, or whose word isn't named."""
    found = []
    for _, line in _lines("narrowings.txt"):
        question, _, word = (one.strip() for one in line.partition("|"))
        told = parse(question, KNOWN, CALENDAR, NOW_MS)
        if told.clear and not told.trouble and not _alone(told):
            found.append((question, "answered", _asked(told)))
        elif word and not any(word in one for one in told.strange):
            found.append((question, "not named", told.strange))
    return found


def _alone(told):
    """Whether a comparison has nothing to compare with: refused later."""
    return (
        told.compares
        and max(len(told.spans), len(told.kinds), len(told.cameras)) < 2
        and not told.by
    )
