"""Replies that count: parts, rates, yield, types and hours; of one thing, or of several compared.

Each names the span that it counted, so that a misunderstanding shows; each figure in the words
stands in `figures` too.
"""

from dataclasses import replace

from edge.assistant.answer import Answer, Citation, Figure, Source
from edge.assistant.calendar import Span
from edge.assistant.records import Tally
from edge.assistant.slots import Slots
from edge.assistant.sources import Counted, Desk, counted_citation, refusal
from edge.assistant.speech import WHICH, Speech
from edge.assistant.vocabulary import Measure, Which
from export.verdict import Outcome

TYPES_SHOWN = 5
HOURS_SHOWN = 24


def counted(slots: Slots, desk: Desk, speech: Speech) -> Answer:
    """Counts, rates, yield and types: of one thing, or of several beside each other."""
    items = _items(slots, desk, speech)
    if slots.compares and len(items) < 2 and not slots.by:
        return refusal(
            speech, "it isn't said what to compare with: name two shifts, days, cameras or types",
            "es fehlt, womit verglichen wird: Nennen Sie zwei Schichten, Tage, Kameras oder"
            " Fehlerarten",
        )  # fmt: skip
    if slots.measure is Measure.TYPES and len(items) == 1:
        return _types(items[0], desk, speech)
    if len(items) == 1:
        return _one(items[0], slots, desk, speech)
    return _several(items, slots, speech)


def _items(slots: Slots, desk: Desk, speech: Speech) -> list[Counted]:
    spans = list(slots.spans) or [today(desk)]
    if slots.by in ("shift", "day") and len(spans) == 1:
        spans = _parts_of(spans[0], slots.by, desk)
    cameras = (
        [(name,) for name in desk.records.names()[0]] if slots.by == "camera" else [slots.cameras]
    )
    if slots.by != "camera" and slots.compares and len(slots.cameras) > 1:
        cameras = [(name,) for name in slots.cameras]
    kinds = [slots.kinds]
    if slots.compares and len(slots.kinds) > 1 and len(spans) == len(cameras) == 1:
        kinds = [(name,) for name in slots.kinds]
    which = slots.which
    if slots.measure is Measure.RATE and which is Which.ALL and not slots.kinds:
        which = Which.REJECTS
    elif slots.measure is Measure.YIELD:
        which = Which.PASSED
    return [
        Counted(
            named(span, seen, types, speech, told=len(cameras) > 1 or bool(slots.cameras)),
            span, seen, types, desk.records.tally(span, seen), which,
        )
        for span in spans for seen in cameras for types in kinds
    ]  # fmt: skip


def named(
    span: Span, cameras: tuple[str, ...], kinds: tuple[str, ...], speech: Speech, *, told: bool
) -> str:
    """What was counted, in words: its span, cameras and types."""
    words = [speech.span(span)]
    if cameras and told:
        label = speech.say("camera", "Kamera")
        words.append(f"{label} {', '.join(cameras)}")
    if kinds:
        words.append(", ".join(speech.kind(kind) for kind in kinds))
    return "; ".join(words)


def today(desk: Desk) -> Span:
    """The present day."""
    return desk.calendar.day(desk.calendar.local(desk.now_ms).date())


def _parts_of(span: Span, by: str, desk: Desk) -> list[Span]:
    """The days of a span, or its shifts that have begun."""
    calendar = desk.calendar
    days: list[Span] = []
    day = calendar.local(span.since_ms).date()
    while calendar.begin(day) < min(span.until_ms, desk.now_ms):
        days.append(calendar.day(day))
        day = calendar.local(days[-1].until_ms).date()
    if by == "day":
        return days or [span]
    found = [
        calendar.shift(shift, calendar.local(one.since_ms).date())
        for one in days for shift in calendar.shifts
    ]  # fmt: skip
    return [one for one in found if one.since_ms <= desk.now_ms] or [span]


def _one(item: Counted, slots: Slots, desk: Desk, speech: Speech) -> Answer:
    parts, chosen = item.tally.parts, item.chosen
    cite = counted_citation(item, "R1", desk.calendar)
    figures = [Figure("parts", parts)]
    if parts == 0:
        return _nothing(item, desk, speech, cite)
    if slots.measure is Measure.COUNT and item.which is Which.ALL and not item.kinds:
        text = speech.say(
            f"{item.name}: {parts} parts were judged{_split(item, speech)}. [R1]",
            f"{item.name}: {parts} Teile wurden beurteilt{_split(item, speech)}. [R1]",
        )
        figures += _outcome_figures(item)
    else:
        of = speech.say("of", "von")
        text = (
            f"{item.name}: {chosen} {of} {parts} {_predicate(item, speech)}"
            f" ({speech.percent(chosen, parts)}){_detail(item, speech)}. [R1]"
        )
        figures += [Figure("chosen", chosen), Figure("percent", round(100 * chosen / parts, 1))]
        figures += _outcome_figures(item) if item.which is Which.REJECTS else []
    return Answer(text, speech.language, Source.RECORDS, (cite,), tuple(figures))


