"""What parts are rejected for, as people ask for it: what drives the scrap, what keeps biting us.

Over folded text without marks, English and German; each is turned into the plain question for the most
frequent types of defect. Where a camera, shift, day or hour is what is looked for, a culprit may be one of
these, and nothing is turned. Pure.
"""

import re

from edge.assistant.phrases import Phrases

_REJECTS = (
    r"rejects?|rejections?|scrap|failures?|fails|defects?|faults?|bad parts|nok(?: parts)?|nio(?: teile)?|ausschuss|fehler|schlechtteile"
    r"|ausfaelle|rueckweisungen|beanstandungen|reject rate|scrap rate|fehlerquote|ausschussquote|rejected|failed"
)
_OF = r"(?:(?:most|the bulk|the majority|the lion's share|a lot|all|so much|many|much|of|the|our|this|these|den|die|das|der|des|meisten|groessten|grossteil|unseren?|so|viel|viele|am|an|fuer|zu|zum|zur) )*"
_CAUSED = (
    r"(?:is |was |were |are |has been |have been |been )?(?:mainly |mostly |mainly to |really |actually )?(?:causing|cause|causes|caused|driving|drove|drives|driven|behind|producing|produces|produced|generating|generated|feeding|fed"
    r"|responsible for|to blame for|account(?:s|ed|ing)? for|mak(?:es|ing) up|made up|contribut(?:es|ed|ing) to|dominat(?:es|ed|ing)|led to|leads to|leading to|contributing to)"
)
_FREQUENT = "haeufigste fehler"
_PESTS = (
    r"killers?|culprits?|offenders?|drivers?|headaches?|pain(?: points?)?|troublemakers?|contributors?|nuisances?|pests?|suspects?|sinners?|bugbears?|sore points?"
    r"|sources? of (?:scrap|rejects?|trouble|defects)|scrap drivers?|reject drivers?|cost drivers?|baddies|pain in the neck|concerns?|weak(?:ness|nesses|est point| spots?)?"
)
_WORST = r"biggest|main|worst|number one|top|chief|greatest|most common|usual|leading|major|principal|key|prime|largest|most frequent"
_BITING = r"biting|bugging|plaguing|troubling|haunting|hurting|annoying|bothering|dogging|hitting|killing|costing|tripping (?:us )?up|letting (?:us )?down|hampering|nagging"
_BIT = r"bit|bugged|plagued|troubled|haunted|hurt|annoyed|bothered|dogged|hit|killed|cost|hampered|tripped|gave|given"
_HAKT = r"gehakt|gehapert|gezwickt|geklemmt|gekrankt|gemangelt|gelegen|gefehlt|gedrueckt|gebrannt"
_HAKTE = r"hakt|hakte|hapert|haperte|klemmt|klemmte|zwickt|zwickte|krankt|krankte|mangelte|brennt|brannte|drueckt der schuh|drueckte der schuh|drueckt es|drueckte es"
_MUCH = r"(?:(?:am meisten|vor allem|hauptsaechlich|besonders|meistens|meist|ueberwiegend|vorwiegend|immer|immer wieder|staendig|so|denn|uns|es|das meist|the most|most|mostly|mainly) )*"
_SEEKS_OTHER = re.compile(
    r"(?<![\w-])(?:(?:which|what|welche[rnsm]?|per|by|pro|je|nach) (?:\w+ )?(?:camera|shift|day|hour|station|kamera|schicht|tag|stunde|hours|shifts|cameras)\w*)(?!\w)"
)
_TABLE = Phrases((
    (rf"(?:what|which (?:{_REJECTS}|one|ones|types?|kinds?)(?: (?:types?|kinds?|modes?|reasons?|causes?))?) {_CAUSED} {_OF}(?:{_REJECTS})", _FREQUENT),
    ((r"(?:what|which \w+) (?:did|do|does|are|were|was|is|have|has) (.*?(?<!\w)(?:fail|failing|failed|reject|rejected|rejecting|scrap|scrapped|scrapping|stopped|being rejected|go out|thrown out))"
     r"(?: out)? for(?: mostly| mainly| most| the most)?(?= (?:on|in|at|during|mostly|mainly|most|yesterday|today|this|last|over|since|between|from|the (?:early|late|night|day|last|past))|$)"), r"why \1"),
    (r"(?:what|which \w+) (?:did|do|does|have|has) (.*?)(fail|failed|reject|rejected|scrap|scrapped) (?:the |our |most |any )*(?:parts|pieces) for", r"why \1 \2 parts"),
    (r"what (?:are|were|is|was) (.*?)(?:mostly |mainly |mostly being |being )(rejected|failed|scrapped)(?: for)?", r"why \1\2"),
    (r"(?:on what (?:grounds|account)|because of what|due to what|for what (?:reasons?|defects?|faults?|causes?)|aufgrund wovon|aufgrund welcher \w+|weshalb|weswegen|aus welchen gruenden)", "why"),
    (r"what (?:is it that |was it that )?(?:mostly |mainly |most often |usually )?(?:gets?|got|makes?|made|lets?) (?:the |our |most |most of the )*(?:parts?|pieces?) (?:be |to be |being )?(?:rejected|fail|failed|scrapped|thrown out)", _FREQUENT),
    (rf"(?:what|which) (?:is |was |were |are |has been |have been |been )?(?:kept |keeps )?(?:{_BITING})(?: us| the line| production| you)?(?: the most| most| so much)?", _FREQUENT),
    (rf"what (?:kept |keeps )?(?:{_BIT}) (?:us|the line|production) (?:the )?(?:most|hardest|trouble|grief|worst|problems)(?: (?:trouble|grief|problems))?", _FREQUENT),
    (rf"(?:the |our |my )?(?:{_WORST}) (?:{_PESTS})(?: (?:for|of|in|behind) (?:the |our )?(?:{_REJECTS}))?", _FREQUENT),
    (rf"(?:woran|wo|worin|womit|an was) (?:hat|hatte|haben|hatten|ist|sind|lag|war) (.*?){_MUCH}(?:{_HAKT})(?= |$)", rf"\1 {_FREQUENT}"),
    (rf"(?:woran|wo|worin) (?:{_HAKTE})(?: es| uns)?(?: denn)?", _FREQUENT),
    (rf"(?:woran|wodurch) (?:lag|lagen|liegt|liegen|kam|kamen) (?:{_OF})(?:{_REJECTS})", _FREQUENT),
    (r"(?:dem |den |unser |unsere |die |der )?(?:sorgenkind(?:er)?|dauerbrenner|uebeltaeter|hauptuebeltaeter|hauptverursacher|problemfehler|knackpunkte?|stoerenfriede?|ausschusstreiber|fehlertreiber|kostentreiber|spitzenreiter|fehlerspitzenreiter|hauptschuldige[rn]?|hauptausschussgrund|hauptausschussursache|hauptfehlerarten?|hauptfehlerursachen?)", _FREQUENT),
    (rf"(?:was|welche[rsn]? \w+) (?:hat|haben|hatte|hatten) (.*?){_MUCH}(?:probleme|aerger|sorgen|kummer|kopfzerbrechen|kopfschmerzen|zu schaffen|das leben schwer) ?(?:gemacht|bereitet|verursacht)?", rf"\1 {_FREQUENT}"),
    (rf"(?:was|wer) (?:verursacht|verursachte|verursachten|trieb|treibt|steckt(?:e)? hinter|war schuld an|ist schuld an|fuehrt(?:e)? zu|sorgt(?:e)? fuer|dominiert(?:e)?|beherrscht(?:e)?) {_OF}(?:{_REJECTS})(?: aus)?", _FREQUENT),
    (rf"(?:was|welche[rsn]? (?:fehler|defekte?|fehlerarten?)) (?:hat|haben) (.*?)(?:{_OF})(?:{_REJECTS}) (?:verursacht|ausgeloest|ausgemacht|verschuldet|getrieben|hervorgerufen)", rf"\1 {_FREQUENT}"),
    (r"(what|which|why|was|woran|warum|wieso|welche[rsn]?)(?= )(.*?) (?:mostly|mainly|predominantly|primarily|chiefly|in the main|for the most part|vor allem|hauptsaechlich|meistens|ueberwiegend|vorwiegend|in erster linie)(?= .*(?:fail|reject|scrap|durchge|aussort|rausge|nio|ausschuss|fehler)| (?:for|wrong)|$)", r"\1\2"),
    (r"(?:what|which) (?:is|was|are|were) (?:the )?(?:most|highest|biggest) (?:common |frequent )?(?:defect|fault|flaw|reject) (?:types?|kinds?|reasons?|causes?)", _FREQUENT),
))  # fmt: skip


def told_causes(text: str) -> str:
    """The text with questions for causes said plainly."""
    if _SEEKS_OTHER.search(text):
        return text
    return _TABLE.plainly(text)
