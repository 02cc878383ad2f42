"""Questions of a seventh wording, 100, over a line with known truth: plain questions at a panel.

By a stranger to the rules.
"""

import random
from datetime import timedelta
from itertools import cycle, islice

from tests.assistant.recorded_line import KINDS
from tests.assistant.truth import Asked

REJECTS = ("fail", "review")
ENGLISH = dict(
    zip(KINDS, ("scratches", "dents", "chips", "stains", "missing features"), strict=True)
)
GERMAN = dict(
    zip(KINDS, ("Kratzer", "Dellen", "Ausbrüche", "Flecken", "fehlende Merkmale"), strict=True)
)
WHAT = {  # what is counted, as the truth says it
    "all": {}, "passed": {"outcome": "pass"}, "fail": {"outcome": "fail"}, "rejects": {"outcomes": REJECTS}, "kind": {"outcomes": REJECTS},
    "review": {"outcome": "review"}, "side all": {"camera": "side"}, "side fail": {"camera": "side", "outcome": "fail"},
    "top rejects": {"camera": "top", "outcomes": REJECTS}, "types": {"outcomes": REJECTS},
    "novel": {"reasons": ("unlike_the_training_parts",)}, "timeout": {"reasons": ("no_result_before_the_deadline",)},
}  # fmt: skip
TOLD = (  # (what, English, German); {t} is a time, {s} the same in short, {k} a type
    ("all", "How many parts did we inspect {t}?", "Wie viele Teile haben wir {t} geprüft?"),
    ("all", "Total parts {s}?", "Teile gesamt {s}?"),
    ("all", "Can you tell me how many parts the line checked {t}?", "Können Sie mir sagen, wie viele Teile {t} geprüft wurden?"),
    ("all", "Part count {s}, please.", "Stückzahl {s} bitte."),
    ("passed", "How many parts passed {t}?", "Wie viele Teile waren {t} in Ordnung?"),
    ("passed", "Good parts {s}?", "Gutteile {s}?"),
    ("passed", "I need the number of good parts {t}.", "Ich brauche die Anzahl der guten Teile {t}."),
    ("fail", "How many parts failed {t}?", "Wie viele Teile sind {t} durchgefallen?"),
    ("fail", "Failed parts {s}?", "Durchgefallene Teile {s}?"),
    ("fail", "What percentage of parts failed {t}?", "Wie viel Prozent der Teile sind {t} durchgefallen?"),
    ("fail", "Please show me the number of fails {t}.", "Bitte zeig mir, wie viele Teile {t} durchgefallen sind."),
    ("rejects", "How many rejects did we have {t}?", "Wie viele fehlerhafte Teile hatten wir {t}?"),
    ("rejects", "Rejects {s}?", "Fehlerteile {s}?"),
    ("rejects", "How many parts were rejected {t}, please?", "Wie viele Teile wurden {t} aussortiert?"),
    ("rejects", "Okay, and how many parts did not pass {t}?", "Okay, und wie viele Teile waren {t} nicht gut?"),
    ("rejects", "What was the reject rate {t}?", "Wie hoch war die Fehlerquote {t}?"),
    ("rejects", "Reject rate {s}?", "Fehlerquote {s}?"),
    ("rejects", "How high was the share of rejects {t}?", "Welcher Anteil der Teile war {t} fehlerhaft?"),
    ("rejects", "Could you give me the rejects in percent {t}?", "Wie viel Prozent der Teile wurden {t} aussortiert?"),
    ("passed", "What was our first-pass yield {t}?", "Wie war die Erstausbeute {t}?"),
    ("passed", "Yield {s}?", "Ausbeute {s}?"),
    ("passed", "I'd like to see the first-pass yield {t}.", "Ich hätte gern die Erstausbeute {t}."),
    ("review", "How many parts went to review {t}?", "Wie viele Teile gingen {t} ins Review?"),
    ("review", "Reviews {s}?", "Prüffälle {s}?"),
    ("review", "How many parts were marked for review {t}?", "Wie viele Teile mussten {t} zum Review?"),
    ("kind", "How many {k} did we find {t}?", "Wie viele {k} haben wir {t} gefunden?"),
    ("kind", "{k} {s}?", "{k} {s}?"),
    ("kind", "How many parts had {k} {t}?", "Wie viele Teile hatten {t} {k}?"),
    ("kind", "Do we know how many {k} were detected {t}?", "Weiß man, wie viele {k} {t} erkannt wurden?"),
    ("side all", "How many parts did the side camera inspect {t}?", "Wie viele Teile hat die Kamera side {t} geprüft?"),
    ("side fail", "How many parts failed on the side camera {t}?", "Wie viele Teile sind {t} an der Kamera side durchgefallen?"),
    ("top rejects", "Camera top, reject rate {s}?", "Kamera top, Fehlerquote {s}?"),
    ("types", "Which defects did we have {t}, and how many of each?", "Welche Fehler hatten wir {t}, und wie viele von jedem?"),
    ("types", "Defect types {s}?", "Fehlerarten {s}?"),
    ("types", "Please break down the rejects by defect type {t}.", "Bitte die Fehler {t} nach Fehlerart aufschlüsseln."),
    ("novel", "How many novel parts were there {t}?", "Wie viele neuartige Teile gab es {t}?"),
    ("timeout", "How many parts got no result before the deadline {t}?", "Bei wie vielen Teilen gab es {t} kein Ergebnis vor der Frist?"),
)  # fmt: skip


