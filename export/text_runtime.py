"""The text runtime: a published text model on this processor, by OpenVINO, greedy, token by token.

One graph file and its weights, written by trainer/assistant/graph.py. Publishing compares with the
trainer's model through this very class, and the box serves through it. One answer at a time: the
graph keeps the turn's keys and values. Knows nothing of text: ids go in, ids come out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from export import machine_code
from export.chat import needed
from export.errors import LanguageError

Logits = npt.NDArray[np.float32]

# Nothing is left to hints: with bfloat16 or rounded activations the measured parity wouldn't hold.
_SETTINGS = {
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_PRECISION_HINT": "f32",
    "KV_CACHE_PRECISION": "f16",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    "NUM_STREAMS": "1",
    "ENABLE_CPU_PINNING": "NO",  # the line would share the pinned core
}


class TextRuntime:
    """One text model.

    Args:
        graph: the graph's file (OpenVINO's XML).
        weights: its weights' file.
        threads: as many as may work on one token.
        most_tokens: prompt and answer together, as many as the model was made for.
        name: what to call it in errors.

    Raises:
        LanguageError: OpenVINO isn't installed, or can't run the file as it was measured.
    """

    def __init__(
        self, graph: Path, weights: Path, *, threads: int, most_tokens: int, name: str
    ) -> None:
        runtime = needed("openvino")
        self.name, self._most_tokens, self._past = name, most_tokens, 0
        try:
            core = runtime.Core()
            settings = {**_SETTINGS, "INFERENCE_NUM_THREADS": str(threads)}
            compiled = core.compile_model(
                core.read_model(str(graph), str(weights)), "CPU", settings
            )
            used = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
            self._request: Any = compiled.create_infer_request()
        except Exception as error:
            # OpenVINO's exceptions share no base below Exception.
            first = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
            raise LanguageError(
                f"OpenVINO can't run {name}: {first}",
                machine_code.remedy("linewarden-assistant", "publish the bundle again"),
            ) from error
        if used != "f32":
            raise LanguageError(
                f"OpenVINO runs {name} in {used}, not as it was measured",
                "set [assistant] bundle_model = false, or give a model_url",
            )

    def begin(self) -> None:
        """Forget the turn before."""
        self._request.reset_state()
        self._past = 0

    def step(self, ids: Sequence[int]) -> Logits:
        """Logits (vocabulary,) of what follows these ids, which follow those given before.

        Raises:
            LanguageError: that is more than the model was made for.
        """
        count, past = len(ids), self._past
        if past + count > self._most_tokens:
            raise LanguageError(
                f"prompt and answer are longer than the {self._most_tokens} tokens of {self.name}",
                "shorten the system context or the documents' sections",
            )
        given = {
            "input_ids": np.array([ids], np.int64),
            "attention_mask": np.ones((1, past + count), np.int64),
            "position_ids": np.arange(past, past + count, dtype=np.int64)[None],
            "beam_idx": np.zeros(1, np.int32),
        }
        try:
            self._request.infer(given)
        except Exception as error:  # OpenVINO's exceptions share no base below it
            raise LanguageError(
                f"OpenVINO failed on {self.name}: {error}", "ask again; then restart the assistant"
            ) from error
        self._past = past + count
        return cast("Logits", self._request.get_output_tensor(0).data[0, -1].copy())

    def answer(self, prompt: Sequence[int], stops: Sequence[int], most: int) -> Iterator[int]:
        """The likeliest next id, again and again, up to one of `stops`, which is not given.

        Args:
            prompt: ids.
            stops: ids that end an answer.
            most: ids at most.
        """
        self.begin()
        logits = self.step(prompt)
        for count in range(1, most + 1):
            likeliest = int(logits.argmax())
            if likeliest in stops:
                return
            yield likeliest
            if count < most:
                logits = self.step([likeliest])
