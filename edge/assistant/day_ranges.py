"""Days that share what is said once: `20 to 22 November`, `last week from Monday to Wednesday`.

Turned into days that stand for themselves: `from 20 november to 22 november`. Over folded text. Pure.
"""

import re
from datetime import date, timedelta

from edge.assistant.time_words import DAYS, LAST, MONTHS, THIS, compiled
from edge.assistant.weeks import WEEK_NUMBER, monday_of

NO_ORDER = (
    "days-in-no-order"  # stands for `last week from Wednesday to Monday`, `this week to Friday`
)
_MONTH = "|".join(MONTHS)
_NUMBER = r"(\d{1,2})(?:st|nd|rd|th|\.)?"
_FROM = r"(?:(?:from|of|on|vom|von|am)(?: the| dem| den| zum)? )?"
_TO = r" ?(?:to|until|till|through|thru|bis zum|bis einschliesslich|bis inklusive|bis|-)(?: the| den| zum)? ?"
_BETWEEN = r"(?:between|zwischen)(?: the| dem| den)? "
_AND = r" (?:and|und)(?: the| dem| den)? "
_BESIDE = r" (and|und|or|oder|vs\.?|versus|against|gegen)(?: the| am| den| dem| zum)? "
_NO_HOUR = r"(?! ?(?:uhr|am|pm|o'clock|h)(?!\w))(?![:\d])"
_ABBREVIATED = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
    "mo": 0, "di": 1, "mi": 2, "fr": 4, "sa": 5,
}  # fmt: skip
_DO_SO = {"do": 3, "so": 6}  # words of both languages, but beside `bis`
_DAY = rf"(?:{'|'.join((*DAYS, *_ABBREVIATED))}|(?:do|so)(?= ?(?:bis |-))|(?:(?<=bis )|(?<=-))(?:do|so))\.?(?!\w)"
_NAMED = "(?:(?<=day)|(?<=tag)|(?<=woch)|(?<=bend))"
_LONE = rf"(?:{'|'.join(DAYS)})(?!\w)"
_SMALL = r"(?:(?:on|of|in|from|between|the|der|die|den|des|am|vom|von|im|zwischen) )*"
_WEEK = (
    rf"(?:(?:in|of|from|the|der|die|den|des|von) )*(?:(?P<last>{LAST} (?:week|woche))|(?P<this>{THIS} (?:week|woche))"
    rf"|(?P<before>week before last|vorletzten? woche|vorvorigen? woche)|{WEEK_NUMBER})(?:'s)?(?!\w)"
)
_LIST = rf"(?P<days>{_SMALL}{_DAY}(?>(?:{_TO}| (?:and|und|or|oder|vs\.?|versus) ){_SMALL}{_DAY}|{_NAMED} {_SMALL}{_LONE})++|{_SMALL}{_LONE})"


def plain_ranges(text: str, today: date) -> str:
    """A folded text whose days stand for themselves, seen from `today`."""
    for pattern, plain in _MONTHLY:
        text = compiled(rf"(?<![\w.:-]){pattern}").sub(
            lambda m, p=plain: _in_order(m.expand(p), m).replace(" to ", _to(m[0])), text
        )
    for pattern in (rf"{_WEEK} {_LIST}", rf"{_LIST} {_WEEK}"):
        text = compiled(rf"(?<![\w.:-]){pattern}(?![\w-])").sub(
            lambda m: _days_of_week(m, today), text
        )
    return text


def _to(said: str) -> str:
    """As it is said: a night is `from 23 to 24`, but `vom 23. bis 24.` are two days."""
    return " bis " if "bis" in said else " to "


def _in_order(plain: str, match: re.Match[str]) -> str:
    """A range whose first day comes later in the month than its last began the month before."""
    said = re.fullmatch(
        rf"(?P<from>from )?(?P<d1>\d+)(?P<gap>\.| )(?P<m>\d+|{_MONTH})\.? ?(?P<y>\d*)"
        rf" (?P<to>to|auf) (?P<d2>\d+)(?P<rest>[. ].*)",
        plain,
    )
    if said is None or int(said["d1"]) <= int(said["d2"]):
        return plain
    if "m" in match.re.groupindex:
        return NO_ORDER  # `November 28 to 3`: of December?
    month = _month_number(said["m"])
    year = str(int(said["y"]) - (month == 1)).zfill(len(said["y"])) if said["y"] else ""
    first = f"{said['d1']}.{(month - 2) % 12 + 1}.{year}"
    return f"{said['from'] or ''}{first} {said['to']} {said['d2']}{said['rest']}"


def _month_number(said: str) -> int:
    """January is 1."""
    if said.isdigit():
        return int(said)
    return next(n for n, names in enumerate(MONTHS, 1) if re.fullmatch(names, said))


