"""Slots: what a question about the line's records asks for, found by rules, English and German.

Every word must be understood, or be one that can't narrow what is counted: a word of the closed
classes, a plain verb or noun, a frame. What is left over makes the question one that records don't
answer, so that nothing is counted that wasn't asked for. A part, camera or type is only what the
records know by exactly that name; what is merely like one is no match. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.assistant.calendar import Calendar, Span, Spoken
from edge.assistant.causes import told_causes
from edge.assistant.closed_words import NARROWING
from edge.assistant.doubts import AMBIGUOUS, counts_asked, doubts
from edge.assistant.fates import told_fates
from edge.assistant.framing import unframed
from edge.assistant.idioms import plainly
from edge.assistant.lexicon import WORTH_MENDING, is_known, kind_words, pieces_with
from edge.assistant.plain_words import IGNORED
from edge.assistant.reading import spoken_spans
from edge.assistant.spelling import mended
from edge.assistant.time_words import MONTHS, compiled
from edge.assistant.vocabulary import (
    ALARM_TALK,
    ALARMS,
    BUNDLE_TALK,
    BUNDLES,
    BY,
    COMPARES,
    GENERAL,
    LAST,
    MEASURES,
    OUTCOMES,
    PART_INTENT,
    PAST,
    QUOTAS,
    SHARES,
    TOP_OF_FAULTS,
    Measure,
    Which,
)
from export.terms import fold

MOST_CHARS = 500


@dataclass(frozen=True, slots=True)
class Known:
    """Names that the records have.

    Attributes:
        cameras, kinds: every camera, every defect type.
        words: what the plant calls a type or a camera → its name in the records.
        is_part: whether a part of exactly this name is in the records.
    """

    cameras: tuple[str, ...]
    kinds: tuple[str, ...]
    words: Mapping[str, str]
    is_part: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Slots:
    """What was understood.

    Attributes:
        measure: None: nothing of the records is asked for.
        spans: in the order in which they were said; empty: none was.
        by: `camera`, `shift` or `day`: told for each.
        part: the part's name, and `part_known` whether the records have it.
        strange: words that mean nothing here.
        past: it is asked what was or is, not what is allowed or to be done.
        trouble: of the spans.
    """

    measure: Measure | None
    which: Which = Which.ALL
    kinds: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    part: str = ""
    part_known: bool = False
    by: str = ""
    compares: bool = False
    strange: tuple[str, ...] = ()
    past: bool = False
    trouble: str = ""

    @property
    def clear(self) -> bool:
        """Whether records answer it."""
        if self.measure is None or self.strange:
            return False
        return bool(self.spans) or self.past or self.measure in _TIMELESS


_TIMELESS = {Measure.PART, Measure.LAST, Measure.BUNDLES, Measure.ALARMS}

_AFTER_CAMERA = frozenset(
    """had has have was were is saw see sees found find did does the a on in at over and or with
    judged during this last since between from rejected hatte hat haben war waren ist sah gesehen
    gefunden die der das den im am an auf und oder mit fand als wurde wurden gab most""".split()  # noqa: SIM905
)
_TOKEN = re.compile(r"[^\W_](?:[\w./:#-]*[^\W_])?")
_PARTISH = re.compile(r"(?=\S*\d)[A-Za-z0-9][\w./#-]{1,127}")
_AFTER_PART = re.compile(
    r"\b(?:part|piece|workpiece|teil|bauteil|stueck|stück)s?(?: (?:number|no\.?|nr\.?|nummer|id"
    r"|called|named|namens))? "
    r"[\"'\u201e\u201c]?([A-Za-z0-9][\w./#-]*\d[\w./#-]*|\d+)"
    rf"(?![\w:]| ?(?:{'|'.join(MONTHS)}|am|pm|uhr|o'clock|h|hours?|days?"
    r"|stunden?|tagen?|tage)(?!\w))",
    re.IGNORECASE,
)


def parse(question: str, known: Known, calendar: Calendar, now_ms: int) -> Slots:
    """The slots of a question, asked at `now_ms`."""
    part, is_part, text = _part(question[:MOST_CHARS], known)
    kinds_said, cameras_said = kind_words(known.kinds, known.words), _camera_words(known)
    bare, excused = unframed(_marked(text))
    plain = _mended(_plainly(_plain(bare)), kinds_said, cameras_said)
    spoken = spoken_spans(calendar, plain, now_ms)
    rest = f" {spoken.rest} "
    doubt = _doubt(rest, cameras_said)
    cameras, rest = _names(
        rest,
        cameras_said,
        prefix=r"(?:(?:camera|kamera|cam|station) )?",
        suffix=r"(?: (?:camera|kamera|cam|station)s?)?",
    )
    kinds, rest = _names(rest, kinds_said)
    past = _has(rest, PAST)
    by = next((name for name, pattern in BY.items() if _has(rest, pattern)), "")
    when = _has(rest, r"when|wann|what time|wie ?viel uhr|welcher (?:uhr)?zeit")
    measure, which, compares, rest = _measured(rest, by)
    unknown = () if part else _unknown_camera(rest)
    if (by == "shift" and len(spoken.spans) > 1) or (by == "camera" and len(cameras) > 1):
        by = ""  # `which shift, early or late`
    if part:
        rest = _without(rest, PART_INTENT)
        measure = Measure.PART
    elif (
        measure is None
        and spoken.spans
        and not when
        and (kinds or which is not Which.ALL or _general(spoken.rest))
    ):
        measure = Measure.COUNT  # `Were there scratches yesterday?`, `How did the shift go?`
    strange = unknown + doubt + _strange(rest, excused, len(kinds), bare=measure is Measure.PART)
    strange += _tangled(spoken, compares) if not part else ()
    strange += _of_one(spoken, measure, rest) if not part else ()
    if part and _has(spoken.rest, r"how many(?! times| verdicts)|wie ?viele?(?! uhr)"):
        strange += (AMBIGUOUS,)
    each, unclear = counts_asked(spoken.rest, kinds, spoken.spans, cameras, by)
    unclear += doubts(spoken.rest, rest, measure, which, kinds)
    strange += () if measure is Measure.PART else unclear
    if compares and max(len(spoken.spans), len(cameras)) > 1:
        strange = tuple(word for word in strange if word not in ("who", "wer"))
    compares = compares or each or len(spoken.spans) > 1 or len(cameras) > 1
    return Slots(
        measure, which, kinds, cameras, spoken.spans, part, is_part, by,
        compares, strange, past, spoken.trouble,
    )  # fmt: skip


def _plainly(text: str) -> str:
    """Every turn of phrase said in plain words."""
    return plainly(told_causes(told_fates(text)))


def _tangled(spoken: Spoken, compares: bool) -> tuple[str, ...]:
    """Several times that nothing links, or one within another: `Mondays last month`."""
    spans = spoken.spans
    linked = compares or _has(spoken.rest, "and|or|und|oder|sowie|plus|then|dann")
    within = any(
        a is not b and a.since_ms <= b.since_ms and b.until_ms <= a.until_ms
        for a in spans for b in spans
    )  # fmt: skip
    tangled = len(spans) > 1 and (not linked or (within and not compares))
    return ("time-in-a-time",) if tangled else ()


def _of_one(spoken: Spoken, measure: Measure | None, rest: str) -> tuple[str, ...]:
    """Several times where one can be told of; an hour sought in more than a day; each, or all."""
    spans = spoken.spans
    if len(spans) > 1 and measure in _ONE_TIME:
        return ("time-in-a-time",)
    if measure is Measure.TOP_HOUR and spans and _has(spoken.rest, "hour_of_day"):
        return ("when",) if max(one.until_ms - one.since_ms for one in spans) > _DAY_MS else ()
    if spans and _has(spoken.rest, r"weekdays?|wochentag(?:en?|e)?") and _longer_than_a_week(spans):
        return ("weekday",)
    if measure is Measure.COUNT and re.search(r"^ ?(?:what|which)\b.* for ?$", spoken.rest):
        return ("for",)  # `what did we reject parts for`: no number is asked
    if _has(rest, r"shifts|schichten|hours|stunden|weekdays|wochentage") or _has(
        rest, r"(?:auf|across|over|between|zwischen|among) (?:the |die |den )?(?:days|tagen?|tage)"
    ):
        return ("each",)  # `how did the shifts do`: told for each, or for all?
    return ()


def _longer_than_a_week(spans: tuple[Span, ...]) -> bool:
    """Whether a weekday comes more than once."""
    return max(one.until_ms for one in spans) - min(one.since_ms for one in spans) > 7 * _DAY_MS


_HOURS = (Measure.WORST_HOUR, Measure.TOP_HOUR)
_ONE_TIME = frozenset(
    (
        Measure.WORST_HOUR,
        Measure.TOP_HOUR,
        Measure.TREND,
        Measure.LAST,
        Measure.BUNDLES,
        Measure.TYPES,
    )
)
_DAY_MS = 25 * 3_600_000


def _general(rest: str) -> bool:
    """Whether it is asked how it went, or for parts and nothing else: `parts yesterday?`."""
    return _has(rest, GENERAL) or (
        _has(rest, r"parts|pieces|teile|stuecke?|bauteile")
        and not _has(rest, r"when|wann|how|wie|wo")
    )


def _strange(rest: str, excused: frozenset[str], kinds: int, *, bare: bool) -> tuple[str, ...]:
    """The words that mean nothing here, or more than may be passed over.

    `bare`: a part's whole history is told, which nothing narrows.
    """
    both = frozenset(("both", "beide", "beiden")) if kinds < 2 else frozenset[str]()
    narrowing = frozenset[str]() if bare else NARROWING - both
    return tuple(
        word for word in _TOKEN.findall(rest)
        if word in narrowing
        or not (word in IGNORED or word in NARROWING or word in excused or part_of(word))
    )  # fmt: skip


def _doubt(rest: str, cameras: Mapping[str, str]) -> tuple[str, ...]:
    """`Top defects`, where a camera is called top: the most frequent, or that camera's?"""
    unclear = "top" in cameras and _has(
        rest,
        TOP_OF_FAULTS,
    )
    return ("top",) if unclear else ()


