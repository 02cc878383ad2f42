"""Words that are not in the tables, but made of words that are: compounds, slips of the finger.

A compound is taken apart only if every piece is known (`Ausschussentwicklung`). A slip is set right
only in a long word, only where two letters are swapped, one is left out or doubled, and only if one
known word is near: a wrong letter makes too many words of their own (`Verkauf` is no `Verlauf`). A
code or a name is never touched. Pure.
"""

from collections.abc import Callable, Iterable, Mapping

LONG = 7
_LINKS = ("", "s", "n", "en", "es")
_HEADS = frozenset(("tages", "wochen", "monats", "stunden", "haupt", "pruef", "erfolgs", "gesamt"))
_NO_SLIPS = frozenset(("scraped",))  # words of their own


def parted(word: str, pieces: Mapping[str, str]) -> str | None:
    """What the pieces of a compound mean, in order; None if it isn't made of pieces wholly."""
    word = word.strip("-")
    for length in range(len(word) - 2, 2, -1):
        meaning = pieces.get(word[:length])
        if meaning is None:
            continue
        rest = word[length:]
        for link in _LINKS:
            if not rest.startswith(link):
                continue
            tail = rest[len(link) :].lstrip("-")
            told = None if tail in _HEADS else pieces.get(tail)
            if told is None and len(tail) >= 6:
                told = parted(tail, pieces)
            if told is not None:
                return f"{meaning} {told}"
    return None


def slip(word: str, near: Iterable[str]) -> str | None:
    """The one known word that a finger slipped from; None if none is near, or several are."""
    if len(word) < LONG or word in _NO_SLIPS or not word.isalpha():
        return None
    found = {one for one in near if _slipped(word, one)}
    return found.pop() if len(found) == 1 else None


def _slipped(typed: str, meant: str) -> bool:
    """Whether one slip, neither of the first nor of the last letter, makes `typed` of `meant`."""
    if (
        abs(len(typed) - len(meant)) > 1
        or len(meant) < LONG - 1
        or typed[0] != meant[0]
        or typed[-1] != meant[-1]
    ):
        return False
    at = next((n for n, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), -1)
    if at < 0:
        return False
    if len(typed) == len(meant) - 1:
        return typed[at:] == meant[at + 1 :]
    if len(typed) == len(meant) + 1:
        return typed[at + 1 :] == meant[at:] and typed[at] == typed[at - 1]
    swapped = (
        typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] if at + 1 < len(typed) else ""
    )
    return swapped == meant


def mended(
    text: str, known: Callable[[str], bool], pieces: Mapping[str, str], near: Iterable[str]
) -> str:
    """A folded text in which unknown words are parted or set right, where that is certain."""
    told: list[str] = []
    targets = tuple(near)
    for word in text.split(" "):
        plain = word.strip("-")
        if not plain or any(not (one.isalpha() or one == "-") for one in plain) or known(plain):
            told.append(word)
            continue
        told.append(_parts(plain, known, pieces) or slip(plain, targets) or word)
    return " ".join(told)


def _parts(word: str, known: Callable[[str], bool], pieces: Mapping[str, str]) -> str | None:
    if told := parted(word, pieces):
        return told
    if "-" not in word:
        return None
    told = [one for one in word.split("-") if one]
    sound = [one if known(one) else pieces.get(one) or parted(one, pieces) for one in told]
    return None if None in sound else " ".join(one for one in sound if one)
