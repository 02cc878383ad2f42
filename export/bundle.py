"""The bundle: the folder that crosses from workstation to box, and speaks of one model for a line.

How it is written whole and read in doubt is export/sealed_folder.py's; a bundle of another kind,
for product pictures, is export/catalog_bundle.py's.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from export import sealed_folder, signature
from export.errors import BundleError
from export.manifest import (
    FP32,
    MANIFEST,
    MODEL,
    Basis,
    Description,
    FileEntry,
    Manifest,
    Variant,
    name_of,
)
from export.model_file import check_model
from export.preprocess import Input
from export.sealed_folder import MAX_MANIFEST_BYTES, kind_of, refuse_existing
from export.signature import PrivateKey, PublicKey
from export.verdict import BundleRef, Thresholds

__all__ = ["Bundle", "next_version", "open_bundle", "refuse_existing", "write_bundle"]

CPU_S, MEMORY_BYTES = 30.0, 512 * 1024**2
# Loading holds the file, its weights and their packed copy. VGG16's first layers hold 512 bytes for
# a pixel of the input, and take it through 31 GFlop per 224x224 pixels and picture.
_TIMES_MODEL, _BYTES_PER_PIXEL, _CPU_S_PER_PIXEL = 4, 1024, 60e-6


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature and files were verified when it was opened.

    It speaks as one of its variants: FP32, or what `as_variant` was asked for.
    """

    path: Path
    manifest: Manifest
    digest: str
    key: PublicKey
    variant: str = FP32

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants that it carries, FP32 first."""
        return (FP32, *self.manifest.variants)

    def as_variant(self, name: str) -> "Bundle":
        """The same bundle, speaking as another variant; raises BundleError if it has none."""
        if name not in self.variants:
            told = self.manifest.refused.get(name)
            raise BundleError(
                f"{self.path} carries no variant {name!r}, but {', '.join(self.variants)}"
                + (f": {told}" if told else ""),
                "ask for one that it carries, or export it again with that variant",
            )
        return replace(self, variant=name)

    def file(self, name: str) -> str:
        """What this variant's file is called in the bundle, where FP32's is called `name`."""
        return name_of(name, self.variant)

    @property
    def model_path(self) -> Path:
        """The graph's file."""
        return self.path / self.file(MODEL)

    def allowance(
        self, cpu_s: float = CPU_S, memory_bytes: int = MEMORY_BYTES
    ) -> tuple[float, int]:
        """Seconds of processor time, and bytes, that loading and trying the model may take.

        Args:
            cpu_s: for a small model; more for the pixels of its input.
            memory_bytes: likewise; more for the file and the pixels.
        """
        pixels = self.input.width * self.input.height
        model_bytes = self.manifest.files[self.file(MODEL)].bytes
        memory_bytes += _TIMES_MODEL * model_bytes + _BYTES_PER_PIXEL * pixels
        return cpu_s + _CPU_S_PER_PIXEL * pixels, memory_bytes

    def read(self, name: str) -> bytes:
        """A listed file's content, which is again what was signed: it may have changed meanwhile.

        Raises:
            BundleError: it can't be read, or is no longer the file that was verified.
        """
        return sealed_folder.read_listed(self.path / name, self.manifest.files[name])

    def sealed_model(self) -> AbstractContextManager[Path]:
        """The graph as it was signed, at a path to load it by, where nobody can change it.

        Raises:
            BundleError: it can't be read, or is no longer the file that was verified.
        """
        entry = self.manifest.files[self.file(MODEL)]
        return sealed_folder.sealed_copy(self.model_path, entry)

    @property
    def input(self) -> Input:
        """What the model takes."""
        return self.manifest.input.input()

    @property
    def thresholds(self) -> Thresholds:
        """Where it passes, fails and asks a person."""
        return self._said.thresholds

    @property
    def basis(self) -> Basis:
        """What the thresholds stand on."""
        return self._said.basis

    @property
    def _said(self) -> Manifest | Variant:
        """Where the manifest speaks of this variant."""
        return self.manifest if self.variant == FP32 else self.manifest.variants[self.variant]

    @property
    def ref(self) -> BundleRef:
        """How verdicts name it; the digest is the SHA-256 of its manifest."""
        return BundleRef(
            name=self.manifest.name,
            version=self.manifest.version,
            digest=self.digest,
            variant=self.variant,
        )