def _unknown_camera(rest: str) -> tuple[str, ...]:
    """What is said to be a camera and isn't one."""
    lone = re.search(r"(?<!\w)(?:camera|kamera|cam) ([a-z0-9_-]+)", rest)
    if lone is None or lone[1] in _AFTER_CAMERA or (len(lone[1]) > 3 and lone[1] in IGNORED):
        return ()
    return (lone[1],)


def _mended(text: str, kinds: Mapping[str, str], cameras: Mapping[str, str]) -> str:
    """The text with compounds parted and slips set right; names stay as they are."""
    own = {word for name in (*kinds, *cameras) for word in name.split()}
    return mended(
        text,
        lambda word: word in own or is_known(word),
        pieces_with(kinds),
        WORTH_MENDING | frozenset(kinds),
    )


def part_of(word: str) -> bool:
    """Whether a leftover is only a mark."""
    return not any(letter.isalnum() for letter in word)


# At the end and written large `So` and `Do` are no small words.
_LAST_DAY = re.compile(r"(?<=[a-zäöüß] )(?<!(?i:.we|hey|you|bis) )(So|Do)(?=[ .?!]*$)")


def _marked(text: str) -> str:
    """Folded, with its marks."""
    text = _LAST_DAY.sub(lambda m: "Sonntag" if m[0] == "So" else "Donnerstag", text)
    told = fold(text).replace("\u2013", "-").replace("\u2019", "'")
    told = re.sub(r"\b(mo|di|mi|do|fr|sa)-(di|mi|do|fr|sa|so)\b", r"\1 bis \2", told)
    told = re.sub(r"\bcan't\b", "can not", re.sub(r"\bwon't\b", "will not", told))
    return " ".join(re.sub(r"n't\b", " not", told).split())


