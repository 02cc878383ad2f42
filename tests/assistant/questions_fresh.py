"""A third set of wordings, written after the first two had shaped the rules and run once.

Its first figure is the honest one for words that nobody foresaw; it stands in docs/log.md.
"""

import random
from datetime import timedelta

from tests.assistant.truth import Asked

SEED = 77
REJECTS = ("fail", "review")

ENGLISH = [
    ("Can I get the part count for {}?", {}),
    ("{} - how many went through inspection?", {}),
    ("Please report how many parts the line rejected {}.", {"outcomes": REJECTS}),
    ("What fraction of the parts failed {}?", {"outcome": "fail"}),
    ("How many scratched parts came up {}?", {"kind": "scratch", "outcomes": REJECTS}),
    ("Did any part have a missing hole {}?", {"kind": "missing_feature", "outcomes": REJECTS}),
    ("I need the yield of camera side {}.", {"outcome": "pass", "camera": "side"}),
    ("How often was a part sent to review {}?", {"outcome": "review"}),
    ("How many fails did top register {}?", {"outcome": "fail", "camera": "top"}),
    ("How many parts did not pass {}?", {"outcomes": REJECTS}),
]
GERMAN = [
    ("Ich brauche die Stückzahl {}.", {}),
    ("Was hat die Linie {} an Teilen geprüft?", {}),
    ("Wie viele Teile hat die Anlage {} aussortiert?", {"outcomes": REJECTS}),
    ("Welcher Anteil der Teile ist {} durchgefallen?", {"outcome": "fail"}),
    ("Wie viele verkratzte Teile gab es {}?", {"kind": "scratch", "outcomes": REJECTS}),
    ("Fehlten {} bei Teilen Löcher?", {"kind": "missing_feature", "outcomes": REJECTS}),
    ("Wie gut war die Ausbeute der Kamera side {}?", {"outcome": "pass", "camera": "side"}),
    ("Wie oft musste {} ein Teil in die Prüfung?", {"outcome": "review"}),
    ("Wie viel Ausschuss meldete top {}?", {"outcome": "fail", "camera": "top"}),
    ("Wie viele Teile waren {} nicht in Ordnung?", {"outcomes": REJECTS}),
]


def periods(line):
    """(English, German, span)."""
    n = line.now
    yield "the whole of yesterday", "gestern", line.day(1)
    yield "the night shift two days ago", "in der Nachtschicht vorgestern", line.shift("night", 2)
    yield "the last 90 minutes", "in den letzten 90 Minuten", (n - timedelta(minutes=90), n)
    yield "yesterday after 8 pm", "gestern nach 20 Uhr", (line.at(1, 20), line.at(0, 0))
    yield "this shift", "in dieser Schicht", (line.at(0, 6), line.at(0, 14))
    yield "yesterday afternoon", "gestern Nachmittag", (line.at(1, 12), line.at(1, 18))
    yield "today before 7:20", "heute vor 7:20 Uhr", (line.at(0, 0), line.at(0, 7, 20))
    yield "yesterday's late shift", "in der Spätschicht gestern", line.shift("late", 1)


def questions(line, count=100, seed=SEED):
    """`count` questions, half of them German."""
    chance = random.Random(seed)
    made = []
    for code, forms in (("en", ENGLISH), ("de", GERMAN)):
        grid = []
        for english, german, span in periods(line):
            said = german if code == "de" else english
            said = (
                said if code == "de" or said.split()[0] in ("yesterday", "today") else f"in {said}"
            )
            for form, what in forms:
                if form.startswith("{}") or "for {}" in form:
                    said = said.removeprefix("in ")
                figures = line.figures(span, **what) if what else {"parts": line.count(span)[1]}
                grid.append(Asked(form.format(said), code, figures))
        made += chance.sample(grid, count // 2)
    return made
