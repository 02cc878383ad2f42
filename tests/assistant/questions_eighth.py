"""Questions of an eighth wording, 100, over a line with known truth: plain questions at a panel.

By another stranger to the rules.
"""

import random
from datetime import timedelta
from itertools import cycle, islice

from tests.assistant.recorded_line import KINDS
from tests.assistant.truth import Asked

REJECTS = ("fail", "review")
ENGLISH = dict(zip(KINDS, ("scratches", "dents", "chips", "stains", "missing features"), strict=True))  # fmt: skip
GERMAN = dict(zip(KINDS, ("Kratzer", "Dellen", "Ausbrüche", "Flecken", "fehlende Merkmale"), strict=True))  # fmt: skip
DATIVE = dict(zip(KINDS, ("Kratzern", "Dellen", "Ausbrüchen", "Flecken", "fehlenden Merkmalen"), strict=True))  # fmt: skip
WHAT = {  # what is counted, as the truth says it
    "all": {}, "passed": {"outcome": "pass"}, "fail": {"outcome": "fail"}, "rejects": {"outcomes": REJECTS}, "review": {"outcome": "review"},
    "kind": {"outcomes": REJECTS}, "kind fail": {"outcome": "fail"}, "kind top": {"camera": "top", "outcomes": REJECTS},
    "side rejects": {"camera": "side", "outcomes": REJECTS}, "top fail": {"camera": "top", "outcome": "fail"},
    "side passed": {"camera": "side", "outcome": "pass"}, "top all": {"camera": "top"}, "types": {"outcomes": REJECTS},
    "novel": {"reasons": ("unlike_the_training_parts",)}, "late": {"reasons": ("no_result_before_the_deadline",)},
}  # fmt: skip
TOLD = (  # (what, English, German); {t} is a time, {s} and {S} the same in short, {k} a type, {d} its dative
    ("all", "How many parts did we run {t}?", "Wie viele Teile sind {t} gelaufen?"),
    ("all", "Number of inspected parts {s}?", "Anzahl geprüfter Teile {s}?"),
    ("all", "Please give me the total of parts checked {t}.", "Wie viele Teile wurden {t} insgesamt geprüft, bitte?"),
    ("passed", "How many OK parts did we make {t}?", "Wie viele Teile haben {t} bestanden?"),
    ("passed", "{S}: OK parts?", "{S}: i.O.-Teile?"),
    ("passed", "What yield did we have {t}?", "Welche Ausbeute hatten wir {t}?"),
    ("passed", "FPY {s}?", "Gutquote {s}?"),
    ("passed", "What percentage of the parts was OK {t}?", "Wie viel Prozent der Teile waren {t} i.O.?"),
    ("fail", "Can you show me how many parts failed {t}?", "Kannst du mir anzeigen, wie viele Teile {t} durchgefallen sind?"),
    ("fail", "What was the fail rate {t}?", "Wie groß war {t} der Anteil der durchgefallenen Teile?"),
    ("fail", "Scrap rate {s}?", "Durchfallquote {s}?"),
    ("rejects", "How many rejected parts were there {t}?", "Wie viele n.i.O.-Teile gab es {t}?"),
    ("rejects", "{S} - number of rejects?", "{S} - Anzahl Fehlerteile?"),
    ("rejects", "I need to know how many parts were rejected {t}.", "Ich muss wissen, wie viele Teile {t} ausgeschleust wurden."),
    ("rejects", "How many NOK parts did we have {t}?", "Wie viele Teile waren {t} nicht in Ordnung?"),
    ("rejects", "Give me the reject rate {t}, please.", "Wie hoch war bitte {t} die n.i.O.-Quote?"),
    ("rejects", "Reject percentage {s}?", "Fehlerquote in Prozent {s}?"),
    ("rejects", "How many defective parts were found {t}?", "Wie viele fehlerhafte Teile wurden {t} erkannt?"),
    ("review", "How many parts were sent to review {t}?", "Wie viele Teile wurden {t} zum Review geschickt?"),
    ("review", "Review count {s}?", "Anzahl Review-Teile {s}?"),
    ("review", "What share of the parts needed review {t}?", "Wie hoch war der Anteil der Review-Teile {t}?"),
    ("kind", "How many parts with {k} were there {t}?", "Wie viele Teile mit {d} gab es {t}?"),
    ("kind", "Number of {k} {s}?", "Anzahl {k} {s}?"),
    ("kind", "Did we see any {k} {t}, and how many?", "Gab es {t} {k}, und wenn ja, wie viele?"),
    ("kind", "What percentage of all parts had {k} {t}?", "Wie viel Prozent aller Teile hatten {t} {k}?"),
    ("kind fail", "How many parts failed because of {k} {t}?", "Wie viele Teile sind {t} wegen {d} durchgefallen?"),
    ("side rejects", "How many rejects did the side camera have {t}?", "Wie viele n.i.O.-Teile hatte die Kamera side {t}?"),
    ("top fail", "Failed parts on camera top {s}?", "Durchgefallene Teile Kamera top {s}?"),
    ("side passed", "What was the yield on the side camera {t}?", "Wie hoch war {t} die Ausbeute an Kamera side?"),
    ("top all", "How many parts did camera top look at {t}?", "Wie viele Teile hat Kamera top {t} gesehen?"),
    ("kind top", "How many {k} did the top camera detect {t}?", "Wie viele {k} hat die Kamera top {t} gefunden?"),
    ("types", "What types of defects did we have {t}?", "Welche Fehlerarten gab es {t}?"),
    ("types", "Breakdown of rejects by defect type {s}, please.", "Aufteilung der Fehler nach Art {s}, bitte."),
    ("types", "What was the most common type of defect {t}?", "Was war {t} die häufigste Fehlerart?"),
    ("novel", "How many novel parts were there {t}?", "Wie viele neuartige Teile gab es {t}?"),
    ("late", "How many parts got no result in time {t}?", "Wie viele Teile bekamen {t} nicht rechtzeitig ein Ergebnis?"),
)  # fmt: skip