def _plain(told: str) -> str:
    """Without marks that carry nothing; a hyphen that joins words, and times, stay."""
    told = re.sub(r"\b(n)\.\s?i\.\s?o\.?|\bn\.?o\.?k\.?(?!\w)", "nio", told)
    told = re.sub(r"\bi\.\s?o\.?(?!\w)|\bio\b", "in ordnung ", told)
    told = re.sub(r"(?<=[\w%])%|(?<= )%", " percent ", told)
    told = re.sub(r"\b(what|where|when|who|how|that|there|it|here)'s\b", r"\1 is", told)
    told = re.sub(r"\b(i|we|you)'(?:d|ll|ve|re|m)\b", r"\1", told)
    told = re.sub(
        r"\b(gab|gibt|war|ist|geht|hat|lief|sieht|steht|sah|ging|wie|was)'s\b", r"\1 es", told
    )
    told = re.sub(
        r"[?!;,\"\u201e\u201c\u201d()]|\.(?=\s|$)(?<!\d\.)|'(?!s\b)|(?<!\d):|:(?!\d)", " ", told
    )
    return re.sub(r"\s+", " ", told)


def _part(text: str, known: Known) -> tuple[str, bool, str]:
    """(the part that is named, whether it is known, the text without it)."""
    for match in _PARTISH.finditer(text):
        name = match[0].rstrip(".:/-")
        if (
            len(name) > 2
            and not re.fullmatch(r"\d{1,2}[:.]\d\d|\d{4}-\d\d-\d\d|[\d.]+", name)
            and known.is_part(name)
        ):
            return name, True, text.replace(name, " ", 1)
    if match := _AFTER_PART.search(text):
        name = match[1].rstrip(".:/-")
        return (
            name,
            known.is_part(name),
            text[: match.start()] + " part " + text[match.start(1) + len(name) :],
        )
    return "", False, text


