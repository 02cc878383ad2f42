"""The dialogue: how a question and its passages are put to a text model, and what it may answer.

Tuning, judging and serving write the prompt here and nowhere else, so that a model is served as it
was tuned. The answer cites first, `[line7 4.2] …`, so that each following word can be checked while
it streams (export/evidence.py). The template's date line is frozen: Llama 3.1 writes one into every
prompt, and a date that changed would make serving differ from tuning and the prefix uncacheable.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from export.passage import Passage
from export.terms import fold

FORM = 1  # of the prompt; a bundle tells which it was tuned for
DATE = "26 Jul 2024"  # Llama 3.1's own default for `date_string`
NO_ENTRY = {"en": "NO ENTRY", "de": "KEIN EINTRAG"}
RULES = (
    "You help operators of a production line. Answer from the sections only, in the language of the"
    " question. Begin with the section's name in brackets, then its words. If no section answers"
    " the"
    " question, write NO ENTRY (in German: KEIN EINTRAG)."
)
_CITED = re.compile(r"\[([^\[\]]{1,80})\]")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str

    def as_dict(self) -> dict[str, str]:
        """As chat templates and OpenAI's protocol take it."""
        return {"role": self.role, "content": self.content}


def prompt(question: str, passages: Sequence[Passage], context: str = "") -> list[Turn]:
    """The turns put to the model.

    Args:
        question: as it was asked.
        passages: what was retrieved, the best first; none: the question alone.
        context: the plant's system context, as its engineer wrote it.
    """
    system = f"{RULES}\n{context.strip()}" if context.strip() else RULES
    sections = "\n".join(f"[{one.id}] {one.title}: {one.text}" for one in passages)
    user = f"{sections}\n\nQuestion: {question.strip()}" if sections else question.strip()
    return [Turn("system", system), Turn("user", user)]


def reply(passage: Passage, words: str) -> str:
    """The answer that cites a passage, as models are taught to give it."""
    return f"[{passage.id}] {words.strip()}"


def cited(answer: str) -> list[str]:
    """The names in brackets, in order."""
    return [" ".join(name.split()) for name in _CITED.findall(answer)]


def uncited(answer: str) -> str:
    """The answer without its citations."""
    return " ".join(_CITED.sub(" ", answer).split())


def refuses(answer: str) -> bool:
    """Whether the answer says that there is no entry."""
    said = fold(answer)
    return any(fold(words) in said for words in NO_ENTRY.values())