def times(line):
    """(English, the same in short, German, the same in short, its span)."""
    at, now = line.at, line.now
    return [
        ("today", "today", "heute", "heute", (at(0, 0), now)),
        ("yesterday", "yesterday", "gestern", "gestern", line.day(1)),
        ("the day before yesterday", "day before yesterday", "vorgestern", "vorgestern", line.day(2)),
        ("on Friday", "Friday", "am Freitag", "Freitag", line.day(5)),
        ("on 19 November", "19 Nov", "am 19. November", "19.11.", line.day(6)),
        ("on Saturday, 21 November", "Sat 21 Nov", "am Samstag, dem 21. November,", "Samstag 21.11.", line.day(4)),
        ("on 2026-11-18", "2026-11-18", "am 18.11.2026", "18.11.2026", line.day(7)),
        ("this week", "this week", "diese Woche", "diese Woche", (at(2, 0), now)),
        ("last week", "last week", "letzte Woche", "letzte Woche", (at(9, 0), at(2, 0))),
        ("in week 47", "week 47", "in KW 47", "KW 47", (at(9, 0), at(2, 0))),
        ("this month", "this month", "diesen Monat", "dieser Monat", (at(24, 0), now)),
        ("over the weekend", "weekend", "am Wochenende", "Wochenende", (at(4, 0), at(2, 0))),
        ("since Monday", "since Monday", "seit Montag", "seit Montag", (at(2, 0), now)),
        ("from 17 to 19 November", "17-19 Nov", "vom 17. bis 19. November", "17.-19.11.", (at(8, 0), at(5, 0))),
        ("from Monday to Wednesday last week", "Mon to Wed last week", "letzte Woche von Montag bis Mittwoch", "Mo-Mi letzte Woche", (at(9, 0), at(6, 0))),
        ("in yesterday's early shift", "early shift yesterday", "in der Frühschicht gestern", "Frühschicht gestern", line.shift("early", 1)),
        ("in Monday's late shift", "late shift Monday", "in der Spätschicht am Montag", "Spätschicht Montag", line.shift("late", 2)),
        ("in the last night shift", "last night shift", "in der letzten Nachtschicht", "letzte Nachtschicht", line.shift("night", 1)),
        ("in the night shift from Sunday to Monday", "night shift Sunday to Monday", "in der Nachtschicht von Sonntag auf Montag", "Nachtschicht Sonntag/Montag", line.shift("night", 3)),
        ("in the current shift", "current shift", "in der laufenden Schicht", "laufende Schicht", (at(0, 6), now)),
        ("in the first two hours of yesterday's late shift", "first 2 hours of late shift yesterday", "in den ersten zwei Stunden der Spätschicht gestern", "erste 2 Stunden Spätschicht gestern", (at(1, 14), at(1, 16))),
        ("between 8 and 10 this morning", "8 to 10 this morning", "heute zwischen 8 und 10 Uhr", "heute 8-10 Uhr", (at(0, 8), at(0, 10))),
        ("today between 6:15 and 7:45", "today 6:15-7:45", "heute von 6:15 bis 7:45 Uhr", "heute 6:15-7:45 Uhr", (at(0, 6, 15), at(0, 7, 45))),
        ("yesterday from 14:00 to 18:00", "yesterday 14:00-18:00", "gestern von 14 bis 18 Uhr", "gestern 14-18 Uhr", (at(1, 14), at(1, 18))),
        ("yesterday between 10 pm and midnight", "yesterday 10 pm to midnight", "gestern zwischen 22 Uhr und Mitternacht", "gestern 22-24 Uhr", (at(1, 22), at(0, 0))),
        ("from Monday 22:00 to Tuesday 6:00", "Monday 22:00 to Tuesday 6:00", "von Montag 22 Uhr bis Dienstag 6 Uhr", "Montag 22 Uhr bis Dienstag 6 Uhr", (at(2, 22), at(1, 6))),
        ("since 6 this morning", "since 6 am today", "heute seit 6 Uhr", "seit heute 6 Uhr", (at(0, 6), now)),
        ("since midnight", "since midnight", "seit Mitternacht", "seit Mitternacht", (at(0, 0), now)),
        ("in the last two hours", "last 2 hours", "in den letzten zwei Stunden", "letzte 2 Stunden", (at(0, 8, 30), now)),
        ("in the last 30 minutes", "last 30 min", "in den letzten 30 Minuten", "letzte 30 min", (at(0, 10), now)),
        ("in the last 24 hours", "last 24 h", "in den letzten 24 Stunden", "letzte 24 h", (at(1, 10, 30), now)),
        ("on Thursday between 20:00 and 24:00", "Thursday 20:00-24:00", "am Donnerstag zwischen 20 und 24 Uhr", "Donnerstag 20-24 Uhr", (at(6, 20), at(5, 0))),
    ]  # fmt: skip