def _unheard(_check: str) -> None: ...


def open_bundle(
    path: Path, trusted: Sequence[PublicKey], passed: Callable[[str], None] = _unheard
) -> Bundle:
    """Open a bundle, if a trusted key signed it and every file is as it was signed.

    Args:
        path: the bundle's folder.
        trusted: keys whose signature is believed.
        passed: told in words of every check that was passed.

    Raises:
        SignatureError: no signature, or not by a trusted key over this manifest.
        BundleError: not a bundle; a file is missing, changed, unlisted, a link or not allowed.
    """
    body, key = sealed_folder.read_signed(path, trusted)
    manifest = _parse(body, path / MANIFEST)
    passed(f"manifest signed by trusted key {key.key_id}")
    passed(f"manifest of schema version {manifest.schema_version} understood")
    sealed_folder.check_files(path, manifest, passed)
    for variant in (FP32, *manifest.variants):
        check_model(path / name_of(MODEL, variant))
    passed("graph without control flow, custom operators or tensors in other files")
    return Bundle(path, manifest, hashlib.sha256(body).hexdigest(), key)


def believed(
    body: bytes, signed: bytes, trusted: Sequence[PublicKey], name: Path
) -> tuple[PublicKey, Manifest]:
    """A manifest that a trusted key signed: before that, nothing in it is looked at.

    Raises:
        SignatureError: no trusted key signed it.
        BundleError: it isn't one that this version understands.
    """
    key = signature.verify(body, signed, trusted, str(name))
    return key, _parse(body, name)


def _parse(body: bytes, path: Path) -> Manifest:
    if kind_of(body) == "catalog":
        raise BundleError(
            f"{path} is of a bundle that chooses product pictures: it judges no parts",
            "use it with `linewarden catalog`; for a line, train without --task catalog",
        )
    if kind_of(body) == "assistant":
        raise BundleError(
            f"{path} is of a bundle for the operators' assistant: it judges no parts",
            "name it in [assistant] bundle",
        )
    remedy = "export the bundle again, or update Linewarden on this box"
    return sealed_folder.understood(Manifest, body, path, remedy)


def write_bundle(
    out: Path, description: Description, contents: Mapping[str, bytes | Path], key: PrivateKey
) -> Bundle:
    """Write and sign a bundle; returns it as opened again and verified.

    Args:
        out: the folder to make; nothing of that name may exist.
        description: its manifest, except for the files.
        contents: path in the bundle → bytes, or a file to copy.
        key: signs the manifest.

    Raises:
        BundleError: `out` exists, can't be written, or the result is no valid bundle.
    """
    opened: list[Bundle] = []

    def manifest(files: Mapping[str, FileEntry]) -> bytes:
        listed = {name: entry.model_dump() for name, entry in files.items()}
        return _encoded(Manifest.model_validate({**description.model_dump(), "files": listed}))

    def verify(folder: Path) -> None:
        opened.append(open_bundle(folder, [key.public]))

    sealed_folder.write_folder(out, contents, manifest, key, verify)
    return replace(opened[0], path=out)


def _encoded(manifest: Manifest) -> bytes:
    """The manifest's bytes; fields that older boxes don't know only where they say something."""
    silent = {name for name in ("variants", "refused") if not getattr(manifest, name)}
    return manifest.model_dump_json(indent=2, exclude=silent).encode() + b"\n"


def next_version(folder: Path, name: str) -> int:
    """One more than the largest version among the bundles called `name` that lie in `folder`."""
    versions = [0]
    for path in folder.glob(f"*/{MANIFEST}"):
        with contextlib.suppress(OSError, ValueError):
            found: Any = json.loads(path.read_bytes()[:MAX_MANIFEST_BYTES])
            if isinstance(found, dict):
                fields = cast("dict[str, Any]", found)
                if fields.get("name") == name and isinstance(fields.get("version"), int):
                    versions.append(fields["version"])
    return max(versions) + 1