def _with_year(plain: str) -> str:
    """A replacement whose third group is the month, and its fourth the year, or none."""
    return plain.replace("MONTH", r"\3 \4")


_MONTHLY = (
    (rf"{_BETWEEN}{_NUMBER}{_AND}{_NUMBER} ?(?:of )?({_MONTH})\.?(?!\w)(?: (20\d\d))?",
     _with_year(r"from \1 MONTH to \2 MONTH")),
    (rf"{_BETWEEN}(\d{{1,2}})\.?{_AND}(\d{{1,2}})\.(\d{{1,2}})\.(20\d\d|\d\d)?(?!\d)", r"from \1.\3.\4 to \2.\3.\4"),
    (rf"{_FROM}{_NUMBER}{_TO}{_NUMBER} ?(?:of )?({_MONTH})\.?(?!\w)(?: (20\d\d))?",
     _with_year(r"from \1 MONTH to \2 MONTH")),
    (rf"{_FROM}(\d{{1,2}})\.?{_TO}(\d{{1,2}})\.(\d{{1,2}})\.(20\d\d|\d\d)?(?!\d)", r"from \1.\3.\4 to \2.\3.\4"),
    (rf"{_FROM}(\d{{1,2}})\.{_TO}(\d{{1,2}})\.(1[0-2]|0?[1-9])(?![\w.:])(?! ?(?:uhr|am|pm))()", r"from \1.\3. to \2.\3."),
    (rf"(?<!\d )(?<!\d\. )(?<!\d[a-z][a-z] ){_FROM}(?P<m>{_MONTH}) (?:the )?{_NUMBER}{_TO}{_NUMBER}{_NO_HOUR}(?!\w)(?! ?(?:{_MONTH}))(?: (?P<y>20\d\d))?",
     r"from \2 \g<m> \g<y> to \3 \g<m> \g<y>"),
    (rf"{_FROM}{_NUMBER} auf(?: den)? {_NUMBER} ?({_MONTH})(?!\w)(?: (20\d\d))?", _with_year(r"\1 MONTH auf \2 MONTH")),
    (rf"{_FROM}(\d{{1,2}})\. ?(?:auf(?: den)?|/) ?(\d{{1,2}})\.(\d{{1,2}})\.(20\d\d|\d\d)?(?!\d)", r"\1.\3.\4 auf \2.\3.\4"),
    (rf"{_FROM}{_NUMBER}{_BESIDE}{_NUMBER} ?(?:of )?({_MONTH})\.?(?!\w)(?: (20\d\d))?", r"\1 \4 \5 \2 \3 \4 \5"),
    (rf"{_FROM}(\d{{1,2}})\.{_BESIDE}(\d{{1,2}})\.(\d{{1,2}})\.(20\d\d|\d\d)?(?!\d)", r"\1.\4.\5 \2 \3.\4.\5"),
)  # fmt: skip


def _days_of_week(match: re.Match[str], today: date) -> str:
    """The days of a week by their dates; NO_ORDER where they aren't past, or run back."""
    monday = _monday(match, today)
    if monday is None:
        return match[0]
    said = match["days"]
    named = [one[0] for one in re.finditer(rf"(?<!\w){_DAY}", said)]
    days = [monday + timedelta(days=_number(one)) for one in named]
    if max(days) > today or re.match(
        rf"{_BESIDE}{_WEEK}(?! {_SMALL}{_DAY})", match.string[match.end() :]
    ):
        return NO_ORDER
    reach = re.search(rf"{_DAY}{_TO}", said) or re.match(rf"(?:on )?{_BETWEEN}", said)
    if reach:
        forward = len(days) == 2 and days[0] < days[1]
        return f"from {days[0]}{_to(said)}{days[1]}" if forward else NO_ORDER
    dates = iter(days)
    return re.sub(rf"(?<!\w){_SMALL}{_DAY}", lambda _m: f"{next(dates)}", said)


def _monday(match: re.Match[str], today: date) -> date | None:
    monday = today - timedelta(days=today.weekday())
    if match["this"]:
        return monday
    if match["last"] or match["before"]:
        return monday - timedelta(days=7 if match["last"] else 14)
    number = next(one for one in match.groups() if one and re.fullmatch(r"\d{1,2}", one))
    year = next((one for one in match.groups() if one and re.fullmatch(r"20\d\d", one)), None)
    return monday_of(int(number), year, today)


def _number(said: str) -> int:
    """Monday is 0."""
    plain = said.rstrip(".")
    named = next((n for n, names in enumerate(DAYS) if re.fullmatch(names, plain)), None)
    return (_ABBREVIATED | _DO_SO)[plain] if named is None else named
