"""The corpus: the plant's dialogues, read in doubt.

Chat JSONL (`{"messages": [{"role": …, "content": …}, …]}`) or CSV with the columns question and
answer. Every fault is told with its line, all at once: roles out of order, empty or repeated turns,
lengths, repeated questions with other answers, citations of sections that no document has, and what
looks like personal data.
"""

import csv
import hashlib
import io
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from export.conversation import Conversation, Fault, agreement, faults, misshapen
from export.dialogue import Turn
from export.errors import DatasetError
from export.library import Library

SHOWN = 12
ROLES = ("system", "user", "assistant")
COLUMNS = ("question", "answer")  # of a CSV


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
    wrong: list[tuple[int, Fault]] = []
    conversations: list[Conversation] = []
    first: dict[str, Conversation] = {}
    for line, found in _read(path):
        if isinstance(found, str):
            wrong.append((line, Fault(0, found)))
            continue
        one = Conversation(found, line)
        said = list(faults(one, library, allow_personal=allow_personal))
        said += [] if any(misshapen(one)) else _repeated(one, first)
        wrong += [(line, fault) for fault in said]
        conversations.append(one)
    _refuse(path, wrong)
    if not conversations:
        raise DatasetError(f"{path} holds no conversation", "give at least some dozens")
    return conversations


def _refuse(path: Path, wrong: Sequence[tuple[int, Fault]]) -> None:
    if not wrong:
        return
    count = f"{len(wrong)} fault{'s' if len(wrong) > 1 else ''}"
    told = [f"line {line}: {_told(fault)}" for line, fault in wrong[:SHOWN]]
    if len(wrong) > SHOWN:
        told.append(f"and {len(wrong) - SHOWN} more")
    meant = "; --allow-personal-data lets names, addresses and numbers be"
    raise DatasetError(
        f"{path}: {count}\n  " + "\n  ".join(told),
        f"mend these lines{meant if any(fault.personal for _, fault in wrong) else ''}",
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
    for line, row in enumerate(text.split("\n"), 1):
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
    rows = csv.reader(io.StringIO(text))
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


def _told(fault: Fault) -> str:
    return f"turn {fault.turn} {fault.why}" if fault.turn else fault.why


def _repeated(one: Conversation, first: dict[str, Conversation]) -> Iterator[Fault]:
    before = first.setdefault(one.key, one)
    if before is not one and (same := agreement(before, one)) is not None:
        also = "the same" if same else "another"
        yield Fault(0, f"asks what line {before.line} asks, with {also} answer")
