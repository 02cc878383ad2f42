"""The words that questions about records are made of, English and German, as patterns.

All folded (export/terms.py). A word that stands in no table here, nor among those that may be ignored
(closed_words.py, plain_words.py), makes a question one that the records don't answer.
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
    WORST_HOUR = "worst hour"  # by share
    TOP_HOUR = "top hour"  # by number
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
    LATE = "late"  # of these: no result before the deadline


def _several(words: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in words.split(";"))


KIND_WORDS: Mapping[str, tuple[str, ...]] = {
    "scratch": _several(
        "scratch; scratches; scratched; kratzer; kratzern; verkratzt; verkratzte; "
        "verkratzten; verkratzter; kratzspur; kratzspuren; scratch mark; scratch marks; scratching; verkratzung; verkratzungen; zerkratzt; zerkratzte; zerkratzten; zerkratzter"
    ),
    "dent": _several(
        "dent; dents; dented; verbeult; verbeulte; verbeulten; eingedellt; eingedellte; "
        "eingedellten; delle; dellen; beule; beulen; eindellung; eindellungen; verbeulter; eingedellter; verbeulung; verbeulungen; denting"
    ),
    "chip": _several(
        "chip; chips; chipped; chipping; abgeplatzt; abgeplatzte; abgeplatzten; "
        "ausgebrochen; ausgebrochene; ausgebrochenen; ausbruch; ausbrueche; ausbruechen; "
        "ausbruchs; abplatzer; abplatzern; abplatzung; abplatzungen; absplitterung; absplitterungen; ausplatzung; ausplatzungen; kantenausbruch; kantenausbrueche; kantenausbruechen; "
        "ausgeplatzt; ausgeplatzte; ausgeplatzten; chipped edge; chipped edges; chipped corner; chipped corners; edge chip; edge chips; "
        "abgeplatzte kanten; abgeplatzter; ausgebrochener; ausgebrochene kanten; edge chipping"
    ),
    "stain": _several(
        "stain; stains; stained; fleckig; fleckige; fleckigen; verfleckt; fleck; flecken; flecke; fleckiger; verfleckung; verfleckungen; fleckenbildung; staining; verfleckte; verfleckten"
    ),
    "crack": _several(
        "crack; cracks; cracked; riss; risse; rissen; rissig; rissige; rissigen; rissiger; gerissen; gerissene; cracking; rissbildung"
    ),
    "missing_feature": _several(
        "fehlendes merkmal; fehlende merkmale; fehlenden merkmalen; fehlendem merkmal; fehlenden merkmals; merkmal fehlt; "
        "merkmal fehlte; merkmale fehlen; merkmale fehlten; ohne merkmal; fehlendmerkmal; missing feature; missing features; "
        "feature missing; features missing; without the feature; without a feature; lacking a feature; missing feature defects"
    )
    + tuple(
        form.format(one)
        for one in ("hole", "bore")
        for form in (
            "missing {0}",
            "missing {0}s",
            "{0} missing",
            "{0}s missing",
            "{0} was missing",
            "{0} is missing",
            "lacking a {0}",
            "lacking the {0}",
            "without a {0}",
            "without the {0}",
            "without {0}s",
            "without their {0}",
            "without its {0}",
            "no {0}",
        )
    )
    + tuple(
        form.format(one, several)
        for one, several in (("loch", "loecher"), ("bohrung", "bohrungen"))
        for form in (
            "ohne {0}",
            "ohne {1}",
            "{0} fehlt",
            "{0} fehlte",
            "{1} fehlen",
            "{1} fehlten",
            "fehlendem {0}",
            "fehlendes {0}",
            "fehlende {1}",
            "fehlende {0}",
            "fehlenden {0}",
            "fehlender {0}",
            "fehlenden {1}n",
            "fehlenden {1}",
        )
    ),
}
WORST = r"worst|poorest|schlechtesten?r?|schlimmsten?r?"
MOST = r"most|highest|biggest|largest|peak|top|meisten?|hoechsten?r?|groessten?r?"
SHARES = r"rates?|ratios?|shares?|percentages?|proportions?|fractions?|percent|ppm|quoten?|\w+quote|\w+rate|anteile?s?|anteilig\w*|anteilsmaessig\w*|\w+anteil|prozent\w*"
_HOUR = r"(?:in |at |during |zu |um |an )?(?:which|what|welche[rnsm]?) (?:hour|stunde)|wann|when"
_DEFECTS = (
    r"defects?|faults?|flaws?|failures?|rejects?|rejections?|errors?|defekte?|maengel|problems?|issues?|fehler"
    r"|hauptproblem|beanstandung(?:en)?"
)
_KINDS = r"types?|modes?|kinds?|sorts?|categor(?:y|ies)|class(?:es)?|art(?:en)?|typ(?:en|s)?|fehlerart(?:en)?|fehlertyp(?:en)?|kategorien?"
MEASURES: tuple[tuple[Measure, str], ...] = (
    (Measure.YIELD,
     (r"(?:first|1st)[- ](?:pass|time|run)(?:[- ](?:yield|quality|rate|throughput|through))+|first pass|throughput yield|fpy|fty|ftt|rft|right[- ]first[- ]time(?: rate)?|direktlaeufer(?:quote|rate|anteil)?|yields?"
     r"|erstausbeuten?|ausbeuten?|gutausbeute|gutausbringung|erstdurchlauf(?:quote)?|gutquote|gutanteil|success rate|acceptance rate|erfolgsquote|erfolgsrate|bestehensquote"
     r"|bestehensrate|annahmequote|guete?quote")),
    (Measure.WORST_HOUR,
     (rf"(?:{_HOUR})(?= .*(?:{MOST}|{WORST}) (?:\w+ )?(?:{SHARES})(?!\w)| .*(?<!\w)(?:{SHARES})(?!\w).* (?:{MOST}|{WORST})(?!\w))"
     rf"|(?:{_HOUR})? ?(?:was |war |is |ist )?(?:the |die |der )?(?:am )?(?:{WORST}) (?:hour|stunde)"
     rf"|(?:in )?(?:which|what|welche[rn]?) (?:hour|stunde) (?:was |is |war |went |ran |lief |did )*(?:the |am |die )?(?:{WORST})")),
    (Measure.TOP_HOUR, rf"(?:in |at |during |zu )?(?:(?:which|what|welche[rnsm]?) (?:hour|stunde)|hour_of_day)(?=.*(?<!\w)(?:{MOST}))"),
    (Measure.TREND,
     (r"(?:hourly |hour by hour )?(?:trends?|curve|progress(?:ion)?)|(?:by|per|for|from) (?:the |each |every )?hours?|each hour|every hour|per hour|hourly|hour (?:by|for|to|after) hour"
     r"|over time|trending|trended|worsen(?:ed|ing)?|improv(?:e|ed|ing)|(?:getting|got|gotten|get|become|became|becoming) (?:better or worse|worse or better|better|worse)|creeping up|on the (?:rise|up|increase|decline)|(?:go|went|gone) (?:up or down|down or up)|increas(?:e|ed|ing)|decreas(?:e|ed|ing)|declin(?:e|ed|ing)|(?:been )?develop(?:ed|ment|ments|ing|s)?|evol(?:ve|ved|ving|ution)|(?:the )?course(?= of)|in the course of"
     r"|(?:did|has|have|was|were|been)(?= .*(?:rising|falling|climbing|dropping|going up|going down))|rising|falling|climbing|dropping|going (?:up|down)(?: or (?:up|down))?"
     r"|chang(?:e|ed|ing)"
     r"|steig(?:t|en|end)|stieg(?:en)?|gestiegen|sink(?:t|en|end)|sank(?:en)?|gesunken|(?:mehr|weniger|besser|schlechter|schlimmer) geworden|tagesverlauf|tagesgang|verlauf|verlaufs|zeitverlauf|im laufe|verlief(?:en)?|stuendlich\w*|(?:pro|je|nach) stunden?|stundenweise|stunde (?:fuer|um|zu) stunde"
     r"|entwick\w+|entwicklung(?:en)?|veraendert\w*|veraenderung(?:en)?|stundenverlauf|ganglinie|kurve")),
    (Measure.TYPES,
     (rf"fehlerarten?|fehlertyp(?:en)?|(?:most (?:common|frequent|often|frequently|commonly|prevalent|usual)|commonest|main|dominant|predominant|top|major"
     rf"|biggest|largest|number one|principal|chief|leading|(?:am )?haeufigsten?r?s?|wichtigsten?r?s?|groesste[nrs]?|am meisten|vorherrschend\w*|hauptsaechlich\w*|haupt)"
     rf" ?(?:{_KINDS})? ?(?:of )?(?:cause of |causes of |reason for |reasons for )?(?:{_DEFECTS})(?: (?:{_KINDS}))?"
     rf"|(?:am )?haeufigsten?|(?:most (?:common|frequent|often|frequently|commonly))"
     rf"|(?:which|what) (?:{_KINDS}) of (?:{_DEFECTS})|(?:which|what|welche[rs]?|was fuer) (?:{_DEFECTS})(?: (?:{_KINDS}))?(?! ?-?(?:rate|quota|quote|percentage|share|count|ratio|anteil|anzahl))"
     rf"|(?:which|what|welche) (?:{_KINDS})|(?:{_KINDS}) of (?:{_DEFECTS})|(?:{_DEFECTS}) (?:{_KINDS})"
     rf"|(?:by|per|nach|pro|je|into|according to) (?:their )?(?:{_DEFECTS})? ?(?:{_KINDS})|by (?:defect|fault|flaw|reason|cause)|nach (?:fehler|defekt|ursache|grund|gruenden)"
     r"|break ?downs?|broken down|break(?= .*down)|aufschluesselung|schluess(?:le|el)\w*(?= .*auf)|auf(?:ge|zu)?schluessel(?:n|t)|distribut(?:ion|ed)|verteilung|verteilen sich|verteilt|paretos?|rank(?:ing|ed|s)?|rangliste|rangfolge|hitliste|(?:the )?worst offender|fehlerbild"
     r"|(?:schwerpunkte?|gruende?|ursachen?|reasons?|causes?)(?: (?:for|of|fuer|des|der|von))?"
     r"|(?:fail(?:ed)?|rejected|scrapped|stopped) for(?= ?$| the most)"
     r"|dominat(?:ed|es|ing)|led(?= ?$)|prevailed|predominated|ueberwog(?:en)?|dominiert\w*|vorherrsch\w*"
     r"|(?:what )?(?:went|going|gone) wrong|wrong with|schief(?:gegangen|gelaufen)?|schiefging|why|warum|wieso|weshalb|woran")),
    (Measure.RATE,
     (r"ppm(?:[- ](?:rate|zahl|wert))?|parts per million|rates?|shares?|percentages?|percent|pct|%|proportions?|fractions?|quotas?|ratios?|portion|quote|quoten|fehlerrate"
     r"|ausschussrate|rueckweiserate|anteile?s?|prozent|prozentsatz|prozentual\w*|anteilig\w*|anteilsmaessig\w*|prozentuell\w*|prozentzahl|prozente")),
    (Measure.COUNT,
     (r"how many(?: times)?|how often|how much|how frequently|wie oft|wie haeufig|(?:the )?numbers? of|counts?(?: up)?(?: of)?|counted"
     r"|amounts? of|totals?(?: of)?|tally|tallies|quantit(?:y|ies)|headcount|throughput|volume of|wie ?viele?[nrsm]?|anzahl|zahl|zahlen|stueckzahl|stueckzahlen|menge"
     r"|mengen|gesamtzahl|gesamtmenge|gesamtstueckzahl|teilezahl|teileanzahl|teilanzahl|durchsatz|gesamtanzahl|summe|teilemenge|how many percent")),
)  # fmt: skip
BUNDLES = (
    r"(?:bundles?|models?|modelle?n?|modells?) (?:changes?|swaps?|updates?|versions?|wechsel|exchanges?|replacements?"
    r"|aenderung(?:en)?)"
    r"|(?:bundle|model|modell)s?(?:stands?|staende|wechsels?|tausch|aenderung(?:en)?|version(?:en)?|update|updates)"
    r"|bundles?|models?|modelle?n?|modells"
)
BUNDLE_TALK = (
    r"chang(?:es?|ed|ing)|swap(?:s|ped)?|loaded|running|runs?|laeuft|laufen|gewechselt|getauscht|ausgetauscht|ersetzt|replaced|geladen|aktiv\w*"
    r"|version(?:s|en)?|used|using|uses?|verwendet|verwenden|nutzen|nutzt|benutzt|benutzen|genutzt|active|activated|in use|im einsatz|eingesetzt|deployed|deployment|switch(?:ed|es)?|exchanged"
    r"|updated?|updates|upgraded?|installed|rolled out|roll ?out|live|new|neue[smnr]?|eingespielt|aktiviert|aktualisiert|aenderte|stand|staende|release|releases|revision|geaendert|wechsel|gewechselt|wechselte"
    r"|judges?|judging|geprueft|prueft|urteilt|beurteilt|current|currently|put in|taken|introduced|eingefuehrt|aufgespielt|eingebaut|drauf|dazugekommen|neu|umgestellt|anyone|jemand|somebody|update|productive|produktiv\w*"
)
ALARMS = r"alarms?|alarme|alarmen|alarming|warnings?|warnung(?:en)?|stoerung(?:en)?|stoermeldung(?:en)?|alerts?"
ALARM_TALK = (
    r"raised|active|standing|anliegend\w*|anstehend\w*|aktiv\w*|offen\w*|open|pending|current\w*|up|on|unacknowledged|outstanding|ringing|live"
    r"|gerade|an|vor|right now|at the moment"
)
LAST = r"last|lastly|latest|most recent(?:ly)?|newest|letztes?|letzten?|letzter|letztem|neueste[srnm]?|juengste[srnm]?|zuletzt|letztmals|letztmalig"
OUTCOMES: tuple[tuple[Which, str], ...] = (
    (Which.REJECTS,
     (r"(?:(?:did|do|does|have|has|had|was|were|are|is) )?(?:not|nicht) (?:have )?(?:pass(?:ed)?|been accepted|accepted|approved|bestanden|akzeptiert|freigegeben|i\.?o\.?)"
     r"|(?:nicht|kein) (?:bestanden|in ordnung|gut|okay|ok)\w*|(?:were |was |are )?not (?:ok|okay|good|fine|in order)|nicht ok|noks?|n\.?o\.?k\.?"
     r"|rejects?|rejected|rejecting|rejections?|reject(?=[ -]?rate)|refused|culled|kicked out|deselected|zurueckgewiesen\w*|zurueckweisung(?:en)?|rueckweisung(?:en)?|beanstandet\w*|beanstanden"
     r"|beanstandung(?:en)?|aussortier\w*|aussondern|ausgesondert\w*|ausgemustert\w*|ablehnen|zurueckweisen|verwerfen|abgelehnt\w*|ablehnung(?:en)?|abgewiesen\w*|verworfen\w*|rausgeflogen\w*|bemaengelt\w*"
     r"|n\.?i\.?o\.?|defective|defectives|bad|schlecht(?:e|en|es|em)?|fehlerhaft\w*|fehlerbehaftet\w*|fehlteile?n?|defekt\w*"
     r"|mangelhaft\w*|maengel|maengeln|mangel|defects?|faulty|faults?|flaws?|flawed|duds?|non-?conforming|non-?conformant|non conforming|nonconformit(?:y|ies)|error(?= +(?:rate|percentage|quota|share|ratio|$))|unacceptable|substandard|nicht in ordnung\w*")),
    (Which.NOVEL, (r"novel|novelty|novelties|unlike the training parts|unknown(?= (?:to the model|parts?|pieces?))(?: to the model)?|unfamiliar|neuartig(?:e|en|es|er)?"
                  r"|unbekannte[rn]?(?= (?:teile|stuecke|bauteile|werkstuecke))")),
    (Which.LATE, "after_deadline"),
    (Which.FAIL_SAFE, r"fail[- ]?safes?|without (?:a |any )?results?|ohne (?:ein )?ergebnis(?:se)?"),
    (Which.FAILED,
     (r"fails?|failed|failures?|failing|failure(?=[ -]?rate)|scrap(?:s|ped)?|scrapping|flunk(?:ed)?|binned|written off|fell through|bombed"
     r"|durchgefallen\w*|durchfaell\w*|durchfiel|durchfielen|durchfallen|gescheitert\w*|versagt\w*|durchgerasselt\w*"
     r"|fiel durch|ausschuss|ausschusses|ausschussteile?n?|schlechtteile?n?|schrott|schrotts|schrottteile?n?|verschrotten|verschrottet\w*|durchfall(?=quote|rate)")),
    (Which.REVIEW,
     (r"(?:manually |by hand )?(?:for|to|in|into|under|up for|needed|need|needing|required|requiring) (?:a |the |manual |human )?reviews?|(?:manual |human )?reviews?|reviewed|sent to (?:a person|people)|second looks?|unclear|borderline|undecided|doubtful|inconclusive|uncertain"
     r"|(?:a |some)?(?:person|human|people|somebody)(?= (?:had|has|have|needed) to (?:look|check))|(?:zur|in die|in der|in) (?:manuellen |manuelle |visuellen )?(?:pruefung|nachpruefung|sichtung|nacharbeitspruefung)"
     r"|pruefteile?n?|nachpruefung(?:en)?|nachgeprueft\w*|nachpruefen|nachkontrolliert\w*|nachkontrolle|nachzupruefen\w*|zweifelsfael\w+|grenzfael\w+|zweifelhaft\w*|grenzwertig\w*|unklar\w*|unsicher\w*|von hand (?:geprueft|pruefen|kontrolliert)|(?:ins|im|zum) review|reviewfael\w+|pruefung(?=quote|rate)")),
    (Which.PASSED, (r"pass(?:es|ed|ing)?|good|goods|fine|ok|okay|accepted|acceptable|cleared|approved|released|flawless|faultless|spotless|defect[- ]free|fault[- ]free|in order|conforming|in ordnung|bestanden\w*|bestehen"
                   r"|ohne (?:beanstandung(?:en)?|befund|fehler|maengel|defekte?)|without (?:complaints?|objections?|defects?|faults?|flaws?|issues)|fehlerfrei\w*|makellos\w*|tadellos\w*|freigegeben\w*|akzeptiert\w*|angenommen\w*"
                   r"|einwandfrei\w*|bestand(?:en)?|gut(?:e|en|er|es)?|gutteile?n?|gutteil(?=[ -]?(?:quote|anteil|zahl))|gutmenge|i\.?o\.?")),
)  # fmt: skip
COMPARES = (
    r"compar(?:e|ed|es|ing|ison|isons)(?: to| with)?|in comparison(?: to| with)?|as opposed to|relative to|versus|vs\.?|against|contrast(?:ed)?|(?:the )?differences?|differ(?:ed|s)?|more (?:often|common|frequent|frequently)|more|fewer|less|better|worse"
    r"|than|(?:at )?most|fewest|least|lowest|highest|worst|best|biggest|largest"
    r"|higher|lower|greater|smaller|bigger|larger|vergleich\w*|nebeneinander|im vergleich(?: zu[rm]?)?|verglichen|gegenueber\w*|stell\w*(?= .*gegenueber)|gegen|mehr|weniger|besser|schlechter|oefter|haeufiger|den meisten|die meisten|am meisten|meisten?|groessten?r?|am wenigsten"
    r"|wenigsten?|unterschiede?s?|unterscheiden|unterscheidet|unterschieden|hoeher|am hoechsten|am niedrigsten|am schlechtesten|am besten|hoechsten?r?|niedrigsten?r?|geringsten?r?|schlimmsten?r?|schlechtesten?r?|besten?r?"
    r"|(?:besser|schlechter|hoeher|niedriger|groesser|kleiner|geringer|haeufiger|weniger)e[rnsm]?|niedriger|groesser|kleiner|geringer|who (?:had|did|made|has|produced)(?= .* (?:or|vs))|wer hat(?:te)?(?= .* oder)|set(?= .*against)|put(?= .*compared)|schnitt(?:en)?(?= .*ab)|abgeschnitten|ab(?= ?$)"
)
PAST = (
    r"did|was|were|had|has|have|been|so far|until now|up to now|failed|passed|rejected|scrapped"
    r"|happened|judged|inspected|produced"
    r"|made|seen|found|came|occurred|war|waren|wurden?|gab|gab's|hatten?|bisher|fielen|fiel"
    r"|durchgefallen\w*|bestanden|gefunden"
    r"|geprueft\w*|gefertigt|beurteilt\w*|aufgetreten|traten|kamen|liefen|inspiziert|verlief"
    r"|gewesen|ausgeschleust\w*|there"
)
QUOTAS = {  # German says in one word what and of which
    "ausschussquote": "ausschuss", "fehlerquote": "fehler", "durchfallquote": "durchgefallen",
    "fehlerrate": "fehler", "ausschussrate": "ausschuss", "ausschussanteil": "ausschuss",
    "fehleranteil": "fehler", "pruefquote": "nachpruefung", "reviewquote": "nachpruefung",
    "rueckweisequote": "rejects", "rueckweiserate": "rejects", "beanstandungsquote": "rejects",
    "schrottquote": "ausschuss", "nachpruefquote": "nachpruefung", "fehlerprozent": "fehler",
    "rejectquote": "rejects", "rejectrate": "rejects", "fehlteilquote": "rejects",
}  # fmt: skip
TOP_OF_FAULTS = r"(?<!cam )(?<!camera )(?<!kamera )top[ -](?:\d+ )?(?:(?:rejects?|scrap|failure|reject|ausschuss) )?(?:defects?|faults?|flaws?|issues?|problems?|reasons?|causes?|types?|kinds?|rejects|failures|fehler\w*|defekte?|gruende?|ursachen?)"
_ASKED = r"(?:(?:in|on|at|from|by|for|bei|an|auf|in|zu) )?(?:which|what|welche[rnsm]?)"
_EACH = r"(?:split |broken down |break down |sorted |grouped )?(?:per|by|pro|je|nach|across|between|zwischen)(?: the| our| den)?"
BY = {
    "camera": rf"(?:{_ASKED}|{_EACH}) (?:cameras?|kameras?|stations?|station(?:en)?)|kameravergleich|kameraweise",
    "shift": rf"(?:{_ASKED}|{_EACH}) (?:shifts?|schicht(?:en)?)|schichtvergleich|schichtweise|shiftwise",
    "day": rf"(?:{_ASKED}|{_EACH}) (?:days?|tag(?:e|en|s)?|weekdays?|wochentag(?:en)?)|daily|taeglich\w*|tageweise|day by day|tag fuer tag",
}
PART_INTENT = (
    r"why|open|where|wo|wer|who|alles|everything|find\w*|what happened|happened to|history|verdicts?|results?|judged|outcome|tell me about|show me|show|what about|was the matter|matter"
    r"|look at|look up|warum|wieso|weshalb|was war|was ist (?:mit|los)|historie|geschichte|urteil\w*|ergebnis\w*|verlauf|story|scores?|werte?|wert|fare[ds]?|became|become|becomes|wrong|info|infos|reasons?"
    r"|was geschah|was passierte|zeig\w*|how did|wie wurde|wie schnitt|details?|status|begruend\w*|grund|nummer|teilenummer|number|teilnummer|id|record|records|daten|data|los|explain|erklaer\w*|inspected|geprueft"
    r"|schlag\w*|nachschlagen|nach|raus|hervor|suche?n?|dig out|dig up|search|pull up|bring up|stimmte?n?|hand|gestoppt|stop|nachverfolgen|trace|reject|judgements?|judgments?|assessment|limit|threshold|grenzwert|schicksal|werdegang|nachgeschlagen|such|vorgeschichte|probabilit(?:y|ies)|schlecht|schief|file|akte"
    r"|ausgegangen|ausging|ausgang|lebenslauf|vita|do|did|turn(?:ed)? out|end(?:ed)? up|kick(?:ed)?|bounced|wissen|weiss|pass(?:ed)?|pruefen|vorgeschichte|laufbahn|pruefprotokoll|background|reasoning|trace|findings?|befund|bewertung|bewertet|beurteilung|abgeschnitten|schnitt|ab|aussortiert|pruefung|inspektion|inspection|check|not|nicht|no|kein|keine|being|defect|fehler|fehlte|reason|for what|was war los"
)
GENERAL = (
    r"inspect\w*|check\w*|judg\w*|produc\w*|went|go|going|goes|ran|run|running|happened|summary|summarise|summarize|sum up|overview|status|doing|do|numbers|figures|made|make|came off|came down|came along|came past|came through|off the line|output|quantity"
    r"|report|scanned|examined|evaluated|processed|handled|looked at|assessed|tested|seen|how was (?:it|the shift|production|work)|look(?:ed|ing|s)? like|how is it looking|wie war (?:es|die schicht|die produktion|der tag)|crossed|passed by"
    r"|geprueft\w*|beurteilt\w*|produzi\w*|gefertigt\w*|lief(?:en)?|liefs|durchgesetzt|geleistet|abgearbeitet|ging(?:en)?|passiert\w*|inspiziert\w*|gelaufen|durchgelaufen\w*|los|zahlen|fass\w*|sah|aussah|aussieht|gemacht|geschafft"
    r"|geschehen|zusammenfassung|uebersicht|ueberblick|lage|bericht|bilanz|statistik|stand|durchliefen|durch|kamen|gesehen|untersucht\w*"
)
