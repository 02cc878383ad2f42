"""Questions of a sixth wording, 100, over a line with known truth: a shift leader talks to a box.

Written by whoever wrote the rules, when they stood, and never learnt from.
"""

import random

from tests.assistant.questions_fifth import spans, truth
from tests.assistant.recorded_line import KINDS
from tests.assistant.truth import Asked

REJECTS = ("fail", "review")
ENGLISH = {"scratch": ("scratch", "scratches"), "dent": ("dent", "dents"), "chip": ("chip", "chips"),
           "stain": ("stain", "stains"), "missing_feature": ("missing feature", "missing features")}  # fmt: skip
GERMAN = {"scratch": "Kratzer", "dent": "Dellen", "chip": "Ausbrüche", "stain": "Flecken",
          "missing_feature": "fehlende Merkmale"}  # fmt: skip
TOLD = {  # what is counted: (English, German); {t} is a time, {k} a type
    "all": (
        ["How many parts have we put past the cameras {t}?", "{t}: how many parts all told?", "What is the tally of inspected parts {t}?",
         "Hi, what number of parts did the box judge {t}?", "How many parts ran past us {t}?"],
        ["Wie viele Teile haben wir {t} an den Kameras vorbeigefahren?", "{t}: wie viele Teile alles in allem?",
         "Auf wie viele geprüfte Teile kommen wir {t}?", "Hi, wie viele Teile hat die Box {t} bewertet?", "Wie viele Teile sind uns {t} durchgelaufen?"],
    ),
    "fail": (
        ["How many parts were a fail {t}?", "Talk to me about scrap {t}.", "Does the box know how many parts failed {t}?",
         "What has failed {t}, in numbers?", "If you would, the number of failures {t}.", "Scrap {t} - how many pieces was that?"],
        ["Wie viele Teile waren {t} ein Fail?", "Erzähl mir was zum Ausschuss {t}.", "Weiß die Box, wie viele Teile {t} durchgefallen sind?",
         "Was ist {t} durchgefallen, in Zahlen?", "Wenn's geht, die Zahl der Ausschussteile {t}.", "Ausschuss {t} - wie viele Stück waren das?"],
    ),
    "rejects": (
        ["How many parts were shown the door as defective {t}?", "How many parts would not pass {t}?", "How many rejects do you have down for {t}?",
         "Were any parts bad {t}, and if so how many?", "How many parts did we find to be faulty {t}?"],
        ["Wie viele Teile haben sich {t} als fehlerhaft erwiesen?", "Wie viele Teile wollten {t} nicht bestehen?",
         "Wie viele Fehler hast du {t} notiert?", "Waren {t} Teile fehlerhaft, und wenn ja, wie viele?", "Bei wie vielen Teilen wurden {t} Fehler festgestellt?"],
    ),
    "rate": (
        ["Reject rate, {t}, go.", "How many in a hundred were rejected {t}?", "What sort of reject rate are we talking about {t}?",
         "Put a percentage on the rejects {t}.", "At what level was the reject rate {t}?"],
        ["Fehlerquote, {t}, bitte.", "Wie viele von hundert waren {t} fehlerhaft?", "Von welcher Fehlerquote reden wir {t}?",
         "Drück mir die Fehler {t} in Prozent aus.", "Auf welcher Höhe lag die Fehlerquote {t}?"],
    ),
    "yield": (
        ["Was our first-pass yield any good {t}?", "First-pass yield {t}, what was it?", "What share of the parts was good at the first go {t}?"],
        ["Hatten wir {t} eine gute Erstausbeute?", "Erstausbeute {t}, wie war die?", "Welcher Anteil der Teile war {t} auf Anhieb gut?"],
    ),
    "kind": (
        ["How many parts have {k} on them {t}?", "Have there been {k} {t}, and how many?", "Tell me how many times {k} came up {t}.",
         "How many parts were put down to {k} {t}?", "What number of parts show {k} {t}?"],
        ["Wie viele Teile haben {k} {t}?", "Sind {t} {k} vorgekommen, und wie viele?", "Sag mir, wie oft {k} {t} vorkamen.",
         "Wie viele Teile gehen {t} auf das Konto von {k}?", "Welche Anzahl Teile zeigt {k} {t}?"],
    ),
    "camera": (
        ["How many parts failed {t}? Only the top camera, please.", "Camera top alone, failed parts {t}?"],
        ["Wie viele Teile sind {t} durchgefallen? Bitte nur Kamera top.", "Nur Kamera top, durchgefallene Teile {t}?"],
    ),
    "review": (
        ["How many parts did we leave for review {t}?", "How many parts got a review verdict {t}?"],
        ["Wie viele Teile haben wir {t} ins Review gegeben?", "Wie viele Teile bekamen {t} das Urteil Review?"],
    ),
    "types": (
        ["What is it mostly that the parts fail on {t}? Give me the defect types.", "Sum up the defect types {t}."],
        ["Fass mir die Fehlerarten {t} zusammen.", "Welche Fehlerarten haben uns {t} beschäftigt?"],
    ),
}  # fmt: skip


def questions(line, count=100, seed=77):
    """`count` questions, half of them German."""
    chance = random.Random(seed)
    made = [*_counted(line, chance), *_others(line, chance)]
    english = [one for one in made if one.language == "en"]
    german = [one for one in made if one.language == "de"]
    return chance.sample(english, count // 2) + chance.sample(german, count - count // 2)


def _counted(line, chance):
    times = list(spans(line))
    for what, both in TOLD.items():
        for code, templates in zip(("en", "de"), both, strict=True):
            for template in templates * 2:
                en, de, span = chance.choice(times)
                kind = chance.choice(KINDS)
                told = {
                    "t": en if code == "en" else de,
                    "k": ENGLISH[kind][1] if code == "en" else GERMAN[kind],
                }
                text = template.format(**told)
                yield Asked(text[0].upper() + text[1:], code, truth(line, span, what, kind))


def _others(line, chance):
    told = [line.figures(line.shift(one, 1), outcomes=REJECTS) for one in ("early", "night")]
    figures = {f"{k} {n}": v for n, one in enumerate(told, 1) for k, v in one.items()}
    yield Asked("Who rejected more yesterday, the early shift or the night shift?", "en", figures)
    yield Asked(
        "Wer hat gestern mehr aussortiert, die Frühschicht oder die Nachtschicht?", "de", figures
    )
    for english, german in (
        ("So what was up with {}?", "Was war denn mit {}?"),
        ("{} please, what came of it?", "{} bitte, was ist daraus geworden?"),
    ):
        for code, template in (("en", english), ("de", german)):
            row = chance.choice(line.rows)
            figures = {"verdicts": 1, **({} if row.score is None else {"score": row.score})}
            yield Asked(template.format(row.part), code, figures, "verdict")
    for kind in KINDS[:2]:
        last = max(row.at_ms for row in line.rows if row.kind == kind)
        yield Asked(f"When did we have our last {ENGLISH[kind][0]}?", "en", {"at": last}, "verdict")
        yield Asked(
            f"Wann gab es die letzte Meldung zu {GERMAN[kind]}?", "de", {"at": last}, "verdict"
        )
