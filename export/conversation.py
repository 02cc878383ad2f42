"""The conversation: what an assistant is taught by, and what is wrong with one.

Tuning reads by this judgement and reviewing accepts by it: what one lets through, the other takes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from export.dialogue import Turn, cited, refuses
from export.library import Library
from export.passage import Passage
from export.personal import personal
from export.terms import fold, language

MOST_CHARS = 8000  # of one turn
MOST_TURNS = 40
_LISTED = "`linewarden assistant documents FOLDER` lists what they have"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation; the last turn is the assistant's.

    Attributes:
        line: where it begins in its file.
    """

    turns: tuple[Turn, ...]
    line: int = 0

    @classmethod
    def of(cls, question: str, answer: str, line: int = 0) -> "Conversation":
        """One question and its answer."""
        return cls((Turn("user", question), Turn("assistant", answer)), line)

    @property
    def question(self) -> str:
        """The last thing that was asked."""
        return self.turns[-2].content

    @property
    def answer(self) -> str:
        """The last thing that was answered."""
        return self.turns[-1].content

    @property
    def key(self) -> str:
        """Alike for conversations that open with the same question: they never straddle a split."""
        first = next(turn.content for turn in self.turns if turn.role == "user")
        return " ".join(re.findall(r"\w+", fold(first)))

    @property
    def citations(self) -> list[str]:
        """The sections that the answer names; none if it refuses."""
        return [] if refuses(self.answer) else cited(self.answer)

    @property
    def bare(self) -> bool:
        """Whether the answer neither cites nor refuses: the box would not show it."""
        return not self.citations and not refuses(self.answer)

    def gold(self, library: Library) -> Passage | None:
        """The passage that the answer cites first, in the question's language or any."""
        return self.passage(library, self.citations[0]) if self.citations else None

    def passage(self, library: Library, name: str) -> Passage | None:
        """The section of this name, in the question's language or any."""
        return library.get(language(self.question), name)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a turn.

    Attributes:
        turn: counted from 1; 0: the turns together.
        why: what is wrong.
        personal: it may be meant.
    """

    turn: int
    why: str
    personal: bool = False


def misshapen(one: Conversation) -> Iterator[Fault]:
    """Roles out of order, empty, repeated or long turns."""
    spoken = [turn for turn in one.turns if turn.role != "system"]
    if any(turn.role == "system" for turn in one.turns[1:]):
        yield Fault(0, "a system turn stands after the first")
    if not spoken or spoken[0].role != "user" or spoken[-1].role != "assistant":
        yield Fault(0, "must begin with the user and end with the assistant")
    if any(a.role == b.role for a, b in pairwise(spoken)):
        yield Fault(0, "two turns of the same role follow each other")
    if len(spoken) > MOST_TURNS:
        yield Fault(0, f"has {len(spoken)} turns, at most {MOST_TURNS} are learnt from")
    before = ""
    for place, turn in enumerate(one.turns, 1):
        yield from (Fault(place, why) for why in _wrong(turn, before))
        before = turn.content


def faults(
    one: Conversation, library: Library | None = None, *, allow_personal: bool = False
) -> Iterator[Fault]:
    """All that stands against learning from it, taken by itself.

    Args:
        one: the conversation.
        library: the sections that its answer may cite; None: they aren't checked.
        allow_personal: what looks like personal data is no fault.
    """
    shape = list(misshapen(one))
    yield from shape
    if not shape and library is not None:
        for name in dict.fromkeys(one.citations):
            if one.passage(library, name) is None:
                yield Fault(len(one.turns), f"cites [{name}], which no document has ({_LISTED})")
    if not allow_personal:
        for place, turn in enumerate(one.turns, 1):
            for what in personal(turn.content):
                yield Fault(place, f"holds {what}", personal=True)


def agreement(one: Conversation, other: Conversation) -> bool | None:
    """Whether two ask the same and answer the same; None if they may stand side by side."""
    if one.key != other.key or not len(one.turns) == len(other.turns) == 2:
        return None
    return one.answer == other.answer


def _wrong(turn: Turn, before: str) -> Iterator[str]:
    if not turn.content.strip():
        yield "is empty"
    elif turn.content == before:
        yield "repeats the one before"
    if len(turn.content) > MOST_CHARS:
        yield f"has {len(turn.content)} characters, at most {MOST_CHARS}"