def questions(line, seed=81127):
    """100 questions, half of them German."""
    chance = random.Random(seed)
    return [one for code in ("en", "de") for one in (*_counted(line, code, chance), *_others(line, code, chance))]  # fmt: skip


def _counted(line, code, chance):
    kinds, spans = cycle(chance.sample(KINDS, len(KINDS))), times(line)
    dealt = islice(cycle(chance.sample(spans, len(spans))), len(TOLD))
    for (what, english, german), (en, en_short, de, de_short, span) in zip(TOLD, dealt, strict=True):  # fmt: skip
        kind = next(kinds) if what.startswith("kind") else None
        text, time, short, type_ = (english, en, en_short, ENGLISH.get(kind)) if code == "en" else (german, de, de_short, GERMAN.get(kind))  # fmt: skip
        text = text.format(t=time, s=short, S=short[0].upper() + short[1:], k=type_, d=DATIVE.get(kind))  # fmt: skip
        text = text.replace(",?", "?").replace(",,", ",")
        figures = line.figures(span, kind=kind, **WHAT[what])
        if what.endswith("all"):
            del figures["chosen"]
        if what == "types":
            figures["rejects"] = figures.pop("chosen")
            counts = {one: line.count(span, outcomes=REJECTS, kind=one)[0] for one in KINDS}
            figures |= {f"type {one}": n for one, n in counts.items() if n}
        yield Asked(text, code, figures)


