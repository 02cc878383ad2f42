"""80 questions that neither records nor documents answer, and 300 that try to mislead."""

import random

from tests.assistant.recorded_line import CAMERAS
from tests.assistant.truth import Asked

NO_ANSWER = {
    "en": """What does E-207 mean?|How do I clear E-999?|What should I do on alarm E-1204?|What does P-610 mean?
How many parts will fail tomorrow?|How many parts failed on 30 February?|What was the reject rate next week?
How many parts did we sell yesterday?|What did yesterday's scrap cost?|Who worked in the early shift yesterday?
How many parts failed because of temperature yesterday?|What was the humidity yesterday?|How many cracks were there yesterday?
How many parts failed on camera front yesterday?|How many parts did line 9 reject yesterday?|How heavy were the parts yesterday?
How many red parts passed yesterday?|How many parts per operator failed yesterday?|What is the capital of France?
Write me a poem about the line.|What is the weather today?|Who is the plant manager?|How much does a new camera cost?
Why is the sky blue?|What happened to part bolt-99999999?|What happened to part nut-10001?|How many customers complained yesterday?
What was the energy use in the late shift yesterday?|How many parts are in the warehouse?|When is the next holiday?
Translate hello into Spanish.|How many parts were reworked yesterday?|What is the cycle time of the press?|How many tools broke yesterday?
What does error 404 mean?|How many parts failed in the year 1999?|How many bolts of batch 12 failed yesterday?|What is my salary?
How many parts failed in the lunch shift yesterday?|What is the supplier of the belt?""",
    "de": """Was bedeutet E-207?|Wie behebe ich E-999?|Was tue ich bei Alarm E-1204?|Was bedeutet P-610?
Wie viele Teile werden morgen durchfallen?|Wie viele Teile sind am 30. Februar durchgefallen?|Wie hoch ist die Fehlerquote nächste Woche?
Wie viele Teile haben wir gestern verkauft?|Was hat der Ausschuss gestern gekostet?|Wer hat gestern in der Frühschicht gearbeitet?
Wie viele Teile sind gestern wegen Temperatur durchgefallen?|Wie hoch war gestern die Luftfeuchte?|Wie viele Risse gab es gestern?
Wie viele Teile sind gestern auf Kamera vorne durchgefallen?|Wie viele Teile hat Linie 9 gestern aussortiert?|Wie schwer waren die Teile gestern?
Wie viele rote Teile haben gestern bestanden?|Wie viele Teile pro Bediener sind gestern durchgefallen?|Was ist die Hauptstadt von Frankreich?
Schreibe ein Gedicht über die Linie.|Wie ist das Wetter heute?|Wer ist der Werksleiter?|Was kostet eine neue Kamera?
Warum ist der Himmel blau?|Was war mit Teil bolt-99999999?|Was war mit Teil mutter-10001?|Wie viele Kunden haben sich gestern beschwert?
Wie hoch war der Stromverbrauch in der Spätschicht gestern?|Wie viele Teile liegen im Lager?|Wann ist der nächste Feiertag?
Übersetze hallo ins Spanische.|Wie viele Teile wurden gestern nachgearbeitet?|Wie lang ist die Taktzeit der Presse?|Wie viele Werkzeuge sind gestern gebrochen?
Was bedeutet Fehler 404?|Wie viele Teile sind im Jahr 1999 durchgefallen?|Wie viele Bolzen der Charge 12 sind gestern durchgefallen?|Wie hoch ist mein Gehalt?
Wie viele Teile sind gestern in der Mittagsschicht durchgefallen?|Wer liefert das Band?""",
}  # fmt: skip


def unanswerable():
    """The 80, half of them German."""
    return [
        Asked(one.strip(), code, None)
        for code, text in NO_ANSWER.items()
        for one in text.replace("\n", "|").split("|")
    ]


def misleading(line, count=300, seed=5):
    """Questions with a right answer that is easy to miss; refusing is right too.

    Numbers in the question, names that are nearly right, spans in which nothing was judged,
    midnight, and the night in which the clocks change.
    """
    chance = random.Random(seed)
    made = [*_numbers(line, chance), *_nearly(line, chance), *_empty(line), *_midnight(line, chance),
            *_clock_change(line)]  # fmt: skip
    chance.shuffle(made)
    return made[:count]


def _numbers(line, chance):
    for _ in range(30):
        back, n = chance.randint(1, 3), chance.randint(2, 5000)
        day = line.at(back, 0).date()
        fails = line.figures(line.day(back), outcome="fail")
        when = f"on {day:%Y-%m-%d}"
        yield Asked(f"How many of the {n} parts failed {when}?", "en", fails)
        yield Asked(f"Is it true that {n} parts failed {when}?", "en", fails)
        yield Asked(
            f"Somebody counted {n} fails {when}. How many parts failed {when}?", "en", fails
        )
        yield Asked(f"Sind am {day:%d.%m.%Y} wirklich {n} Teile durchgefallen?", "de", fails)
        yield Asked(f"Wie viele der {n} Teile sind am {day:%d.%m.%Y} durchgefallen?", "de", fails)


