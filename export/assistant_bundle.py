"""The assistant's bundle: documents, system context, chat template, tools and adapter, signed.

Of kind `assistant`, in the same sealed folder as an inspection's bundle. What was measured of the
adapter stands in its manifest, on the very files that it carries; without an adapter it is a bundle
of documents and context for a stock model. It may carry the text model itself, rounded, for the box
to run: then the adapter is in that model, and the parity is that file's.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from export import sealed_folder
from export.dialogue import FORM
from export.errors import BundleError
from export.library import FILE as DOCUMENTS
from export.manifest import MANIFEST, Count, FileEntry, FilePath, Metric, Moment, Name
from export.signature import PrivateKey, PublicKey
from export.verdict import Contract, Finite, Probability

CONTEXT = "context.txt"
TEMPLATE = "chat_template.jinja"
TOOLS = "tools.json"
ADAPTER = "adapter/adapter_model.safetensors"
MODEL_GRAPH, MODEL_WEIGHTS = "model/graph.xml", "model/graph.bin"
MODEL_TOKENIZER = "model/tokenizer.json"
MOST_TEXT = 1 << 20
__all__ = ["CONTEXT", "DOCUMENTS", "TEMPLATE", "TOOLS", "AssistantBundle", "open_assistant"]


class LanguageParity(Contract):
    """How far the served files lay from the trainer's model, on held-out prompts."""

    prompts: Count
    tokens: Count
    top1_agreement: Probability = Field(description="share of tokens that both think likeliest")
    mean_divergence: Finite = Field(description="KL from the trainer's to the served, nats a token")
    facts: Count = Field(description="held-out questions answered with the right fact, as served")
    of: Count


class LanguageBase(Contract):
    """What the adapter stands on; it isn't in the bundle, unless `model` says so."""

    name: str = Field(max_length=256)
    adapter: bool = Field(description="whether the bundle carries one")
    form: int = Field(description="of the prompt that it was tuned for (export/dialogue.py)")
    stops: tuple[int, ...] = Field(default=(), description="token ids that end an answer")


class TextModel(Contract):
    """The text model that a bundle carries for the box to run itself (export/text_runtime.py)."""

    runtime: Literal["openvino"] = Field(description="what runs it")
    weights: Literal["int8 in blocks"] = Field(description="how they are rounded")
    adapter: bool = Field(description="whether the plant's adapter is in it, beside the weights")
    most_tokens: int = Field(ge=1, description="prompt and answer together")
    specials: dict[str, str] = Field(
        description="as the chat template names them (bos_token, eos_token) → the tokens"
    )


class AssistantDescription(Contract):
    """All of the manifest except the list of files."""

    schema_version: Literal[1] = 1
    kind: Literal["assistant"] = "assistant"
    name: Name
    version: int = Field(ge=1, description="grows with every bundle of that name")
    created_at: Moment
    base: LanguageBase
    sections: Count = Field(description="of the documents")
    model: TextModel | None = Field(default=None, description="if the bundle carries one")
    parity: LanguageParity | None = None
    metrics: tuple[Metric, ...] = ()
    linewarden: str


class AssistantManifest(AssistantDescription):
    """The content of manifest.json."""

    files: dict[FilePath, FileEntry]

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a bundle that lacks a file, or whose adapter or model was not compared."""
        wanted = [DOCUMENTS, CONTEXT, TOOLS, *([ADAPTER, TEMPLATE] if self.base.adapter else [])]
        if self.model is not None:
            wanted += [MODEL_GRAPH, MODEL_WEIGHTS, MODEL_TOKENIZER, TEMPLATE]
        if missing := [name for name in wanted if name not in self.files]:
            raise ValueError(f"files lacks {', '.join(missing)}")
        if (self.base.adapter or self.model is not None) and self.parity is None:
            raise ValueError(
                "an adapter or model without parity was never compared with the trainer's model"
            )


@dataclass(frozen=True, slots=True)
class AssistantBundle:
    """A bundle whose signature and files were verified when it was opened."""

    path: Path
    manifest: AssistantManifest
    digest: str
    key: PublicKey

    @property
    def name(self) -> str:
        """Its name and version, for people."""
        return f"{self.manifest.name} version {self.manifest.version}"

    def text(self, name: str) -> str:
        """A listed text file, again as it was signed; raises BundleError if it changed since."""
        entry = self.manifest.files[name]
        if entry.bytes > MOST_TEXT:
            said = f"{self.path / name} is larger than {MOST_TEXT} bytes"
            raise BundleError(said, "publish it again")
        return sealed_folder.read_listed(self.path / name, entry).decode("utf-8")


def open_assistant(
    path: Path, trusted: Sequence[PublicKey], passed: Callable[[str], None] = lambda _: None
) -> AssistantBundle:
    """Open a bundle, if a trusted key signed it and every file is as it was signed.

    Args:
        path: its folder.
        trusted: keys to believe.
        passed: told of each check that the bundle passed.

    Raises:
        SignatureError: no signature, or not by a trusted key over this manifest.
        BundleError: not a bundle of this kind or form; a file is missing, changed or unlisted.
    """
    body, key = sealed_folder.read_signed(path, trusted)
    passed(f"manifest signed by trusted key {key.key_id}")
    remedy = "give a bundle of kind assistant, publish it again, or update Linewarden on this box"
    manifest = sealed_folder.understood(AssistantManifest, body, path / MANIFEST, remedy)
    if manifest.base.form != FORM:
        raise BundleError(
            f"{path} was made for prompts of form {manifest.base.form}, this program writes {FORM}",
            "tune and publish it with this version",
        )
    passed(f"manifest of schema version {manifest.schema_version} understood")
    sealed_folder.check_files(path, manifest, passed)
    return AssistantBundle(path, manifest, hashlib.sha256(body).hexdigest(), key)


def write_assistant(
    out: Path,
    description: AssistantDescription,
    contents: Mapping[str, bytes | Path],
    key: PrivateKey,
) -> AssistantBundle:
    """Write and sign a bundle; returns it as opened again.

    Raises:
        BundleError: `out` exists, can't be written, or the result is no valid bundle.
    """

    def manifest(files: Mapping[str, FileEntry]) -> bytes:
        try:
            told = AssistantManifest.model_validate({**description.model_dump(), "files": files})
        except ValidationError as error:
            raise BundleError(
                f"the bundle {out} can't be written: {error}", "publish it with all it needs"
            ) from error
        return told.model_dump_json(indent=2).encode() + b"\n"

    sealed_folder.write_folder(out, contents, manifest, key, lambda made: _opened(made, key.public))
    return open_assistant(out, [key.public])


def _opened(path: Path, key: PublicKey) -> None:
    open_assistant(path, [key])