def times(line):
    """(English, in short, German, in short, span); the line's now is a Wednesday, 10:30."""
    now, at, day, shift = line.now, line.at, line.day, line.shift
    return [
        ("today", "today", "heute", "heute", day(0)),
        ("yesterday", "yesterday", "gestern", "gestern", day(1)),
        ("the day before yesterday", "day before yesterday", "vorgestern", "vorgestern", day(2)),
        ("last Friday", "last Friday", "letzten Freitag", "letzten Freitag", day(5)),
        ("on Sunday", "Sunday", "am Sonntag", "Sonntag", day(3)),
        ("on 19 November", "19 Nov", "am 19. November", "19.11.", day(6)),
        ("on 23 November 2026", "2026-11-23", "am 23.11.2026", "23.11.2026", day(2)),
        ("a week ago today", "a week ago today", "heute vor einer Woche", "heute vor einer Woche", day(7)),
        ("in yesterday's early shift", "early shift yesterday", "gestern in der Frühschicht", "Frühschicht gestern", shift("early", 1)),
        ("in the late shift yesterday", "yesterday late shift", "in der Spätschicht gestern", "gestern Spätschicht", shift("late", 1)),
        ("in the last night shift", "last night shift", "in der letzten Nachtschicht", "letzte Nachtschicht", shift("night", 1)),
        ("in the current shift", "this shift", "in der laufenden Schicht", "diese Schicht", shift("early", 0)),
        ("in the early shift on Monday", "early shift Monday", "am Montag in der Frühschicht", "Frühschicht Montag", shift("early", 2)),
        ("in Thursday's late shift", "late shift Thursday", "in der Spätschicht am Donnerstag", "Spätschicht Donnerstag", shift("late", 6)),
        ("in the night shift from Monday to Tuesday", "night shift Monday to Tuesday", "in der Nachtschicht von Montag auf Dienstag",
         "Nachtschicht Montag auf Dienstag", shift("night", 2)),
        ("between 8 and 10 this morning", "8 to 10 today", "heute zwischen 8 und 10 Uhr", "heute 8 bis 10 Uhr", (at(0, 8), at(0, 10))),
        ("yesterday between 2 pm and 4 pm", "2 pm to 4 pm yesterday", "gestern zwischen 14 und 16 Uhr", "gestern 14-16 Uhr", (at(1, 14), at(1, 16))),
        ("from 7:30 to 8:15 this morning", "today 7:30 to 8:15", "heute von 7:30 bis 8:15 Uhr", "heute 7:30 bis 8:15", (at(0, 7, 30), at(0, 8, 15))),
        ("on Saturday between 10 am and noon", "Saturday 10 am to 12 noon", "am Samstag zwischen 10 und 12 Uhr", "Samstag 10 bis 12 Uhr", (at(4, 10), at(4, 12))),
        ("yesterday after 6 pm", "yesterday after 6 pm", "gestern nach 18 Uhr", "gestern ab 18 Uhr", (at(1, 18), at(0, 0))),
        ("since 6 this morning", "since 6:00 today", "seit heute früh um 6", "seit heute 6 Uhr", (at(0, 6), now)),
        ("since noon yesterday", "since yesterday noon", "seit gestern Mittag", "seit gestern 12 Uhr", (at(1, 12), now)),
        ("since Monday", "since Monday", "seit Montag", "seit Montag", (at(2, 0), now)),
        ("in the last half hour", "last half hour", "in der letzten halben Stunde", "letzte halbe Stunde", (now - timedelta(minutes=30), now)),
        ("in the last 60 minutes", "last 60 minutes", "in den letzten 60 Minuten", "letzte 60 Minuten", (now - timedelta(hours=1), now)),
        ("in the last two hours", "last 2 hours", "in den letzten zwei Stunden", "letzte 2 Stunden", (now - timedelta(hours=2), now)),
        ("in the last 24 hours", "last 24 hours", "in den letzten 24 Stunden", "letzte 24 Stunden", (now - timedelta(hours=24), now)),
        ("in the first hour of today's early shift", "first hour of today's early shift", "in der ersten Stunde der Frühschicht heute",
         "erste Stunde Frühschicht heute", (at(0, 6), at(0, 7))),
        ("in the last two hours of yesterday's late shift", "last two hours of the late shift yesterday", "in den letzten zwei Stunden der Spätschicht gestern",
         "letzte zwei Stunden Spätschicht gestern", (at(1, 20), at(1, 22))),
        ("this week", "this week", "diese Woche", "diese Woche", (at(2, 0), now)),
        ("last week", "last week", "letzte Woche", "letzte Woche", (at(9, 0), at(2, 0))),
        ("over the weekend", "weekend", "am Wochenende", "Wochenende", (at(4, 0), at(2, 0))),
        ("in calendar week 47", "week 47", "in KW 47", "KW 47", (at(9, 0), at(2, 0))),
        ("last week from Monday to Wednesday", "last week Monday to Wednesday", "letzte Woche von Montag bis Mittwoch", "letzte Woche Mo bis Mi", (at(9, 0), at(6, 0))),
        ("from 20 to 22 November", "20 to 22 Nov", "vom 20. bis 22. November", "20. bis 22.11.", (at(5, 0), at(2, 0))),
        ("this month", "this month", "diesen Monat", "diesen Monat", (at(24, 0), now)),
    ]  # fmt: skip


