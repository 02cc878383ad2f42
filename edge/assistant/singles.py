"""Replies about single things: a part, the last of its kind, the bundles, the alarms."""

from datetime import datetime

from edge.assistant.answer import Answer, Citation, Figure, Source
from edge.assistant.calendar import Span
from edge.assistant.counts import named
from edge.assistant.slots import Slots
from edge.assistant.sources import Counted, Desk, counted_citation, refusal, verdict_citation
from edge.assistant.speech import OUTCOMES, REASONS, Speech
from edge.assistant.vocabulary import Which
from edge.messages import Alarm
from edge.store import entry
from edge.store.search import Found
from export.verdict import Outcome

ALARMS_SHOWN = 12


def part(slots: Slots, desk: Desk, speech: Speech) -> Answer:
    """The verdicts on one part, each with a link to its picture and heatmap."""
    found = desk.records.part(slots.part) if slots.part_known else []
    if not found:
        return refusal(
            speech, f"the records have no part called {slots.part!r}",
            f"die Aufzeichnungen haben kein Teil namens {slots.part!r}",
        )  # fmt: skip
    lines = [f"{_judged(one, speech)} [R{place}]" for place, one in enumerate(found, 1)]
    label = speech.say("Part", "Teil")
    cites = [
        verdict_citation(one.verdict, f"R{place}", speech) for place, one in enumerate(found, 1)
    ]
    figures = [Figure("verdicts", len(found))]
    if found[0].verdict.score is not None:
        figures.append(Figure("score", found[0].verdict.score))
    return Answer(
        f"{label} {slots.part}: " + "; ".join(lines) + ".",
        speech.language,
        Source.RECORDS,
        tuple(cites),
        tuple(figures),
    )


def _judged(found: Found, speech: Speech) -> str:
    """One verdict in words."""
    told = found.verdict
    text = (
        f"{speech.moment(found.at_ms, seconds=True)}, {speech.say('camera', 'Kamera')}"
        f" {told.camera}: "
    )
    text += (
        f"{OUTCOMES[speech.language][told.outcome.value]}"
        f" ({REASONS[speech.language][told.reason.value]}"
    )
    if kind := entry.kind(told):
        text += f", {speech.kind(kind)}"
    if told.score is not None:
        text += f", {speech.say('score', 'Wert')} {speech.score(told.score)}"
        if told.thresholds is not None and told.outcome is not Outcome.PASS:
            limit = (
                told.thresholds.fail_above
                if told.outcome is Outcome.FAIL
                else told.thresholds.pass_below
            )
            text += f", {speech.say('limit', 'Grenze')} {speech.score(limit)}"
    return text + ")"


def last(slots: Slots, desk: Desk, speech: Speech) -> Answer:
    """The newest verdict of those that are meant."""
    span = slots.spans[0] if slots.spans else None
    found = desk.records.last(slots.which, slots.kinds, slots.cameras, span)
    if found is None:
        return refusal(
            speech, "the records have no such part", "die Aufzeichnungen haben kein solches Teil"
        )
    part = found.verdict.part
    text = speech.say(
        f"The last one was part {part}: {_judged(found, speech)}. [R1]",
        f"Das letzte war Teil {part}: {_judged(found, speech)}. [R1]",
    )
    return Answer(
        text,
        speech.language,
        Source.RECORDS,
        (verdict_citation(found.verdict, "R1", speech),),
        (Figure("at", found.at_ms),),
    )


def bundles(slots: Slots, desk: Desk, speech: Speech) -> Answer:
    """The bundles that judge now, or the changes within a span."""
    if not slots.spans:
        told = [
            (one, bundle)
            for one, bundle in desk.records.running(slots.cameras)
            if bundle is not None
        ]
        if not told:
            return refusal(speech, "no verdict names a bundle", "kein Urteil nennt ein Bundle")
        lines = [
            f"{speech.say('camera', 'Kamera')} {one.verdict.camera}: {bundle.name}"
            f" {bundle.version} ({bundle.variant}) [R{place}]"
            for place, (one, bundle) in enumerate(told, 1)
        ]
        lead = speech.say(
            "The newest verdicts were judged by: ", "Die neuesten Urteile stammen von: "
        )
        cites = [
            verdict_citation(one.verdict, f"R{place}", speech)
            for place, (one, _) in enumerate(told, 1)
        ]
        figures = [Figure(f"version {one.verdict.camera}", bundle.version) for one, bundle in told]
        return Answer(
            lead + "; ".join(lines) + ".",
            speech.language,
            Source.RECORDS,
            tuple(cites),
            tuple(figures),
        )
    return _changes(slots.spans[0], slots, desk, speech)


