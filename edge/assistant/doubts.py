"""What is understood word by word, and still asks for what the records don't tell, or could ask for two things.

Called with all slots of a question; says the words that make it doubtful. Pure.
"""

import re
from collections.abc import Sequence

from edge.assistant.calendar import Span
from edge.assistant.plain_words import COUNTED, PARTS, RUNNING, SHOWING, SHOWN, THINGS
from edge.assistant.vocabulary import GENERAL, MOST, SHARES, WORST, Measure, Which

AMBIGUOUS = "parts-of-two-kinds"  # stands for words that can't both be meant

_UNTOLD = (
    (r"(?:werden?|wird) (?:.* )?(?:durchfallen|bestehen)", "werden"),
    (r"(?:still|yet|left|remaining) to be \w+ed|noch zu \w+", "to be"),
    ((r"(?:why|warum|wieso|weshalb) (?:did|does|is|was|has|ist|hat|stand|war) (?:the |die |der )?(?:camera|line|system|machine|station"
     r"|kamera|linie|anlage|maschine)"), "why"),
    (r"what (?:is |was |are |were |has |have |been )*(?:caus(?:ed|es|ing)|triggered|produc(?:ed|es|ing)|creat(?:ed|es|ing)|introduc(?:ed|es|ing)|generat(?:ed|es|ing))", "what"),
    (r"(?:was|wodurch) (?:.* )?(?:verursach\w*|ausgeloest|ausloest\w*|hervorgerufen)", "was"),
    (r"(?:wie ?viel(?:e[nr]?)?|anzahl|zahl) (?:.* )?(?:fielen|fiel|fallen) (?:.* )?aus|ausgefallen\w*|ausfielen|ausfiel", "aus"),
    ((r"(?<!half )(?<!of )(?<!in )(?<!within )(?<!over )(?<!during )(?<!for )(?<!per )(?<!by )an? (?:hour|minute|day|shift|week|month)(?! ago)"
     r"|(?:ausschuss|teile?|stuecke?|kratzer|rejects) (?:die (?:stunde|minute|schicht|woche)|am tag|in der (?:stunde|minute|woche)|in einer (?:stunde|minute|schicht|woche))"), "per"),
    (r"(?:only |just |exactly |nur )?(?:one|einer|einem|single) (?:camera|shift|kamera|schicht)", "one"),
)  # fmt: skip
_WHY = r"(?<![\w-])(?:why|warum|wieso|weshalb|woran)(?![\w-])"
_WENT_WRONG = r"wrong|schief|scheitert?n?|problem"
_HOW_MANY = re.compile(
    r"(?<![\w-])(?:how many|how much|numbers? of|counts? of|amount of|total(?: of)?|wie ?viele?[nr]?|anzahl|zahl)((?: [\w-]+){1,4})"
)
_COUNT = re.compile(r"(?<![\w-])(?:how many|wie ?viele?)(?! times| uhr)(?![\w-])")
_COUNTED_PARTS = re.compile(rf"{_COUNT.pattern} (?:parts?|pieces?|teile?|stuecke?|bauteile?)(?!\w)")
_OUTPUT = r"(?<![\w-])(?:parts?|pieces?|units?|output|throughput|production|teile|stuecke?|durchsatz|produktion|stueckzahl(?:en)?|menge)(?![\w-])"
_OF_PARTS = re.compile(
    r"([\w-]+) (?:parts?|pieces?|items?|units?|teile?n?|stuecke?n?|bauteile?n?)(?!\w)"
)
_PER = re.compile(r"(?<!\w)(?:per|pro|je) ([\w-]+)")
_BEING = frozenset(
    """give gab gaben gibt geben gegeben ergab ergaben ergibt ergeben betrug betrugen betraegt lag lagen liegt lautet lautete
    vorlagen achieve achieved attain get got gotten obtain want know want's hatten sind wert werte ausgab notiert angefallen anfiel anfielen
    blieb blieben stand standen statt entfielen bekam bekamen""".split()  # noqa: SIM905
)
_SEEN = r"(?<!\w)(?:total|totals|count|counts|sum|numbers?|figures?|zahlen|summe|gesamt\w*|stueckzahl(?:en)?|teilezahl|teilanzahl|teileanzahl)(?!\w)"
_GENERAL = rf"(?<![\w-])(?:{GENERAL})(?![\w-])"
_VERDICTS = r"(?<!\w)(?:verdicts?|judge?ments?|urteile?n?|pruefurteile?)(?!\w)"
_NUMBER = r"(?<!\w)(?:numbers?|counts?|anzahl|zahl|menge)(?!\w)"
_BY_NUMBER = rf"{_NUMBER}|(?<!\w)(?:by|nach|in terms of|measured (?:by|in|on))(?! (?:far|the way|hour|stunde)(?!\w))(?!\w)"
_OUTPUTS = frozenset(
    (
        "production",
        "output",
        "throughput",
        "quantity",
        "total",
        "number",
        "produktion",
        "menge",
        "ordnung",
        "stueckzahl",
        "numbers",
        "portion",
        "amount",
    )
)
_BEFORE_NOUNS = frozenset(
    """of the our all these those der die den von unserer unseren aller diesen full different complete whole
    many new possible full ganze ganzen neue neuen number numbers total""".split()  # noqa: SIM905
)
_TOLD_ALARMS = r"(?<![\w-])(?:last|latest|first|when|why|how often|letzte\w*|zuletzt|erste\w*|wann|warum|wie oft|who|wer|most|meisten|haeufigst\w*)(?![\w-])"
_TOLD_BUNDLES = r"(?<![\w-])(?:why|how (?:good|is|was|are|did|does|well|accurate)|who|better|best|worse|warum|wer|besser|beste\w*|schlechter|wie (?:gut|ist|war|lief)|first|erste\w*)(?![\w-])"


