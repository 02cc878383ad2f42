"""Publishing: adapter, context, template, tools and documents as one signed bundle, after parity.

The very files that are served are loaded again, over the base as it is served, or as the box runs
them, and compared with the trainer's model in float32 (trainer/assistant/parity.py). A file that
answers otherwise is not published. Nothing is merged: merging into 4 bits rounds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export import __version__, dialogue, library, stamp
from export.assistant_bundle import (
    ADAPTER,
    CONTEXT,
    MODEL_GRAPH,
    MODEL_TOKENIZER,
    MODEL_WEIGHTS,
    TEMPLATE,
    TOOLS,
    AssistantBundle,
    AssistantDescription,
    LanguageBase,
    LanguageParity,
    write_assistant,
)
from export.errors import LanguageError
from export.passage import Passage
from export.signature import PrivateKey
from trainer.assistant.base import Base
from trainer.assistant.box_model import BoxModel
from trainer.assistant.parity import refuse_apart
from trainer.assistant.tune import WEIGHTS

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


def publish(
    out: Path, material: Material, key: PrivateKey, *, adapter: Path | None = None,
    base: Base | None = None, told: LanguageParity | None = None, model: BoxModel | None = None,
) -> AssistantBundle:  # fmt: skip
    """Write the bundle; without adapter and model one of documents and context for a stock model.

    Args:
        out: the bundle's folder.
        material: what goes in beside the adapter or model.
        key: signs it.
        adapter: what tune wrote, for a model that is served elsewhere.
        base: what was compared.
        told: how far the served files lay from it.
        model: the whole model for the box to run, an adapter in it.

    Raises:
        LanguageError: the adapter or model was not compared, or answers otherwise.
        BundleError, DocumentError: it can't be written.
    """
    contents: dict[str, bytes | Path] = {
        CONTEXT: material.context.encode(),
        TOOLS: json.dumps({"read_only": True, "measures": _TOOLS}, indent=1).encode(),
    }
    if adapter is not None or model is not None:
        if told is None or base is None:
            said = "an adapter or model is published only after parity"
            raise LanguageError(said, "give --heldout")
        refuse_apart(told)
        contents[TEMPLATE] = str(base.tokenizer.chat_template).encode()
    if adapter is not None:
        contents[ADAPTER] = adapter / WEIGHTS
        contents["adapter/adapter_config.json"] = adapter / "adapter_config.json"
    if model is not None:
        contents[MODEL_GRAPH], contents[MODEL_WEIGHTS] = model.graph, model.weights
        contents[MODEL_TOKENIZER] = model.tokenizer
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
            model=None if model is None else model.described, parity=told, linewarden=__version__,
        )  # fmt: skip
        return write_assistant(out, description, contents, key)
    finally:
        index.unlink(missing_ok=True)
