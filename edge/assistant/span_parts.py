"""Part of a shift or day: `the last two hours of the late shift`, `erste Hälfte der Nachtschicht`.

Reads how much of a span is meant, from which of its ends; edge/assistant/reading.py finds the span that
it is of. Over folded text. Hours are counted as they pass, also where the clocks change. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from edge.assistant.calendar import Span
from edge.assistant.time_doubts import TURNING
from edge.assistant.time_words import DAYS, LAST, MONTHS, NUMBERS, OF, THIS

_FIRST = r"first|1st|opening|erste[nrsm]?"
_FINAL = r"last|final|closing|letzte[nrsm]?"
_ORDINALS = {
    word: n
    for n, words in enumerate(
        ("second 2nd zweite", "third 3rd dritte", "fourth 4th vierte", "fifth 5th fuenfte",
         "sixth 6th sechste", "seventh 7th siebte", "eighth 8th achte"), 1)
    for word in words.split()
}  # fmt: skip
_NTH = rf"(?P<nth>{'|'.join(_ORDINALS)})[nrsm]?"
_N = rf"\d{{1,3}}|{'|'.join(NUMBERS)}"
_UNIT_MS = {"h": 3_600_000, "s": 3_600_000, "m": 60_000}
_FIXED_MS = (
    (r"half(?: an)? hour|halben? stunde", 1_800_000),
    (r"quarter of an hour|viertelstunde", 900_000),
    (r"hour and a half|(?:anderthalb|eineinhalb) stunden", 5_400_000),
)
_FIXED = "|".join(pattern for pattern, _ in _FIXED_MS)
_LENGTH = (
    rf"(?P<fixed>{_FIXED})|(?P<count>{_N}) (?P<units>hours?|stunden?|std|h|minutes?|minuten?|min)|(?P<unit>hour|stunde)"
    r"|(?P<half>half|haelfte)"
)
_SMALL = r"(?:of|from|in|on|during|the|der|die|den|des|dem|von|vom|am|im)"
_TIME = (
    rf"(?:[\w']+ )?[\w-]*schicht|(?:[\w']+ )?[\w-]+ shifts?|shifts?|(?:{LAST}|{THIS}) (?:night|nacht)"
    rf"|(?:the )?day before yesterday|yesterday|today|(?:vor)?gestern|heute|(?:gestrig|heutig)\w+|{'|'.join(DAYS)}|days?|tag(?:es)?"
    rf"|\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d|\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{'|'.join(MONTHS)})"
)
PART = (
    rf"(?<![\w-])(?:(?:in|during|for|over|within|im|waehrend|the|der|den|die) )*(?:(?P<final>{_FINAL})|(?:{_FIRST})|{_NTH}) (?:{_LENGTH})"
    rf"(?=(?P<of> (?:of|von|vom|des))?(?: {_SMALL})* (?:{_TIME})(?!\w))"
)
_BOUND = rf"(?<!\w)(?:{TURNING}|less|from|between|von|zwischen)(?: (?:the|der|den|dem|die|das|zu|zur|zum|from|of|for|von))* $"


@dataclass(frozen=True, slots=True)
class SpanPart:
    """So much of a span.

    Attributes:
        length_ms: None: half of it.
        skipped: how many such lengths lie before it.
        final: counted from the span's end.
        linked: it is said to be `of` what follows; a day is parted only so.
    """

    length_ms: int | None
    skipped: int = 0
    final: bool = False
    linked: bool = False

    def of(self, span: Span, now_ms: int) -> Span | None:
        """This part of a shift or a day; None where it has no such part, or none that is sure.

        The last hour of a shift that still runs could be its last one, or the one before now.
        """
        if not span.shift and not (self.linked and span.whole and _is_day(span)):
            return None
        if self.final and span.since_ms <= now_ms < span.until_ms:
            return None
        whole = span.until_ms - span.since_ms
        length = whole // 2 if self.length_ms is None else self.length_ms
        since = span.until_ms - length if self.final else span.since_ms + self.skipped * length
        if length <= 0 or since < span.since_ms or since + length > span.until_ms:
            return None
        return replace(span, since_ms=since, until_ms=since + length, whole=False)


def _is_day(span: Span) -> bool:
    return span.until_ms - span.since_ms <= 25 * 3_600_000


@dataclass(slots=True)
class SpanParts:
    """The parts that a text speaks of: each is a mark in it until the span that follows takes it."""

    told: list[SpanPart] = field(default_factory=list[SpanPart])
    taken: set[int] = field(default_factory=set[int])
    spans: set[Span] = field(default_factory=set[Span])
    barred: bool = False  # what lies outside a part is meant

    def mark(self, match: re.Match[str]) -> str | None:
        """The mark for a match of PART; None lets it stand."""
        self.barred = self.barred or re.search(_BOUND, _lead(match)) is not None
        part = span_part(match)
        if part is None:
            return None
        self.told.append(part)
        return f"\x04{len(self.told) - 1};"

    def of(self, number: int | None, span: Span, now_ms: int) -> Span:
        """The part of this number, of a span; the span if there is none, or it has no such part."""
        part = None if number is None else self.told[number].of(span, now_ms)
        if number is None or part is None:
            return span
        self.taken.add(number)
        self.spans.add(part)
        return part

    def astray(self, spans: Iterable[Span]) -> bool:
        """Whether a part found no span, or stands beside a whole one (`compared with yesterday`)."""
        return self.barred or (
            bool(self.told)
            and (len(self.taken) < len(self.told) or any(one not in self.spans for one in spans))
        )


def before(match: re.Match[str]) -> int | None:
    """The number of the part that stands before a matched time, to which it belongs."""
    mark = re.search(rf"\x04(\d+); *{OF}$", match.string[: match.start()])
    return int(mark[1]) if mark else None


def span_part(match: re.Match[str]) -> SpanPart | None:
    """What a match of PART says; None where it can't be meant."""
    if re.search(_BOUND, _lead(match)):
        return None  # `after the first hour`: what isn't in it is meant
    linked, final = match["of"] is not None, match["final"] is not None
    nth = _ORDINALS[match["nth"]] if match["nth"] else 0
    if match["half"]:
        return SpanPart(None, min(nth, 1), final, linked) if nth < 2 else None
    if nth and not match["unit"]:
        return None
    return SpanPart(_length_ms(match), nth, final, linked)


def _lead(match: re.Match[str]) -> str:
    """What is said up to the part, with the small words at its beginning."""
    leading = re.match(rf" ?{OF}", match[0])
    return match.string[: match.start()] + (leading[0] if leading else "")


def _length_ms(match: re.Match[str]) -> int:
    if said := match["fixed"]:
        return next(ms for pattern, ms in _FIXED_MS if re.fullmatch(pattern, said))
    if match["unit"]:
        return 3_600_000
    count = match["count"]
    return (NUMBERS.get(count) or int(count)) * _UNIT_MS[match["units"][0]]
