"""Questions of the wording that the rules were made with: 100, over a line with known truth."""

import random

from tests.assistant.recorded_line import CAMERAS, KINDS
from tests.assistant.truth import Asked

GERMAN = {"scratch": "Kratzer", "dent": "Dellen", "chip": "Ausbrüche", "stain": "Flecken",
          "missing_feature": "fehlende Merkmale"}  # fmt: skip
ENGLISH = {"scratch": "scratches", "dent": "dents", "chip": "chips", "stain": "stains",
           "missing_feature": "missing features"}  # fmt: skip
REJECTS = ("fail", "review")


def spans(line):
    """(English, German, span), some of each kind."""
    n = line.now
    yield "yesterday", "gestern", line.day(1)
    yield "today", "heute", (line.at(0, 0), n)
    yield "the day before yesterday", "vorgestern", line.day(2)
    for back, english, german in (
        (1, " yesterday", " gestern"),
        (2, " the day before yesterday", " vorgestern"),
    ):
        for name, word in (
            ("early", "Frühschicht"),
            ("late", "Spätschicht"),
            ("night", "Nachtschicht"),
        ):
            yield f"in the {name} shift{english}", f"in der {word}{german}", line.shift(name, back)
    yield "between 6 and 8 am today", "heute zwischen 6 und 8 Uhr", (line.at(0, 6), line.at(0, 8))
    yield (
        "yesterday from 13:10 to 15:25",
        "gestern von 13:10 bis 15:25 Uhr",
        (line.at(1, 13, 10), line.at(1, 15, 25)),
    )
    yield "since 6:00 today", "heute seit 6 Uhr", (line.at(0, 6), n)
    day = line.at(3, 0).date()
    yield f"on {day:%Y-%m-%d}", f"am {day.day}.{day.month}.{day.year}", line.day(3)
    yield f"on {day.day} {day:%B}", f"am {day.day}.{day.month}.", line.day(3)
    yield "last night", "letzte Nacht", line.shift("night", 1)


def questions(line, count=100, seed=11):
    """`count` questions, half of them German."""
    chance = random.Random(seed)
    made = [*_counts(line, chance), *_compared(line, chance), *_parts(line, chance)]
    chance.shuffle(made)
    english = [one for one in made if one.language == "en"][: count // 2]
    return english + [one for one in made if one.language == "de"][: count - len(english)]


def _counts(line, chance):
    for english, german, span in spans(line):
        kind, camera = chance.choice(KINDS), chance.choice(CAMERAS)
        all_parts = {"parts": line.count(span)[1]}
        fails, rejects = line.figures(span, outcome="fail"), line.figures(span, outcomes=REJECTS)
        typed = line.figures(span, outcomes=REJECTS, kind=kind)
        seen = line.figures(span, outcome="fail", camera=camera)
        good = line.figures(span, outcome="pass")
        rows = [
            (f"How many parts were judged {english}?", (f"Wie viele Teile wurden {german}"
                                                       f" beurteilt?"), all_parts),
            (f"How many parts failed {english}?", f"Wie viele Teile sind {german} durchgefallen?", fails),
            (f"What was the reject rate {english}?", f"Wie hoch war die Fehlerquote {german}?", rejects),
            (f"How many {ENGLISH[kind]} were there {english}?", (f"Wie viele {GERMAN[kind]} gab es"
                                                                f" {german}?"), typed),
            (f"How many parts failed on camera {camera} {english}?",
             f"Wie viele Teile sind {german} auf Kamera {camera} durchgefallen?", seen),
            (f"What was the first-pass yield {english}?", f"Wie war die Erstausbeute {german}?", good),
        ]  # fmt: skip
        for en, de, figures in rows:
            yield Asked(en, "en", figures)
            yield Asked(de, "de", figures)


def _compared(line, chance):
    pairs = [("early", "late"), ("late", "night"), ("early", "night")]
    german = {"early": "Frühschicht", "late": "Spätschicht", "night": "Nachtschicht"}
    for a, b in pairs:
        told = [line.figures(line.shift(one, 1), outcomes=REJECTS) for one in (a, b)]
        figures = {f"{k} {n}": v for n, one in enumerate(told, 1) for k, v in one.items()}
        yield Asked(
            f"Compare the rejects of the {a} shift and the {b} shift yesterday.", "en", figures
        )
        yield Asked(
            f"Gab es gestern in der {german[a]} mehr Fehler als in der {german[b]}?", "de", figures
        )
    told = [line.figures(line.day(1), outcomes=REJECTS, camera=one) for one in sorted(CAMERAS)]
    figures = {f"{k} {n}": v for n, one in enumerate(told, 1) for k, v in one.items()}
    yield Asked("Which camera had the most rejects yesterday?", "en", figures)
    yield Asked("Welche Kamera hatte gestern die meisten Fehler?", "de", figures)


def _parts(line, chance):
    for row in chance.sample(line.rows, 6):
        figures = {"verdicts": 1, **({} if row.score is None else {"score": row.score})}
        yield Asked(f"Why was part {row.part} judged like that?", "en", figures, "verdict")
        yield Asked(f"Was war mit Teil {row.part}?", "de", figures, "verdict")
    for kind in KINDS[:3]:
        last = max(row.at_ms for row in line.rows if row.kind == kind)
        yield Asked(f"When was the last {kind}?", "en", {"at": last}, "verdict")
        yield Asked(
            f"Wann war die letzte Meldung wegen {GERMAN[kind]}?", "de", {"at": last}, "verdict"
        )
