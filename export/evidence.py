"""The evidence gate: admits a model's answer only if the sections that it cites hold what it says.

Every code, every figure with its unit, nearly every word and every 'not' must stand in a cited
passage, and the codes of the question too. An answer cites first, so the gate can let words through
one by one as they come, and cut off at the first that has no evidence. Trusts no model, asks none.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from export.dialogue import cited, refuses, uncited
from export.passage import Passage
from export.terms import codes, fold, terms

FREE_WORDS, FREE_SHARE = 1, 0.25  # words without evidence that an answer may have
CUT = 4  # while it streams: so many without evidence end it
LEAST_WORDS = 2
_NUMBER_WORDS = {
    word: str(n)
    for n, words in enumerate(
        ("two zwei", "three drei", "four vier", "five fuenf", "six sechs", "seven sieben",
         "eight acht", "nine neun", "ten zehn", "eleven elf", "twelve zwoelf"), 2)
    for word in words.split()
}  # fmt: skip
_UNITS = {
    "second": "s", "seconds": "s", "sekunde": "s", "sekunden": "s", "sec": "s", "s": "s",
    "minute": "min", "minutes": "min", "minuten": "min", "min": "min", "hour": "h", "hours": "h",
    "stunde": "h", "stunden": "h", "h": "h", "bar": "bar", "mm": "mm", "cm": "cm", "m": "m",
    "percent": "%", "prozent": "%", "%": "%", "degrees": "c", "grad": "c", "c": "c", "\u00b0c": "c",
    "n": "n", "nm": "nm", "v": "v", "a": "a", "kg": "kg", "g": "g", "rpm": "rpm", "parts": "parts",
    "teile": "parts", "teilen": "parts", "days": "d", "tage": "d", "tagen": "d", "l": "l",
    "ms": "ms",
    "weeks": "w", "wochen": "w", "months": "mo", "monate": "mo", "monaten": "mo", "\u00b5m": "um",
}  # fmt: skip
_FIGURE = re.compile(
    r"(?<![A-Za-z0-9.,-])(\d+(?:[.,:\u202f]\d+)*|[a-zA-ZäöüÄÖÜ]+)\s*(%|\u00b0C|[\u00b5A-Za-zäöü]+)?"
)
_NOT = frozenset(
    """not no never don't doesn't cannot can't without nicht nie niemals kein keine keinen keinem
    keiner ohne nor forbidden verboten""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether an answer may be shown, and if not, why, in no word of the model's."""

    admitted: bool
    why: str = ""


def figures(text: str) -> frozenset[tuple[str, str]]:
    """(number, unit) of every figure, written in digits or, from two to twelve, in words."""
    found: set[tuple[str, str]] = set()
    without_codes = re.sub(r"\b[A-Z]{1,4}[-\u2011\u2013]?\d{2,6}[A-Z]?\b", " ", text)
    place = 0
    while one := _FIGURE.search(without_codes, place):
        word, after = one[1], fold(one[2] or "")
        place = one.end(1)
        number = _NUMBER_WORDS.get(fold(word), word)
        if number[0].isdigit():
            number = number.replace(",", ".").replace("\u202f", "")
            found.add((number, _UNITS.get(after, "")))
    return frozenset(found)


def judge(
    question: str, answer: str, passages: Sequence[Passage], withheld: frozenset[str] = frozenset()
) -> Ruling:
    """Rule on a whole answer.

    Args:
        question: what was asked.
        answer: what the model said.
        passages: what was put to the model.
        withheld: terms that only the system context has: none of them may be let out.
    """
    known = {one.id: one for one in passages}
    names = cited(answer)
    if why := _wrongly_cited(answer, names, known):
        return Ruling(False, why)
    cited_ones = [known[name] for name in dict.fromkeys(names)]
    evidence = _Evidence.of(cited_ones)
    said = uncited(answer)
    missing = _coded(passages, question) - evidence.codes
    why = f"the cited section doesn't hold {min(missing)}" if missing else evidence.lacks(said)
    why = why or _unsaid(terms(said), evidence, withheld)
    return Ruling(False, why) if why else _negations(said, cited_ones)


def _wrongly_cited(answer: str, names: Sequence[str], known: Mapping[str, Passage]) -> str:
    if refuses(answer):
        return "the model found no entry"
    if not names:
        return "it cites nothing"
    strange = [name for name in names if name not in known]
    return "it cites what was not retrieved" if strange else ""


def _unsaid(words: Sequence[str], evidence: "_Evidence", withheld: frozenset[str]) -> str:
    if len(words) < LEAST_WORDS:
        return "it says nothing"
    strange = [word for word in words if word not in evidence.words]
    if not withheld.isdisjoint(strange):
        return "it tells of the system context"
    if len(strange) > max(FREE_WORDS, FREE_SHARE * len(words)):
        return "the cited section doesn't say so"
    return ""


def _coded(passages: Sequence[Passage], question: str) -> frozenset[str]:
    """The question's codes: written as codes, or typed loosely and known to the passages."""
    known = frozenset[str]().union(*(codes(one.whole) for one in passages))
    return codes(question) | (codes(question, loose=True) & known)


