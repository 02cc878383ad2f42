"""The forms of a word, made from the few that tell them all: English and German, folded.

A stemmer works the other way and takes too much for one (`Lager` for `Lage`, `party` for `parts`);
forms that are made here are only those that exist, or nearly. Pure.
"""

from collections.abc import Callable

_UNSTRESSED = ("be", "ge", "er", "ver", "zer", "ent", "emp", "miss", "ueber", "unter")
_ADJECTIVE = ("", "e", "en", "er", "es", "em")
_NOUN = ("", "e", "en", "n", "s", "es")
_VOWELS = "aeiou"


def english_verb(told: str) -> set[str]:
    """All forms of `check`, `find:found` or `see:saw:seen`; `stopp` tells a doubled letter."""
    base, *past = told.split(":")
    short = (
        len(base) == 3 and base[1] in _VOWELS and base[0] not in _VOWELS and base[2] in "bgmnprt"
    )
    if short:
        made = {f"{base}s", f"{base}{base[2]}ed", f"{base}{base[2]}ing"}
    elif base.endswith("e"):
        made = {f"{base}s", f"{base}d", f"{base[:-1]}ing"}
    elif base.endswith("y") and base[-2] not in _VOWELS:
        made = {f"{base[:-1]}ies", f"{base[:-1]}ied", f"{base}ing"}
    elif base.endswith(("s", "x", "ch", "sh", "z")):
        made = {f"{base}es", f"{base}ed", f"{base}ing"}
    elif len(base) > 3 and base[-1] == base[-2] and base[-1] in "bgmnprt":
        made = {base[:-1], f"{base[:-1]}s", f"{base}ed", f"{base}ing"}
    else:
        made = {f"{base}s", f"{base}ed", f"{base}ing"}
    if past:
        made = {one for one in made if not one.endswith("ed")} | set(past)
    return {base} | made


def english_participles(told: str) -> set[str]:
    """What was done to something: `found`, `flagged`."""
    _, *past = told.split(":")
    return {past[-1]} if past else {one for one in english_verb(told) if one.endswith("ed")}


def german_participles(told: str) -> set[str]:
    """What was done to something, with an adjective's endings: `gefundene`, `markiert`."""
    stem, *past = told.split(":")
    prefix, _, stem = stem.rpartition("|")
    link = "e" if stem.endswith(("t", "d", "chn", "ffn")) else ""
    done = past[1] if len(past) > 1 else _participle(stem, link)
    return {f"{prefix}{done}{end}" for end in _ADJECTIVE}


def english_noun(word: str) -> set[str]:
    """A noun and its plural, and both with a genitive's s."""
    if word.endswith("y") and word[-2] not in _VOWELS:
        several = f"{word[:-1]}ies"
    else:
        several = f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
    return {word, several, f"{word}'s", f"{several}'"}


def german_verb(told: str) -> set[str]:
    """All forms of `pruef`, `auf|tauch`, `find:fand:gefunden` or `auf|tret:trat:getreten`.

    The stem is told without its ending; a bar parts off what is parted in a sentence. Past forms
    with a changed vowel are told, the third person `tritt` too if it has one.
    """
    stem, *past = told.split(":")
    prefix, _, stem = stem.rpartition("|")
    link = "e" if stem.endswith(("t", "d", "chn", "ffn")) else ""
    ending = "n" if stem.endswith(("er", "el")) and not stem.endswith("ier") else "en"
    present = {f"{stem}{end}" for end in ("e", ending, f"{link}st", f"{link}t")} | {stem}
    simple = {f"{stem}{link}t{end}" for end in ("e", "en", "est", "et")}
    participle = _participle(stem, link)
    if past:
        simple = {f"{past[0]}{end}" for end in ("", "en", "st", "e")}
        participle = past[1] if len(past) > 1 else participle
        present |= set(past[2:])
    plain = present | simple
    whole = (
        {f"{prefix}{one}" for one in plain} | {f"{prefix}zu{stem}{ending}"}
        if prefix
        else set[str]()
    )
    done = {f"{prefix}{participle}{end}" for end in _ADJECTIVE}
    return plain | whole | done


def _participle(stem: str, link: str) -> str:
    plain = stem.startswith(_UNSTRESSED) or stem.endswith("ier")
    return f"{stem}{link}t" if plain else f"ge{stem}{link}t"


def german_noun(word: str) -> set[str]:
    """A noun in all its cases; a changed vowel is told as a word of its own."""
    return {f"{word}{end}" for end in _NOUN}


def german_adjective(word: str) -> set[str]:
    """An adjective with its endings."""
    return {f"{word}{end}" for end in _ADJECTIVE}


def forms(words: str, form: Callable[[str], set[str]]) -> frozenset[str]:
    """All forms of all words of a list."""
    return frozenset(made for word in words.split() for made in form(word))
