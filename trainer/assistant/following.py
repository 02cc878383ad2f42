"""How far a tuning is: the project's own lines, where transformers prints a dictionary a step."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from trainer.progress import Progress


def follower(progress: Progress) -> Any:
    """A transformers callback that tells steps and judged batches as they end.

    Of several processes that tune together the first one speaks. Its `close` ends the lines that
    are open when training breaks off: transformers tells no callback of that.
    """
    from transformers import TrainerCallback  # noqa: PLC0415

    return type("Follower", (_Follower, TrainerCallback), {})(progress)


class _Follower:
    """The events that are told of; each gets arguments, state and control."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._course, self._judging = ExitStack(), ExitStack()
        self._step: Callable[..., None] = lambda *_: None
        self._judged: Callable[..., None] | None = None
        self._loss = ""

    def on_train_begin(self, _args: Any, state: Any, *_: Any, **__: Any) -> None:
        phase = self._of(state).phase("learning", state.max_steps, had=state.global_step)
        self._step = self._course.enter_context(phase)

    def on_log(self, *_: Any, logs: dict[str, Any], **__: Any) -> None:
        if "loss" in logs:
            self._loss = f", loss {float(logs['loss']):.3f}"

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self._step(1, self._loss)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self._course.close()

    def on_prediction_step(
        self, _args: Any, state: Any, *_: Any, eval_dataloader: Any, **__: Any
    ) -> None:
        if self._judged is None:
            phase = self._of(state).phase("validation", len(eval_dataloader))
            self._judged = self._judging.enter_context(phase)
        self._judged()

    def on_evaluate(self, *_: Any, **__: Any) -> None:
        self._judging.close()
        self._judged = None

    def close(self) -> None:
        """End the lines that are open."""
        self._judging.close()
        self._course.close()

    def _of(self, state: Any) -> Progress:
        return self._progress if state.is_world_process_zero else Progress(None)