def _camera_words(known: Known) -> dict[str, str]:
    named = {fold(name): name for name in known.cameras}
    return named | {fold(said): name for said, name in known.words.items() if name in known.cameras}


def _names(
    rest: str, words: Mapping[str, str], prefix: str = "", suffix: str = ""
) -> tuple[tuple[str, ...], str]:
    """The known names in a text in order, and the text without them; the longest wins."""
    found: dict[str, int] = {}
    for word in sorted(words, key=len, reverse=True):
        pattern = rf"(?<![\w-]){prefix}{re.escape(word)}(?:'s)?{suffix}(?![\w-])"
        for match in re.finditer(pattern, rest):
            found.setdefault(words[word], match.start())
        rest = re.sub(pattern, lambda m: " " * len(m[0]), rest)
    return tuple(sorted(found, key=lambda name: found[name])), rest


def _has(text: str, pattern: str) -> bool:
    return compiled(rf"(?<![\w-])(?:{pattern})(?![\w-])").search(text) is not None


def _without(text: str, pattern: str) -> str:
    return compiled(rf"(?<![\w-])(?:{pattern})(?![\w-])").sub(" ", text)


def _measured(rest: str, by: str = "") -> tuple[Measure | None, Which, bool, str]:
    """(measure, which parts, whether it compares, what is left)."""
    measure: Measure | None = None
    two = False
    last, bundles, alarms = _has(rest, LAST), _has(rest, BUNDLES), _has(rest, ALARMS)
    for whole, what in QUOTAS.items():
        rest = re.sub(rf" ?{whole} ?", f" {what} rate ", rest)
    by_share = _has(rest, SHARES)  # `the hour with the most rejects in percent`
    for kind, pattern in MEASURES:
        if by and kind in _HOURS:
            continue
        if _has(rest, pattern):
            two = two or {measure, kind} in (
                {Measure.TYPES, Measure.RATE},
                {Measure.TYPES, Measure.YIELD},
            )
            if (measure, kind) == (Measure.YIELD, Measure.TREND):
                measure, rest = kind, f"{rest} passed "  # `how did the yield develop`
            measure = measure or (Measure.WORST_HOUR if by_share and kind in _HOURS else kind)
            rest = _without(rest, pattern)
    rest = _without(rest, BY[by]) if by else rest
    which, rest = _outcome(f"{rest} {AMBIGUOUS}" if two else rest)
    compares = _has(rest, COMPARES)
    rest = _without(rest, COMPARES)
    if bundles:
        measure = Measure.BUNDLES
        rest = _without(rest, rf"{BUNDLES}|{BUNDLE_TALK}|{LAST}")
    elif alarms:
        measure = Measure.ALARMS
        rest = _without(rest, rf"{ALARMS}|{ALARM_TALK}")
    elif last and measure in (None, Measure.TYPES):
        measure = Measure.LAST
    rest = _without(rest, LAST) if measure is Measure.LAST else rest
    if measure is None and compares and which is not Which.ALL:
        measure = Measure.COUNT
    return measure, which, compares, rest


def _outcome(rest: str) -> tuple[Which, str]:
    """(which parts are meant, what is left); words for two kinds of parts are both left."""
    rest = re.sub(r"(?<!\w)fehlern?(?!\w)", " defects ", rest)
    which, before = Which.ALL, rest
    for one, pattern in OUTCOMES:
        if _has(rest, pattern):
            if which is not Which.ALL:  # `how bad was the scrap`: is scrap meant, or what is bad?
                return which, f"{before} {AMBIGUOUS}"
            which, rest = one, _without(rest, pattern)
    return which, rest
