"""The bundle: the folder that crosses from workstation to box, written whole and read in doubt.

Writing goes to a folder beside it that gets its name only when all of it is on disk. Reading
believes nothing before the signature, then nothing that the signed manifest doesn't list.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from export import durable, signature
from export.errors import BundleError, SignatureError
from export.manifest import (
    FP32,
    MANIFEST,
    MODEL,
    SIGNATURE,
    Basis,
    Description,
    FileEntry,
    Manifest,
    Variant,
    name_of,
)
from export.model_file import check_model
from export.preprocess import Input
from export.sealed import (
    MAX_MANIFEST_BYTES,
    MAX_SIGNATURE_BYTES,
    changed,
    check_file,
    read_small,
    refuse_existing,
    refuse_unlisted,
    sha256,
    unreadable,
)
from export.signature import PrivateKey, PublicKey
from export.verdict import BundleRef, Thresholds

CPU_S, MEMORY_BYTES = 30.0, 512 * 1024**2
# Loading holds the file, its weights and their packed copy. VGG16's first layers hold 512 bytes for
# a pixel of the input, and take it through 31 GFlop per 224x224 pixels and picture.
_TIMES_MODEL, _BYTES_PER_PIXEL, _CPU_S_PER_PIXEL = 4, 1024, 60e-6
_CHUNK = 1 << 20
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


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
        path, entry = self.path / name, self.manifest.files[name]
        try:
            with path.open("rb") as file:
                body = file.read(entry.bytes + 1)
        except OSError as error:
            raise unreadable(path, error) from error
        if hashlib.sha256(body).hexdigest() != entry.sha256:
            raise changed(path)
        return body

    @contextlib.contextmanager
    def sealed_model(self) -> Generator[Path]:
        """The graph as it was signed, at a path to load it by, where nobody can change it.

        A copy in memory (memfd_create(2), sealed), gone at the end: whoever may write to the
        bundle's folder could exchange the file between the look at it and the loading of it.

        Raises:
            BundleError: it can't be read, or is no longer the file that was verified.
        """
        handle = os.memfd_create(MODEL, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            _copy(self.model_path, handle, self.manifest.files[self.file(MODEL)])
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
            yield Path(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)

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
    if not path.is_dir():
        raise BundleError(f"{path} is not a folder", "give the folder that `export --out` wrote")
    body = read_small(path / MANIFEST, MAX_MANIFEST_BYTES, BundleError)
    signed = read_small(path / SIGNATURE, MAX_SIGNATURE_BYTES, SignatureError)
    key = signature.verify(body, signed, trusted, str(path / MANIFEST))
    passed(f"manifest signed by trusted key {key.key_id}")
    manifest = _parse(body, path / MANIFEST)
    passed(f"manifest of schema version {manifest.schema_version} understood")
    refuse_unlisted(path, manifest.files)
    passed("no unlisted file, link or folder")
    for name, entry in manifest.files.items():
        check_file(path / name, entry)
    total = sum(entry.bytes for entry in manifest.files.values())
    passed(f"{len(manifest.files)} files, {total / 1e6:.1f} MB, as signed (size and SHA-256)")
    for variant in (FP32, *manifest.variants):
        check_model(path / name_of(MODEL, variant))
    passed("graph without control flow, custom operators or tensors in other files")
    return Bundle(path, manifest, hashlib.sha256(body).hexdigest(), key)


def _parse(body: bytes, path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BundleError(
            f"{path} is not a manifest that this Linewarden understands: {where}: {first['msg']}",
            "export the bundle again, or update Linewarden on this box",
        ) from error


def _copy(path: Path, handle: int, entry: FileEntry) -> None:
    """Copy a listed file into an open one, no more of it than was signed."""
    digest, left = hashlib.sha256(), entry.bytes
    try:
        with path.open("rb") as file, os.fdopen(handle, "wb", closefd=False) as copy:
            while chunk := file.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise changed(path)
                digest.update(chunk)
                copy.write(chunk)
    except OSError as error:
        raise unreadable(path, error) from error
    if digest.hexdigest() != entry.sha256:
        raise changed(path)


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
    refuse_existing(out)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        for name, content in contents.items():
            durable.put(partial / name, content)
        manifest = _list_files(partial, description, contents)
        body = _encoded(manifest)
        durable.put(partial / MANIFEST, body)
        durable.put(partial / SIGNATURE, key.sign(body))
        for folder in sorted({partial, *(file.parent for file in partial.rglob("*"))}):
            durable.sync(folder)
        bundle = open_bundle(partial, [key.public])
        partial.rename(out)
        durable.sync(out.parent)
    except OSError as error:
        raise BundleError(
            f"the bundle {out} can't be written: {error.strerror}", "check the folder and space"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(partial)
    return Bundle(out, bundle.manifest, bundle.digest, bundle.key)


def _encoded(manifest: Manifest) -> bytes:
    """The manifest's bytes; fields that older boxes don't know only where they say something."""
    silent = {name for name in ("variants", "refused") if not getattr(manifest, name)}
    return manifest.model_dump_json(indent=2, exclude=silent).encode() + b"\n"


def _list_files(
    folder: Path, description: Description, contents: Mapping[str, bytes | Path]
) -> Manifest:
    files = {
        name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in sorted(contents)
    }
    return Manifest.model_validate({**description.model_dump(), "files": files})


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
