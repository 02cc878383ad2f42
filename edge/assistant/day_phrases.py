"""Ways of saying a day that are turned into its date: `the 24th`, `Friday last week`, `Nacht auf Dienstag`.

Over folded text, with today's date; what is turned reads `2026-11-24`, or a shift of it, so that
edge/assistant/reading.py needs to know no more ways. What could be two days is left as it stands. Pure.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta

from edge.assistant.calendar import weekday
from edge.assistant.day_ranges import NO_ORDER, plain_ranges
from edge.assistant.time_words import DAYS, LAST, MONTHS, compiled

_DAY = "|".join(DAYS)
_MONTH = "|".join(MONTHS)
_NIGHT = r"nacht(?:schicht)?|night(?: shift)?"
_ABBREVIATED = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
    "mo": 0, "di": 1, "mi": 2, "do": 3, "fr": 4, "sa": 5, "so": 6,
}  # fmt: skip
_ABBREVIATION = r"mon|tues?|wed|thurs?|thur|fri|sat|sun|mo|di|mi|fr|sa"
_UNITS = (
    "null;ein;zwei;drei;vier;fuenf;sechs;sieben;acht;neun", "zero;one;two;three;four;five;six;seven;eight;nine",
)  # fmt: skip
_TEENS = (
    "dreizehn thirteen;vierzehn fourteen;fuenfzehn fifteen;sechzehn sixteen;siebzehn seventeen;achtzehn eighteen;"
    "neunzehn nineteen"
)
_TENS = {
    "zwanzig": 20,
    "dreissig": 30,
    "vierzig": 40,
    "fuenfzig": 50,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
}
_PARTS = (
    (r"mornings?|vormittags?|morgen|morgens|frueh", "0:00", "12:00"),
    (r"afternoons?|nachmittags?", "12:00", "18:00"),
    (r"evenings?|abends?", "18:00", "24:00"),
)
_CLOCK = r"\d{1,2}(?::\d\d| ?(?:am|pm|uhr|o'clock))|(?:between|from|since|until|zwischen|von|seit|bis|ab|um|at) \d"


def plain_days(text: str, today: date) -> str:
    """A folded text with its days said as dates, seen from `today`."""
    for pattern, plain in _written():
        text = compiled(rf"(?<![\w.:-])(?:{pattern})(?!\w)").sub(plain, text)
    text = plain_ranges(_numbers(text), today)
    for pattern, day in _spoken(today):
        text = compiled(rf"(?<![\w.-])(?:{pattern})(?!\w)").sub(day, text)
    return _parts_of_days(text, today)


def _written() -> tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]:
    """Dates as they are typed."""
    return (
        (r"(20\d\d)/(\d\d)/(\d\d)", r"\1-\2-\3"),
        (r"(20\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])", r"\1-\2-\3"),
        (r"(\d{4}-\d\d-\d\d)t(\d\d:\d\d)(?::\d\d)?", r"\1 \2"),
        (rf"(\d{{1,2}})[-. ]({_MONTH})[-. ](20\d\d|\d\d(?=$| ))", _dated),
        (rf"(\d{{1,2}})-({_MONTH})", r"\1 \2"),
        (r"(\d{1,2} (?:[a-z]+)) 2020(\d\d)", r"\1 20\2"),
        (rf"({_MONTH}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)", r"\1 \2"),
        (r"(?:kurz|knapp|shortly|just|right) (?:vor|nach|before|after)(?= )", "about_at"),
        (r"(?:calendar |calender )?(?:week|woche|wk)(?: no\.?| nr\.?| number| nummer)? (\d{1,2})", r"kw \1"),
        (r"(\d{1,2})\. ?(?:kw|kalenderwoche)|(?:the )?(\d{1,2})(?:st|nd|rd|th) (?:calendar )?week", lambda m: f"kw {m[1] or m[2]}"),
        (r"(?:in der |der )?nacht(?= vo[nm] (?:dem )?\d{1,2}\.)", "nachtschicht"),
        (r"(?:the |in the )?night(?= (?:from|of) (?:the )?\d{1,2}\S* (?:to|into) )", "night shift"),
        (r"yest\.?|ystd|yday|y'day", "yesterday"), (r"tdy|2day", "today"),
        (r"in the (?:previous|preceding) week", "last week"),
        (r"last wk|prev(?:ious)? wk", "last week"), (r"this wk", "this week"), (r"(early|late|night|morning|afternoon) (?:crew|team|gang|guys)", r"\1 shift"),
        (r"(frueh|spaet|nacht)(?:mannschaft|truppe|leute|besatzung)", r"\1schicht"), (r"(?:week|month)[- ]to[- ]date", lambda m: f"this {m[0].split()[0].split('-')[0]}"), (r"(?:wtd)", "this week"), (r"(?:mtd)", "this month"),
        (r"as of(?! (?:now|today|yet)(?!\w))", "as_of"),
        (r"vorvorgestern", "vor 3 tagen"),
        (r"(?:the )?shift before (?:last|that|this)|(?:the )?(?:last but one|second[- ]last|next to last|one before last) shift|(?:der |die |in der )?vorletzten? schicht", "penultimate shift"),
        (r"(?:in the |over the |during the )?(?:last|past) half(?: an)? hour|(?:in der |der )?(?:letzten?|vergangenen?) halben? stunde", "last 30 minutes"),
        (r"(?:in the |over the |during the )?(?:last|past) quarter of an hour|(?:in der |der )?(?:letzten?|vergangenen?) viertelstunde", "last 15 minutes"),
        (r"(?:in the |over the |during the )?(?:last|past) (?:hour and a half|one and a half hours)|(?:in den |den |der )?(?:letzten?|vergangenen?) (?:anderthalb|eineinhalb) stunden", "last 90 minutes"),
        (r"graveyard shift", "night shift"),
        (r"fs", "fruehschicht"), (r"ss", "spaetschicht"), (r"ns", "nachtschicht"),
    )  # fmt: skip


def _dated(match: re.Match[str]) -> str:
    """A day with its year; after `6 to` a number of two digits is the year or the day."""
    if len(match[3]) == 2 and re.search(
        r"(?<![\w.])\d{1,2}(?:st|nd|rd|th|\.)? ?(?:to|until|till|through|and|bis|und|auf|-) ?$",
        match.string[: match.start()],
    ):
        return NO_ORDER
    return f"{match[1]} {match[2]} 20{match[3]}"


def _numbers(text: str) -> str:
    """Numbers from thirteen to fifty-nine that are said in words, as digits."""
    known: dict[str, int] = {}
    for number, words in enumerate(_TEENS.split(";"), 13):
        known |= dict.fromkeys(words.split(), number)
    german, english = (one.split(";") for one in _UNITS)
    for word, tens in _TENS.items():
        known[word] = tens
        units = german if word.endswith("ig") else english
        for unit in range(1, 10):
            both = (
                (f"{units[unit]}und{word}",)
                if units is german
                else (f"{word}-{units[unit]}", f"{word} {units[unit]}")
            )
            known |= dict.fromkeys(both, tens + unit)
    pattern = "|".join(sorted(known, key=len, reverse=True))
    return compiled(rf"(?<![\w-])(?:{pattern})(?![\w-])").sub(lambda m: str(known[m[0]]), text)


def _spoken(today: date) -> list[tuple[str, str | Callable[[re.Match[str]], str]]]:
    """Days that are said by their place beside others."""
    monday = today - timedelta(days=today.weekday())
    made: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
        (r"(?:the )?week before last|vorletzten? woche|vorvorige woche", _range(monday - timedelta(14), monday - timedelta(8))),
        ((r"(?:over |at |on |during )?(?:the )?(?:last |past )?weekend|(?:am |ueber das |uebers |letztes |letzten |vergangenes |vergangenen |am letzten |am vergangenen )+wochenende"
          r"(?! (?:after|before|vor|nach))"), _weekend(monday)),
        (r"(?:heute vor einer woche|a week ago today|this day last week|today last week|one week ago today)", f"{today - timedelta(7)}"),
        (rf"(?:am |on |den )?({_ABBREVIATION})\.? (?=(?:early|late|night|frueh|spaet|nacht))", lambda m: f"{weekday(today, _ABBREVIATED[m[1]], past=False)} "),
        (rf"(?:on |of |in |am |an |den )*({_ABBREVIATION}|(?:do|so)(?= ?(?:bis |-)))\.? ?(?:-|to|bis|vs\.?|versus|gegen) ?({_ABBREVIATION}|(?:(?<=bis )|(?<=-))(?:do|so))\.?", lambda m: _both(m, today)),
        *_nights(today),
        (rf"(?:from |von |vom )?({_DAY}) ?(?:-|to|through|thru|until|till|bis|bis zum)(?: einschliesslich| inklusive)? ?({_DAY})", lambda m: _both(m, today)),
        (rf"(?:in|im|during|for|for the month of|fuer) ({_MONTH})(?: (20\d\d))?(?! ?\d)", lambda m: _month(m, today)),
        (r"(yesterday|gestern)(.*?(?:than|vs\.?|versus|against|compared (?:to|with)|or|and|als|gegen|gegenueber|zum|zu|oder|und|mit)) (?:on |am |dem )?(?:the )?(?:day before|previous day|day prior|vortag|tag davor|tag zuvor|tags zuvor)(?! yesterday)",
         lambda m: f"{m[1]}{m[2]} vorgestern"),
        (rf"(?:on |am |vom |of |den |der )*(?:the )?(\d{{1,2}})(?:st|nd|rd|th)(?! ?(?:of |{_MONTH}|shift|part|piece|time|pass|hour|camera|try|attempt))", lambda m: _numbered(m[1], today) or m[0]),
        (rf"(?:am|vom|of|den) (\d{{1,2}})\.(?! ?(?:\d|{_MONTH}|schicht|stunde|teil|mal))", lambda m: _numbered(m[1], today) or m[0]),
    ]  # fmt: skip
    for number, names in enumerate(DAYS):
        last_week = monday + timedelta(days=number - 7)
        said = rf"(?:on |am |vom |of |den )?(?:{names})"
        made += [
            (rf"{said} (?:of |in |der |von )?(?:the )?{LAST} (?:week|woche)|(?:in |of )?{LAST} (?:week|woche)(?:'s)? {said}", f"{last_week}"),
            (rf"(?:in der |der |die |the |in the )?(?:{_NIGHT}) (?:to|on|auf|zu|zum)(?: den)? (?:{names})",
             f"night shift {weekday(today, number, past=False) - timedelta(1)}"),
            (rf"(?:on |in der |der )?(?:{names})(?: |-)?(?:nacht|night)(?!\w)(?!schicht| ?shift)", f"night shift {weekday(today, number, past=False)}"),
        ]  # fmt: skip
    return made


def _nights(today: date) -> list[tuple[str, Callable[[re.Match[str]], str]]]:
    """`The night from Monday to Tuesday`: the shift that began on Monday; of days further apart none is sure."""
    both = rf"(?:(?:from|von|of|on|am|vom) )?({_DAY}|{_ABBREVIATION})\.? ?(?:to|into|on|auf|zu|zum|/)(?: den)? ?({_DAY}|{_ABBREVIATION})\.?"
    the = r"(?:in der |der |die |the |in the |during the |during |in )?"

    def night(match: re.Match[str]) -> str:
        first, second = (_weekday(one) for one in match.groups())
        begun = weekday(today, second, past=False) - timedelta(1)
        return f"night shift {begun}" if begun.weekday() == first else match[0]

    return [(rf"{the}(?:{_NIGHT}) {both}", night), (rf"{both}(?:'s)? {the}(?:{_NIGHT})", night)]


def _range(first: date, last: date, to: str = "to") -> str:
    return f"from {first} {to} {last}"


def _weekend(monday: date) -> str:
    return _range(monday - timedelta(2), monday - timedelta(1))


def _numbered(number: str, today: date) -> str:
    """The newest day of this number in a month; "" if this month and the last have none."""
    first = today.replace(day=1)
    for month in (first, (first - timedelta(days=1)).replace(day=1)):
        try:
            day = month.replace(day=int(number))
        except ValueError:
            return ""
        if day <= today:
            return f"{day}"
    return ""


def _weekday(said: str) -> int:
    """Monday is 0."""
    named = next((n for n, names in enumerate(DAYS) if re.fullmatch(names, said)), None)
    return _ABBREVIATED[said] if named is None else named


def _month(match: re.Match[str], today: date) -> str:
    """A month up to today: of the year that is said, or the newest of its name."""
    number = next(n for n, names in enumerate(MONTHS, 1) if re.fullmatch(names, match[1]))
    year = int(match[2]) if match[2] else today.year - (number > today.month)
    first = date(year, number, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return _range(first, last if last < today else max(first, today))


def _both(match: re.Match[str], today: date) -> str:
    """`Mon-Wed`, `Mo vs Di`: two days, or those from one to the other."""
    first, last = (weekday(today, _weekday(one), past=False) for one in match.groups())
    if re.search(r"vs|versus|gegen", match[0]):
        return f" {first} vs {last}"
    to = "bis" if " bis " in match[0] else "to"  # a night is `from Monday to Tuesday`, not `bis`
    return _range(first, last, to) if first < last else match[0]


def _parts_of_days(text: str, today: date) -> str:
    """`Monday morning`, `vorgestern Abend`; beside a time of day they stay."""
    if re.search(_CLOCK, text):
        return text
    days = [(names, weekday(today, number, past=False)) for number, names in enumerate(DAYS)]
    days.append((r"vorgestern|(?:the )?day before yesterday", today - timedelta(2)))
    for names, day in days:
        for words, first, last in _PARTS:
            said = compiled(
                rf"(?<!\w)(?<!since )(?<!seit )(?<!until )(?<!bis )(?<!ab )(?<!from )(?<!von )(?:on |am )?(?:{names}),?(?: in the| am)?[ -]?(?:{words})(?!\w)(?! ?-?(?:shift|schicht))"
            )
            text = said.sub(f"{day} from {first} to {last}", text)  # fmt: skip
    return text