def questions(line, seed=20261):
    """100 questions, half of them German."""
    chance = random.Random(seed)
    return [one for code in ("en", "de") for one in (*_counted(line, code, chance), *_others(line, code, chance))]  # fmt: skip


def _counted(line, code, chance):
    kinds, spans = cycle(chance.sample(KINDS, len(KINDS))), times(line)
    dealt = islice(cycle(chance.sample(spans, len(spans))), len(TOLD))
    for (what, english, german), (en, en_short, de, de_short, span) in zip(TOLD, dealt, strict=True):  # fmt: skip
        kind = next(kinds) if what == "kind" else None
        told = {"t": en, "s": en_short, "k": ENGLISH.get(kind)}
        if code == "de":
            told = {"t": de, "s": de_short, "k": GERMAN.get(kind)}
        figures = line.figures(span, kind=kind, **WHAT[what])
        if what.endswith("all"):
            del figures["chosen"]
        if what == "types":
            figures["rejects"] = figures.pop("chosen")
            counts = {one: line.count(span, outcomes=REJECTS, kind=one)[0] for one in KINDS}
            figures |= {f"type {one}": n for one, n in counts.items() if n}
        text = (english if code == "en" else german).format(**told)
        yield Asked(text[0].upper() + text[1:], code, figures)


