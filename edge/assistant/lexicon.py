"""Which words are known at all, what compounds are made of, and what people call each defect type.

Known are the words of every table; what isn't is looked at by spelling.py. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from edge.assistant.closed_words import NARROWING
from edge.assistant.inflection import german_noun
from edge.assistant.plain_words import IGNORED
from edge.assistant.vocabulary import (
    ALARM_TALK,
    ALARMS,
    BUNDLE_TALK,
    BUNDLES,
    BY,
    COMPARES,
    GENERAL,
    KIND_WORDS,
    LAST,
    MEASURES,
    OUTCOMES,
    PART_INTENT,
    QUOTAS,
)
from export.terms import fold

_TIMES = frozenset(
    """early late night morning afternoon evening noon midday midnight shift shifts schicht schichten frueh spaet nacht
    fruehschicht spaetschicht nachtschicht fruehschichten spaetschichten nachtschichten today's yesterday's today yesterday gestern vorgestern heute
    gestrige gestrigen gestriger gestriges heutige heutigen heutiger vorgestrigen tonight ago week woche month monat monats
    january february march april may june july august september october november december januar februar maerz
    mai juni juli oktober dezember jan feb mar apr jun jul aug sep sept oct okt nov dec dez jaenner mrz
    monday tuesday wednesday thursday friday saturday sunday mondays montag dienstag mittwoch donnerstag freitag
    samstag sonnabend sonntag mon tue wed thu fri sat sun minutes hours days weeks minuten stunden tage tagen wochen
    vormittag nachmittag abend morgen mittag mitternacht vormittags nachmittags abends morgens last past previous
    calendar kw cw kalenderwoche one two three four five six seven eight nine ten eleven twelve ein zwei drei vier
    fuenf sechs sieben acht neun zehn elf zwoelf half quarter halb viertel after before am pm uhr std hrs stunde
    letzten letzte letzter letztes vergangenen vergangene vergangener vorigen vorige voriger noon earlies lates nights
    forenoon mittags fruehdienst spaetdienst nachtdienst""".split()  # noqa: SIM905
)
_PATTERNS = re.compile(
    "|".join(
        f"(?:{one})"
        for one in (
            *(pattern for _, pattern in MEASURES), *(pattern for _, pattern in OUTCOMES), *BY.values(), *QUOTAS,
            BUNDLES, BUNDLE_TALK, ALARMS, ALARM_TALK, LAST, COMPARES, PART_INTENT, GENERAL,
        )
    )
)  # fmt: skip
_IN_PHRASES = frozenset(
    """pass yield first time fail safe fehlern fehler result results ergebnis pruefung review training
    gutteil gutteile in order ordnung nicht kein not ohne without loch merkmal merkmale feature features hole holes
    unbekannte unbekannten unknown error errors rate model modell biggest compared scrap kamera made cut
    frequent frequently common commonly often haeufigste haeufigsten haeufigster cause causes reason reasons
    durch raus aus auf ab zurueck person look second manual manually bundle per percent failed passed rejected""".split()  # noqa: SIM905
)
WORTH_MENDING = frozenset(
    """yesterday today november december october september february january wednesday thursday saturday tuesday
    gestern vorgestern fruehschicht spaetschicht nachtschicht dezember oktober februar januar donnerstag mittwoch
    samstag sonntag dienstag freitag failed failure failures rejects rejected reject rejection rejections defect defects
    defective faulty review reviews passed percentage percent proportion compare compared comparison camera
    kamera kameras cameras ausschuss durchgefallen fehler fehlerquote ausschussquote fehlerhaft fehlerhafte beanstandet
    aussortiert pruefung nachpruefung bestanden gutteile schlechtteile erstausbeute ausbeute anzahl prozent anteil
    stueckzahl haeufigste haeufigsten haeufigster schlechteste fehlerarten fehlerverlauf verlauf entwicklung inspected
    inspection inspections checked judged scrapped number common frequent breakdown develop developed hourly
    history verdict latest recent bundle modell alarms active aktive vergleiche vergleich beurteilt geprueft geprueften
    werkstuecke bauteile pieces workpieces please bitte between zwischen welche welcher shifts schicht schichten
    wieviele fehlende merkmale missing feature features letzte letzten letzter insgesamt component components produced
    production quality highest morning evening afternoon uebersicht zusammenfassung summary overview""".split()  # noqa: SIM905
)
_PIECES: Mapping[str, str] = {
    "ausschuss": "ausschuss", "fehler": "fehler", "schrott": "schrott", "gutteil": "gutteile", "gutteile": "gutteile",
    "schlechtteil": "schlechtteile", "schlechtteile": "schlechtteile", "teile": "teile", "teil": "teile", "pruef": "geprueft",
    "review": "review", "nachpruef": "nachpruefung", "durchfall": "durchgefallen", "beanstandung": "beanstandungen",
    "rueckweise": "rueckweisungen", "rueckweisung": "rueckweisungen", "defekt": "defekte", "mangel": "maengel", "maengel": "maengel",
    "nio": "nio", "reject": "rejects", "scrap": "scrap", "fail": "fails", "failure": "failures", "defect": "defects", "pass": "passed",
    "io": "in ordnung", "gut": "gutteile", "erfolgs": "erfolgs", "quote": "quote", "quoten": "quote", "rate": "rate", "raten": "rate", "anteil": "anteil", "anteile": "anteil", "prozent": "prozent",
    "prozentsatz": "prozentsatz", "zahl": "anzahl", "zahlen": "anzahl", "anzahl": "anzahl", "menge": "anzahl", "mengen": "anzahl",
    "stueckzahl": "anzahl", "stueckzahlen": "anzahl", "summe": "anzahl", "count": "count", "percentage": "percentage", "trend": "trend",
    "verlauf": "verlauf", "entwicklung": "entwicklung", "kurve": "kurve", "verteilung": "verteilung", "bild": "verteilung", "arten": "fehlerarten", "art": "fehlerarten",
    "typen": "fehlerarten", "typ": "fehlerarten", "pareto": "pareto", "schwerpunkt": "schwerpunkt", "schwerpunkte": "schwerpunkt",
    "gruende": "gruende", "grund": "grund", "ursachen": "ursachen", "ursache": "ursache", "vergleich": "vergleich", "haupt": "haeufigste",
    "statistik": "statistik", "bilanz": "bilanz",  "meldung": "meldung", "meldungen": "meldungen",
    "faelle": "faelle", "fall": "fall", "fund": "befund", "funde": "befund", "befund": "befund", "befunde": "befund", "urteil": "urteil", "urteile": "urteile",
    "fruehschicht": "fruehschicht", "spaetschicht": "spaetschicht", "nachtschicht": "nachtschicht", "schicht": "schicht",
    "tages": "", "wochen": "", "monats": "", "gesamt": "gesamt", "stunden": "pro stunde", "kamera": "kamera", "modell": "modell", "bundle": "bundle", "alarm": "alarm",
    "wechsel": "wechsel", "tausch": "wechsel", "version": "version", "update": "update", "liste": "liste", "uebersicht": "uebersicht",
    "bericht": "bericht", "produktion": "produktion", "ausbeute": "ausbeute", "aenderung": "aenderung", "aenderungen": "aenderungen", "ergebnis": "ergebnis", "ergebnisse": "ergebnisse",
    "verdict": "verdict", "verdicts": "verdicts", "rates": "rate", "camera": "camera", "level": "rate", "figures": "count", "figure": "count", "numbers": "count", "number": "count", "total": "count",
    "frueh": "fruehschicht", "spaet": "spaetschicht", "nacht": "nachtschicht", "heutig": "heute", "gestern": "gestern", "early": "early", "late": "late", "shift": "shift",
}  # fmt: skip


LEAST_BENT = 4  # letters of a plant's word: forms of shorter ones are other words


@lru_cache(maxsize=4096)
def is_known(word: str) -> bool:
    """Whether a word stands in any table, alone or in a phrase."""
    return (
        word in IGNORED or word in NARROWING or word in _TIMES or word in _IN_PHRASES
        or _PATTERNS.fullmatch(word) is not None
    )  # fmt: skip


def pieces_with(kinds: Mapping[str, str]) -> dict[str, str]:
    """What compounds are made of; types are called as people call them (`kind_words`)."""
    return dict(_PIECES) | {word: word for word in kinds if word.isalpha() and len(word) > 3}


def kind_words(kinds: Sequence[str], plant: Mapping[str, str]) -> dict[str, str]:
    """What people call each type → its name: the name, the usual words, and the plant's own."""
    words: dict[str, str] = {}
    for name in kinds:
        plain = fold(name).replace("_", " ")
        forms = (plain, f"{plain}s", f"{plain}es", f"{plain}en", f"{plain}e", fold(name))
        usual = KIND_WORDS.get(name, ())
        words |= dict.fromkeys(
            (*forms, *usual, *(f"{one}s" for one in usual if one[-1] != "s")), name
        )
    own = {fold(said): name for said, name in plant.items() if name in kinds}
    bent = {
        form: name for said, name in own.items() if len(said) >= LEAST_BENT
        for form in german_noun(said) if not is_known(form)
    }  # fmt: skip
    return bent | words | own