def _predicate(item: Counted, speech: Speech) -> str:
    words = WHICH[speech.language]
    if not item.kinds:
        return words[item.which]
    kinds = speech.say(" or ", " oder ").join(speech.kind(kind) for kind in item.kinds)
    if item.which in (Which.FAILED, Which.REVIEW):
        return speech.say(f"{words[item.which]} for {kinds}", f"{words[item.which]} wegen {kinds}")
    return speech.say(
        f"parts did not pass for {kinds}", f"Teilen haben wegen {kinds} nicht bestanden"
    )


def _split(item: Counted, speech: Speech) -> str:
    told = item.tally
    a, b, c = (told.outcome(one) for one in (Outcome.PASS, Outcome.FAIL, Outcome.REVIEW))
    return speech.say(
        f", of which {a} passed, {b} failed and {c} went to review",
        f", davon {a} bestanden, {b} durchgefallen und {c} zur Prüfung",
    )


def _detail(item: Counted, speech: Speech) -> str:
    if item.which is not Which.REJECTS or item.kinds:
        return ""
    b, c = item.tally.outcome(Outcome.FAIL), item.tally.outcome(Outcome.REVIEW)
    return speech.say(f": {b} failed, {c} went to review", f": {b} durchgefallen, {c} zur Prüfung")


def _outcome_figures(item: Counted) -> list[Figure]:
    return [Figure(one.value, item.tally.outcome(one)) for one in Outcome]


def _nothing(item: Counted, desk: Desk, speech: Speech, cite: Citation) -> Answer:
    oldest = desk.records.oldest_ms()
    since = ""
    if oldest is not None and item.span.since_ms < oldest:
        at = speech.moment(oldest)
        since = speech.say(f" The records begin on {at}.", f" Die Aufzeichnungen beginnen am {at}.")
    text = speech.say(
        f"{item.name}: no parts were judged. [R1]{since}",
        f"{item.name}: Es wurden keine Teile beurteilt. [R1]{since}",
    )
    return Answer(
        text, speech.language, Source.RECORDS, (cite,), (Figure("parts", 0), Figure("chosen", 0))
    )


def _types(item: Counted, desk: Desk, speech: Speech) -> Answer:
    kinds = item.tally.kinds()
    if item.kinds:
        kinds = [one for one in kinds if one[0] in item.kinds]
    cite = counted_citation(replace(item, which=Which.REJECTS), "R1", desk.calendar)
    if item.tally.parts == 0:
        return _nothing(item, desk, speech, cite)
    rejects = item.tally.rejects
    others = 0 if item.kinds else rejects - sum(n for _, n in kinds[:TYPES_SHOWN])
    if not kinds:
        text = speech.say(
            f"{item.name}: no part was stopped for a defect type; {item.tally.parts} were judged,"
            f" {rejects} did not pass. [R1]",
            f"{item.name}: Kein Teil wurde wegen einer Fehlerart angehalten; {item.tally.parts}"
            f" wurden beurteilt, {rejects} haben nicht bestanden. [R1]",
        )
    else:
        listed = ", ".join(f"{speech.kind(kind)} {n}" for kind, n in kinds[:TYPES_SHOWN])
        if others:
            listed += speech.say(f"; other or no type {others}", f"; andere oder keine {others}")
        text = speech.say(
            f"{item.name}: {rejects} of {item.tally.parts} parts did not pass. By type: {listed}."
            f" [R1]",
            f"{item.name}: {rejects} von {item.tally.parts} Teilen haben nicht bestanden. Nach"
            f" Fehlerart: {listed}. [R1]",
        )
    figures = [Figure("parts", item.tally.parts), Figure("rejects", rejects)]
    figures += [Figure(f"type {kind}", n) for kind, n in kinds[:TYPES_SHOWN]]
    figures += [Figure("others", others)] if others else []
    return Answer(text, speech.language, Source.RECORDS, (cite,), tuple(figures))


