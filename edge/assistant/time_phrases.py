"""Ways of saying a time that are turned into the few that edge/assistant/reading.py reads.

`half past six`, `6-8 Uhr`, `early vs late`, `on the 24/11`, `overnight`. Over folded text. What
could be two times (`3/4`) is left as it stands, so that nobody reads the wrong one. Pure.
"""

import re
from collections.abc import Callable

from edge.assistant.time_words import DAYS, MONTHS, NUMBERS, compiled

_HOUR = {word: n for word, n in NUMBERS.items() if word not in ("eine", "einen", "einer")}
_WORDS = "|".join(_HOUR)
_AT = r"\d{1,2}(?::\d\d)?"
_SHIFT = r"early|late|night|frueh|spaet|nacht"
_AGAINST = r"and|or|vs\.?|versus|against|with|than|und|oder|gegen|als|zu"
_PART = r"morning|afternoon|evening|vormittag|nachmittag|abend|morgen"

_DAY = r"yesterday|today|gestern|vorgestern|heute|\w+day|\w+tags?|mittwoch"

_WEEKDAY = "|".join(DAYS)
_Rewrite = tuple[str, str | Callable[[re.Match[str]], str]]


def plain_times(text: str) -> str:
    """A folded text with its times said plainly."""
    for pattern, plain in _REWRITES:
        text = compiled(rf"(?<![\w:.])(?:{pattern})(?!\w)").sub(plain, text)
    for pattern, plain in _BARE_HOURS:
        text = compiled(rf"(?<![\w:.-])(?:{pattern})").sub(plain, text)
    return _of_the_dial(text)


def told_hours(text: str) -> str:
    """A text whose days are marks, with bare hours said as times: `from 8 to` is `from 8:00 to`."""
    for pattern, plain in _BARE:
        text = compiled(pattern).sub(plain, text)
    return text


def _of_the_dial(text: str) -> str:
    """`between 6 and 8 yesterday evening`: hours of the dial are hours of the day, once."""
    hours = re.search(
        rf"(?<!\w)(between|from|zwischen|von) ({_AT}) (and|to|until|till|bis|und) ({_AT})(?! ?(?:am|pm|:))",
        text,
    )
    part = re.search(
        rf"(?<!\w)(yesterday|today|gestern|heute|this)?(?:'s)? ?({_PART})s?(?! ?(?:shift|schicht)|-)(?!\w)",
        text,
    )
    one = re.search(
        rf"(?<!\w)(since|seit|after|nach|until|till|bis|before|vor|ab|from) ({_AT})(?: uhr)?(?= (?:{_DAY}|this) (?:{_PART}))",
        text,
    )
    if part is not None and hours is None and one is not None:
        day = "today" if part[1] == "this" else part[1] or ""
        late = part[2] not in ("morning", "vormittag", "morgen")
        return text.replace(part[0], f" {day} ", 1).replace(
            one[0], f"{one[1]} {_dial(one[2], late=late)}", 1
        )
    if hours is None or part is None:
        return text
    late = part[2] not in ("morning", "vormittag", "morgen")
    told = f"{hours[1]} {_dial(hours[2], late=late)} {hours[3]} {_dial(hours[4], late=late)}"
    day = "today" if part[1] == "this" else part[1] or ""
    return text.replace(part[0], f" {day} ", 1).replace(hours[0], told, 1)


def _dial(at: str, *, late: bool) -> str:
    hour, _, minute = at.partition(":")
    return f"{int(hour) % 12 + 12 if late and int(hour) <= 12 else int(hour)}:{minute or '00'}"


def _forward(match: re.Match[str], day: str, first: str, last: str) -> str:
    """`8 to 10 today`; what goes back (`10 to 8`: until 20:00, or over midnight?) is left."""
    begin, end = (int(one.split(":")[0]) for one in (first, last))
    return f"{day}from {first} to {last}" if begin <= end else match[0]


