"""Slots: what a question about the line's records asks for, found by rules, English and German.

Every word must be understood: what is left over makes the question one that records don't answer,
so that nothing is counted that wasn't asked for. A part, camera or type is only what the records
know by exactly that name; what is merely like one is no match. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.assistant.calendar import Calendar, Span
from edge.assistant.reading import spoken_spans
from edge.assistant.vocabulary import (
    ALARMS,
    BUNDLES,
    BY,
    COMPARES,
    FILLER,
    GENERAL,
    KIND_WORDS,
    LAST,
    MEASURES,
    OUTCOMES,
    PART_INTENT,
    PAST,
    QUOTAS,
    Measure,
    Which,
)
from export.terms import fold

MOST_CHARS = 500
AMBIGUOUS = "parts-of-two-kinds"  # stands for words that can't both be meant


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
    r"[\"'\u201e\u201c]?([A-Za-z0-9][\w./#-]*\d[\w./#-]*|\d+)",
    re.IGNORECASE,
)


def parse(question: str, known: Known, calendar: Calendar, now_ms: int) -> Slots:
    """The slots of a question, asked at `now_ms`."""
    text = question[:MOST_CHARS]
    part, is_known, text = _part(text, known)
    spoken = spoken_spans(calendar, _plain(text), now_ms)
    rest = f" {spoken.rest} "
    cameras, rest = _names(rest, _camera_words(known), prefix=r"(?:(?:camera|kamera|cam) )?")
    lone = re.search(r"(?<!\w)(?:camera|kamera) ([a-z0-9_-]+)", rest)
    unknown = (lone[1],) if lone and lone[1] not in _AFTER_CAMERA else ()
    kinds, rest = _names(rest, _kind_words(known))
    past = _has(rest, PAST)
    by = next((name for name, pattern in BY.items() if _has(rest, pattern)), "")
    rest = _without(rest, BY[by]) if by else rest
    measure, which, compares, rest = _measured(rest)
    if part:
        rest = re.sub(rf"(?<!\w)(?:{PART_INTENT})(?!\w)", " ", rest)
        measure = Measure.PART
    strange = unknown + tuple(
        word for word in _TOKEN.findall(rest) if word not in FILLER and not part_of(word)
    )
    general = bool(kinds) or which is not Which.ALL or _has(spoken.rest, GENERAL)
    if measure is None and spoken.spans and general:
        measure = Measure.COUNT  # `Were there scratches yesterday?`, `How did the shift go?`
    return Slots(
        measure, which, kinds, cameras, spoken.spans, part, is_known, by,
        compares or len(spoken.spans) > 1 or len(cameras) > 1, strange, past, spoken.trouble,
    )  # fmt: skip


def part_of(word: str) -> bool:
    """Whether a leftover is only a mark."""
    return not any(letter.isalnum() for letter in word)


def _plain(text: str) -> str:
    """Folded, without marks that carry nothing; a hyphen that joins words, and times, stay."""
    told = fold(text).replace("\u2013", "-").replace("\u2019", "'")
    told = re.sub(r"\b(what|where|when|who|how|that|there|it|here)'s\b", r"\1 is", told)
    told = re.sub(r"\b(i|we|you)'(?:d|ll|ve|re|m)\b", r"\1 would", told)
    told = re.sub(r"\b(gab|gibt|war|ist|geht|hat)'s\b", r"\1 es", told)
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


def _kind_words(known: Known) -> dict[str, str]:
    """What people call each type: its name, the plant's own words, and the usual ones."""
    words: dict[str, str] = {}
    for name in known.kinds:
        plain = fold(name).replace("_", " ")
        forms = (plain, f"{plain}s", f"{plain}es", f"{plain}en", f"{plain}e", fold(name))
        words |= dict.fromkeys((*forms, *KIND_WORDS.get(name, ())), name)
    return words | {fold(said): name for said, name in known.words.items() if name in known.kinds}


def _names(rest: str, words: Mapping[str, str], prefix: str = "") -> tuple[tuple[str, ...], str]:
    """The known names in a text in order, and the text without them; the longest wins."""
    found: dict[str, int] = {}
    for word in sorted(words, key=len, reverse=True):
        pattern = rf"(?<![\w-]){prefix}{re.escape(word)}(?:'s)?(?![\w-])"
        for match in re.finditer(pattern, rest):
            found.setdefault(words[word], match.start())
        rest = re.sub(pattern, lambda m: " " * len(m[0]), rest)
    return tuple(sorted(found, key=lambda name: found[name])), rest


def _has(text: str, pattern: str) -> bool:
    return re.search(rf"(?<![\w-])(?:{pattern})(?![\w-])", text) is not None


def _without(text: str, pattern: str) -> str:
    return re.sub(rf"(?<![\w-])(?:{pattern})(?![\w-])", " ", text)


def _measured(rest: str) -> tuple[Measure | None, Which, bool, str]:
    """(measure, which parts, whether it compares, what is left)."""
    measure: Measure | None = None
    rest = rest.replace("most recent", "latest")
    last = _has(rest, LAST)
    bundles, alarms = _has(rest, BUNDLES), _has(rest, ALARMS)
    for kind, pattern in MEASURES:
        if _has(rest, pattern):
            measure = measure or kind
            if kind is Measure.RATE:
                for whole, what in QUOTAS.items():
                    rest = rest.replace(whole, f" {what} ")
            rest = _without(rest, pattern)
    which, rest = _outcome(rest)
    compares = _has(rest, COMPARES)
    rest = _without(rest, COMPARES)
    if bundles:
        measure = Measure.BUNDLES
        rest = _without(rest, rf"{BUNDLES}|changes?|changed|swaps?|swapped|loaded|running|runs"
                              rf"|laeuft|gewechselt|getauscht"
                        r"|geladen|aktiv|version|versions|used|verwendet|active|in use|deployed"
                        r"|switched|exchanged|{LAST}")  # fmt: skip
        rest = _without(rest, LAST)
    elif alarms:
        measure = Measure.ALARMS
        rest = _without(
            rest, rf"{ALARMS}|raised|active|standing|anliegend\w*|anstehend\w*|aktiv\w*|offen\w*"
        )
    elif last and measure is None:
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
