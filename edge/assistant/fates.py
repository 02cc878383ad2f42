"""What became of a part, as people say it: thrown out, waved through, looked at by a person.

Families of phrases, English and German, over folded text without marks: verbs with their particles, who did
it, and what it is called. Each is turned into a word that edge/assistant/vocabulary.py knows. What could
mean two fates (`taken out`, `came through`) stands in no family. Pure.
"""

from edge.assistant.phrases import Phrases

_SYSTEM = (
    r"system|camera|cam|model|machine|ai|software|computer|inspection|station|line|kamera|anlage|ki|maschine|modell|pruefung"
    r"|linie|rechner|bildverarbeitung|pruefanlage|pruefsystem"
)
_LEARNT = r"model|network|ai|modell|ki|netz"
_GATE = (
    r"(?:reject(?:ion|s|ing)?|sorting) (?:gate|flap|arm|pusher|station|unit|device)|ejector|rejector|diverter"
    r"|ausschleus(?:er|ung|klappe|weiche|einheit|station)|auswerfer|sortierklappe|sortierweiche"
)
_OUT = (
    r"kick(?:s|ed|ing)?|bounc(?:e|es|ed|ing)|throw(?:s|n|ing)?|threw|toss(?:es|ed|ing)?|chuck(?:s|ed|ing)?|boot(?:s|ed|ing)?"
    r"|turf(?:s|ed|ing)?|fling(?:s|ing)?|flung"
    r"|weed(?:s|ed|ing)?|cull(?:s|ed|ing)?|sort(?:s|ed|ing)?|screen(?:s|ed|ing)?|filter(?:s|ed|ing)?"
)
_OUT_ALONE = r"(?:get|got|getting|gets|be|been|being|was|were|are|is|they|it|we|and) (?:bounced|booted|chucked|tossed|kicked)|bounced|eject(?:s|ed|ing)?"
_BY_GATE = rf"{_OUT}|knock(?:s|ed|ing)?|blow(?:s|n|ing)?|blew|push(?:es|ed|ing)?|spit(?:s|ting)?|spat|eject(?:s|ed|ing)?|remov(?:e|es|ed|ing)|take|takes|took|taken|divert(?:s|ed|ing)?|pull(?:s|ed)?|discard(?:s|ed|ing)?|push\w*|catch|caught|sent|send|aus\w+|weg\w+|raus\w+|ab\w+|geschoben|geworfen"
_RAUS = (
    r"warf(?:en)?|wirft|werfen|schmiss(?:en)?|schmeiss(?:t|en)|kick(?:t|te|ten|en)|flog(?:en)?|fliegt|fliegen"
    r"|blies(?:en)?|blaest|blasen|kegel(?:t|te|ten|n)|stiess(?:en)?|sonder(?:t|te|ten|n)|filter(?:t|te|ten|n)|feuer(?:t|te|ten|n)"
)
_AUS = r"sortier(?:t|te|ten|en)|sonder(?:t|te|ten|n)|schleus(?:t|te|ten|en)|muster(?:t|te|ten|n)|steuer(?:t|te|ten|n)|sieb(?:t|te|ten|en)"
_NO_NOUN = r"(?! (?:der|die|das|dem|den|des|einem?|einer|unserer?|unserem|dieser|diesem|welche\w*|kamera|camera))"
_HAND = (
    r"von hand|haendisch|manuell|per hand|mit (?:blossem |dem )?auge|per auge|von (?:einem |einer )?(?:menschen?|person|mitarbeiter|bediener|werker|pruefer|kollegen)"
    r"|vom (?:menschen|mitarbeiter|bediener|werker|pruefer|kollegen|personal)|durch (?:einen |eine |den |das )?(?:menschen|person|mitarbeiter|bediener|werker|pruefer|personal)"
)
_LOOKED = (
    r"(?:nach|gegen|ueber|an|durch)?(?:zu)?(?:ge)?(?:prueft?|pruefen|kontrolliert|kontrollieren|schaut|schauen|sehen|guckt|gucken|beurteilt|beurteilen|bewertet|bewerten"
    r"|entschieden|entscheiden|begutachtet|begutachten)"
)
_BY_HAND = r"by hand|by eye|manually|by (?:a |an |the |our |some )?(?:person|human|humans|colleagues?|operators?|someone|people|inspectors?|workers?|human eye)|by somebody"
_CHECKED = r"(?:double[- ]?|re-?|cross-?)?(?:check|inspect|judg|verif|decid|look|assess|examin|review|evaluat|sort)(?:e|y|ed|ied|ing|ked)?(?: at| on| over| again)*"
_DEADLINE = r"(?:the |our |its |their |der |die |dem |ihre |zur )?(?:deadlines?|frist(?:en|ende)?|fristablauf|ablauf der frist|ende der frist)"
_TABLE = Phrases((
    # idioms that hide the name of a type
    (r"not (?:quite |really )?up to (?:scratch|snuff|par|spec|standard)|below (?:par|standard)", "not passed"),
    (r"up to (?:scratch|snuff|par|spec|standard)", "passed"),
    (r"from scratch", "from_scratch"), (r"(?:put|made|left|makes?) a dent in", "dent_in"), (r"(chip|chips|chipped) in", r"\1_in"),
    (r"prueff(?:all|aelle|aellen)", "pruef_faelle"),  # for a person to check, or all that were checked?
    # thrown out
    (rf"(?:the |our |die |der |unsere |unser )?(?:{_GATE})((?: [\w.:-]+){{0,5}}?) (?:{_BY_GATE})(?: (?:out|off|aside|away))?", r"\1 rejected "),
    (rf"(?:{_BY_GATE})(?: (?:out|off|aside|away))?((?: [\w.:-]+){{0,3}}?) (?:by|through|from|von|vom|durch|via|am|an) (?:the |our |der |den |die |einer |unserer )?(?:{_GATE})", r"rejected \1 "),
    (r"(?:into|in|to|on|for|down|onto|via) (?:the |our )?(?:rejects?|rejection|nok|ng|bad parts?|nio) ?-?(?:bin|chute|box|lane|pile|tray|crate|channel|belt|container|basket|rack)", "rejected"),
    (r"(?:in (?:der|die|den|dem|einer|das)|auf (?:der|die|dem|den|das)) (?:nio|nok|ausschleus|schlechtteile?)-?(?:kiste|box|behaelter|rutsche|band|bahn|schacht|kasten|wanne|platz)", "nio"),
    (rf"(?:{_OUT}) (out|off|aside)", "rejected"),
    (rf"(?:{_OUT}) ((?:\w+ ){{1,4}}?)(?:out|off)(?= ?$| (?:yesterday|today|this|last|in|on|during|for|by|than|over|so|because))", r"rejected \1"),
    (_OUT_ALONE, "rejected"),
    (rf"(?:{_RAUS}) (.*?)(?<!\w)(?:raus|heraus|hinaus)", r"\1 aussortiert"),
    (rf"(?:{_AUS}) (.*?)(?<!\w)aus{_NO_NOUN}", r"\1 aussortiert"),
    (r"(?:raus|heraus|hinaus)(?:zu)?(?:ge)?(?:w[oe]rfen|wirft|warf|schmiss\w*|schmeiss\w*|kick\w*|kegelt|flogen\w*|fliegen|blasen|stossen|sondert|sortiert|filtert|sieb\w*|feuert)\w*", "aussortiert"),
    (r"aus(?:zu)?(?:ge)?(?:sondert|schleust|steuert|siebt|mustert|sondern|schleusen|steuern|sieben|mustern)\w*|aus(?:schleusung|sonderung|sortierung|steuerung)(?:en)?", "aussortiert"),
    (r"zu (?:beanstanden|bemaengeln|bemosern|meckern)|(?:etwas |was )?auszusetzen", "beanstandet"),
    (r"(?:condemned|consigned|sentenced|relegated|destined|gone|went|go|headed) (?:straight |directly )*(?:to|for|into) (?:the )?scrap", "scrap"),
    (r"(?:kam|kamen|kommen|kommt|gingen|liefen|sind|ist) (.*?)(?:ohne (?:jede |jegliche )?(?:fehler|beanstandung(?:en)?|maengel|befund)|fehlerfrei|sauber|unbeanstandet) durch(?:gekommen|gelaufen|gegangen)?", r"\1 bestanden"),
    # waved through
    (r"did not (?:get|receive) (?:the |a |an )?(?:green light|thumbs[ -]up|all[ -]clear|ok|okay)", "not passed"),
    (r"(?:got|get|gets|given|gave|received|receive|had|earned|earn|awarded) (?:the |a |an )?(?:green light|thumbs[ -]up|all[ -]clear|ok|okay|go-ahead|clean bill of health|pass(?: mark)?)", "passed"),
    (r"(?:got|get|given|gave|received|had|earned|awarded) (?:the |a )?(?:red card|thumbs[ -]down|boot|chop)", "rejected"),
    (r"(?<!not )(?:made|make|makes|making) the (?:grade|cut)", "passed"),
    (r"(?:good to go|nothing wrong with|clean through|clear(?:ed|s)? (?:the |our )?(?:inspection|check|test|hurdle))", "passed"),
    (r"(?:durch|durch zu)(?:ge)?(?:wunken|winkt|winken)", "bestanden"), (r"wink(?:t|te|ten|en) (.*?)(?<!\w)durch", r"\1 bestanden"),
    (r"(?:gruenes licht|ein ok|das ok|eine freigabe|die freigabe)(?: (?:bekommen|erhalten|gekriegt|bekam|bekamen|erhielten|kriegten))?|(?:bekamen?|erhielten|kriegten|bekommen|erhalten) (.*?)(?:gruenes licht|ein ok|das ok|die freigabe)", r"\1 bestanden"),
    (r"sauber durch(?:gelaufen|gegangen|gekommen)", "bestanden"),
    (r"(?:den test|die pruefung|die kontrolle|die inspektion) (.*?)(?<!nicht )(?:ueberstanden|geschafft|gepackt)", r"\1 bestanden"),
    (r"(?:came|come|comes|went|go) out (?:all )?(?:clean|fine|good|ok|okay)", "passed"),
    # looked at by a person
    (r"(?:leave|left|leaves) (?:(?:it |that )?(?:for|to|up to|with) )(?:the |a |an |our )?(?:us|people|operators?|persons?|humans?|staff|inspectors?|somebody|someone)(?: to (?:decide|judge|check|look at|sort out|decide on))?", "review"),
    (rf"(?:operators?|people|humans?|workers?|somebody|someone|inspectors?|colleagues?|we) (?:are |is |were |was )?(?:having|had|have|has|needed|need) to (?:{_CHECKED})(?: (?:{_BY_HAND}))?", "review"),
    (rf"(?:(?:had|has|have|having|needed|need|needs|mussten?|muessen|must|got) (?:to )?)?(?:be |been )?{_CHECKED} (?:\w+ )?(?:{_BY_HAND})", "review"),
    ((r"(?:(?:went|go|goes|going|gone|sent|put|passed|handed|ended up|end up|landed|left|up) (?:to|for|in|with|into|at) |needed|needs?|needing|requir\w+|wanted|called for|got|get|had|has|for |with |awaiting )(?: ?(?:a|an|some|the))?"
     r" ?(?:human|manual|second|operator'?s?|person'?s?|visual|closer|extra|hand)(?: manual| human| visual)? (?:look|check|checks|checking|inspection|eye|eyes|judge?ment|decision|opinion|pair of eyes|glance|verification|assessment|re-?check|re-?inspection|intervention|attention)"), "review"),
    (r"(?:manual|human|hand|operator) (?:look|check|checks|checking|inspections?|judge?ments?|decisions?|verification|assessment|re-?checks?|re-?inspections?|intervention)", "review"),
    (rf"(?:{_SYSTEM})(.*?) (?:not|unable|in) (?:to )?(?:(?:quite|really|entirely|fully|be|be able to|able to) )*(?:sure|certain|decid(?:e|ed)|make up (?:its|their) minds?|make (?:its|their) minds? up|two minds|judge)(?: about| on| of)?", r"\1 review"),
    (rf"(?:{_SYSTEM})(.*?) (?:unsure|uncertain|undecided|on the fence|of two minds)(?: about| on| of)?", r"\1 review"),
    (r"(?:on the fence|in (?:the )?(?:grey|gray|review) (?:area|zone|band)|in (?:limbo|two minds)|toss-?ups?|close calls?|touch and go|not clear-?cut|questionable|debatable)", "unclear"),
    (rf"(?:mussten?|muessen|muss) (?:sich )?(.*?)(?:(?:ein|eine|der|die|unsere|das) )?(?:mensch|mitarbeiter|bediener|werker|pruefer|kollege|person|jemand|personal)(?:en|in)?((?: \w+){{0,4}}?) (?:noch ?mal )?(?:drauf|selbst )?(?:{_LOOKED})", r"\1 \2 nachgeprueft"),
    (rf"(?:mussten?|muessen|muss) (.*?)(?:{_HAND}) (?:\w+ )?(?:{_LOOKED})(?: werden)?", r"\1 nachgeprueft"),
    (rf"(?:{_HAND}) (?:noch ?mals? |nochmal |noch )?(?:{_LOOKED})(?: werden)?", "nachgeprueft"),
    (r"nach(?:geschaut|gesehen|geguckt|beurteilt|bewertet|begutachtet) (?:werden|worden)", "nachgeprueft"),
    (r"(?:mussten?|muessen) (.*?)(?:noch ?mals?|nochmal|noch einmal|ein zweites mal) (?:\w+ )?(?:angeschaut|angesehen|geprueft|kontrolliert|begutachtet) werden", r"\1 nachgeprueft"),
    (r"(?:zur|in die|in der|auf die|an die|in) (?:manuellen? |haendischen? |menschlichen? )?(?:nachkontrolle|nachschau|handpruefung|handkontrolle|nachbeurteilung|nachsortierung|nachbegutachtung|klaerung)|(?:manuelle[rn]?|haendische[rn]?) (?:nach)?(?:pruefung|kontrolle|sichtung|begutachtung|entscheidung|beurteilung)", "nachpruefung"),
    (rf"(?:{_SYSTEM})(.*?) (?:sich )?nicht (?:ganz |so |wirklich |recht )?(?:sicher|entscheiden|entschieden|einig|eindeutig (?:entscheiden|entschieden|beurteilen))", r"\1 nachgeprueft"),
    (r"(?:war|waren|ist|konnte|konnten) sich (.*?)nachgeprueft", r"\1 nachgeprueft"),
    (r"wackelkandidat(?:en)?|verdachtsfaell?en?|streitfaelle?n?|fraglich(?:e|en|er)?|strittig(?:e|en|er)?|uneindeutig(?:e|en|er)?", "unklar"),
    (r"(?:ein |einen |nochmal |noch einen |noch einmal )*(?:zweiten blick|zweite meinung|menschliches auge|menschlichen blick)", "nachpruefung"),
    # never seen, or judged without a result
    (rf"(?:{_LEARNT})(.*?) (?:not|never|nicht|nie)(?: \w+)?? (?:recogni[sz]ed?|known?|seen before|familiar with|gekannt|kannte|kennt|kennen)(?: hat| haben)?", r"\1 novel"),
    (r"(?:parts? |pieces? |ones? )(?:that )?(?:were |was |are |is |had |have )?(?:never|not) (?:been )?seen before", "novel"),
    (r"(?:rejected|failed|stopped|judged|nio|durchgefallen|aussortiert|beurteilt|verworfen) (?=without (?:a |any )?results?|ohne (?:ein )?ergebnis)", ""),
    (r"(fail[- ]?safe) (?:rejects?|rejections?|rejected|verdicts?|fails?|failures?|faelle|urteile|teile)", r"\1"),
    (rf"(?:(?:got|get|gets|had|with|mit|received|gave|bekam|bekamen|bekommen|hatten?) )?(?:no|without(?: a| any)?|kein(?:e|em|en)?|ohne(?: ein)?) (?:results?|verdicts?|ergebnis(?:se)?|urteile?) (?:before|by|within|vor|bis|innerhalb) (?:{_DEADLINE})", "after_deadline"),
    (rf"(?:missed|misses|miss|exceeded|overran) (?:{_DEADLINE})", "after_deadline"),
    (rf"(?:{_DEADLINE})((?: \w+){{0,3}}?) (?:verpasst|ueberschritten|verfehlt|gerissen|ueberzogen)", r"\1 after_deadline"),
    (rf"(?:verpassten?|ueberschritten|verfehlten?|rissen)((?: \w+){{0,3}}?) (?:{_DEADLINE})", r"\1 after_deadline"),
    (r"(?:got|get|had|with|mit|received|bekam|bekamen) (?:no|kein(?:em?)?) (?:result|results|ergebnis)", "fail-safe"),
    (r"(fail(?:s|ed|ures?)?) outright|outright (?=fail)", r"\1"),
))  # fmt: skip


def told_fates(text: str) -> str:
    """The text with what became of parts said in words that are known."""
    return _TABLE.plainly(text)
