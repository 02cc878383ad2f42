"""The corpus: the plant's dialogues, read in doubt.

Chat JSONL (`{"messages": [{"role": …, "content": …}, …]}`) or CSV with the columns question and
answer. Every fault is told with its line, all at once: roles out of order, empty or repeated turns,
lengths, repeated questions with other answers, citations of sections that no document has, and what
looks like personal data.
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

from export.dialogue import Turn, cited, refuses
from export.errors import DatasetError
from export.library import Library
from export.passage import Passage
from export.personal import personal
from export.terms import fold, language

MOST_CHARS = 8000  # of one turn
MOST_TURNS = 40
SHOWN = 12
ROLES = ("system", "user", "assistant")
COLUMNS = ("question", "answer")  # of a CSV


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

    @property
    def citation(self) -> str:
        """The section that the answer stands on; "" if it cites none, or refuses."""
        names = cited(self.answer)
        return names[0] if names and not refuses(self.answer) else ""

    @property
    def bare(self) -> bool:
        """Whether the answer neither cites nor refuses."""
        return not self.citation and not refuses(self.answer)

    def gold(self, library: Library) -> Passage | None:
        """The passage that the answer cites, in the question's language or any."""
        return library.get(language(self.question), self.citation)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a line; `personal`: it may be meant."""

    line: int
    why: str
    personal: bool = False


def read_corpus(
    path: Path, library: Library | None = None, *, allow_personal: bool = False
) -> list[Conversation]:
    """Read and check a corpus.

    Args:
        path: a .jsonl or .csv file.
        library: the sections that answers may cite; None: they aren't checked.
        allow_personal: what looks like personal data is no fault.

    Raises:
        DatasetError: it can't be read, or holds faults; up to SHOWN of them are told, with lines.
    """
    faults: list[Fault] = []
    conversations: list[Conversation] = []
    first: dict[str, Conversation] = {}
    for line, found in _read(path):
        if isinstance(found, str):
            faults.append(Fault(line, found))
            continue
        one = Conversation(found, line)
        said = list(_faults(one)) or [*_strange(one, library), *_repeated(one, first)]
        faults += [Fault(line, why) for why in said]
        faults += [] if allow_personal else [Fault(line, why, personal=True) for why in _held(one)]
        conversations.append(one)
    _refuse(path, faults)
    if not conversations:
        raise DatasetError(f"{path} holds no conversation", "give at least some dozens")
    return conversations


def _refuse(path: Path, faults: Sequence[Fault]) -> None:
    if not faults:
        return
    count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
    told = [f"line {one.line}: {one.why}" for one in faults[:SHOWN]]
    if len(faults) > SHOWN:
        told.append(f"and {len(faults) - SHOWN} more")
    meant = "; --allow-personal-data lets names, addresses and numbers be"
    raise DatasetError(
        f"{path}: {count}\n  " + "\n  ".join(told),
        f"mend these lines{meant if any(one.personal for one in faults) else ''}",
    )


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


def _read(path: Path) -> _Read:
    """(line, its turns or what is wrong with it)."""
    readers = {".jsonl": _of_jsonl, ".csv": _of_csv}
    if path.suffix.lower() not in readers:
        raise DatasetError(f"{path} is neither .jsonl nor .csv", "give chat JSONL, or CSV")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DatasetError(f"no such file: {path}", "give the dialogues' .jsonl or .csv") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read as UTF-8: {error}", "check the file") from error
    return readers[path.suffix.lower()](text)


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
    rows = csv.reader(text.splitlines())
    header = next(rows, [])
    if sorted(header) != sorted(COLUMNS):
        yield 1, f"the header is {','.join(header)!r}, not {','.join(COLUMNS)!r}"
        return
    asked, answered = (header.index(column) for column in COLUMNS)
    for row in rows:
        if len(row) == len(COLUMNS):
            yield rows.line_num, (Turn("user", row[asked]), Turn("assistant", row[answered]))
        elif row:
            yield rows.line_num, f"has {len(row)} cells, not 2: put a text with commas in quotes"


def _faults(one: Conversation) -> Iterator[str]:
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
        yield from (f"turn {place} {why}" for why in _wrong(turn, before))
        before = turn.content


def _wrong(turn: Turn, before: str) -> Iterator[str]:
    if not turn.content.strip():
        yield "is empty"
    elif turn.content == before:
        yield "repeats the one before"
    if len(turn.content) > MOST_CHARS:
        yield f"has {len(turn.content)} characters, at most {MOST_CHARS}"


def _held(one: Conversation) -> Iterator[str]:
    for place, turn in enumerate(one.turns, 1):
        yield from (f"turn {place} holds {what}" for what in personal(turn.content))


def _strange(one: Conversation, library: Library | None) -> Iterator[str]:
    if library is not None and one.citation and one.gold(library) is None:
        yield (
            f"cites [{one.citation}], which no document has"
            " (`linewarden assistant documents FOLDER` lists what they have)"
        )


def _repeated(one: Conversation, first: dict[str, Conversation]) -> Iterator[str]:
    before = first.setdefault(one.key, one)
    if before is not one and len(one.turns) == len(before.turns) == 2:
        also = "the same" if before.answer == one.answer else "another"
        yield f"asks what line {before.line} asks, with {also} answer"
