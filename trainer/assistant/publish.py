"""Publishing: adapter, context, template, tools and documents as one signed bundle, after parity.

The very files that are served are loaded again, over the base as it is served, and compared with
the trainer's model in float32: divergence and agreement token by token, facts of the exam. A file
that answers otherwise is not published. Nothing is merged: merging into 4 bits rounds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export import __version__, dialogue, library, stamp
from export.assistant_bundle import (
    ADAPTER,
    CONTEXT,
    TEMPLATE,
    TOOLS,
    AssistantBundle,
    AssistantDescription,
    LanguageBase,
    LanguageParity,
    write_assistant,
)
from export.dialogue import reply
from export.errors import LanguageError
from export.library import Library
from export.passage import Passage
from export.signature import PrivateKey
from trainer.assistant.arms import TUNED_DOCUMENTS, generate, put
from trainer.assistant.base import Base
from trainer.assistant.exam import Question, mark
from trainer.assistant.lesson import rendered
from trainer.progress import Progress

LEAST_AGREEMENT = 0.98  # of the tokens that both think likeliest
MOST_DIVERGENCE = 0.05  # nats a token
_TOOLS = (
    "count", "rate", "yield", "types", "trend", "worst hour", "last", "part", "bundles", "alarms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Material:
    """What goes into a bundle beside the adapter."""

    name: str
    version: int
    passages: Sequence[Passage]
    context: str


def parity(
    trained: Base, served: Base, questions: Sequence[Question], found: Library, *, context: str,
    progress: Progress,
) -> LanguageParity:  # fmt: skip
    """Compare two models on the exam's prompts, answers that are right given as far as they go."""
    import torch  # noqa: PLC0415

    tokens = same = facts = 0
    divergence = 0.0
    asked = [one for one in questions if one.answerable]
    with progress.phase("parity", len(asked)) as advance:
        for one in asked:
            turns, passages = put(TUNED_DOCUMENTS, one, found, (), context)
            text = rendered(trained.tokenizer, turns)
            cited = Passage(one.section, one.language, "", "")
            begin = trained.tokenizer(text, add_special_tokens=False)["input_ids"]
            answer = trained.tokenizer(reply(cited, one.fact), add_special_tokens=False)[
                "input_ids"
            ]
            ids = torch.tensor([[*begin, *answer]])
            with torch.inference_mode():
                p, q = (
                    base.model(ids.to(base.model.device))
                    .logits[0, len(begin) - 1 : -1]
                    .float()
                    .log_softmax(-1)
                    .cpu()
                    for base in (trained, served)
                )
            divergence += float((p.exp() * (p - q)).sum())
            same += int((p.argmax(-1) == q.argmax(-1)).sum())
            tokens += len(answer)
            facts += mark(one, generate(served, [text])[0], passages).right
            advance()
    return LanguageParity(
        prompts=len(asked), tokens=tokens, top1_agreement=same / tokens,
        mean_divergence=divergence / tokens, facts=facts, of=len(asked),
    )  # fmt: skip


def refuse_apart(told: LanguageParity) -> None:
    """Raise LanguageError if the served files answer otherwise than what was trained."""
    if told.top1_agreement < LEAST_AGREEMENT or told.mean_divergence > MOST_DIVERGENCE:
        raise LanguageError(
            f"as served, the model agrees on {told.top1_agreement:.1%} of {told.tokens} tokens"
            f" (at least {LEAST_AGREEMENT:.0%}), divergence {told.mean_divergence:.3f} nats"
            f" (at most {MOST_DIVERGENCE})",
            "serve the base in a finer precision",
        )


def publish(
    out: Path, material: Material, key: PrivateKey, *, adapter: Path | None = None,
    base: Base | None = None, told: LanguageParity | None = None,
) -> AssistantBundle:  # fmt: skip
    """Write the bundle; without an adapter one of documents and context for a stock model.

    Raises:
        LanguageError: the adapter was not compared, or answers otherwise.
        BundleError, DocumentError: it can't be written.
    """
    contents: dict[str, bytes | Path] = {
        CONTEXT: material.context.encode(),
        TOOLS: json.dumps({"read_only": True, "measures": _TOOLS}, indent=1).encode(),
    }
    if adapter is not None:
        if told is None or base is None:
            raise LanguageError("an adapter is published only after parity", "give --heldout")
        refuse_apart(told)
        contents[ADAPTER] = adapter / "adapter_model.safetensors"
        contents["adapter/adapter_config.json"] = adapter / "adapter_config.json"
        contents[TEMPLATE] = str(base.tokenizer.chat_template).encode()
    index = out.with_name(f".{out.name}.{library.FILE}")
    index.unlink(missing_ok=True)
    index.parent.mkdir(parents=True, exist_ok=True)
    try:
        count = library.make(index, material.passages)
        contents[library.FILE] = index
        description = AssistantDescription(
            name=material.name, version=material.version, created_at=stamp.now(), sections=count,
            base=LanguageBase(
                name="any" if base is None else Path(base.name).name or base.name,
                adapter=adapter is not None, form=dialogue.FORM,
                stops=() if base is None else base.stops,
            ),
            parity=told, linewarden=__version__,
        )  # fmt: skip
        return write_assistant(out, description, contents, key)
    finally:
        index.unlink(missing_ok=True)