def _negations(said: str, passages: Sequence[Passage]) -> Ruling:
    """Each sentence must be negated where the sentence that it repeats is, and only there."""
    sources = [
        (_matched(sentence), _negated(sentence))
        for one in passages
        for sentence in _sentences(one.whole)
    ]
    for sentence in _sentences(said):
        words = _matched(sentence)
        if len(words) < LEAST_WORDS:
            continue
        likest = max(sources, key=lambda one: _weight(words & one[0]) / (_weight(one[0]) + 4))
        if _negated(sentence) != likest[1]:
            return Ruling(False, "a 'not' was lost or added")
    return Ruling(True)


def _matched(sentence: str) -> frozenset[str]:
    """The terms by which a sentence is recognised, whether or not it is negated."""
    return frozenset(terms(sentence)) - _NOT


def _weight(words: frozenset[str]) -> int:
    """Names such as V2 tell sentences apart better than words do."""
    return sum(1 if word.isalpha() or word.isdigit() else 3 for word in words)


def _sentences(text: str) -> list[str]:
    return [one for one in re.split(r"(?<=[.!?;])\s+|\n", text) if one.strip()]


def _negated(sentence: str) -> bool:
    return not _NOT.isdisjoint(re.findall(r"[a-z']+", fold(sentence)))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a few passages hold."""

    codes: frozenset[str]
    figures: frozenset[tuple[str, str]]
    words: frozenset[str]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> "_Evidence":
        text = "\n".join(one.whole for one in passages)
        return cls(codes(text), figures(text), frozenset(terms(text)))

    def lacks(self, said: str) -> str:
        """Whether codes or figures of `said` aren't held, in words; "" if all are."""
        marks = {term for term in terms(said) if not (term.isalpha() or term.isdigit())}
        if not codes(said) <= self.codes or not marks <= self.words:
            return "the cited section doesn't hold its codes or names"
        bare = {number for number, _ in self.figures}
        for number, unit in figures(said):
            held = (number, unit) in self.figures if unit else number in bare
            if not held:
                return "the cited section doesn't hold its figures"
        return ""


@dataclass(slots=True)
class Gate:
    """Lets a streamed answer through word by word, as far as it has evidence.

    `put` takes what the model said and returns what may be shown; `end` rules on the whole. Once
    `ruling` is set and doesn't admit, nothing more comes, and what was shown is to be withdrawn.
    """

    question: str
    passages: Sequence[Passage]
    withheld: frozenset[str] = frozenset()
    ruling: Ruling | None = None
    _whole: str = ""
    _shown: int = 0
    _evidence: _Evidence | None = field(default=None)

    def put(self, text: str) -> str:
        """What may be shown now; a word is held until the next begins, a figure with its unit."""
        if self.ruling is not None:
            return ""
        self._whole += text
        if self._evidence is None and not self._cites():
            return ""
        return self._release(self._safe_end())

    def end(self) -> str:
        """The rest that may be shown; `ruling` is set."""
        if self.ruling is None:
            self.ruling = judge(self.question, self._whole, self.passages, self.withheld)
        if not self.ruling.admitted:
            return ""
        rest, self._shown = self._whole[self._shown :], len(self._whole)
        return rest

    @property
    def whole(self) -> str:
        """All that the model has said."""
        return self._whole

    def _cites(self) -> bool:
        """Whether the citation has come; an answer that begins otherwise is at an end."""
        said = self._whole.lstrip()
        if not said:
            return False
        if said[0] != "[" or len(said) > 120:
            if refuses(said) or len(said) > 20:
                self.ruling = judge(self.question, said, self.passages)
                self.ruling = Ruling(False, self.ruling.why or "it doesn't begin with a citation")
            return False
        if "]" not in said:
            return False
        known = {one.id: one for one in self.passages}
        name = cited(said)[0] if cited(said) else ""
        if name not in known:
            self.ruling = Ruling(False, "it cites what was not retrieved")
            return False
        self._evidence = _Evidence.of([known[name]])
        if missing := _coded(self.passages, self.question) - self._evidence.codes:
            self.ruling = Ruling(False, f"the cited section doesn't hold {min(missing)}")
            return False
        return True

    def _safe_end(self) -> int:
        """Where the last but one word ends: the last may go on, and be a figure's unit."""
        words = list(re.finditer(r"\S+\s+", self._whole))
        end = words[-2].end() if len(words) > 1 else 0
        opened = self._whole.rfind("[", 0, end)  # a citation is shown whole or not yet
        return opened if "]" not in self._whole[max(opened, 0) : end] else end

    def _release(self, end: int) -> str:
        if self._evidence is None or end <= self._shown:
            return ""
        said = uncited(self._whole[:end])
        strange = [word for word in terms(said) if word not in self._evidence.words]
        why = self._evidence.lacks(said)
        if not self.withheld.isdisjoint(strange):
            why = "it tells of the system context"
        if why or len(strange) >= CUT:
            self.ruling = Ruling(False, why or "the cited section doesn't say so")
            return ""
        fresh, self._shown = self._whole[self._shown : end], end
        return fresh