def _from_hour(match: re.Match[str]) -> str:
    """`since yesterday evening at 8`: at 20:00; `seit heute früh um 6`: at 6:00."""
    late = match["part"] in ("afternoon", "evening", "nachmittag", "abend")
    day = "today" if match["day"] == "this" else match["day"]
    return f"{match[1]} {day} {_dial(match['at'], late=late)}"


def _number(match: re.Match[str]) -> str:
    return f"{match[1]} {_HOUR[match[2]]}"


def _past(minutes: int) -> Callable[[re.Match[str]], str]:
    """So many minutes after the hour that is said; before it, if negative."""

    def at(match: re.Match[str]) -> str:
        hour = _HOUR.get(match[1]) or int(match[1])
        return f"{(hour - (minutes < 0)) % 24}:{minutes % 60:02}"

    return at


def _evening(match: re.Match[str]) -> str:
    """`between 6 and 8 pm`: both in the evening, unless the first comes later on the dial."""
    link, first, to, last, half = match[1], match[2], match[3], match[4], match[5]
    same = int(first.split(":")[0]) % 12 < int(last.split(":")[0]) % 12
    begin = f"{first} {half}" if same else f"{first} {'am' if half[0] == 'p' else 'pm'}"
    return f"{link} {begin} {to} {last} {half}"


def _slashed(match: re.Match[str]) -> str:
    first, second, year = int(match[1]), int(match[2]), match[3] or ""
    if first > 12 >= second:
        return f"{first}.{second}.{year}"
    return f"{second}.{first}.{year}" if second > 12 >= first else match[0]


