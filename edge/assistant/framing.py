"""What stands around a question without being part of it: greetings, who asks, what it is for.

`Morning! Our boss wants to know how many parts failed` asks how many parts failed. A frame may hold
words that nobody foresaw only where grammar shows that they can't narrow what is counted: in the
clause that a verb of asking or knowing binds to a question, after a greeting, or as the name of
a person who wants something. All else of the text stays, and is judged word by word. Pure.
"""

import re

from edge.assistant.closed_words import CLOSED, NARROWING
from edge.assistant.inflection import english_noun, forms, german_noun

_PERSONS = forms(
    """boss chief chef manager supervisor foreman foremen leader lead teamlead head director auditor
    engineer inspector management colleague ceo planner controller teamleader""", english_noun
) | forms(
    """chef chefin boss meister meisterin vorgesetzte vorarbeiter vorarbeiterin leiter leiterin
    kollege kollegin ingenieur ingenieurin geschaeftsfuehrer geschaeftsfuehrung werkleitung leitung
    teamleiter schichtfuehrer schichtleiter werkleiter werksleiter produktionsleiter management
    controlling planer auditor auditorin direktor manager abteilungsleiter qualitaetsleiter
    qualitaetssicherung qs""", german_noun
)  # fmt: skip
_PURPOSES = forms(
    """report handover meeting log logbook protocol minutes statistic statistics presentation record
    briefing standup debrief overview file spreadsheet board dashboard email mail review-meeting chart
    documentation""", english_noun
) | forms(
    """bericht schichtbericht tagesbericht wochenbericht uebergabe schichtuebergabe besprechung
    morgenrunde frueherunde runde protokoll schichtprotokoll schichtbuch statistik praesentation
    akten unterlagen dokumentation tafel aushang mail email excel tabelle liste uebersicht ablage meldung
    meeting auswertung monatsbericht""", german_noun
)  # fmt: skip
_PURPOSE = rf"(?:\w+ )?(?:{'|'.join(sorted(_PURPOSES, key=len, reverse=True))})"
_OF_WHOM = r"(?:quality|shift|plant|line|production|team|department|group|area|operations|process)"
_GREETING = (
    r"(?:good (?:morning|afternoon|evening|day)|morning|evening|hello|hi|hey|hiya|dear|guten (?:morgen|tag|abend)"
    r"|schoenen guten (?:morgen|tag)|gruess (?:gott|dich|euch)|moin(?: moin)?|hallo|servus|mahlzeit|tach|liebe[rs]?)"
)
_WORD = r"[^\W\d_][\w'-]*"
_QUESTION = (
    r"how (?:many|much|often|frequently|high|good|bad|did|was|is|are|were)|what|which|when|whether|if|why"
    r"|wie ?viele?[nr]?|wie (?:oft|haeufig|hoch|gut|gross|viel|es|lief|war|ist|sich)|welche[rsnm]?|was|wann|ob"
    r"|warum|wieso|weshalb|woran|in welche[rmn]|an welche[rmn]|bei wie"
)
_KNOWING = (
    r"know|knows|knowing|tell|tells|telling|ask|asks|asked|asking|wonder|wonders|wondering|say|see|learn|explain|inform"
    r"|find out|check|look up|figure out|curious|interested|recall|idea|clue|sure|drauf|ahnung|melden|angeben|eintragen|question(?: is)?|share|enlighten|hear|understand|remember|verify|report|work out|calculate"
    r"|wissen|wuesste|weiss|weisst|wisst|sag|sage|sagen|sagst|frag|frage|fragt|fragen|fragte|gefragt|verrat|verrate|verraten|verraetst|nenn|nennen|nachschauen"
    r"|nachsehen|schau|schauen|schau nach|guck|gucken|pruefen|erfahren|interessiert|interessieren|herausfinden|rausfinden|mitteilen|zeigen|berichten|erklaer|erklaeren|erzaehl|rauszufinden|erinnern|ausrechnen|neugierig|gespannt|hoeren"
)
_WANTING = (
    r"wants?|needs?|would like|would love|requires?|requested|requests?|asks? for|asked for|is asking for|is after|expects?"
    r"|moechte|will|braucht|benoetigt|verlangt|wuenscht|fragt nach|haette gerne?|fordert"
)


