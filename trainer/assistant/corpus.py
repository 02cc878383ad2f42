"""The corpus: the plant's dialogues, read in doubt.

Chat JSONL (`{"messages": [{"role": …, "content": …}, …]}`) or CSV with the columns question and
answer. Every fault is told with its line, all at once: roles out of order, empty or repeated turns,
lengths, repeated questions with other answers, and what looks like personal data.
"""

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from export.dialogue import Turn
from export.errors import DatasetError
from export.terms import fold

MOST_CHARS = 8000  # of one turn
MOST_TURNS = 40
SHOWN = 12
ROLES = ("system", "user", "assistant")
PERSONAL = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b", re.IGNORECASE),
    "a telephone number": re.compile(
        r"(?<!\w)(?:\+|00)\d[\d /()-]{7,}\d|(?<!\w)0\d{2,5}[ /-]\d{5,}"
    ),
    "an IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    "a person's name": re.compile(r"\b(?:Herr|Frau|Mr\.?|Mrs\.?|Ms\.?|Dr\.) [A-ZÄÖÜ][a-zäöüß]+"),
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation; the last turn is the assistant's.

    Attributes:
        line: where it begins in its file.
    """

    turns: tuple[Turn, ...]
    line: int = 0

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


def read_corpus(path: Path, *, allow_personal: bool = False) -> list[Conversation]:
    """Read and check a corpus.

    Args:
        path: a .jsonl or .csv file.
        allow_personal: what looks like personal data is no fault.

    Raises:
        DatasetError: it can't be read, or holds faults; up to SHOWN of them are told, with lines.
    """
    readers = {".jsonl": _of_jsonl, ".csv": _of_csv}
    if path.suffix.lower() not in readers:
        raise DatasetError(f"{path} is neither .jsonl nor .csv", "give chat JSONL, or CSV")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read as UTF-8: {error}", "check the file") from error
    faults: list[str] = []
    conversations: list[Conversation] = []
    answers: dict[str, Conversation] = {}
    for line, found in readers[path.suffix.lower()](text):
        if isinstance(found, str):
            faults.append(f"line {line}: {found}")
            continue
        one = Conversation(found, line)
        said = list(_faults(one, allow_personal=allow_personal))
        before = answers.setdefault(one.key, one)
        if not said and before is not one and len(one.turns) == len(before.turns) == 2:
            also = "the same" if before.answer == one.answer else "another"
            said = [f"asks what line {before.line} asks, with {also} answer"]
        faults += [f"line {line}: {why}" for why in said]
        conversations.append(one)
    if faults:
        more = f"\n  and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise DatasetError(
            f"{path}: {len(faults)} faults\n  " + "\n  ".join(faults[:SHOWN]) + more,
            "mend these lines; --allow-personal-data lets names, addresses and numbers be",
        )
    if not conversations:
        raise DatasetError(f"{path} holds no conversation", "give at least some dozens")
    return conversations


def split(
    conversations: Sequence[Conversation], share: float, seed: int
) -> tuple[list[Conversation], list[Conversation]]:
    """(to learn from, to validate on), by a conversation's opening question and the seed."""
    learn: list[Conversation] = []
    check: list[Conversation] = []
    for one in conversations:
        digest = hashlib.sha256(f"{seed}/{one.key}".encode()).digest()
        (check if digest[0] / 256 < share else learn).append(one)
    random.Random(seed).shuffle(learn)
    return learn, check


_Read = Iterator[tuple[int, tuple[Turn, ...] | str]]


def _of_jsonl(text: str) -> _Read:
    for line, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            found: Any = json.loads(row)
        except ValueError as error:
            yield line, f"is not JSON: {error}"
            continue
        messages = (
            cast("dict[str, Any]", found).get("messages") if isinstance(found, dict) else None
        )
        if not isinstance(messages, list):
            yield line, 'has no list of "messages"'
            continue
        yield line, _turns(cast("list[Any]", messages))


def _turns(messages: list[Any]) -> tuple[Turn, ...] | str:
    turns: list[Turn] = []
    for place, message in enumerate(messages, 1):
        told = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        role, content = told.get("role"), told.get("content")
        if role not in ROLES:
            return f"turn {place}: the role {role!r} is none of {', '.join(ROLES)}"
        if not isinstance(content, str):
            return f"turn {place}: the content is no text"
        turns.append(Turn(role, content))
    return tuple(turns)


def _of_csv(text: str) -> _Read:
    reader = csv.DictReader(text.splitlines())
    columns = {"question", "answer"}
    if not columns <= set(reader.fieldnames or ()):
        yield 1, f"the header lacks {', '.join(sorted(columns - set(reader.fieldnames or ())))}"
        return
    for row in reader:
        question, answer = row.get("question") or "", row.get("answer") or ""
        yield reader.line_num, (Turn("user", question), Turn("assistant", answer))


def _faults(one: Conversation, *, allow_personal: bool) -> Iterator[str]:
    spoken = [turn for turn in one.turns if turn.role != "system"]
    if any(turn.role == "system" for turn in one.turns[1:]):
        yield "a system turn stands after the first"
    if not spoken or spoken[0].role != "user" or spoken[-1].role != "assistant":
        yield "must begin with the user and end with the assistant"
    if any(a.role == b.role for a, b in pairwise(spoken)):
        yield "two turns of the same role follow each other"
    if len(spoken) > MOST_TURNS:
        yield f"has {len(spoken)} turns, at most {MOST_TURNS} are learnt from"
    before = ""
    for place, turn in enumerate(one.turns, 1):
        yield from (f"turn {place} {why}" for why in _wrong(turn, before, allow_personal))
        before = turn.content


def _wrong(turn: Turn, before: str, allow_personal: bool) -> Iterator[str]:
    if not turn.content.strip():
        yield "is empty"
    elif turn.content == before:
        yield "repeats the one before"
    if len(turn.content) > MOST_CHARS:
        yield f"has {len(turn.content)} characters, at most {MOST_CHARS}"
    if not allow_personal:
        found = [what for what, pattern in PERSONAL.items() if pattern.search(turn.content)]
        yield from (f"holds what looks like {what}" for what in found)
