"""Parity: a model as it will be served against the trainer's in float32, token by token.

Prompts and right answers are the exam's, read as they are served. Divergence, agreement on the
likeliest token, and the facts that it answers with; what lies too far apart is not published.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from export.assistant_bundle import LanguageParity
from export.dialogue import Turn, reply
from export.errors import LanguageError
from export.library import Library
from export.passage import Passage
from trainer.assistant.arms import TUNED_DOCUMENTS, generate, put
from trainer.assistant.base import Base
from trainer.assistant.exam import Question, mark
from trainer.assistant.lesson import rendered
from trainer.progress import Progress

LEAST_AGREEMENT = 0.98  # of the tokens that both think likeliest
MOST_DIVERGENCE = 0.05  # nats a token
SELDOM = 0.5  # share of the exam below which a model is mostly not right
Floats = npt.NDArray[np.float64]


class Reader(Protocol):
    """Whoever reads prompts: the trainer's model, or a file as it is served."""

    def ids(self, turns: Sequence[Turn]) -> list[int]:
        """The prompt as this one reads it."""
        ...

    def thoughts(self, prompt: Sequence[int], answer: Sequence[int]) -> Floats:
        """Log-probabilities (tokens of the answer, vocabulary), the answer given as it goes."""
        ...

    def answer(self, turns: Sequence[Turn]) -> str:
        """What it says by itself."""
        ...


class Loaded:
    """A base that transformers loaded, as a reader."""

    def __init__(self, base: Base) -> None:
        self.base = base

    def ids(self, turns: Sequence[Turn]) -> list[int]:
        """The prompt's tokens."""
        return self.tokens(rendered(self.base.tokenizer, turns))

    def tokens(self, text: str) -> list[int]:
        """A text's tokens, none added."""
        return list(self.base.tokenizer(text, add_special_tokens=False)["input_ids"])

    def thoughts(self, prompt: Sequence[int], answer: Sequence[int]) -> Floats:
        """By one pass over prompt and answer."""
        import torch  # noqa: PLC0415 - slow to import

        ids = torch.tensor([[*prompt, *answer]]).to(self.base.model.device)
        with torch.inference_mode():
            logits = self.base.model(ids).logits[0, len(prompt) - 1 : -1]
        return log_shares(logits.float().cpu().numpy())

    def answer(self, turns: Sequence[Turn]) -> str:
        """Greedily."""
        return generate(self.base, [rendered(self.base.tokenizer, turns)])[0]


def log_shares(logits: npt.NDArray[np.float32]) -> Floats:
    """Logits (tokens, vocabulary) as log-probabilities."""
    high = logits.astype(np.float64)
    high -= high.max(axis=1, keepdims=True)
    return high - np.log(np.exp(high).sum(axis=1, keepdims=True))


def parity(
    trained: Base, served: Reader, questions: Sequence[Question], found: Library, *, context: str,
    progress: Progress,
) -> LanguageParity:  # fmt: skip
    """Compare a model as served with the trainer's on the exam's prompts.

    Raises:
        LanguageError: it reads another prompt than was trained on, or nothing can be compared.
    """
    tokens = same = facts = 0
    divergence = 0.0
    reader = Loaded(trained)
    asked = [one for one in questions if one.answerable]
    if not asked:
        raise LanguageError("no question of the exam has an answer", "give a --heldout with some")
    with progress.phase("parity", len(asked)) as advance:
        for one in asked:
            turns, passages = put(TUNED_DOCUMENTS, one, found, (), context)
            begin = reader.ids(turns)
            _refuse_other(begin, served.ids(turns), one)
            cited = Passage(one.section, one.language, "", "")
            answer = reader.tokens(reply(cited, one.fact))
            p, q = (model.thoughts(begin, answer) for model in (reader, served))
            divergence += float((np.exp(p) * (p - q)).sum())
            same += int((p.argmax(axis=1) == q.argmax(axis=1)).sum())
            tokens += len(answer)
            facts += mark(one, served.answer(turns), passages).right
            advance()
    return LanguageParity(
        prompts=len(asked), tokens=tokens, top1_agreement=same / tokens,
        mean_divergence=divergence / tokens, facts=facts, of=len(asked),
    )  # fmt: skip


def refuse_apart(told: LanguageParity) -> None:
    """Raise LanguageError if the served files answer otherwise than what was trained."""
    # Written so that figures that are no numbers are refused too.
    near = told.top1_agreement >= LEAST_AGREEMENT and told.mean_divergence <= MOST_DIVERGENCE
    if not near:
        raise LanguageError(
            f"as served, the model agrees on {told.top1_agreement:.1%} of {told.tokens} tokens"
            f" (at least {LEAST_AGREEMENT:.0%}), divergence {told.mean_divergence:.3f} nats"
            f" (at most {MOST_DIVERGENCE})",
            "serve the base in a finer precision",
        )


def doubt(told: LanguageParity) -> str:
    """What whoever publishes should know of a model that is mostly not right; else ""."""
    if told.facts >= SELDOM * told.of:
        return ""
    return (
        f"what this model answers right is {told.facts} of {told.of}: the box will mostly quote"
        " sections, as it does without a model; see linewarden assistant advise"
    )


def _refuse_other(trained: list[int], served: list[int], question: Question) -> None:
    if trained != served:
        raise LanguageError(
            f"the prompt of {question.question!r} has other tokens as served than as trained",
            "use a base whose tokenizer.json and chat template say all of its prompt, and take"
            " special tokens out of the documents",
        )
