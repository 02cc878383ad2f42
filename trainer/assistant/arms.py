"""The arms: what may stand between an operator's question and an answer, sat through the same exam.

quoted sections (no model) · stock · system context · documents (retrieved) · whole manual · tuned ·
tuned with documents.
Answers are greedy, in batches, kept in a file as they come: a killed run goes on where it was.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from export.dialogue import NO_ENTRY, Turn, prompt, reply
from export.library import FOUND, Library
from export.passage import Passage
from trainer.assistant.base import Base
from trainer.assistant.exam import Mark, Question, mark
from trainer.assistant.lesson import rendered
from trainer.progress import Progress

MOST_TOKENS = 64
STOCK, CONTEXT, DOCUMENTS, MANUAL = "stock", "system context", "documents", "whole manual"
TUNED, TUNED_DOCUMENTS = "tuned", "tuned with documents"
QUOTED = "quoted sections"
ARMS = (QUOTED, STOCK, CONTEXT, DOCUMENTS, MANUAL, TUNED, TUNED_DOCUMENTS)


@dataclass(frozen=True, slots=True)
class Sat:
    """One arm's exam.

    Attributes:
        tokens_in: of the mean prompt; `seconds`: of the mean answer, in batches.
    """

    arm: str
    answers: tuple[str, ...]
    marks: tuple[Mark, ...]
    tokens_in: float
    seconds: float


def put(
    arm: str, question: Question, library: Library, manual: Sequence[Passage], context: str
) -> tuple[list[Turn], list[Passage]]:
    """(what is put to the model, the passages in it)."""
    retrieved = [hit.passage for hit in library.search(question.question, question.language, FOUND)]
    if question.given is not None:
        retrieved = [question.given, *retrieved[: FOUND - 1]]
    if arm == STOCK:
        return [Turn("user", question.question)], []
    if arm in (CONTEXT, TUNED):
        return prompt(question.question, [], context), []
    if arm == MANUAL:
        whole = [one for one in manual if one.language == question.language]
        whole = [*([question.given] if question.given else []), *whole]
        return prompt(question.question, whole, context), whole
    return prompt(question.question, retrieved, context), retrieved


def sit(
    arm: str, base: Base, questions: Sequence[Question], library: Library,
    manual: Sequence[Passage], *, context: str, batch: int, kept: Path, progress: Progress,
) -> Sat:  # fmt: skip
    """Sit the exam; `kept` holds answers that were given before by this model to these prompts."""
    before = _kept(kept)
    texts: list[str] = []
    shown: list[list[Passage]] = []
    for question in questions:
        turns, passages = put(arm, question, library, manual, context)
        texts.append(rendered(base.tokenizer, turns))
        shown.append(passages)
    names = [hashlib.sha256(f"{base.name}\0{arm}\0{text}".encode()).hexdigest() for text in texts]
    missing = [place for place, name in enumerate(names) if name not in before]
    with progress.phase(arm, len(questions), had=len(questions) - len(missing)) as advance:
        missing.sort(key=lambda place: len(texts[place]))
        for some in _batches(missing, batch):
            began = time.perf_counter()
            answers = generate(base, [texts[place] for place in some])
            each_s = (time.perf_counter() - began) / len(some)
            with kept.open("a", encoding="utf-8") as file:
                for place, answer in zip(some, answers, strict=True):
                    before[names[place]] = (answer, each_s)
                    row = {"name": names[place], "arm": arm, "answer": answer, "seconds": each_s}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
            advance(len(some))
    given = [before[name][0] for name in names]
    marks = [
        mark(q, answer, seen, library.found(q.question, q.language))
        for q, answer, seen in zip(questions, given, shown, strict=True)
    ]
    lengths = [len(base.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    seconds = sum(before[name][1] for name in names) / len(names)
    return Sat(arm, tuple(given), tuple(marks), sum(lengths) / len(lengths), seconds)


def quote(questions: Sequence[Question], library: Library) -> Sat:
    """The exam of a box without a model, which quotes the nearest section or has no entry."""
    answers: list[str] = []
    marks: list[Mark] = []
    for one in questions:
        found = library.found(one.question, one.language)
        near = None if one.given is not None else found.quotable
        answers.append(NO_ENTRY[one.language] if near is None else reply(near, near.whole))
        made = mark(one, answers[-1], [near] if near else [])
        marks.append(replace(made, admitted=near is not None))  # its own words need no proof
    return Sat(QUOTED, tuple(answers), tuple(marks), 0.0, 0.0)


def generate(base: Base, prompts: Sequence[str]) -> list[str]:
    """Greedy answers to prompts that are rendered already."""
    import torch  # noqa: PLC0415

    tokenizer = base.tokenizer
    tokenizer.padding_side = "left"  # so that every prompt ends where its answer begins
    asked = tokenizer(list(prompts), return_tensors="pt", padding=True, add_special_tokens=False)
    asked = asked.to(base.model.device)
    base.model.config.use_cache = True
    with torch.inference_mode():
        out = base.model.generate(
            **asked, do_sample=False, max_new_tokens=MOST_TOKENS, eos_token_id=list(base.stops),
            pad_token_id=tokenizer.pad_token_id, temperature=None, top_p=None, top_k=None,
        )  # fmt: skip
    tokenizer.padding_side = "right"
    fresh = out[:, asked["input_ids"].shape[1] :]
    return [text.strip() for text in tokenizer.batch_decode(fresh, skip_special_tokens=True)]


def _kept(path: Path) -> dict[str, tuple[str, float]]:
    if not path.exists():
        return {}
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue  # a line that a kill cut short: its question is asked again
    return {row["name"]: (row["answer"], float(row["seconds"])) for row in rows}


def _batches(places: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]
