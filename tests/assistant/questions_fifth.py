"""Questions of a fifth wording, 100, over a line with known truth: radio talk, mails, tickets, dictation.

Written by whoever wrote the rules, when they stood; general words were added after the first run.
"""

import random

from tests.assistant.recorded_line import KINDS
from tests.assistant.truth import Asked

REJECTS = ("fail", "review")
ENGLISH = {"scratch": "scratches", "dent": "dents", "chip": "chips", "stain": "stains",
           "missing_feature": "missing features"}  # fmt: skip
GERMAN = {"scratch": "Kratzer", "dent": "Dellen", "chip": "Ausbrüche", "stain": "Flecken",
          "missing_feature": "fehlende Merkmale"}  # fmt: skip


def spans(line):
    """(English, German, span)."""
    day = line.at(2, 0).date()
    yield "yesterday", "gestern", line.day(1)
    yield "today so far", "heute bisher", (line.at(0, 0), line.now)
    yield "on yesterday's late shift", "in der gestrigen Spätschicht", line.shift("late", 1)
    yield "during the early shift today", "in der heutigen Frühschicht", (line.at(0, 6), line.now)
    yield "overnight", "in der vergangenen Nacht", line.shift("night", 1)
    yield f"on {day:%A}", f"am {day.day}.{day.month}.{day.year}", line.day(2)
    yield "yesterday from 7 till 9 am", "gestern von 7 bis 9 Uhr", (line.at(1, 7), line.at(1, 9))
    yield "in the past three hours", "in den letzten drei Stunden", (line.at(0, 7, 30), line.now)
    yield "since 6 this morning", "seit heute 6 Uhr", (line.at(0, 6), line.now)
    yield "two days ago", "vor zwei Tagen", line.day(2)


COUNTS = {  # what is counted: (English, German); {t} is a time, {k} a type
    "all": (
        ["Ops to QA, parts count {t}, over?", "Please send me the number of pieces that were inspected {t}.",
         "um how many parts did we have under the cameras {t}", "Ticket: inspected quantity {t}",
         "Dear all, could you let me have the total of parts examined {t}? Kind regards"],
        ["Bitte teilen Sie mir mit, wie viele Teile {t} begutachtet wurden.", "äh wie viele Teile hatten wir {t} eigentlich",
         "Anfrage: geprüfte Stückzahl {t}", "Hallo zusammen, wie viele Teile hat die Anlage {t} insgesamt gesehen? Viele Grüße",
         "Wie viele Werkstücke passierten {t} die Kameras?"],
    ),
    "fail": (
        ["Control, how much scrap have you got {t}?", "The shift report still lacks the number of failed parts {t}.",
         "uh so basically how many of them failed {t}", "Request: failed pieces, {t}",
         "I'd appreciate it if you could tell me how many parts failed {t}.", "How many parts turned out as fails {t}?",
         "Were we hit by a lot of scrap {t}?", "What's your count of failures {t}?"],
        ["Im Schichtbericht fehlt mir noch die Ausschusszahl {t}.", "also ich wollte fragen wie viele Teile {t} durchgefallen sind",
         "Anfrage: Ausschussmenge {t}", "Mit wie viel Ausschuss hatten wir es {t} zu tun?",
         "Könnten Sie mir bitte kurz durchgeben, wie viele Teile {t} durchgefallen sind?", "Wie ausschusslastig war es {t}?",
         "Wie viele Stück wurden {t} Ausschuss?", "Welche Ausschusszahl habt ihr {t}?"],
    ),
    "rejects": (
        ["Give me a number: rejects {t}.", "How many parts had to be taken out as defective {t}?",
         "what have we got in rejects {t}", "Kindly confirm the number of defective parts {t}.",
         "How many of our parts were found faulty {t}?", "How many parts got bounced {t}?"],
        ["Nur eine Zahl bitte: Fehler {t}.", "Wie viele Teile musste die Anlage {t} als fehlerhaft aussortieren?",
         "was haben wir {t} an Fehlern", "Bitte bestätigen Sie die Anzahl der fehlerhaften Teile {t}.",
         "Wie viele unserer Teile waren {t} zu beanstanden?", "Wie viele Teile haben {t} die Prüfung nicht bestanden?"],
    ),
    "rate": (
        ["Where are we with the reject rate {t}?", "Reject rate check, {t}.", "What kind of reject rate did we see {t}?",
         "so the reject rate {t} what was it", "State the share of rejected parts {t}.", "What did our reject rate amount to {t}?"],
        ["Wie steht es {t} um die Fehlerquote?", "Auf wie viel Prozent belief sich die Fehlerquote {t}?",
         "die Fehlerquote {t} wie war die", "Was für eine Fehlerquote hatten wir {t}?",
         "Bitte die Fehlerquote {t} nennen.", "Welchen Wert hatte die Fehlerquote {t}?"],
    ),
    "yield": (
        ["Yield check {t}.", "How did we do on first-pass yield {t}?", "Which first-pass yield was recorded {t}?",
         "What portion of the parts went through as good {t}?"],
        ["Wie stand es {t} um die Ausbeute?", "Welche Erstausbeute wurde {t} verzeichnet?",
         "Wie sah die Gutquote {t} aus?", "Welcher Teil der Produktion war {t} gut?"],
    ),
    "kind": (
        ["{k} {t}, how many do you see?", "Did any {k} come in {t}, and how many?", "How bad are we on {k} {t}?",
         "The customer service asks how many {k} we had {t}.", "number of parts rejected over {k} {t}",
         "How many {k} did the inspection throw up {t}?"],
        ["{k} {t}, wie viele seht ihr?", "Gab es {t} {k} und wenn ja, wie viele?", "Wie schlimm ist es {t} mit {k}?",
         "Der Kundendienst fragt, wie viele {k} wir {t} hatten.", "Anzahl der wegen {k} beanstandeten Teile {t}",
         "Wie viele {k} förderte die Prüfung {t} zutage?"],
    ),
    "camera": (
        ["Top camera, how many fails {t}?", "How many parts did the one called camera top fail {t}?",
         "Failed parts {t}, camera top only, please."],
        ["Kamera top, wie viel Ausschuss {t}?", "Ausschuss {t}, nur Kamera top bitte.",
         "Wie viele Teile sind an der Kamera top {t} durchgefallen?"],
    ),
    "review": (
        ["How many parts are waiting for review {t}?", "Parts referred to review {t}?"],
        ["Wie viele Teile warteten {t} auf eine Nachprüfung?", "Zur Nachprüfung geschickte Teile {t}?"],
    ),
    "types": (
        ["What were our main troublemakers among the defects {t}?", "Which defect gave us the most trouble {t}?",
         "Defect types in order of frequency {t}"],
        ["Welche Fehlerart machte uns {t} am meisten zu schaffen?", "Fehlerarten nach Häufigkeit {t}",
         "Welche Fehler standen {t} an erster Stelle?"],
    ),
}  # fmt: skip


