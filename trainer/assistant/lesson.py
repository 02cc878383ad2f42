"""Lessons: conversations with the sections that are retrieved for them, as tokens to learn from.

Retrieved-context tuning with distractors (RAFT, arXiv 2403.10131): the model learns to read, cite
and refuse, not facts by heart. The loss counts the answer only, end of turn included, masked by
position: a mask by token id would also hide an end of turn that serves as padding.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from export.conversation import Conversation
from export.dialogue import DATE, NO_ENTRY, Turn, prompt
from export.errors import LanguageError
from export.library import FOUND, Library
from export.passage import Passage
from export.terms import language

IGNORED = -100
BARREN_SHARE = 0.2  # of the answered questions, asked once more without their section


@dataclass(frozen=True, slots=True)
class Lesson:
    """What stands before the answer, and the answer."""

    turns: tuple[Turn, ...]
    answer: str


def lessons(
    conversations: Sequence[Conversation], library: Library | None, context: str, seed: int
) -> list[Lesson]:
    """Lessons of conversations.

    Args:
        conversations: their answers cite passages of the library (`read_corpus` saw to it), or
            refuse, or cite nothing.
        library: None: closed-book, the question alone.
        context: the plant's system context.
        seed: of the order of passages, and of which questions come again without their section.
    """
    chance = random.Random(seed)
    return [lesson for one in conversations for lesson in _of(one, library, context, chance)]


def _of(
    one: Conversation, library: Library | None, context: str, chance: random.Random
) -> Iterator[Lesson]:
    if library is None:
        yield Lesson((*_framed(one, [], context),), one.answer)
        return
    spoken = language(one.question)
    found = [hit.passage for hit in library.search(one.question, spoken, FOUND + 1)]
    gold = one.gold(library)
    if gold is None:
        yield Lesson((*_framed(one, found[:FOUND], context),), one.answer)
        return
    others = [passage for passage in found if passage.id != gold.id]
    shown = [gold, *others[: FOUND - 1]]
    chance.shuffle(shown)
    yield Lesson((*_framed(one, shown, context),), one.answer)
    if others and chance.random() < BARREN_SHARE:
        yield Lesson((*_framed(one, others[:FOUND], context),), NO_ENTRY[spoken])


def _framed(one: Conversation, passages: list[Passage], context: str) -> list[Turn]:
    """System, earlier turns, and the question with its passages."""
    system, user = prompt(one.question, passages, context)
    earlier = [turn for turn in one.turns[:-2] if turn.role != "system"]
    return [system, *earlier, user]


def rendered(tokenizer: Any, turns: Sequence[Turn]) -> str:
    """The prompt as the base's own template writes it, up to where the answer begins."""
    return tokenizer.apply_chat_template(
        [turn.as_dict() for turn in turns], tokenize=False, add_generation_prompt=True,
        date_string=DATE,
    )  # fmt: skip


def tokens(tokenizer: Any, lesson: Lesson, most: int) -> dict[str, list[int]]:
    """input_ids, attention_mask and labels of a lesson.

    Raises:
        LanguageError: the template doesn't keep the prompt as the beginning of the whole, or the
            lesson is longer than `most` tokens.
    """
    before = rendered(tokenizer, lesson.turns)
    chat = [*(turn.as_dict() for turn in lesson.turns),
            {"role": "assistant", "content": lesson.answer}]  # fmt: skip
    whole = tokenizer.apply_chat_template(chat, tokenize=False, date_string=DATE)
    if not whole.startswith(before):
        raise LanguageError(
            "the base's chat template writes a prompt that the whole dialogue doesn't begin with",
            "use a base whose template adds an answer behind the prompt",
        )
    # The template writes the begin of text itself: adding special tokens would double it.
    asked = tokenizer(before, add_special_tokens=False)["input_ids"]
    answered = tokenizer(whole[len(before) :].rstrip("\n"), add_special_tokens=False)["input_ids"]
    if len(asked) + len(answered) > most:
        raise LanguageError(
            f"a lesson of {len(asked) + len(answered)} tokens, at most {most}: "
            f"{lesson.turns[-1].content[-80:]!r}",
            "give a larger --max-tokens, or shorter sections",
        )
    return {
        "input_ids": [*asked, *answered],
        "attention_mask": [1] * (len(asked) + len(answered)),
        "labels": [*([IGNORED] * len(asked)), *answered],
    }


def collator(tokenizer: Any) -> Callable[[list[dict[str, list[int]]]], Any]:
    """What makes a batch of `tokens`, padded in front and with logits for the answers alone.

    All answers end together then, and over a whole dialogue the logits of a large vocabulary are
    most of the memory and much of the time, while the loss counts none of the prompt's.
    Rotary positions are relative: what stands in front shifts none.
    """
    from transformers import DataCollatorForSeq2Seq  # noqa: PLC0415

    pad = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=IGNORED)

    def collate(some: list[dict[str, list[int]]]) -> Any:
        longest = max(sum(label != IGNORED for label in one["labels"]) for one in some)
        side, tokenizer.padding_side = tokenizer.padding_side, "left"
        try:
            batch = pad(some)
        finally:
            tokenizer.padding_side = side
        kept = longest + 1  # the last of the prompt foretells the first of the answer
        return {**batch, "labels": batch["labels"][:, -kept:], "logits_to_keep": kept}

    return collate