def unframed(text: str) -> tuple[str, frozenset[str]]:
    """(a folded question, its marks still in it, without its frame; words that mean nothing in it).

    What names a time, a camera or a type stays even in a frame.
    """
    told = _LABEL.sub("", _polite(_thanked(_greeted(text.strip()))))
    told, excused = _bound(told)
    return _purposed(_wanted(told)), excused | _requested(told)


_LABEL = re.compile(
    r"^(?:request|ticket|question|query|subject|task|todo|re|info|reminder|anfrage|frage|betreff|bitte|aufgabe|rueckfrage|nachfrage|reine neugier|just curious|out of interest|aus neugier|quick one|kurz): "
)
_NUMBER = (
    r"(?:numbers?|counts?|totals?|rates?|quantity|share|percentage|figures?|yield|amount|[\w-]+[ -]rate|\w+ (?:count|percentage|quantity)"
    r"|anzahl|zahl(?:en)?|\w*quote|\w*zahl(?:en)?|\w*menge|\w*rate|\w*anteil|\w*ausbeute)"
)


def _requested(text: str) -> frozenset[str]:
    """The verb of a request whose object is a number: `kindly forward me the number of`.

    Who asks for the number of something asks for all of it, whatever is to be done with the number.
    """
    begun = re.match(
        rf"(?:please|pls|kindly|can you|could you|would you|will you|bitte)(?: please| kindly| bitte)? ({_WORD})(?: (?:me|us|mir|uns|sie))*"
        rf" (?:the |our |all |die |den |das |unsere )?(?:exact |total |genaue |gesamte )?{_NUMBER}(?!\w)",
        text,
    )
    ended = re.match(
        rf"(?:bitte|kannst|koenntest|koennten|koennt|kann|wuerdest|wuerden|magst|darf)(?: {_WORD})*? (?:die|den|das) (?:genaue |gesamte )?{_NUMBER}"
        rf"(?!\w).* ({_WORD}en)[?.! ]*$",
        text,
    )
    verbs = [match[1] for match in (begun, ended) if match is not None]
    return frozenset(verbs) - NARROWING


def _greeted(text: str) -> str:
    """Without a greeting and who is greeted, when a mark ends it."""
    return re.sub(
        rf"^(?:{_GREETING}(?: {_WORD}){{0,2}}|(?:morning|evening|morgen)) ?[,!.:;\u2013-]+ +(?=\w)",
        "",
        text,
        count=1,
    )


def _thanked(text: str) -> str:
    """Without thanks or a farewell at the end, and whom they are said to."""
    return re.sub(
        rf"(?<=[\s?.!,])(?:many |vielen |besten |herzlichen )?"
        rf"(?:thanks|thank you|thx|cheers|danke|dank|gruss|gruesse|lg|mfg|regards)(?: {_WORD}){{0,3}} ?[.!]*$",
        "", text,
    )  # fmt: skip


def _polite(text: str) -> str:
    """Without an aside on when and whether it suits, or what is being written, when a mark ends it."""
    return re.sub(
        rf"(?:^|(?<=[,.!] ))(?:(?:when|if|whenever|as soon as|falls|wenn|sobald) (?:you|it|that|du|sie|ihr|es|das) [^,?.:]*?"
        rf"(?:seconds?|minutes?|moment|time|chance|possible|mind|can|please|okay|hast|haben|habt|kannst|koennen|geht|moeglich|passt|zeit|minute)"
        rf"|(?:i am|i'm|we are|we're|ich|wir) (?:just |currently |gerade |eben )?(?:writing|preparing|doing|filling (?:in|out)|working on|making|putting together"
        rf"|schreibe|schreib|mache|mach|schreiben|machen|fuelle|brauche|bereite) (?:gerade |just |eben )?(?:the |my |our |a |an |den |die |das |meinen |meine |unseren |unsere |einen )?{_PURPOSE}(?: vor| aus)?)"
        r" ?[,:;.-] *(?:and |und )?",
        "", text,
    )  # fmt: skip


