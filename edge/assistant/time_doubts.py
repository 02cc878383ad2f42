"""What makes a time unsure although its words are known; each doubt has a word that stands for it.

edge/assistant/reading.py leaves the word in the text, so that the question is refused. Pure.
"""

import re
from collections.abc import Collection

from edge.assistant.calendar import Span

PART_OF_NOTHING = "part-of-a-time"  # stands for `the last hour` of a time that isn't said surely
BEYOND_A_TIME = "before-or-after-a-time"  # stands for `after the early shift`: until when?
UNLIKE_TIMES = "hours-and-days"  # stands for `today and yesterday 8 to 10`: hours of which?
_BEYOND = (
    r"(?<!\w)(since|seit|after|before|until|till|up to|prior to|nach|vor|bis|ab)"
    r"(?: (?:the|der|dem|den|die|zum|zur))* *$"
)
_DAY_MS = 25 * 3_600_000


def beyond(match: re.Match[str], span: Span, now_ms: int) -> str:
    """BEYOND_A_TIME where what lies before or after the matched span is meant, or else nothing.

    What lasts until now is the same since it began as in it.
    """
    said = re.search(_BEYOND, match.string[: match.start()])
    lasts = said is not None and said[1] in ("since", "seit") and span.until_ms >= now_ms
    return BEYOND_A_TIME if said and not lasts else ""


def unlike(spans: Collection[Span], now_ms: int) -> str:
    """UNLIKE_TIMES where hours or a shift stand beside a whole day: they may be of both days."""
    days = any(one.whole and one.until_ms - one.since_ms <= _DAY_MS for one in spans)
    hours = any(not one.whole and one.until_ms != now_ms for one in spans)
    return UNLIKE_TIMES if days and hours else ""