_TO = r"and|to|until|till|bis|und"
_HALF = r"am|pm|uhr|o'clock"
_BARE = (
    (rf"(?<!\w)(between|from|zwischen|von) (\d{{1,2}}) ({_TO}) (?=\d|[\x01-\x03])", r" \1 \2:00 \3 "),
    (rf"(?<!\w)(between|from|zwischen|von) (\d{{1,2}}:\d\d(?: (?:am|pm|uhr))?) ({_TO}) (\d{{1,2}})(?![\w:.])(?! ?(?:{_HALF}))",
     r" \1 \2 \3 \4:00 "),
    (rf"(?<!\w)(since|after|before|until|till|seit|nach|vor|bis|ab) (\d{{1,2}})(?![\w:.])(?! ?(?:{_HALF}|\w))", r" \1 \2:00 "),
)  # fmt: skip
_ORDINALS = {"1": "first", "2": "second", "3": "third", "e": "first", "z": "second", "d": "third"}
_SAID = {"this": "today", "last": "yesterday"}
_REWRITES: tuple[_Rewrite, ...] = (
    (rf"((?:came|come|arrived?|turned up|kam|kamen)(?: in| through| out| along| an)?(?: (?:{_DAY}))?) (late|early|spaet)(?= |$)(?! ?-?(?:shift|schicht))", r"\1 \2_come"),
    (r"spaet(?= (?:an|herein|rein)?gekommen(?= |$))", "spaet_come"),
    (r"(?:the |in the )?night before last|(?:in der )?vorletzten? nacht", "night_before_last"),
    (r"(?:on |am )?(?:the )?(?:very )?(?:last|final|first|letzten?|ersten?) (?:day|tag)(?= (?:of|des|der|im|in|vom|von) )", "day_within"),
    (rf"({_SHIFT}) ({_AGAINST}) (?:in |im |on |the |die |der )*({_SHIFT})[ -]?(?:shift|schicht)", r"\1 shift \2 \3 shift"),
    (rf"((?:early|late|night|frueh|spaet|nacht)[ -]?(?:shift|schicht)),? (?:vom |von |of )?({_DAY}) ({_AGAINST}) (?:vom |von |of )?({_DAY})(?! ?\w*(?:shift|schicht))", r"\1 \2 \3 \1 \4"),
    (rf"({_SHIFT})(?: shift)? ({_AGAINST}) (?:the |die |der |in der )?({_SHIFT})(?!\w|[ -]?(?:shift|schicht))", r"\1 shift \2 \3 shift"),
    (r"(this|yesterday|today|last|heute|gestern)(?:'s)? (?:morning|afternoon|evening|night|morgen|frueh|vormittag|nachmittag|abend|nacht)(?:'s)?,? (?:in |on |during |at |bei |waehrend )?(?:the |der )?(early|late|morning|afternoon|night|frueh|spaet|nacht)[ -]?(?:shift|schicht)",
     lambda m: f"{m[2]} shift {_SAID.get(m[1], m[1])}"),
    (r"(early|late|night|frueh|spaet|nacht)[ -]?(?:shift|schicht),? (this|yesterday|heute|gestern)(?:'s)? (?:morning|afternoon|evening|night|morgen|frueh|vormittag|nachmittag|abend|nacht)",
     lambda m: f"{m[1]} shift {_SAID.get(m[2], m[2])}"),
    (rf"({_DAY}|\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.(?:\d+)?)(?:'s)? (early|late|night|frueh|spaet|nacht)(?:s|ies)?(?= |$)(?! ?-?(?:shift|schicht))(?! (?:{_AGAINST})(?!\w))",
     lambda m: m[0] if m[1] in ("yesterday", "gestern", "heute", "today") and m[2] in ("night", "nacht", "frueh") else f"{m[2]} shift {m[1]}"),
    (rf"(?:from |between )?({_AT}) ?(am|pm) ?(?:-|to|until|till|and) ?({_AT}) ?(am|pm)", r"from \1 \2 to \3 \4"),
    (r"(frueh|spaet) (gestern|vorgestern|heute)", r"\1schicht \2"),
    (r"(?:in der|von der|die|der|zur|auf) spaet(?=$| )", "spaetschicht"),
    (r"(?:frueh|spaet|nacht)-?schichtler", lambda m: m[0]),
    (r"(?:in |on |during |for |over )?(?:the |den |die |der |im )?(?:whole|entire|full|ganzen?|gesamten?|kompletten?)(?: of)? (?=(?:day|shift|week|month|early|late|night|tag|schicht|woche|monat|frueh\w+|spaet\w+|nacht\w+|last|yesterday|gestern|today|heute))", ""),
    (r"(?:over the|ueber den|im lauf des|im laufe des|im verlauf des|through the|throughout the|during the course of the) (?:day|tag(?:es)?)(?= |$)", "im laufe"),
    (r"(?:von|from) ([01]\d|2[0-3])([0-5]\d) ?(?:hrs|hours|h|uhr)? ?(?:-|to|bis|until|till) ?([01]\d|2[0-4])([0-5]\d)(?: ?(?:hrs|hours|h|uhr))?", r"from \1:\2 to \3:\4"),
    (r"([01]?\d|2[0-3])h([0-5]\d)", r"\1:\2"), (r"([01]\d|2[0-3])([0-5]\d) ?(?:hrs|hours|uhr)", r"\1:\2"),
    (r"(\d{1,3}) ?(?:hrs?|std)", r"\1 h"),
    (r"(\d{1,3})(h|min)", r"\1 \2"),
    (rf"half past ({_WORDS}|\d{{1,2}})", _past(30)),  # `half six` is 6:30 or 5:30
    (rf"halb ({_WORDS}|\d{{1,2}})", _past(-30)),
    (rf"(?:a )?quarter past ({_WORDS}|\d{{1,2}})|viertel nach ({_WORDS}|\d{{1,2}})",
     lambda m: _past(15)(re.match(r"(.*)", m[1] or m[2]) or m)),
    (rf"(?:a )?quarter to ({_WORDS}|\d{{1,2}})|viertel vor ({_WORDS}|\d{{1,2}})",
     lambda m: _past(-15)(re.match(r"(.*)", m[1] or m[2]) or m)),
    ((rf"(between|from|zwischen|von|since|seit|until|till|bis|ab|after|nach|before|vor|and|und|to|at|um) ({_WORDS})"
     r"(?= (?:and|und|to|until|till|bis|am|pm|uhr|o'clock|in the|this|today|yesterday|heute|gestern|morgens|abends)|$| \w+ ?$)"), _number),
    (r"(\d{1,2}(?::\d\d)?) (?:o'clock |uhr )?(?:in the morning|morgens|in der frueh)", r"\1 am"),
    (r"(\d{1,2}(?::\d\d)?) (?:o'clock |uhr )?(?:in the (?:afternoon|evening)|at night|nachmittags|abends)", r"\1 pm"),
    ((r"(?<!from )(?<!between )(?<!von )(?<!zwischen )(?<!\d\. )"
     rf"({_AT}) ?(?:uhr|h)? ?(?:-|\u2013|to|until|till|bis) ?({_AT}) ?(uhr|am|pm|h|o'clock)"), r"from \1 to \2 \3"),
    ((r"(?<!from )(?<!between )(?<!von )(?<!zwischen )"
     r"(\d{1,2}:\d\d) ?(?:-|\u2013|to|until|till|bis) ?(\d{1,2}:\d\d)"), r"from \1 to \2"),
    (rf"(from|between|von|zwischen) ({_AT}) ?(?:-|\u2013) ?({_AT})", r"\1 \2 to \3"),
    (rf"(from|between|von|zwischen) ({_AT}) (and|to|until|till|bis|und) ({_AT}) ?(am|pm|a\.m\.|p\.m\.)", _evening),
    (rf"(from|between|von|zwischen) ({_AT}) (and|to|until|till|bis|und) ({_AT}) ?h", r"\1 \2 \3 \4 uhr"),
    (r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d\d))?", _slashed),
    (r"(\d{1,2})-(\d{1,2})-(\d{4})", r"\1.\2.\3"),
    (r"(am|vom|on|of|den) (\d{1,2})\.(\d{1,2})(?=$| (?!uhr|am|pm))", r"\1 \2.\3."),
    (r"((?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*) the (\d{1,2}(?:st|nd|rd|th))", r"\1 \2"),
    (r"(?:the )?(?:previous day|day prior|prior day)|(?:am |vom |des )?(?:vortage?s?|vorigen tage?s?)", "yesterday"),
    (rf"(yesterday|today|gestern|heute),? (?:in the|during the|am|im laufe des) ({_PART})s?", r"\1 \2"),
    (rf"(?:in the|on the|during the|am) ({_PART})s? (?:of )?(yesterday|today|gestern|heute)", r"\2 \1"),
    (r"(?:last|yesterday) evening|evening before", "yesterday evening"),
    (rf"(?:von|vom|from|of) ({_DAY}) (und|and) ({_DAY})", r"\1 \2 \3"),
    (r"(?:in der )?nacht(?:schicht)? (?:auf|zu) heute", "nachtschicht gestern"),
    (r"yesterday night", "night shift yesterday"),
    ((r"overnight|over ?night|during the night|in the night|ueber nacht|(?:in der )?(?:vergangenen?|letzten?) nacht"
     r"|in der nacht(?= |$)(?! ?(?:schicht|vom|von|auf|zu))"), "last night"),
    (r"(?:on )?(?:the )?(earl|late|night)(?:ie)?s(?= |$)(?! shift)", lambda m: f"{'early' if m[1] == 'earl' else m[1]} shift"),
    (r"(frueh|spaet|nacht)dienst(?:e?s)?", r"\1schicht"),
    ((r"since (?:the )?(?:start|beginning) of (?:the |this )?shift|since (?:the )?shift (?:start|began|started)"
     r"|seit (?:schichtbeginn|beginn der schicht|schichtstart)"), "this shift"),
    (r"(?:shift|schicht) ([123])|([123])(?:st|nd|rd|\.) ?(?:shift|schicht)", lambda m: f"{_ORDINALS[m[1] or m[2]]} shift"),
    (r"(?:der |die |in der )?(e)rsten? schicht|(?:der |die |in der )?(z)weiten? schicht|(?:der |die |in der )?(d)ritten? schicht",
     lambda m: f"{_ORDINALS[m[1] or m[2] or m[3]]} shift"),
    (rf"({_SHIFT})(?: shift)? ({_AGAINST}) (?:the |die |der |in der )?({_SHIFT})(?!\w|[ -]?(?:shift|schicht))", r"\1 shift \2 \3 shift"),
    (rf"({_SHIFT}) (vs\.?|versus|against|gegen) ({_SHIFT}) (?=shift)", r"\1 shift \2 \3 "),
    (rf"({_SHIFT})- ({_AGAINST}) (?:in |im |on |the |die |der )*(\w+schicht|\w+ shift)", lambda m: f"{m[1]}{'schicht' if m[3].endswith('schicht') else ' shift'} {m[2]} {m[3]}"),
    (r"(?<!were )(?<!was )(?<!too )(?<!came )(?<!parts )(?<!results )(early|late) (today|yesterday)|(today|yesterday) (early|late)(?! shift)", lambda m: f"{m[1] or m[4]} shift {m[2] or m[3]}"),
    (r"(on|last) (mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)\.?", lambda m: f"{m[1]} {_WEEKDAYS[m[2][:3]]}"),
    (r"(am|letzten|seit|vom) (mo|di|mi|do|fr|sa|so)\.?(?= |$)", lambda m: f"{m[1]} {_TAGE[m[2]]}"),
)  # fmt: skip
_DATED = rf"{_DAY}|\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.(?:\d{{2,4}})?|\d{{1,2}}(?:\.|st|nd|rd|th)? (?:{'|'.join(MONTHS)})(?: 20\d\d)?"
_SPAN_OF_HOURS = rf"({_AT}) ?(?:-|to|until|till|bis) ?({_AT})"
_NO_COUNT = r"(?![.:]?\d)(?! ?(?:%|am|pm|uhr|o'clock|parts?|pieces?|teilen?|stuecke?n?|percent|prozent|hours?|stunden?|minut\w+|days?|tagen?|tage|times|mal)(?!\w))"
_BEFORE_HOUR = r"since|seit|ab|from|after|nach|until|till|bis|before|vor"
_BARE_HOURS: tuple[_Rewrite, ...] = (
    (rf"(?<!from )(?<!between )(?<!von )(?<!zwischen )(?<!\d\. )(?<!kw )(?<!part )(?<!teil ){_SPAN_OF_HOURS}(?= (?:on |am |vom |of |the )*(?:{_DATED}|this (?:{_PART}))(?!\w))",
     lambda m: _forward(m, "", m[1], m[2])),
    (rf"({_DATED}|(?:{_DAY}|this) (?:{_PART}|frueh)),? {_SPAN_OF_HOURS}{_NO_COUNT}", lambda m: _forward(m, f"{m[1]} ", m[2], m[3])),
    (rf"({_BEFORE_HOUR}) (?P<day>heute|gestern|vorgestern|today|yesterday|this|{_WEEKDAY}|{_DATED})(?: (?P<part>{_PART}|frueh))?(?: (?:um|at|ab))? (?P<at>{_AT})(?: uhr)?{_NO_COUNT}(?! (?:{'|'.join(MONTHS)}))",
     _from_hour),
)  # fmt: skip
_WEEKDAYS = {"mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday",
             "sat": "saturday", "sun": "sunday"}  # fmt: skip
_TAGE = {"mo": "montag", "di": "dienstag", "mi": "mittwoch", "do": "donnerstag", "fr": "freitag",
         "sa": "samstag", "so": "sonntag"}  # fmt: skip