def _changes(span: Span, slots: Slots, desk: Desk, speech: Speech) -> Answer:
    changes = desk.records.bundle_changes(span, slots.cameras)
    name = named(span, slots.cameras, (), speech, told=True)
    if not changes:
        item = Counted(
            name, span, slots.cameras, (), desk.records.tally(span, slots.cameras), Which.ALL
        )
        text = speech.say(
            f"{name}: the bundle was not changed. [R1]",
            f"{name}: Das Bundle wurde nicht gewechselt. [R1]",
        )
        return Answer(
            text,
            speech.language,
            Source.RECORDS,
            (counted_citation(item, "R1", desk.calendar),),
            (Figure("changes", 0),),
        )
    lines: list[str] = []
    for place, one in enumerate(changes, 1):
        assert one.bundle is not None
        at = speech.moment(entry.at_ms(one, 0), seconds=True)
        lines.append(
            f"{at}, {speech.say('camera', 'Kamera')} {one.camera}: {one.bundle.name}"
            f" {one.bundle.version} [R{place}]"
        )
    count = len(changes)
    lead = speech.say(
        f"{name}: {count} bundle change{'s' if count > 1 else ''}. ",
        f"{name}: {count} Bundlewechsel. ",
    )
    cites = [verdict_citation(one, f"R{place}", speech) for place, one in enumerate(changes, 1)]
    return Answer(
        lead + "; ".join(lines) + ".",
        speech.language,
        Source.RECORDS,
        tuple(cites),
        (Figure("changes", count),),
    )


def alarms(slots: Slots, desk: Desk, speech: Speech) -> Answer:
    """The alarms that stand, as the box last published them."""
    if desk.alarms is None or slots.spans:
        return refusal(
            speech, "the alarms of the past are not recorded here, and the present ones were not"
                    " heard from the broker"
            if desk.alarms is None else "alarms of the past are not recorded here: ask for those"
                                        " that stand now",
            "frühere Alarme sind hier nicht aufgezeichnet, und die jetzigen wurden vom Broker"
            " nicht gehört"
            if desk.alarms is None else "frühere Alarme sind hier nicht aufgezeichnet: Fragen Sie"
                                        " nach den jetzigen",
        )  # fmt: skip
    standing = [one for one in desk.alarms.list.alarms if one.state == "raised"]
    cite = Citation("R1", "alarms", speech.say("Alarms", "Alarme"), "/health")
    figures = (Figure("alarms", len(standing)),)
    lead_in = {
        True: "",
        False: speech.say("The box is not running; as it stopped: ",
                          "Die Box läuft nicht; als sie hielt: "),
        None: speech.say("Whether the box runs isn't known; as it said last: ",
                         "Ob die Box läuft, ist nicht bekannt; zuletzt gemeldet: "),
    }[desk.alarms.running]  # fmt: skip
    if not standing:
        said = speech.say("No alarm stands. [R1]", "Es steht kein Alarm an. [R1]")
    else:
        many = len(standing) != 1
        lead = speech.say(
            f"{len(standing)} alarm{'s stand' if many else ' stands'}",
            f"{len(standing)} Alarm{'e stehen' if many else ' steht'} an",
        )
        told = "; ".join(_alarm(one, speech) for one in standing[:ALARMS_SHOWN])
        if (rest := len(standing) - ALARMS_SHOWN) > 0:
            told += speech.say(f"; and {rest} more", f"; und {rest} weitere")
        said = f"{lead}: {told}. [R1]"
    return Answer(lead_in + said, speech.language, Source.RECORDS, (cite,), figures)


def _alarm(one: Alarm, speech: Speech) -> str:
    """An alarm in words; its picture's place on the box's disk is nothing to an operator."""
    try:
        since_ms = round(datetime.fromisoformat(one.since).timestamp() * 1000)
        since = f" {speech.say('since', 'seit')} {speech.moment(since_ms)}"
    except (ValueError, OverflowError, OSError):
        since = ""  # whoever published it wrote no time
    detail = one.detail.partition("; picture:")[0].rstrip(". ")
    about = f"{one.name} ({one.source}, {one.severity.value}){since}"
    return f"{about}: {detail}" if detail else about
