"""Questions in other words, by a generator of its own: kept out of the rules' development.

Written before it was first run; it shares no sentence with questions_known.py. The first run's
figure stands in docs/log.md. Its truth is counted with its own arithmetic of time.
"""

import random
from datetime import datetime, timedelta

from tests.assistant.recorded_line import ZONE
from tests.assistant.truth import Asked

SEED = 20261124


def _midnight(now, back):
    return datetime(now.year, now.month, now.day, tzinfo=ZONE) - timedelta(days=back)


def _hours(now, back, first, last):
    base = _midnight(now, back).replace(tzinfo=None)
    return tuple((base + timedelta(hours=one)).replace(tzinfo=ZONE) for one in (first, last))


def periods(now):
    """(language, words, span)."""
    weekday = {"en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
               "de": ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"]}  # fmt: skip
    two = _midnight(now, 2)
    monday = _midnight(now, now.weekday())
    return [
        ("en", "in yesterday's early shift", _hours(now, 1, 6, 14)),
        ("en", "during the late shift of yesterday", _hours(now, 1, 14, 22)),
        ("en", "over the past three hours", (now - timedelta(hours=3), now)),
        ("en", f"on {weekday['en'][two.weekday()]}", (_midnight(now, 2), _midnight(now, 1))),
        ("en", "this morning between 6:30 and 9:45", (*_hours(now, 0, 6.5, 9.75),)),
        ("en", "so far this week", (monday, now)),
        ("en", "last week", (monday - timedelta(days=7), monday)),
        ("en", "in the current shift", _hours(now, 0, 6, 14)),
        ("en", "from 10 pm yesterday until 4 am today", _hours(now, 1, 22, 28)),
        ("en", f"on the {two.day}th of {two:%B}", (_midnight(now, 2), _midnight(now, 1))),
        ("de", "in der gestrigen Frühschicht", _hours(now, 1, 6, 14)),
        ("de", "während der Spätschicht von gestern", _hours(now, 1, 14, 22)),
        ("de", "in den letzten drei Stunden", (now - timedelta(hours=3), now)),
        ("de", f"am {weekday['de'][two.weekday()]}", (_midnight(now, 2), _midnight(now, 1))),
        ("de", "heute zwischen 6:30 Uhr und 9:45 Uhr", (*_hours(now, 0, 6.5, 9.75),)),
        ("de", "bisher in dieser Woche", (monday, now)),
        ("de", "in der letzten Woche", (monday - timedelta(days=7), monday)),
        ("de", "in der laufenden Schicht", _hours(now, 0, 6, 14)),
        ("de", "von gestern 22 Uhr bis heute 4 Uhr", _hours(now, 1, 22, 28)),
        ("de", f"am {two.day}. {['Januar','Februar','März','April','Mai','Juni','Juli','August','September','Oktober','November','Dezember'][two.month - 1]}",
         (_midnight(now, 2), _midnight(now, 1))),
    ]  # fmt: skip


FORMS = {
    "en": [
        ("Could you tell me the number of pieces inspected {}?", {}),
        ("What's the total of parts that went through {}?", {}),
        ("Give me the count of failures {}.", {"outcome": "fail"}),
        ("How many pieces did we scrap {}?", {"outcome": "fail"}),
        ("How many parts ended up in review {}?", {"outcome": "review"}),
        ("Show the share of rejected parts {}.", {"outcomes": ("fail", "review")}),
        ("What percentage of parts passed {}?", {"outcome": "pass"}),
        ("How many dented parts did the line have {}?", {"kind": "dent", "outcomes": ("fail", "review")}),
        ("Number of stains seen by the side camera {}?", {"kind": "stain", "camera": "side", "outcomes": ("fail", "review")}),
        ("How many parts were good on top {}?", {"outcome": "pass", "camera": "top"}),
        ("How many novel pieces turned up {}?", {"reasons": ("unlike_the_training_parts",)}),
        ("Were any parts chipped {}?", {"kind": "chip", "outcomes": ("fail", "review")}),
    ],
    "de": [
        ("Kannst du mir die Anzahl der geprüften Teile {} nennen?", {}),
        ("Wie viel Stück liefen {} durch?", {}),
        ("Nenne mir die Zahl der durchgefallenen Teile {}.", {"outcome": "fail"}),
        ("Wie viele Schlechtteile hatten wir {}?", {"outcome": "fail"}),
        ("Wie viele Teile kamen {} in die Prüfung?", {"outcome": "review"}),
        ("Wie groß war der Anteil fehlerhafter Teile {}?", {"outcomes": ("fail", "review")}),
        ("Wie viel Prozent der Teile haben {} bestanden?", {"outcome": "pass"}),
        ("Wie viele Teile mit Dellen wurden {} gefunden?", {"kind": "dent", "outcomes": ("fail", "review")}),
        ("Anzahl der Flecken, die Kamera side {} gesehen hat?", {"kind": "stain", "camera": "side", "outcomes": ("fail", "review")}),
        ("Wie viele Gutteile gab es {} an Kamera top?", {"outcome": "pass", "camera": "top"}),
        ("Wie viele neuartige Teile tauchten {} auf?", {"reasons": ("unlike_the_training_parts",)}),
        ("Gab es {} Ausbrüche?", {"kind": "chip", "outcomes": ("fail", "review")}),
    ],
}  # fmt: skip


def questions(line, count=100, seed=SEED):
    """`count` questions, half of them German."""
    chance = random.Random(seed)
    made = {"en": _others(line, "en", chance), "de": _others(line, "de", chance)}
    grid = [
        (form, what, words, span, code)
        for code, words, span in periods(line.now)
        for form, what in FORMS[code]
    ]
    chance.shuffle(grid)
    for form, what, words, span, code in grid:
        if len(made[code]) < count // 2:
            figures = line.figures(span, **what) if what else {"parts": line.count(span)[1]}
            made[code].append(Asked(form.format(words), code, figures))
    return made["en"] + made["de"]


def _others(line, code, chance):
    """Parts, last ones, comparisons and types."""
    rows = chance.sample(line.rows, 4)
    a, b = _hours(line.now, 1, 6, 14), _hours(line.now, 1, 14, 22)
    rejects = ("fail", "review")
    both = [line.figures(one, outcomes=rejects) for one in (a, b)]
    figures = {f"{key} {n}": value for n, one in enumerate(both, 1) for key, value in one.items()}
    yesterday = (_midnight(line.now, 1), _midnight(line.now, 0))
    kinds = {}
    for row in line.rows:
        since, until = (one.timestamp() * 1000 for one in yesterday)
        if since <= row.at_ms < until and row.kind and row.outcome != "pass":
            kinds[row.kind] = kinds.get(row.kind, 0) + 1
    top = max(sorted(kinds), key=lambda one: kinds[one])
    types = {f"type {top}": kinds[top]}
    failed = max(row.at_ms for row in line.rows if row.outcome == "fail")
    scores = [
        {"verdicts": 1, **({} if row.score is None else {"score": row.score})} for row in rows
    ]
    if code == "en":
        return [
            Asked(f"{rows[0].part}: what was the verdict?", "en", scores[0], "verdict"),
            Asked(f"Tell me about {rows[1].part}", "en", scores[1], "verdict"),
            Asked(
                "Was the early shift worse than the late shift yesterday in rejects?", "en", figures
            ),
            Asked("What were the main defect types yesterday?", "en", types),
            Asked("What's the most recent failed part?", "en", {"at": failed}, "verdict"),
        ]
    return [
        Asked(f"Welches Urteil bekam {rows[2].part}?", "de", scores[2], "verdict"),
        Asked(f"Zeig mir die Historie von Teil {rows[3].part}.", "de", scores[3], "verdict"),
        Asked(
            "War die Frühschicht gestern bei den Fehlern schlechter als die Spätschicht?",
            "de",
            figures,
        ),
        Asked("Welche Fehlerarten traten gestern am häufigsten auf?", "de", types),
        Asked("Welches Teil ist zuletzt durchgefallen?", "de", {"at": failed}, "verdict"),
    ]