def _several(items: list[Counted], slots: Slots, speech: Speech) -> Answer:
    lines: list[str] = []
    figures: list[Figure] = []
    cites: list[Citation] = []
    bare = slots.measure is Measure.COUNT and items[0].which is Which.ALL and not items[0].kinds
    for place, item in enumerate(items, 1):
        parts, chosen = item.tally.parts, item.chosen
        cites.append(counted_citation(item, f"R{place}", speech.calendar))
        figures += [Figure(f"parts {place}", parts), Figure(f"chosen {place}", chosen)]
        of = speech.say("of", "von")
        if parts == 0:
            lines.append(
                speech.say(
                    f"{item.name}: no parts were judged [R{place}]",
                    f"{item.name}: keine Teile beurteilt [R{place}]",
                )
            )
        elif bare:
            lines.append(
                speech.say(
                    f"{item.name}: {parts} parts [R{place}]",
                    f"{item.name}: {parts} Teile [R{place}]",
                )
            )
        else:
            lines.append(
                f"{item.name}: {chosen} {of} {parts} {_predicate(item, speech)}"
                f" ({speech.percent(chosen, parts)}) [R{place}]"
            )
    text = ". ".join(lines) + "." + _most(items, slots, speech, figures)
    return Answer(text, speech.language, Source.RECORDS, tuple(cites), tuple(figures))


def _most(items: list[Counted], slots: Slots, speech: Speech, figures: list[Figure]) -> str:
    """Which of several has the most; by share if shares are asked for."""
    by_rate = slots.measure in (Measure.RATE, Measure.YIELD)
    judged = [item for item in items if item.tally.parts]
    if len(judged) < 2:
        return ""
    values = [item.chosen / item.tally.parts if by_rate else item.chosen for item in judged]
    top = max(values)
    if values.count(top) > 1:
        return speech.say(" The highest are equal.", " Die höchsten sind gleich.")
    best = judged[values.index(top)]
    figures.append(Figure("highest", items.index(best) + 1))
    what = speech.say("share" if by_rate else "number", "Anteil" if by_rate else "Zahl")
    return speech.say(
        f" The highest {what}: {best.name}.",
        f" {'Höchster' if by_rate else 'Höchste'} {what}: {best.name}.",
    )


def trend(slots: Slots, desk: Desk, speech: Speech) -> Answer:
    """Hour by hour, or the worst hour."""
    span = slots.spans[0] if slots.spans else today(desk)
    if span.until_ms - span.since_ms > 49 * 3_600_000 and slots.measure is Measure.TREND:
        return counted(replace(slots, measure=Measure.RATE, by="day", compares=False), desk, speech)
    told = desk.records.tally(span, slots.cameras)
    which = slots.which if slots.which is not Which.ALL else Which.REJECTS
    item = Counted(
        named(span, slots.cameras, slots.kinds, speech, told=True),
        span,
        slots.cameras,
        slots.kinds,
        told,
        which,
    )
    cite = counted_citation(item, "R1", desk.calendar)
    hours = told.hours(desk.calendar)
    if not hours:
        return _nothing(item, desk, speech, cite)
    what = _predicate(item, speech)
    if slots.measure in (Measure.WORST_HOUR, Measure.TOP_HOUR):
        return _peak(item, hours, speech, cite, share=slots.measure is Measure.WORST_HOUR)
    listed = ", ".join(
        f"{desk.calendar.local(at):%H:%M} {one.chosen(which, slots.kinds)}/{one.parts}"
        for at, one in hours[-HOURS_SHOWN:]
    )
    text = speech.say(
        f"{item.name}: {item.chosen} of {told.parts} {what}. Hour by hour: {listed}. [R1]",
        f"{item.name}: {item.chosen} von {told.parts} {what}. Stunde für Stunde: {listed}. [R1]",
    )
    figures = [Figure("parts", told.parts), Figure("chosen", item.chosen)]
    figures += [
        Figure(f"hour {at}", one.chosen(which, slots.kinds)) for at, one in hours[-HOURS_SHOWN:]
    ]
    return Answer(text, speech.language, Source.RECORDS, (cite,), tuple(figures))


def _peak(
    item: Counted, hours: list[tuple[int, Tally]], speech: Speech, cite: Citation, *, share: bool
) -> Answer:
    """The hour with the highest share, or number, of the parts that are meant."""
    what = _predicate(item, speech)
    at, worst = max(
        hours,
        key=lambda one: (
            one[1].chosen(item.which, item.kinds) / (one[1].parts if share else 1),
            -one[0],
        ),
    )
    n, of = worst.chosen(item.which, item.kinds), worst.parts
    which_hour = speech.say(
        f"the hour with the highest {'share' if share else 'number'} began at",
        f"Die Stunde mit {'dem höchsten Anteil' if share else 'der höchsten Zahl'} begann am",
    )
    of_them = speech.say("of", "von")
    text = (
        f"{item.name}: {which_hour} {speech.moment(at)}: {n} {of_them} {of} {what}"
        f" ({speech.percent(n, of)}). [R1]"
    )
    return Answer(
        text,
        speech.language,
        Source.RECORDS,
        (cite,),
        (Figure("parts", of), Figure("chosen", n), Figure("at", at)),
    )
