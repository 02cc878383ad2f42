"""The words that times are made of, English and German, as patterns over folded text."""

import re
from collections.abc import Sequence
from functools import lru_cache

MONTHS = (
    "january|januar|jaenner|jan", "february|februar|feb", "march|maerz|mrz|mar", "april|apr",
    "may|mai", "june|juni|jun", "july|juli|jul", "august|aug", "september|sept|sep",
    "october|oktober|oct|okt", "november|nov", "december|dezember|dec|dez",
)  # fmt: skip
DAYS = (
    "mondays?|montags?", "tuesdays?|dienstags?", "wednesdays?|mittwochs?",
    "thursdays?|donnerstags?",
    "fridays?|freitags?", "saturdays?|samstags?|sonnabends?", "sundays?|sonntags?",
)  # fmt: skip
NUMBERS = {
    word: n
    for n, words in enumerate(
        ("one eine einen einer ein", "two zwei", "three drei", "four vier", "five fuenf",
         "six sechs", "seven sieben", "eight acht", "nine neun", "ten zehn", "eleven elf",
         "twelve zwoelf"), 1)
    for word in words.split()
}  # fmt: skip
N = rf"(\d{{1,3}}|{'|'.join(NUMBERS)})"
LAST = r"(?:last|past|previous|prior|preceding|letzten?|letzter|letztes|vergangenen?|vergangener|vorigen?|voriger|vorangegangenen?)"
THIS = (
    r"(?:this|current|running|ongoing|diesen?|dieser|dieses|diesem|aktuellen?|aktueller|laufenden?)"
)
OF = (
    r"(?:(?:in|on|of|from|during|for|the|at|over|within|throughout|vom|von|am|im|der|die|den|des|dem|waehrend|in der"
    r"|fuer|ueber|innerhalb|binnen|zu|zur) )*"
)
PARTS_OF_DAY = (
    (r"mornings?|forenoon|morgen|vormittags?|frueh|morgens", 0, 12),
    (r"afternoons?|nachmittags?", 12, 18),
    (r"evenings?|abends?", 18, 24),
)
UNIT_S = {
    r"minutes?|minuten?|min": 60,
    r"hours?|stunden?|std|h": 3600,
    r"days?|tagen?|tage?": 86_400,
    r"weeks?|wochen?": 604_800,
}


def named_shift(words: Sequence[str]) -> str:
    """How a shift of these names is said: alone, or the first of two (`early and late shift`)."""
    names = "|".join(re.escape(word) for word in words)
    return (
        rf"(?<!\w)(?:(?:in )?(?:the |der |die )?(?:{LAST} )?)?(?:{names})[ -]?(?:shift"
        rf"|schicht)s?(?:'s)?(?!\w)"
        rf"|(?<!\w)(?:{names})(?=(?: and| und| or| oder|,| vs| versus| with| against)"
        rf" (?:the )?\w+[ -]?(?:shift|schicht))|(?<=\w-)? (?:{names})-(?= (?:und"
        rf"|oder) \w+schicht)"
    )


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, compiled once: more of them are in use than `re` keeps."""
    return re.compile(pattern)