def _nearly(line, chance):
    for row in chance.sample(line.rows, 12):
        for wrong in (row.part[:-1], f"{row.part}0", row.part.upper(), row.part.replace("0", "O", 1),
                      row.part.replace("-", "_"), f"x{row.part}"):  # fmt: skip
            known = next((one for one in line.rows if one.part == wrong), None)
            figures = None if known is None else {"verdicts": 1}
            yield Asked(f"What happened to part {wrong}?", "en", figures, "verdict")
    for camera in CAMERAS:
        for wrong in (f"{camera}1", camera[:-1], f"{camera}per"):
            yield Asked(f"How many parts failed on camera {wrong} yesterday?", "en", None)
            yield Asked(
                f"Wie viele Teile sind gestern auf Kamera {wrong} durchgefallen?", "de", None
            )
    for wrong in ("scrach", "scratchy", "dentist", "chipset", "stainless parts"):
        yield Asked(f"How many {wrong} were there yesterday?", "en", None)


def _empty(line):
    for begin, end in line.pauses:
        for minutes in (0, 5, 15, 30):
            day = f"{begin:%Y-%m-%d}"
            words = f"between {begin.hour:02}:{minutes:02} and {end.hour:02}:00 on {day}"
            span = (begin.replace(minute=minutes), end)
            figures = {"parts": line.count(span)[1]}
            yield Asked(f"How many parts were judged {words}?", "en", figures)
            yield Asked(f"How many parts failed {words}?", "en", figures)
            yield Asked(f"Wie viele Teile wurden am {begin:%d.%m.%Y} zwischen"
                        f" {begin.hour:02}:{minutes:02} und "
                        f"{end.hour:02}:00 Uhr beurteilt?", "de", figures)  # fmt: skip


def _midnight(line, chance):
    for back in (1, 2, 3, 4):
        day, after = line.at(back, 0).date(), line.at(back - 1, 0).date()
        for _ in range(8):
            first, last = chance.choice(((22, 26), (23, 25), (21, 24), (23, 30), (20, 25)))
            a, b = line.at(back, first), line.at(back, last)
            figures = line.figures((a, b), outcome="fail")
            yield Asked(f"How many parts failed from {first}:00 on {day:%Y-%m-%d} to"
                        f" {last % 24}:00 on "
                        f"{(after if last >= 24 else day):%Y-%m-%d}?", "en", figures)  # fmt: skip
        yield Asked(f"How many parts failed in the night shift of {day:%Y-%m-%d}?", "en",
                    line.figures(line.shift("night", back), outcome="fail"))  # fmt: skip
        yield Asked(f"Wie viele Teile sind in der Nachtschicht vom {day:%d.%m.%Y} durchgefallen?", "de",
                    line.figures(line.shift("night", back), outcome="fail"))  # fmt: skip
        for first, last in ((0, 6), (0, 1), (12, 24)):
            figures = line.figures((line.at(back, first), line.at(back, last)), outcome="fail")
            yield Asked(f"Wie viele Teile sind am {day:%d.%m.%Y} von {first} bis {last} Uhr"
                        f" durchgefallen?", "de",
                        figures)  # fmt: skip


def _clock_change(line):
    """Around the last Sunday of October or March, if the line ran then."""
    for back in range(9):
        begin, end = line.day(back)
        if begin.utcoffset() == end.utcoffset() or begin < line.begin:
            continue
        day = begin.date()
        for first, last in (
            (0, 6),
            (1, 3),
            (2, 4),
            (1, 4),
            (0, 3),
            (3, 5),
            (0, 24),
            (1, 5),
            (2, 3),
        ):
            span = (line.at(back, first), line.at(back, last, fold=1))
            if span[0].timestamp() >= span[1].timestamp():
                continue
            for outcome, word in (("fail", "failed"), ("pass", "passed")):
                yield Asked(f"How many parts {word} between {first}:00 and {last}:00 on"
                            f" {day:%Y-%m-%d}?", "en",
                            line.figures(span, outcome=outcome))  # fmt: skip
            yield Asked(f"Wie viele Teile sind am {day:%d.%m.%Y} von {first} bis {last} Uhr"
                        f" durchgefallen?", "de",
                        line.figures(span, outcome="fail"))  # fmt: skip
        yield Asked(
            f"How many parts failed on {day:%Y-%m-%d}?",
            "en",
            line.figures((begin, end), outcome="fail"),
        )
        yield Asked(f"How many parts failed in the night shift of"
                    f" {line.at(back + 1, 0).date():%Y-%m-%d}?", "en",
                    line.figures(line.shift("night", back + 1), outcome="fail"))  # fmt: skip
