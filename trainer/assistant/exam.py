"""The exam: frozen questions that no arm was tuned on, and how an answer to one is marked.

A line of heldout.jsonl has kind (`wording`, `document`, `unknown`, `record`), language, question,
the section that answers it and the fact that must be said; both empty where refusing is right.
Marks are exact and need no judge model: every code and figure of the fact, nearly all its words.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.dialogue import cited, refuses, uncited
from export.errors import DatasetError
from export.evidence import figures, judge
from export.passage import Passage
from export.terms import codes, terms

WORDS = 0.7  # share of the fact's words that must be said
KINDS = ("wording", "document", "unknown", "record")


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the exam; `given`: a record that stands in for what retrieval would find."""

    kind: str
    language: str
    question: str
    section: str
    fact: str
    given: Passage | None = None

    @property
    def answerable(self) -> bool:
        """Whether there is an answer."""
        return bool(self.fact)


@dataclass(frozen=True, slots=True)
class Mark:
    """How one answer did; `admitted`: the evidence gate lets it through."""

    fact: bool
    citation: bool
    refused: bool
    admitted: bool
    answerable: bool

    @property
    def right(self) -> bool:
        """The fact with the right citation, or a refusal where that is right."""
        return (self.fact and self.citation) if self.answerable else self.refused

    @property
    def served_right(self) -> bool:
        """Right as the box would show it: behind the gate."""
        return (self.right and self.admitted) if self.answerable else not self.admitted


def read_exam(path: Path) -> list[Question]:
    """Read an exam; raises DatasetError with the line of the first fault."""
    questions: list[Question] = []
    try:
        with path.open(encoding="utf-8") as file:
            lines = list(file)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read: {error}", "give a heldout.jsonl") from error
    for number, line in enumerate(lines, 1):
        try:
            told: dict[str, Any] = json.loads(line)
            given = told.get("given")
            one = Question(
                told["kind"], told["language"], told["question"], told["section"], told["fact"],
                Passage(**given) if given else None,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{path}, line {number}: {error!r}", "see docs/assistant.md"
            ) from error
        if one.kind not in KINDS or bool(one.section) is not bool(one.fact):
            raise DatasetError(
                f"{path}, line {number}: kind {one.kind!r}, section {one.section!r}",
                f"kind is one of {', '.join(KINDS)}; section and fact are both given or both empty",
            )
        questions.append(one)
    if not questions:
        raise DatasetError(f"{path} holds no questions", "give at least some dozens")
    return questions


def mark(question: Question, answer: str, passages: Sequence[Passage]) -> Mark:
    """Mark one answer, given the passages that were put to the model."""
    refused = refuses(answer)
    names = cited(answer)
    return Mark(
        fact=question.answerable and not refused and says(answer, question.fact),
        citation=bool(names) and names[0] == question.section,
        refused=refused,
        admitted=judge(question.question, answer, passages).admitted,
        answerable=question.answerable,
    )


def says(answer: str, fact: str) -> bool:
    """Whether an answer says a fact: all of its codes and figures, nearly all of its words."""
    said = uncited(answer)
    if not (codes(fact) <= codes(said) and figures(fact) <= figures(said)):
        return False
    wanted = terms(fact)
    spoken = set(terms(said))
    return sum(word in spoken for word in wanted) >= WORDS * len(wanted)
