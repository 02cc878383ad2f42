"""Terms: the words of a text as they are looked up, English and German, and the codes among them.

One way of cutting words for the index, the question and the check of an answer, so that what was
found can also be recognised. Pure, and the same on workstation and box.
"""

import re
from typing import Literal

_FOLD = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "\u2019": "'"}
)
_WORD = re.compile(r"[a-z0-9]+")
CODE = re.compile(r"\b([A-Z]{1,4})[-\u2011\u2013 ]?(\d{2,6})([A-Z]?)\b")
_LOOSE_CODE = re.compile(r"\b([A-Za-z]{1,4})[-\u2011\u2013]?(\d{2,6})([A-Za-z]?)\b")

STOP = frozenset(
    """a an and any are as at be been but by can could did do does for from had has have how i if
    in is it its me my no not of on or our please should so such tell than that the their
    them then there these they this to us was we were what when where which who why will
    with would you your aber als am an auch auf aus bei beim bin bis bitte da damit dann das
    dass dem den der des die dies diese diesem diesen dieser dieses doch du ein eine einem
    einen einer eines er es fuer hat habe haben hier ich ihr im in ins ist kann kein keine
    man mein mich mir mit muss nach nicht noch nur ob oder sag sage sich sie sind so soll
    sollen sollte ueber um und uns unser unsere vom von vor war waren was welche welcher
    welches wenn wer werden wie wieso warum weshalb wird wir wo zu zum zur mean means
    meaning bedeutet bedeuten heisst explain erklaere""".split()  # noqa: SIM905 - a list of words reads best as words
)
_ENDINGS = (
    "ungen", "ings", "ung", "ing", "ern", "est", "ers", "ies", "em", "en", "er", "es", "ed", "e",
    "n", "s", "y",
)  # fmt: skip


def fold(text: str) -> str:
    """Small letters, and umlauts as two."""
    return text.lower().translate(_FOLD)


def codes(text: str, *, loose: bool = False) -> frozenset[str]:
    """Codes such as E-204, without hyphens: `E204`. `loose`: as operators type them, `e204`."""
    found = (_LOOSE_CODE if loose else CODE).finditer(text)
    return frozenset(f"{one[1]}{one[2]}{one[3]}".upper() for one in found)


def stem(word: str) -> str:
    """A word without its ending; crude, and alike for all forms of most words."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    if len(word) > 4 and word[-1] == word[-2]:
        word = word[:-1]
    return word


def terms(text: str) -> list[str]:
    """The stems of a text's words in order, without stop words; codes whole, as `e204`."""
    joined = _LOOSE_CODE.sub(lambda one: f" {one[1]}{one[2]}{one[3]} ", text)
    return [stem(word) for word in _WORD.findall(fold(joined)) if word not in STOP]


def language(text: str, otherwise: Literal["en", "de"] = "en") -> Literal["en", "de"]:
    """`de` or `en`, by the small words that only one of the two has."""
    words = _WORD.findall(fold(text))
    german = sum(word in _GERMAN for word in words)
    german += sum(letter in "äöüßÄÖÜ" for letter in text)
    german += sum(word.endswith(_GERMAN_ENDS) for word in words)
    english = sum(word in _ENGLISH for word in words)
    if german == english:
        return otherwise
    return "de" if german > english else "en"


_GERMAN = frozenset(
    """wie viele viel der die das den dem des ein eine einen einer eines und oder ist sind war
    waren wurde wurden welche welcher welches warum wieso weshalb wann wer wo mit von vom im
    auf nicht kein keine gestern heute vorgestern schicht letzte letzten letzter diese
    dieser seit zwischen bis uhr stunde stunden teil teile teilen anteil gab es bei zur zum
    nach fuer ich wir man bitte hat haben was bedeutet tun soll muss beim am um zeig zeige
    nenne sag kamera anzahl ueber hatte hatten fehlte welchen welchem zuletzt letztes
    neuester neueste neuestes juengster such suche raus urteil kratzer delle dellen beule
    beulen fleck flecken ausbruch ausbrueche fehler ausschuss schrott quote ausbeute alarme
    modell aktuelle aktuelles aktueller aktive aktives offene anstehende stehen steht liegen
    liegt ab noch auch nur mal doch schon dann da hier dort mich mir uns euch ihr ihm ihn
    sich sein seine unser unsere aus durch gegen ohne waehrend wegen aber denn weil dass ob
    als wenn hast habt gib gibt gibts zeigt laeuft lief geht ging kann kannst koennen
    koennte moechte brauche danke gerade jetzt morgen abend nacht frueh spaet stueck
    stueckzahl menge prozent gut gute schlechte verlauf vergleich vergleiche mehr weniger
    nummer teilenummer
    diesen diesem dieses monat woche wochenende raussuchen alles kameras schichten tage""".split()  # noqa: SIM905
)
_GERMAN_ENDS = (
    "schicht", "schichten", "quote", "ausschuss", "fehler", "teile", "teil", "anteil", "anzahl",
    "wechsel", "modellversion", "zahlen", "verlauf", "verteilung", "vergleich", "pruefung", "ungen",
    "meldung",
)  # fmt: skip
_ENGLISH = frozenset(
    """how many much the of and or is are was were did does do which why when who where with
    from on not no yesterday today shift last this since between until hour hours part parts
    share rate there at to for i we you please has have what should must mean means show
    give tell camera number any us our about a an be been being can could would whose it its
    these those but if than then by into out over up down off per get got make made find
    found went see seen failed shifts today's yesterday's cameras latest recent newest
    running active current compare more less fewer most""".split()  # noqa: SIM905
)
