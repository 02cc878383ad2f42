"""The text model that the assistant's bundle carries, on this box's own processor.

From wheels alone, no compiler and no server (the extra `text`). The files are read as they were
signed, from a copy in memory that nobody can change. Loaded when it is first asked, or before by
whoever serves; it works on as many threads as the settings give it: the line has the others.
"""

import threading
from collections.abc import Iterator, Sequence

from export.assistant_bundle import (
    MODEL_GRAPH,
    MODEL_TOKENIZER,
    MODEL_WEIGHTS,
    TEMPLATE,
    AssistantBundle,
)
from export.chat import Chat, needed
from export.dialogue import Turn
from export.errors import BundleError
from export.sealed_folder import read_listed, sealed_copy
from export.text_runtime import TextRuntime

_MODULES = ("openvino", "tokenizers", "jinja2")


class BundledModel:
    """Answers with the bundle's own text model.

    Args:
        bundle: opened and verified; it must carry one.
        threads: as many as may work on an answer.

    Raises:
        LanguageError: what it runs on is not installed.
        BundleError: the bundle carries no text model.
    """

    def __init__(self, bundle: AssistantBundle, threads: int) -> None:
        described = bundle.manifest.model
        if described is None:
            raise BundleError(
                f"{bundle.name} carries no text model", "publish it with --with-model"
            )
        for module in _MODULES:
            needed(module)
        self.name = f"{bundle.manifest.base.name} of {bundle.name}"
        self._bundle, self._threads = bundle, threads
        self._described = described
        self._loaded: tuple[TextRuntime, Chat] | None = None
        self._turn = threading.Lock()  # the runtime keeps one turn

    def load(self) -> None:
        """Load it now, if it isn't; raises BundleError if a file changed since it was opened."""
        with self._turn:
            self._ready()

    def words(self, turns: Sequence[Turn], most_tokens: int) -> Iterator[str]:
        """The answer as it is thought of."""
        with self._turn:
            runtime, chat = self._ready()
            prompt = chat.ids(turns)
            yield from chat.words(
                runtime.answer(prompt, self._bundle.manifest.base.stops, most_tokens)
            )

    def _ready(self) -> tuple[TextRuntime, Chat]:
        if self._loaded is None:
            self._loaded = (self._runtime(), self._chat())
        return self._loaded

    def _runtime(self) -> TextRuntime:
        path, files = self._bundle.path, self._bundle.manifest.files
        with (
            sealed_copy(path / MODEL_GRAPH, files[MODEL_GRAPH]) as graph,
            sealed_copy(path / MODEL_WEIGHTS, files[MODEL_WEIGHTS]) as weights,
        ):
            return TextRuntime(
                graph, weights, threads=self._threads, most_tokens=self._described.most_tokens,
                name=self.name,
            )  # fmt: skip

    def _chat(self) -> Chat:
        path, files = self._bundle.path, self._bundle.manifest.files
        tokenizer = read_listed(path / MODEL_TOKENIZER, files[MODEL_TOKENIZER])
        return Chat(tokenizer, self._bundle.text(TEMPLATE), self._described.specials)