def questions(line, count=100, seed=66):
    """`count` questions, half of them German."""
    chance = random.Random(seed)
    made = [*_counted(line, chance), *_compared(line), *_parts(line, chance)]
    chance.shuffle(made)
    english = [one for one in made if one.language == "en"][: count // 2]
    return english + [one for one in made if one.language == "de"][: count - len(english)]


def _counted(line, chance):
    times = list(spans(line))
    for what, (english, german) in COUNTS.items():
        for code, templates in (("en", english), ("de", german)):
            for template in templates:
                en, de, span = chance.choice(times)
                kind = chance.choice(KINDS)
                told = {
                    "t": en if code == "en" else de,
                    "k": (ENGLISH if code == "en" else GERMAN)[kind],
                }
                text = template.format(**told)
                yield Asked(text[0].upper() + text[1:], code, truth(line, span, what, kind))


def truth(line, span, what, kind):
    """What is true of a span, by what is asked."""
    rejects, parts = line.count(span, outcomes=REJECTS)
    kinds = {
        f"type {one}": n for one in KINDS
        if (n := line.count(span, outcomes=REJECTS, kind=one)[0])
    }  # fmt: skip
    return {
        "all": {"parts": parts},
        "fail": line.figures(span, outcome="fail"),
        "rejects": {"parts": parts, "chosen": rejects},
        "rate": {"parts": parts, "chosen": rejects},
        "yield": line.figures(span, outcome="pass"),
        "kind": line.figures(span, outcomes=REJECTS, kind=kind),
        "camera": line.figures(span, outcome="fail", camera="top"),
        "review": line.figures(span, outcome="review"),
        "types": {"parts": parts, "rejects": rejects, **kinds},
    }[what]


def _compared(line):
    told = [line.figures(line.shift(one, 1), outcomes=REJECTS) for one in ("early", "late")]
    figures = {f"{k} {n}": v for n, one in enumerate(told, 1) for k, v in one.items()}
    for text in ("Early versus late yesterday, who had more rejects?",
                 "I want yesterday's early and late shift next to each other, rejects please."):  # fmt: skip
        yield Asked(text, "en", figures)
    for text in ("Früh- gegen Spätschicht gestern, wer hatte mehr Fehler?",
                 "Ich hätte gern Früh- und Spätschicht von gestern nebeneinander, bitte die Fehler."):  # fmt: skip
        yield Asked(text, "de", figures)


def _parts(line, chance):
    for english, german in (("What's the verdict on {}?", "Wie lautet das Urteil für {}?"),
                            ("I have {} in my hand, why did you stop it?", "Ich habe hier {} in der Hand, warum wurde es gestoppt?"),
                            ("Trace {} for me", "Bitte einmal {} nachverfolgen")):  # fmt: skip
        for code, template in (("en", english), ("de", german)):
            row = chance.choice(line.rows)
            figures = {"verdicts": 1, **({} if row.score is None else {"score": row.score})}
            yield Asked(template.format(row.part), code, figures, "verdict")
    for kind in KINDS[:2]:
        last = max(row.at_ms for row in line.rows if row.kind == kind)
        yield Asked(f"How recent is our last {kind}?", "en", {"at": last}, "verdict")
        yield Asked(
            f"Von wann stammt der letzte Fall von {GERMAN[kind]}?", "de", {"at": last}, "verdict"
        )
