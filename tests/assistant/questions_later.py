"""A fourth set of wordings, written once the rules were finished and never used to change them.

What share of it is answered says how the assistant does on words that nobody foresaw; what is not
answered must be refused.
"""

import random

from tests.assistant.questions_fresh import periods
from tests.assistant.truth import Asked

SEED = 4711
REJECTS = ("fail", "review")
FORMS = {
    "en": [
        ("Hi, quick one: parts inspected {}?", {}),
        ("Do you know how many items were checked {}?", {}),
        ("How bad was the scrap {}?", {"outcome": "fail"}),
        ("Number of failures {} please", {"outcome": "fail"}),
        ("How large was the share of rejects {}?", {"outcomes": REJECTS}),
        ("Which percentage did not pass {}?", {"outcomes": REJECTS}),
        (
            "How many dents did we see on camera side {}?",
            {"kind": "dent", "outcomes": REJECTS, "camera": "side"},
        ),
        ("How many parts had chips {}?", {"kind": "chip", "outcomes": REJECTS}),
        ("What was our FPY {}?", {"outcome": "pass"}),
        ("How many pieces are waiting for review from {}?", {"outcome": "review"}),
    ],
    "de": [
        ("Moin, wie viele Teile liefen {}?", {}),
        ("Was war die Gesamtzahl der Teile {}?", {}),
        ("Wie schlimm war der Ausschuss {}?", {"outcome": "fail"}),
        ("Durchgefallene Teile {}?", {"outcome": "fail"}),
        ("Wie hoch lag die Ausschussquote {}?", {"outcome": "fail"}),
        ("Zu wie viel Prozent haben die Teile {} nicht bestanden?", {"outcomes": REJECTS}),
        (
            "Wie viele Dellen hat Kamera side {} entdeckt?",
            {"kind": "dent", "outcomes": REJECTS, "camera": "side"},
        ),
        ("An wie vielen Teilen waren {} Ausbrüche?", {"kind": "chip", "outcomes": REJECTS}),
        ("Erstausbeute {}?", {"outcome": "pass"}),
        ("Wie viele Prüfteile fielen {} an?", {"outcome": "review"}),
    ],
}


def questions(line, count=100, seed=SEED):
    """`count` questions, half of them German."""
    chance, made = random.Random(seed), []
    for code, forms in FORMS.items():
        grid = []
        for english, german, span in periods(line):
            said = english if code == "en" else german
            for form, what in forms:
                figures = line.figures(span, **what) if what else {"parts": line.count(span)[1]}
                grid.append(Asked(form.format(said), code, figures))
        made += chance.sample(grid, count // 2)
    return made
