"""The words that questions about records are made of, English and German, as patterns.

All folded (export/terms.py). FILLER is what may stand in any question without changing what is
asked; a word that stands in no table makes a question one that the records don't answer. So a noun
or adjective that would narrow the question must never get into FILLER.
"""

from collections.abc import Mapping
from enum import StrEnum


class Measure(StrEnum):
    """What is asked about parts."""

    COUNT = "count"
    RATE = "rate"
    YIELD = "yield"
    TYPES = "types"
    TREND = "trend"
    WORST_HOUR = "worst hour"
    LAST = "last"
    PART = "part"
    BUNDLES = "bundles"
    ALARMS = "alarms"


class Which(StrEnum):
    """Which parts are counted."""

    ALL = "all"
    PASSED = "passed"
    FAILED = "failed"
    REVIEW = "review"
    REJECTS = "rejects"  # failed or for review: they didn't pass at once
    NOVEL = "novel"
    FAIL_SAFE = "fail-safe"


def _several(words: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in words.split(";"))


KIND_WORDS: Mapping[str, tuple[str, ...]] = {
    "scratch": _several(
        "scratch; scratches; scratched; kratzer; kratzern; verkratzt; verkratzte; "
        "verkratzten; verkratzter; zerkratzt; zerkratzte; zerkratzten; zerkratzter"
    ),
    "dent": _several(
        "dent; dents; dented; verbeult; verbeulte; verbeulten; eingedellt; eingedellte; "
        "eingedellten; delle; dellen; beule; beulen"
    ),
    "chip": _several(
        "chip; chips; chipped; chipping; abgeplatzt; abgeplatzte; abgeplatzten; "
        "ausgebrochen; ausgebrochene; ausgebrochenen; ausbruch; ausbrueche; ausbruechen; "
        "ausbruchs"
    ),
    "stain": _several(
        "stain; stains; stained; fleckig; fleckige; fleckigen; verfleckt; fleck; flecken; flecke"
    ),
    "crack": _several("crack; cracks; cracked; riss; risse; rissen"),
    "missing_feature": _several(
        "missing feature; missing features; loecher fehlten; missing hole; missing holes; "
        "lacking a hole; without a hole; ohne loch; loch fehlt; loecher fehlen; fehlendem "
        "loch; fehlendes merkmal; fehlende merkmale; fehlenden merkmalen; fehlendem "
        "merkmal; fehlende loecher; fehlendes loch; fehlenden loechern"
    ),
}
MEASURES: tuple[tuple[Measure, str], ...] = (
    (Measure.YIELD, r"first[- ]pass[- ]yield|fpy|yields?|erstausbeute|ausbeute|gutquote|gutanteil"),
    (Measure.WORST_HOUR,
     (r"(?:which|what|in which|welche|welcher|in welcher)? ?(?:was |war |is |ist )?(?:the |die "
     r"|der )?"
     r"(?:worst|schlechtesten?|schlimmsten?) (?:hour|stunde)"
     r"|(?:which|what|in which) hour (?:was |is )?(?:the )?worst"
     r"|(?:welche|in welcher) stunde (?:war )?(?:am )?(?:schlechtesten|schlimmsten"
     r"|die schlechteste)")),
    (Measure.TREND,
     (r"trends?|(?:by|per) (?:the )?hour|hourly|hour (?:by|for) hour|over time|develop(?:ed|ment"
     r"|ing)?|chang(?:e|ed) over"
     r"|verlauf|verlaufs|verlief(?:en)?|stuendlich\w*|(?:pro|je|nach) stunden?|stundenweise"
     r"|entwick\w+")),
    (Measure.TYPES,
     (r"fehlerarten?|fehlertyp(?:en)?|(?:most (?:common|frequent|often)|commonest|main|dominant|top"
     r"|biggest|leading|haeufigsten?|haeufigster"
     r"|haeufigstes|wichtigsten?|am haeufigsten|am meisten) ?(?:type of |types of )?(?:defects?"
     r"|faults?|flaws?|types?"
     r"|kinds?|fehlerart(?:en)?|fehlertyp(?:en)?|fehler|arten?|defekte?)?(?: types?| kinds?)?"
     r"|(?:which|what) (?:kinds? of |types? of )?(?:defects?|faults?|flaws?)(?: types?| kinds?)?"
     r"|(?:by|per|nach) (?:defect |fault )?(?:type|kind|fehlerart|fehlertyp|art|typ)s?|breakdown"
     r"|break down|aufschluesselung"
     r"|welche (?:fehler(?:arten?|typen?)?|defekte?)|defect types|types of defects?|fehlerarten")),
    (Measure.RATE,
     (r"rates?|share|percentages?|percent|proportion|fraction|quota|ratio|\w*quote|fehlerrate"
     r"|ausschussrate|rueckweiserate|ausschussanteil|fehleranteil|anteil|prozent|prozentsatz"
     r"|wie viel prozent")),
    (Measure.COUNT,
     (r"how many|how often|how much|how frequently|wie oft|wie haeufig|wie viel|number of|count(?:s"
     r"|ed)?(?: of)?|amount of|total(?: of)?|wie ?viele?|anzahl|zahl|stueckzahl|menge")),
)  # fmt: skip
BUNDLES = (
    r"(?:bundles?|models?|modelle?n?|modells?) (?:changes?|swaps?|updates?|versions?|wechsel"
    r"|aenderung(?:en)?)"
    r"|(?:bundle|model|modell)(?:wechsel|tausch|aenderung(?:en)?|version(?:en)?)"
    r"|bundles?|models?|modelle?n?"
)
ALARMS = r"alarms?|alarme|alarmen|warnings?|warnung(?:en)?|stoerung(?:en)?"
LAST = r"last|latest|most recent|newest|letztes?|letzten?|letzter|neuestes?|juengstes?|zuletzt"
OUTCOMES: tuple[tuple[Which, str], ...] = (
    (Which.REJECTS,
     (r"(?:did(?:n't| not)|have(?:n't| not)|has(?:n't| not)) pass(?:ed)?|not passed|(?:nicht"
     r"|kein) (?:bestanden|in ordnung|gut)"
     r"|rejects?|rejected|rejections?|reject(?=[ -]?rate)|zurueckgewiesen\w*|beanstandet\w*"
     r"|beanstandung(?:en)?|aussortiert\w*"
     r"|not ok|n\.?i\.?o\.?|defective|bad|schlecht(?:e|en|es|em)?|fehlerhaft\w*|defekt\w*"
     r"|mangelhaft\w*|defects?|faulty|faults?|flaws?|flawed|nicht in ordnung\w*")),
    (Which.NOVEL, (r"novel|novelty|unlike the training parts|unknown to the model|neuartig(?:e|en"
                  r"|es)?")),
    (Which.FAIL_SAFE, r"fail[- ]?safe|without (?:a )?results?|ohne ergebnis"),
    (Which.FAILED,
     (r"fails?|failed|failures?|failing|failure(?=[ -]?rate)|scrap(?:s|ped)?|flunk(?:ed)?"
     r"|durchgefallen\w*|durchfaell\w*|durchfiel|durchfielen|fielen durch"
     r"|fiel durch|ausschuss|ausschusses|ausschussteile?n?|schlechtteile?n?|ausgeschleust\w*")),
    (Which.REVIEW,
     (r"(?:for|to|in|under) reviews?|reviews?|reviewed|sent to (?:a person|people)|(?:zur|in der"
     r"|in) (?:pruefung|nachpruefung)"
     r"|pruefteile?n?|nachpruefung(?:en)?|pruefung")),
    (Which.PASSED, (r"pass(?:es|ed|ing)?|good|fine|ok|okay|accepted|in ordnung|bestanden\w*"
                   r"|einwandfrei\w*|bestand(?:en)?|gut(?:e|en)?|gutteile?n?|i\.?o\.?")),
)  # fmt: skip
COMPARES = (
    r"compar(?:e|ed|es|ing|ison)(?: to| with)?|versus|vs\.?|against|more|fewer|less|better|worse"
    r"|than|most|fewest|least|difference"
    r"|higher|lower|vergleich\w*|verglichen|gegenueber|mehr|weniger|besser|schlechter|meisten"
    r"|wenigsten|unterschied|hoeher"
    r"|hoehere|niedriger|niedrigere|groesser|kleiner"
)
PAST = (
    r"did|was|were|had|has|have|been|so far|until now|up to now|failed|passed|rejected|scrapped"
    r"|happened|judged|inspected|produced"
    r"|made|seen|found|came|occurred|war|waren|wurden?|gab|gab's|hatten?|bisher|fielen|fiel"
    r"|durchgefallen\w*|bestanden|gefunden"
    r"|geprueft\w*|gefertigt|beurteilt\w*|aufgetreten|traten|kamen|liefen|inspiziert|verlief"
    r"|gewesen|ausgeschleust\w*|there"
)
FILLER = frozenset(
    """a ab aber abgelaufen ablief abliefen about accordingly active actual actually again aktuell
    all alle allem allen aller alles allesamt almost alone als also altogether am an and
    anderem anfallen angeben angefallen angehalten angezeigt anlage anliegen anschliessend
    ansehen antwort any anything anzeigen appear appeared appearing approximately are as ask
    asked asking assessed at auch auf auffaellig auffielen aufgefallen aufgelaufen
    aufgetaucht aufgetreten auftauchten auftraten auftreten aus ausgegeben aussah aussahen
    aussieht auswerten available badly band bauteil bauteile bauteilen be beanspruchten been
    before bei bei'm beide beiden beim being bekam bekamen bekommen bekommt belief beliefen
    belong benoetige benoetigen bereits bericht berichte berichten bestand bestehen betraf
    betrafen betrug between beurteilt beurteilten beurteilter bewertet bewerteten bin bis
    bisher bislang bitte bitteschoen bleibt blieb blieben both box brauche brauchen braucht
    brief briefly but by came camera cameras can case cases caught check checked checks
    clocked collected come comes component components could counted counting counts
    currently cycle da dabei damit danke dann daran darunter das dass data daten davon day
    days daytime dazu dein deine dem den denn der derzeit des did die dies diese diesem
    diesen dieser dieses display do doch does doing done dort down du due durch
    durchgelaufen durchgelaufenen durchlaufen durchliefen durchs during each eben eigentlich
    ein eine einem einen einer eines einige einmal einzeln either encounter encountered end
    ended enden endete endeten ending ends entdeckt entdeckte entdeckten entfiel entfielen
    entire entstanden er erfahre erfahren erfasst erfasste erfassten ergab ergaben ergeben
    ergebnis ergebnisse erhalten erhielt erhielten erkannt erkannte erkannten erzeugt
    erzielt es etwa euch euer evaluated ever every everything exact exactly exakt examined
    existed fallen fand fanden far fehlten fertig fertigte fertigten festgestellt
    festgestellten fetch few fiel fielen figure figures file find flagged for found frage
    fragen from fuer full gab gabs gave geben gebt gefahren gefertigt gefertigten gefragt
    gefunden gefundenen gegeben gehabt gehen geht gekommen gelandet gelaufen gelten gemacht
    gemeldet gemeldeten gemessen genannt genau genauso geprueft geprueften gerade geraten
    gern gerne gesamt gesamten geschafft geschehen gesehen gesehene gesichtet get getestet
    getesteten gets getting gewertet gewesen gezaehlt gezeigt gib gibt gilt ging gingen give
    given go goes going gone got great gross gut hab habe haben had haette haetten hallo
    halt hand handed happen happened happening has hat hatte hatten have having hear hello
    help heraus here hergestellt hergestellten hey hi hier hin hindurch hinsichtlich hoch
    hoeren hour hours how how's i i'd i've ich im in including inklusive ins insgesamt
    inspect inspected inspecting inspection inspections inspiziert inspizierten into
    irgendwelche is ist it item items its ja jede jeden jeder jedes jemals jetzt jeweils
    judged just kam kamen kamera kameras kann kannst keep kept kindly know known koennen
    koennten kommen konnte konnten kontrolle kontrollen kontrolliert kontrollierten kriegen
    kriegte kriegten laesst laeuft lag lage lagen landete landeten lange lassen last laufen
    lautet lautete learn let letztlich lief liefen liefere liefern lieferte liegen liegt
    liess liessen like line linie list liste listen logged look looked looking machen
    machine machte made make making mal man manufactured many maschine may me mehrere mein
    meine meldete meldeten meldung meldungen might mir mit mitgeteilt mitteilen moechte
    moechten moment much muessen muesste musste mussten must my nach name nannte nearly need
    needed nenn nenne nennen new no noch note noted noticed now number nun nur ob obtain
    obtained occur occurred occurring oder of off often ok on once one ones only open or
    ordnung our out output over overall overview part parts passiert passierte passierten
    passing people period picked piece pieces pieces' plant please plus possible precisely
    present pro processed produced producing produziert produzierten pruefen prueften
    pruefungen pull pulled put question quick quickly ran rated raus rausgegangen
    rausgekommen reached read ready really record recorded records register registered
    registriert registrierte registrierten rein report reported reporting require required
    results right roughly run running saemtliche saemtlichen sag sage sagen sah sahen said
    saw say scanned schau schaue schicht schichten schliesslich schnell screened see seen
    sehen sein seit send sent set several shift shifts should show showed showing shown
    shows sich side sie sieht since sind single so sollen some somit sort sorted soviel spot
    spotted stand standen standing started state stated station stationen status stehen
    steht stellte stellten still stop stopped stueck stuecke stuecken stueckzahlen stunde
    stunden such suffered summarise summarize summary supplied supply system tag tage take
    taken tatsaechlich tauchte tauchten teil teilanzahl teile teilen teils teilt tell terms
    tested than thanks that the their them then there these they thing things this those
    through thus till time times to today together told took total totals trat traten try
    turn turned turning ueber ueberhaupt uebersicht uhr um und under ungefaehr unit units
    uns unser unsere unserem unserer unter until up upon urteil urteile us use value values
    verarbeitet verarbeiteten verbucht verdict verdicts verging verlief verliefen
    verzeichnet verzeichnete verzeichneten viewed vom von vor vorgekommen vorhanden vorkamen
    vorkommen vorlagen vorliegen waehrend waere wann want wanted war waren was we we've week
    wegen weggegangen wegkamen welche welchem welchen welcher welches well wenn went werden
    were werkstueck werkstuecke werkstuecken what what's whats when which while whole wie
    wie's wieder wiederum will wir wird wirklich wissen with within without wollen wollte
    worden workpiece workpieces would wurde wurden yet you your zaehle zaehlen zaehlt zeig
    zeige zeigen zeigte zeigten zeit zu zum zur zusammen zusammenfassung zustande""".split()  # noqa: SIM905 - a list of words reads best as words
)
QUOTAS = {  # German says in one word what and of which
    "ausschussquote": "ausschuss", "fehlerquote": "fehler", "durchfallquote": "durchgefallen",
    "fehlerrate": "fehler", "ausschussrate": "ausschuss", "ausschussanteil": "ausschuss",
    "fehleranteil": "fehler", "pruefquote": "pruefung", "reviewquote": "pruefung",
    "rueckweisequote": "rejects", "rueckweiserate": "rejects",
}  # fmt: skip
BY = {
    "camera": r"(?:which|what|welche|welcher|per|by|pro|je|nach) (?:camera|kamera|station)s?",
    "shift": r"(?:which|what|in which|welche|welcher|in welcher|per|by|pro|je|nach) (?:shift"
    r"|schicht)(?:en|s)?",
    "day": r"(?:which|what|on which|welcher|an welchem|per|by|pro|je|nach) (?:day|tag)s?(?:en|e)?"
    r"|daily|taeglich|tageweise",
}
PART_INTENT = (
    r"why|what happened|happened to|history|verdicts?|results?|judged|outcome|tell me about"
    r"|show me|show|what about|was the matter"
    r"|look at|warum|wieso|weshalb|was war|was ist (?:mit|los)|historie|urteil|ergebnis|verlauf"
    r"|was geschah|was passierte|zeig\w*"
    r"|how did|wie wurde|wie schnitt|details?|status"
)

GENERAL = (
    r"inspect\w*|check\w*|judg\w*|produc\w*|went|go|going|ran|run|happened|summary|overview|status"
    r"|report"
    r"|geprueft\w*|beurteilt\w*|produzi\w*|gefertigt\w*|lief(?:en)?|ging(?:en)?|passiert\w*"
    r"|geschehen"
    r"|zusammenfassung|uebersicht|lage|bericht"
)
