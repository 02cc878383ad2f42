"""Teaching: what becomes of feedback as a dialogue to tune on, and what stands against it.

A better answer is learnt, and a helpful one that a text model gave. Quotations and figures are not:
the sections are read anyway, and figures are of one day. What tuning would refuse is told here,
where somebody can still say it better.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from edge.assistant.answer import Source
from edge.assistant.feedback import Said
from export.conversation import Conversation
from export.conversation import faults as judged
from export.library import Library

_TURNS = ("it", "its question", "its answer")
_BARREN = {
    Source.RECORDS.value: "the answer is of records, and its figures are of one day",
    Source.NONE.value: "nothing was answered",
}


def lesson(said: Said) -> str:
    """The answer that is learnt, its citation first; "" if nothing is."""
    if barren(said):
        return ""
    return said.correction or _cited_first(str(said.answer["text"]))


def conversation(said: Said) -> Conversation:
    """The question, and the answer that is learnt."""
    return Conversation.of(said.question, lesson(said))


def dialogue(said: Said) -> dict[str, object]:
    """A line of chat JSONL."""
    return {"messages": [turn.as_dict() for turn in conversation(said).turns]}


def jsonl(some: Iterable[Said]) -> str:
    """The dialogues as tuning reads them."""
    return "".join(json.dumps(dialogue(said), ensure_ascii=False) + "\n" for said in some)


def faults(said: Said, library: Library, *, allow_personal: bool = False) -> Iterator[str]:
    """What tuning would refuse in the dialogue."""
    for fault in judged(conversation(said), library, allow_personal=allow_personal):
        yield f"{_TURNS[fault.turn]} {fault.why}"


def chosen(
    accepted: Iterable[Said], library: Library, *, allow_personal: bool = False
) -> tuple[list[Said], dict[int, str]]:
    """(what is learnt, each question once; number → why it is left out)."""
    alike: dict[str, list[Said]] = {}
    left: dict[int, str] = {}
    for said in accepted:
        found = faults(said, library, allow_personal=allow_personal)
        if why := barren(said) or "; ".join(found):
            left[said.id] = why
        else:
            alike.setdefault(conversation(said).key, []).append(said)
    for same in alike.values():
        left |= _left(same)
    return [same[0] for same in alike.values() if same[0].id not in left], dict(
        sorted(left.items())
    )


def barren(said: Said) -> str:
    """Why nothing is learnt from it; "" if something is."""
    if said.correction:
        return ""
    if said.kind != "good":
        return f"the answer was called {said.kind!r}, and no better one was given"
    source = str(said.answer["source"])
    if source in _BARREN:
        return _BARREN[source]
    return "the answer is a quotation" if said.answer.get("quoted") else ""


def bare(said: Said) -> bool:
    """Whether the answer that is learnt neither cites nor refuses: the box would not show it."""
    return bool(lesson(said)) and conversation(said).bare


def _left(same: Sequence[Said]) -> Iterator[tuple[int, str]]:
    """What is left out of those that ask the same: repetitions, or all if they contradict."""
    for said in same:
        others = [str(one.id) for one in same if lesson(one) != lesson(said)]
        if others:
            yield (
                said.id,
                (
                    f"asks what {' and '.join(others)} asked, with another answer: --refuse what is"
                    " wrong"
                ),
            )
        elif said is not same[0]:
            yield said.id, f"asks what {same[0].id} asked, with the same answer"


def _cited_first(text: str) -> str:
    """An answer as models are taught to give it: the citation, then the words."""
    words, bracket, name = text.rpartition("[")
    return f"{bracket}{name} {words.strip()}" if bracket else text