def _others(line, code, chance):
    def both(english, german, figures, cites="verdicts"):
        return Asked(german if code == "de" else english, code, figures, cites)

    yield both("Please list the rejects for each hour of yesterday's late shift.", "Fehler je Stunde gestern in der Spätschicht, bitte als Liste.",
               _hourly(line, line.shift("late", 1)))  # fmt: skip
    yield both("Which hour had the most rejects last Friday?", "In welcher Stunde gab es letzten Freitag die meisten fehlerhaften Teile?",
               _worst(line, line.day(5), lambda told: told["chosen"]))  # fmt: skip
    yield both("What was our worst hour on Monday by reject rate?", "Welche Stunde hatte am Montag die höchste Fehlerquote?",
               _worst(line, line.day(2), _share))  # fmt: skip
    rejects = {"outcomes": REJECTS}
    yield both("Early or late shift yesterday: which one had more rejects?", "Frühschicht oder Spätschicht gestern: wer hatte mehr fehlerhafte Teile?",
               _beside([line.figures(line.shift(one, 1), **rejects) for one in ("early", "late")]))  # fmt: skip
    yield both("Which camera rejected more parts yesterday, top or side?", "Welche Kamera hat gestern mehr Teile aussortiert, top oder side?",
               _beside([line.figures(line.day(1), camera=one, **rejects) for one in ("top", "side")]))  # fmt: skip
    yield both("Was the reject rate higher on Monday or on Tuesday?", "War die Fehlerquote am Montag oder am Dienstag höher?",
               _beside([line.figures(line.day(back), **rejects) for back in (2, 1)]))  # fmt: skip
    week = line.at(9, 0), line.at(2, 0)
    yield both("Did we have more dents or more stains last week?", "Hatten wir letzte Woche mehr Dellen oder mehr Flecken?",
               _beside([line.figures(week, kind=one, **rejects) for one in ("dent", "stain")]))  # fmt: skip
    last = {"at": max(row.at_ms for row in line.rows if row.outcome == "fail")}
    yield both("When did a part last fail?", "Wann ist zuletzt ein Teil durchgefallen?", last, "verdict")  # fmt: skip
    last = {"at": max(row.at_ms for row in line.rows if row.kind == "scratch")}
    yield both("What time was the last scratch?", "Um wie viel Uhr war der letzte Kratzer?", last, "verdict")  # fmt: skip
    row = chance.choice([row for row in line.rows if row.kind and row.outcome == "fail"])
    history = {"verdicts": 1, "score": row.score}
    yield both(f"Why was {row.part} rejected?", f"Warum wurde {row.part} aussortiert?", history, "verdict")  # fmt: skip
    row = chance.choice([row for row in line.rows if row.outcome == "pass"])
    history = {"verdicts": 1, "score": row.score}
    yield both(f"What was the result for part {row.part}?", f"Welches Ergebnis hatte Teil {row.part}?", history, "verdict")  # fmt: skip
    bundle = {"version top": 4, "version side": 4}
    yield both("When was the bundle last changed?", "Wann wurde das Bundle zuletzt gewechselt?", bundle, "verdict")  # fmt: skip
    yield both("Did we get a new bundle yesterday?", "Gab es gestern einen Bundle-Wechsel?", {"changes": 2}, "verdict")  # fmt: skip


def _share(told):
    return told["chosen"] / told["parts"]


def _hours(line, span):
    """{first moment: figures} of a span's hours."""
    since, until = (round(one.timestamp() * 1000) for one in span)
    hours = ((span[0] + timedelta(hours=n), span[0] + timedelta(hours=n + 1)) for n in range((until - since) // 3_600_000))  # fmt: skip
    return {round(one[0].timestamp() * 1000): line.figures(one, outcomes=REJECTS) for one in hours}


def _hourly(line, span):
    hours = {f"hour {at}": told["chosen"] for at, told in _hours(line, span).items()}
    return {**line.figures(span, outcomes=REJECTS), **hours}


def _worst(line, span, by):
    hours = _hours(line, span)
    at = max(hours, key=lambda one: by(hours[one]))
    return {"at": at, "chosen": hours[at]["chosen"]}


def _beside(told):
    """Figures side by side, and which is higher, by number and by share alike."""
    figures = {f"{name} {n}": value for n, one in enumerate(told, 1) for name, value in one.items()}
    return {**figures, "highest": 1 + max(range(len(told)), key=lambda n: _share(told[n]))}
