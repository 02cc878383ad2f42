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
from export.library import Found
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
    """How one answer did.

    Attributes:
        admitted: a model would have been asked, and the evidence gate lets its answer through.
        quoted: where it doesn't, the box quotes a section; `quoted_right`: it holds the fact.
    """

    fact: bool
    citation: bool
    refused: bool
    admitted: bool
    answerable: bool
    quoted: bool = False
    quoted_right: bool = False

    @property
    def right(self) -> bool:
        """The fact with the right citation, or a refusal where that is right."""
        return (self.fact and self.citation) if self.answerable else self.refused

    @property
    def proven_right(self) -> bool:
        """Right by the model's own word, as far as the gate lets it through."""
        return (self.right and self.admitted) if self.answerable else not self.admitted

    @property
    def shown_wrong(self) -> bool:
        """Something is shown that isn't the answer."""
        return (self.admitted and not self.right) or (self.quoted and not self.quoted_right)

    @property
    def served_right(self) -> bool:
        """Right as the box would show it: behind the gate, with a section quoted in its place."""
        return self.quoted_right if self.quoted else self.proven_right


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


def mark(
    question: Question, answer: str, passages: Sequence[Passage], found: Found | None = None
) -> Mark:
    """Mark one answer.

    Args:
        question: what was asked.
        answer: what the model said.
        passages: what was put to the model.
        found: what the box finds for the question; None: a model is asked, and nothing is quoted.
    """
    refused = refuses(answer)
    names = cited(answer)
    reached = found is None or found.readable or question.given is not None
    admitted = reached and judge(question.question, answer, passages).admitted
    near = None if found is None or question.given is not None else found.quotable
    quoted = near is not None and not admitted and not refused
    return Mark(
        fact=question.answerable and not refused and says(answer, question.fact),
        citation=bool(names) and names[0] == question.section,
        refused=refused,
        admitted=admitted,
        answerable=question.answerable,
        quoted=quoted,
        quoted_right=quoted and near is not None and near.id == question.section,
    )


def says(answer: str, fact: str) -> bool:
    """Whether an answer says a fact: all of its codes and figures, nearly all of its words."""
    said = uncited(answer)
    if not (codes(fact) <= codes(said) and figures(fact) <= figures(said)):
        return False
    wanted = terms(fact)
    spoken = set(terms(said))
    return sum(word in spoken for word in wanted) >= WORDS * len(wanted)