def _bound(text: str) -> tuple[str, frozenset[str]]:
    """Without the small words of a clause that a verb of asking or knowing binds to a question.

    Between verb and question only words of the closed classes may stand, or the clause could say
    which parts are meant: `tell me about the red ones and how many failed`. A `not` in it denies the
    knowing, not the parts.
    """
    match = re.match(
        rf"(?P<aside>[^?.:!]*, )?(?P<clause>[^,?.!:]*?(?<!\w)(?:{_KNOWING}))(?P<link>(?!\w)[^?.!]*?)(?<!\w)(?=(?:{_QUESTION})\b)",
        text,
    )
    if (
        match is None
        or re.match(rf"(?:{_QUESTION})\b", match["clause"])
        or re.search(r"\d", match["clause"])
    ):
        return text, frozenset()
    link, clause = re.findall(_WORD, match["link"]), re.findall(_WORD, match["clause"])
    if set(link) - CLOSED or (set(link) | set(clause)) & _FRAMELESS or clause[0] in _LINKS:
        return text, frozenset()
    rest = re.sub(
        rf"^(?:the|our|die|unsere) \w+(?:[ -]shift| schicht|schicht) (?=(?:{_KNOWING}|{_WANTING})\b)",
        "",
        match["clause"],
    )
    kept = [one for one in re.findall(_WORD, rest) if one not in CLOSED and one not in NARROWING]
    kept = [one for one in kept if not re.fullmatch(_KNOWING, one)]
    return f"{match['aside'] or ''}{' '.join(kept)} {text[match.end() :]}".strip(), frozenset(kept)


_LINKS = frozenset(
    """for from of about regarding concerning with without in on at by bei von aus zu fuer bezueglich mit
    ohne im am beim vom zum zur""".split()  # noqa: SIM905
)
_FRAMELESS = frozenset(
    """part parts piece pieces bolts thing things stuff items item teil teile teilen bauteile stuecke ones those these
    only nur about regarding bezueglich except excluding without ohne ausser other others another andere anderen
    welche jene sort kind type""".split()  # noqa: SIM905
)


def _wanted(text: str) -> str:
    """Without a person at the beginning who wants something."""
    match = re.match(
        rf"((?:{_WORD} ){{1,5}}?)(?:{_WANTING})(?: (?:to have|to see|to get|zu))? ", text
    )
    return text[match.end() :] if match and _person(match[1]) else text


def _purposed(text: str) -> str:
    """Without what it is for: `for the shift report`, `für den Chef`."""

    def cut(match: re.Match[str]) -> str:
        words = match["what"].split()
        return " " if _purpose(words[-1]) or _person(match["what"]) else match[0]

    det = r"(?:the |my |our |your |today's |tomorrow's |this |a |den |die |das |der |dem |meinen? |meinem |meiner |unseren? |unserem |unserer |unser |mein |einen? |eine )?"
    return re.sub(
        rf"(?<!\w)(?:for|in time for|to put in|fuers|fuer|zum|zur) {det}(?P<what>(?:(?:{_OF_WHOM}|morning|daily|weekly|next|naechste[nr]?|evening|monthly)[ -])?{_WORD})(?!\w)",
        cut, text,
    )  # fmt: skip


def _person(words: str) -> bool:
    """Whether words name a person of the plant, and nothing else."""
    told = [one for one in re.sub(rf"\b{_OF_WHOM}[ -]", "", words).split() if one not in CLOSED]
    return bool(told) and all(
        one in _PERSONS or one.endswith(("leiter", "leiterin", "meister", "chef", "fuehrer", "manager")) for one in told
    )  # fmt: skip


def _purpose(word: str) -> bool:
    return word in _PURPOSES or word.endswith(("bericht", "uebergabe", "besprechung", "protokoll"))
