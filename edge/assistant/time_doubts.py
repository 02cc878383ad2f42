"""What makes a time unsure although its words are known; each doubt has a word that stands for it.

edge/assistant/reading.py leaves the word in the text, so that the question is refused. Pure.
"""

import re
from collections.abc import Collection

from edge.assistant.calendar import Span
from edge.assistant.time_words import OF

PART_OF_NOTHING = "part-of-a-time"  # stands for `the last hour` of a time that isn't said surely
BEYOND_A_TIME = "before-or-after-a-time"  # stands for `after the early shift`: until when?
UNLIKE_TIMES = "hours-and-days"  # stands for `today and yesterday 8 to 10`: hours of which?
UNSURE_HOURS = "hours-of-the-dial"  # stands for `yesterday from 9 to 5`: until 17:00?
_SMALL = (
    r"(?: (?:the|der|dem|den|die|das|des|zum|zur|zu|from|for|of|von|vom|in|on|at|im|am)"
    r"| *\x04\d+;)*"
)
_MOVING = (  # `passed by yesterday`, `came through yesterday`, `tell me about yesterday`
    "came", "come", "comes", "coming", "went", "go", "goes", "going", "gone", "pass", "passed",
    "passing", "passes", "run", "ran", "runs", "running", "get", "got", "move", "moved", "fed",
    "sent", "put", "fall", "fell", "fallen", "falling", "what", "how", "me", "us", "know", "talk",
    "think", "report", "brought", "travelled", "it",
)  # fmt: skip
_MOVES = "".join(rf"(?<!\b{one} )" for one in _MOVING)
TURNING = (  # words before a time that mean what lies outside it, near it, or up to it
    r"since|seit|after|before|until|till|up to|prior|nach|vor|bis|ab|besides?|except|apart|aside"
    r"|instead|excluding|starting|beginning|ending|ahead|as(?= of)|other than|rather than|not"
    r"|without|outside|beyond|near|towards?|minus|following|around|but"
    rf"|{_MOVES}(?:by|past|through|about)"
    r"|bis (?:auf|einschliesslich|inklusive|in|ende|vor)|ab einschliesslich|statt|anstatt|anstelle"
    r"|rund um|ausser|neben|nach abzug|abzueglich|zuzueglich|ausnahme|abgesehen|anders als"
    r"|ausserhalb|ohne|jenseits|abseits|gegen ende|erst nach"
)
_BEYOND = rf"(?<!\w)({TURNING}){_SMALL} *$"
_UNLESS = (  # such words, and those that show that they mean something else
    (rf"(?<!\w)less{_SMALL} *$", r" than "),
    (rf"(?<!\w)like{_SMALL} *$", r"(?<!\w)(?:what|how (?:did|was|is|were|are|does)|look\w*)(?!\w)"),
)
_ABOUT_HOUR = r"(?<!\w)gegen *$"
_ONWARD = r" *(?:onwards?(?!\w)|on *$)"
_ONWARD_GERMAN = r" *an *$"
_DAY_MS = 25 * 3_600_000


def beyond(match: re.Match[str], span: Span, now_ms: int) -> str:
    """BEYOND_A_TIME where what lies before or after the matched span is meant, or else nothing.

    What lasts until now is the same since it began as in it.
    """
    leading = re.match(rf" ?{OF}", match[0])
    before = match.string[: match.start()] + (leading[0] if leading else "")
    said = re.search(_BEYOND, before)
    lasts = said is not None and said[1] in ("since", "seit") and span.until_ms >= now_ms
    return BEYOND_A_TIME if (said and not lasts) or _turned(match) else ""


def _turned(match: re.Match[str]) -> bool:
    """`Less the early shift`, `gegen 8 bis 10`, `from Monday on`, `von Montag an`."""
    text, after = match.string, match.string[match.end() :]
    before = text[: match.start()]
    if any(re.search(word, before) and not re.search(not_, text) for word, not_ in _UNLESS):
        return True
    if "\x02" in match[0] and re.search(_ABOUT_HOUR, before):
        return True
    german = re.match(_ONWARD_GERMAN, after) and re.match(r" ?(?:von|vom|ab) ", match[0])
    return bool(german or re.match(_ONWARD, after))


def unlike(spans: Collection[Span], now_ms: int) -> str:
    """UNLIKE_TIMES where hours or a shift stand beside a whole day: they may be of both days."""
    days = any(one.whole and one.until_ms - one.since_ms <= _DAY_MS for one in spans)
    hours = any(not one.whole and one.until_ms != now_ms for one in spans)
    return UNLIKE_TIMES if days and hours else ""
