"""Teaching: what becomes of feedback as a dialogue to tune on, and what stands against it.

A better answer is learnt, and a helpful one that a text model gave. Quotations and figures are not:
the sections are read anyway, and figures are of one day. What tuning would refuse is told here,
where somebody can still say it better.
"""

from collections.abc import Iterator

from edge.assistant.answer import Source
from edge.assistant.feedback import Said
from export.dialogue import cited, refuses
from export.library import Library
from export.personal import personal
from export.terms import language

_BARREN = {
    Source.RECORDS.value: "the answer is of records, and its figures are of one day",
    Source.NONE.value: "nothing was answered",
}


def lesson(said: Said) -> str:
    """The answer that is learnt, its citation first; "" if nothing is."""
    if barren(said):
        return ""
    return said.correction or _cited_first(str(said.answer["text"]))


def dialogue(said: Said) -> dict[str, object]:
    """A line of chat JSONL."""
    turns = (("user", said.question), ("assistant", lesson(said)))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def faults(said: Said, library: Library, *, allow_personal: bool = False) -> Iterator[str]:
    """What tuning would refuse in the dialogue."""
    answer = lesson(said)
    names = [] if refuses(answer) else cited(answer)
    if names and library.get(language(said.question), names[0]) is None:
        yield f"its answer cites [{names[0]}], which no document has"
    if not allow_personal:
        for what, text in (("question", said.question), ("answer", answer)):
            yield from (f"its {what} holds {found}" for found in personal(text))


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
    answer = lesson(said)
    return bool(answer) and not cited(answer) and not refuses(answer)


def _cited_first(text: str) -> str:
    """An answer as models are taught to give it: the citation, then the words."""
    words, bracket, name = text.rpartition("[")
    return f"{bracket}{name} {words.strip()}" if bracket else text
