"""The text model as a box runs it: graph, rounded weights, tokenizer; and a reader of these files.

What is compared is what was written: the reader opens the files by the runtime that serves them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export.assistant_bundle import TextModel
from export.chat import Chat
from export.dialogue import Turn
from export.text_runtime import TextRuntime
from trainer.assistant import arms
from trainer.assistant.base import Base
from trainer.assistant.graph import write_graph
from trainer.assistant.parity import Floats, log_shares


@dataclass(frozen=True, slots=True)
class BoxModel:
    """What was written for the box, and what the manifest says of it."""

    graph: Path
    weights: Path
    tokenizer: bytes
    template: str
    stops: tuple[int, ...]
    described: TextModel


def write_model(base: Base, folder: Path) -> BoxModel:
    """Write a base, with its adapter if it has one, into a folder.

    Raises:
        LanguageError: OpenVINO isn't installed, or the base is of a make that isn't written.
    """
    adapted = hasattr(base.model, "get_base_model")
    inner = base.model.get_base_model() if adapted else base.model
    graph = folder / "graph.xml"
    weights = write_graph(base.model, graph)
    named: dict[str, Any] = base.tokenizer.special_tokens_map
    described = TextModel(
        runtime="openvino", weights="int8 in blocks", adapter=adapted,
        most_tokens=inner.config.max_position_embeddings,
        specials={name: str(token) for name, token in named.items() if isinstance(token, str)},
    )  # fmt: skip
    return BoxModel(
        graph, weights, base.tokenizer.backend_tokenizer.to_str().encode(),
        str(base.tokenizer.chat_template), base.stops, described,
    )  # fmt: skip


class Filed:
    """A written model as a reader, through the runtime that serves it.

    Raises:
        LanguageError: the files can't be run.
    """

    def __init__(self, model: BoxModel, threads: int) -> None:
        self._chat = Chat(model.tokenizer, model.template, model.described.specials)
        self._stops = model.stops
        self._runtime = TextRuntime(
            model.graph, model.weights, threads=threads, most_tokens=model.described.most_tokens,
            name=str(model.graph),
        )  # fmt: skip

    def ids(self, turns: Sequence[Turn]) -> list[int]:
        """The prompt's tokens by the written tokenizer and template."""
        return self._chat.ids(turns)

    def thoughts(self, prompt: Sequence[int], answer: Sequence[int]) -> Floats:
        """The prompt at once, then the answer token by token, as it is served."""
        self._runtime.begin()
        logits = [self._runtime.step(prompt)]
        logits += [self._runtime.step([one]) for one in answer[:-1]]
        return log_shares(np.stack(logits))

    def answer(self, turns: Sequence[Turn]) -> str:
        """Greedily."""
        ids = self._runtime.answer(self.ids(turns), self._stops, arms.MOST_TOKENS)
        return "".join(self._chat.words(ids)).strip()
