"""An assistant bundle's card: what it is, told to a person in one screen of plain text."""

from collections.abc import Iterator

from export.assistant_bundle import AssistantBundle
from export.card import metric_lines

_LABEL = 13


def assistant_card(bundle: AssistantBundle) -> str:
    """The card of `bundle` as lines of text."""
    manifest = bundle.manifest
    lines = [f"{bundle.name}  ({bundle.path}), for the operators' assistant", ""]
    lines += [f"{label:<{_LABEL}}{text}" for label, text in _facts(bundle)]
    if manifest.metrics:
        lines += ["", "measured", *metric_lines(manifest.metrics)]
    return "\n".join(lines)


def _tuned(bundle: AssistantBundle) -> str:
    base, model = bundle.manifest.base, bundle.manifest.model
    adapted = base.adapter if model is None else model.adapter
    told = "an adapter" if adapted else "no adapter: the model as it is"
    return told if model is None else f"{told}; carried whole, {model.weights}, for {model.runtime}"


def _facts(bundle: AssistantBundle) -> Iterator[tuple[str, str]]:
    manifest = bundle.manifest
    files = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    yield "documents", f"{manifest.sections} section{'s' * (manifest.sections != 1)}"
    yield "model", f"{manifest.base.name}, with {_tuned(bundle)}"
    yield "prompts", f"of form {manifest.base.form}"
    if (found := manifest.parity) is not None:
        agreed = f"{found.top1_agreement:.2%} of {found.tokens} tokens as the trainer's model"
        yield "parity", f"{agreed}; {found.facts} of {found.of} facts right, as served"
    yield "made", f"{manifest.created_at}, linewarden {manifest.linewarden}"
    yield "files", f"{len(manifest.files)}, {files:.1f} MB"
    yield "signed by", f"key {bundle.key.key_id}"
    yield "digest", bundle.digest