def _others(line, code, chance):
    rejects, fails, passes = {"outcomes": REJECTS}, {"outcome": "fail"}, {"outcome": "pass"}
    week = line.at(9, 0), line.at(2, 0)
    stopped = [row for row in line.rows if row.kind and row.outcome == "fail"]
    part, checked, good = (
        chance.choice(rows)
        for rows in (stopped, [row for row in line.rows if row.kind and row.outcome == "review"], [row for row in line.rows if row.outcome == "pass"])
    )  # fmt: skip
    chips = [row for row in line.rows if row.kind == "chip" and row.camera == "side"]
    for english, german, figures, cites in (
        ("Show me the rejects hour by hour for yesterday's early shift.", "Fehlerteile Stunde für Stunde in der Frühschicht gestern?",
         _hourly(line, line.shift("early", 1), rejects), "verdicts"),
        ("List the failed parts hour by hour for the late shift on Friday.", "Zeigen Sie mir bitte stündlich die durchgefallenen Teile der Spätschicht am Freitag.",
         _hourly(line, line.shift("late", 5), fails), "verdicts"),
        ("In which hour did we have the most rejects on Saturday?", "In welcher Stunde hatten wir am Samstag die meisten Fehlerteile?",
         _worst(line, line.day(4), rejects, lambda told: told["chosen"]), "verdicts"),
        ("Which hour of Monday's early shift had the highest reject rate?", "Welche Stunde der Frühschicht am Montag hatte die höchste Fehlerquote?",
         _worst(line, line.shift("early", 2), rejects, _share), "verdicts"),
        ("Which shift had the higher reject rate on Monday, early or late?", "Welche Schicht hatte am Montag die höhere Fehlerquote, Früh oder Spät?",
         _beside([line.figures(line.shift(one, 2), **rejects) for one in ("early", "late")]), "verdicts"),
        ("Was the reject rate yesterday higher on the top camera or on the side camera?", "War die Fehlerquote gestern an Kamera top oder an Kamera side höher?",
         _beside([line.figures(line.day(1), camera=one, **rejects) for one in ("top", "side")]), "verdicts"),
        ("On which day was the yield higher, Thursday or Friday?", "An welchem Tag war die Ausbeute höher, Donnerstag oder Freitag?",
         _beside([line.figures(line.day(back), **passes) for back in (6, 5)]), "verdicts"),
        ("Did we have more scratches or more chips last week?", "Hatten wir letzte Woche mehr Kratzer oder mehr Ausbrüche?",
         _beside([line.figures(week, kind=one, **rejects) for one in ("scratch", "chip")]), "verdicts"),
        ("Which part was the last one to fail?", "Welches Teil ist als letztes durchgefallen?",
         {"at": max(row.at_ms for row in line.rows if row.outcome == "fail")}, "verdict"),
        ("When did the side camera last find a chip?", "Wann hat die Kamera side zuletzt einen Ausbruch gefunden?",
         {"at": max(row.at_ms for row in chips)}, "verdict"),
        *((text, deutsch, {"verdicts": 1, "score": row.score}, "verdict") for text, deutsch, row in (
            (f"Why was part {part.part} rejected?", f"Warum wurde Teil {part.part} ausgeschleust?", part),
            (f"Why did {checked.part} go to review?", f"Weshalb kam {checked.part} ins Review?", checked),
            (f"What was the result for part {good.part}?", f"Welches Ergebnis hatte Teil {good.part}?", good),
        )),
        ("How many bundle changes were there this week?", "Wie oft wurde diese Woche das Bundle gewechselt?", {"changes": 2}, "verdict"),
    ):  # fmt: skip
        yield Asked(german if code == "de" else english, code, figures, cites)


def _share(told):
    return told["chosen"] / told["parts"]


def _hours(line, span, what):
    """{first moment: figures} of a span's hours."""
    since, until = (round(one.timestamp() * 1000) for one in span)
    hours = ((span[0] + timedelta(hours=n), span[0] + timedelta(hours=n + 1)) for n in range((until - since) // 3_600_000))  # fmt: skip
    return {round(one[0].timestamp() * 1000): line.figures(one, **what) for one in hours}


def _hourly(line, span, what):
    hours = {f"hour {at}": told["chosen"] for at, told in _hours(line, span, what).items()}
    return {**line.figures(span, **what), **hours}


def _worst(line, span, what, by):
    hours = _hours(line, span, what)
    at = max(hours, key=lambda one: by(hours[one]))
    return {"at": at, "chosen": hours[at]["chosen"]}


def _beside(told):
    """Figures side by side, and which share is the highest."""
    figures = {f"{name} {n}": value for n, one in enumerate(told, 1) for name, value in one.items()}
    return {**figures, "highest": 1 + max(range(len(told)), key=lambda n: _share(told[n]))}