def counts_asked(
    text: str, kinds: Sequence[str], spans: Sequence[Span], cameras: Sequence[str], by: str
) -> tuple[bool, tuple[str, ...]]:
    """(whether each type's count is asked for, what of several counts can't be told apart).

    `How many scratches and how many dents yesterday` is two counts, `how many failed yesterday and
    how many today` one of two times. Where several things differ, or parts stand beside a type,
    what belongs to which isn't read: no figure is shown.
    """
    counts = _COUNT.findall(text)
    if len(counts) < 2:
        return False, ()
    several = [one for one in (kinds, spans, cameras) if len(one) > 1]
    whole = bool(kinds) and _COUNTED_PARTS.search(text) is not None
    if len(several) != 1 or len(several[0]) != len(counts) or by or whole:
        return False, (counts[0],)
    return several[0] is kinds, ()


def doubts(
    text: str, left: str, measure: Measure | None, which: Which, kinds: Sequence[str]
) -> tuple[str, ...]:
    """The words that make a question doubtful; empty if none does.

    Args:
        text: the question, folded, said plainly.
        left: of it, what no table took.
        measure: what is asked.
        which: of which parts.
        kinds: of which types.
    """
    found = [
        word for pattern, word in _UNTOLD if re.search(rf"(?<![\w-])(?:{pattern})(?![\w-])", text)
    ]
    if re.search(_WHY, text) and which is Which.ALL and not re.search(_WENT_WRONG, text):
        found.append("why")
    found += _two_things(text, measure, which, kinds)
    found += _no_parts(text) + _two_ranks(text, measure)
    found += _PER.findall(left)
    found += [
        word
        for word in _OF_PARTS.findall(text)
        if word in THINGS - _OUTPUTS or word in ("sample", "test")
    ]
    if which is Which.ALL and not kinds and measure is Measure.COUNT:
        found += _of_some(text, left)
    return tuple(found)


def _of_some(text: str, left: str) -> list[str]:
    """What leaves parts out where only parts are named: `how many were flagged`, `how many times`."""
    many = _HOW_MANY.search(text)
    words = re.findall(r"[\w-]+", left)
    asked = re.findall(r"[\w-]+", text[many.start() :]) if many else []
    if re.search(_VERDICTS, text):
        return []
    if re.search(
        r"(?<!\w)(?:bitte|kannst|koenn\w+|kann|please|could you|can you|moechte|will)(?!\w)", text
    ):
        words = [word for word in words if not word.endswith("en") or word in SHOWN]
    found = [
        word
        for word in words
        if word in SHOWN - _BEING or (word in SHOWING - RUNNING - PARTS - _BEING and word in asked)
    ]
    if not (
        set(words) & (PARTS | RUNNING)
        or re.search(_OUTPUT, text)
        or re.search(_SEEN, text)
        or re.search(_GENERAL, text)
    ):
        found += [word for word in words if word in COUNTED] or ["what"]
    return found


def _two_things(
    text: str, measure: Measure | None, which: Which, kinds: Sequence[str]
) -> list[str]:
    """Where two slots can't be meant together, or one is missing that can't be guessed."""
    typed = bool(kinds)
    bare = which is Which.ALL and not typed
    two: dict[Measure | None, bool] = {
        # the share of the scrap that was scratched, or of all parts?
        Measure.RATE: typed and which is not Which.ALL,
        Measure.YIELD: typed or which not in (Which.ALL, Which.PASSED),
        Measure.ALARMS: not bare or re.search(_TOLD_ALARMS, text) is not None,
        Measure.BUNDLES: not bare or re.search(_TOLD_BUNDLES, text) is not None,
    }
    if measure is Measure.RATE and bare:
        return ["rate"]  # of what? `production rate`, `frame rate`
    if measure in (Measure.TREND, Measure.TOP_HOUR) and bare and re.search(_OUTPUT, text):
        return ["parts"]
    fixed = typed and which in (Which.PASSED, Which.NOVEL, Which.FAIL_SAFE, Which.LATE)
    return [AMBIGUOUS] if two.get(measure, fixed) else []


def _two_ranks(text: str, measure: Measure | None) -> list[str]:
    """What could be ranked by number or by share: `the most rejects, and at what rate`, `worst by rejects`."""
    linked = re.search(
        rf"(?<!\w)(?:{MOST}|{WORST}|more|mehr)(?!\w).*?(?<!\w)(?:and|und|sowie|plus)(?!\w)", text
    )
    if linked and _rated(text[linked.end() :]) and not _rated(text[: linked.end()]):
        return [AMBIGUOUS]
    if measure is not Measure.WORST_HOUR:
        return []
    by_number = re.search(_NUMBER if _rated(text) else _BY_NUMBER, text)
    return [AMBIGUOUS] if by_number else []


def _rated(text: str) -> bool:
    return re.search(rf"(?<!\w)(?:{SHARES})(?!\w)", text) is not None


def _no_parts(text: str) -> list[str]:
    """`How many cameras`, `how much time`: what else than parts is counted."""
    found: list[str] = []
    for match in _HOW_MANY.finditer(text):
        for word in match[1].split():
            if word in THINGS - _OUTPUTS or (word == "time" and match[0].startswith("how much")):
                found.append(word)
            if word not in _BEFORE_NOUNS:
                break
    return found
