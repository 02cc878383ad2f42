"""Rounds of phrasings, each written before the rules were tried on it: what must be read of every question.

`rounds.txt` holds them: [round], then `language measure which times names :: question`. Times are told from
Wednesday, 25 November 2026, 10:30: `t`, `y`, `v` are today and the two days before, `E1` yesterday's early
shift, `s1` the last shift, `w1` the last week, `m0` this month, `-2h` the last two hours, `23` a day.
"""

import re
from datetime import datetime, timedelta

from edge.assistant.slots import parse
from edge.assistant.vocabulary import Measure, Which
from export.terms import language
from tests.assistant.phrasing import CALENDAR, HERE, KNOWN, NOW_MS
from tests.assistant.recorded_line import ZONE

TODAY = datetime(2026, 11, 25, tzinfo=ZONE)
MONDAY = TODAY - timedelta(days=TODAY.weekday())
BACK = {"t": 0, "y": 1, "v": 2}
SHIFTS = {"E": (6, 14), "L": (14, 22), "N": (22, 30)}
BY_HOUR = ("trend", "worst hour", "top hour")
COMPARE_ANYHOW = {Measure.TYPES, Measure.LAST, Measure.BUNDLES, Measure.ALARMS, Measure.TREND,
                  Measure.WORST_HOUR, Measure.TOP_HOUR, Measure.PART}  # fmt: skip
SPANS = {
    "s0": (TODAY, 6, 14), "s1": (TODAY - timedelta(1), 22, 30), "w0": (MONDAY, 0, 72), "w1": (MONDAY - timedelta(7), 0, 168),
    "m0": (TODAY.replace(day=1), 0, 600),
}  # fmt: skip


def lines():
    """(heading, question) of every round."""
    for line in (HERE / "rounds.txt").read_text(encoding="utf-8").splitlines():
        if " :: " in line:
            yield line.split(" :: ", 1)


def unread(every=1):
    """(question, what was read) of those that aren't read as they must be, of each `every`th."""
    return [
        (question, why)
        for head, question in list(lines())[::every]
        if (why := _wrong(head, question))
    ]


def _wrong(head, question):
    code, measure, which, times, *more = head.split()
    told = parse(question, KNOWN, CALENDAR, NOW_MS)
    if not told.clear or told.trouble:
        return f"refused: {told.strange}"
    if language(question) != code:
        return f"language: {language(question)}"
    names = dict(one.split("=") for one in more)
    kinds, cameras = (set(names[key].split(",")) if key in names else set() for key in "kc")
    compared = measure == "compare"
    meant = (
        *_plain("count" if compared else measure, which, kinds),
        kinds,
        cameras,
        names.get("by", ""),
    )
    if _asked(told) != meant:
        return f"wrong: {_asked(told)}"
    return _wrong_times(told, times) or _wrong_comparison(told, compared=compared)


def _wrong_times(told, times):
    found = {(one.since_ms, one.until_ms) for one in told.spans}
    meant = set() if times == "-" else {_span(one) for one in times.split("+")}
    if found == meant or told.measure is Measure.PART or (not found and times == "t"):
        return ""
    return f"wrong: {sorted(found)}"


def _wrong_comparison(told, *, compared):
    if compared != told.compares and (compared or not (told.by or told.measure in COMPARE_ANYHOW)):
        return "wrong: compares" if told.compares else "wrong: compares nothing"
    return ""


def _asked(told):
    kinds, measure, which = set(told.kinds), told.measure.value, told.which.value
    if measure == "part":
        return "part", "all", set(), set(), ""
    if told.measure is Measure.RATE and told.which is Which.ALL and not kinds:
        which = "rejects"
    which = "passed" if told.measure is Measure.YIELD else which
    return (*_plain(measure, which, kinds), kinds, set(told.cameras), told.by)


def _plain(measure, which, kinds):
    """Counts and shares are one, as an answer tells both; types and hours are of rejects anyway."""
    measure = measure.replace("-", " ")
    measure = "count" if measure in ("rate", "yield") else measure
    if measure == "types":
        return measure, "all"
    return measure, "rejects" if which == "all" and (kinds or measure in BY_HOUR) else which


def _span(told):
    """(begin, end) in milliseconds of a time as the rounds write it."""
    if hours := re.fullmatch(r"-(\d+)h", told):
        return NOW_MS - int(hours[1]) * 3_600_000, NOW_MS
    if told in SPANS:
        day, begin, end = SPANS[told]
        return _at(day, begin), _at(day, end)
    if told[0] in SHIFTS:
        begin, end = SHIFTS[told[0]]
        day = TODAY - timedelta(days=int(told[1:]))
        return _at(day, begin), _at(day, end)
    if ".." in told:
        first, last = told.split("..")
        return _at(_day(first), 0), _at(_day(last), 24)
    if hours := re.fullmatch(r"(.+?)(\d\d):(\d\d)-(?:(\d\d):(\d\d)|now)", told):
        day = _day(hours[1])
        until = NOW_MS if hours[4] is None else _at(day, int(hours[4]), int(hours[5]))
        return _at(day, int(hours[2]), int(hours[3])), until
    return _at(_day(told), 0), _at(_day(told), 24)


def _day(told):
    if told in BACK:
        return TODAY - timedelta(days=BACK[told])
    return (
        datetime.fromisoformat(told).replace(tzinfo=ZONE)
        if "-" in told
        else TODAY.replace(day=int(told))
    )


def _at(day, hour, minute=0):
    return round((day.replace(hour=0) + timedelta(hours=hour, minutes=minute)).timestamp() * 1000)
