"""A bundle for product pictures: opened, verified and written like an inspection's."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from export import sealed_folder
from export.catalog import CatalogDescription, CatalogManifest
from export.errors import BundleError
from export.manifest import MANIFEST, MODEL, FileEntry
from export.model_file import check_model
from export.preprocess import Input
from export.signature import PrivateKey, PublicKey


@dataclass(frozen=True, slots=True)
class CatalogBundle:
    """A bundle for product pictures, whose signature and files were verified when it was opened."""

    path: Path
    manifest: CatalogManifest
    digest: str
    key: PublicKey

    @property
    def input(self) -> Input:
        """What the model takes."""
        return self.manifest.input.input()

    @property
    def name(self) -> str:
        """Name and version, for people."""
        return f"{self.manifest.name} version {self.manifest.version}"

    def read(self, name: str) -> bytes:
        """A listed file's content as it was signed; raises BundleError if it has changed."""
        return sealed_folder.read_listed(self.path / name, self.manifest.files[name])

    def sealed_model(self) -> AbstractContextManager[Path]:
        """The graph as it was signed, at a path to load it by; raises BundleError if it isn't."""
        return sealed_folder.sealed_copy(self.path / MODEL, self.manifest.files[MODEL])


def _unheard(_check: str) -> None: ...


def open_catalog(
    path: Path, trusted: Sequence[PublicKey], passed: Callable[[str], None] = _unheard
) -> CatalogBundle:
    """Open a bundle for product pictures, if a trusted key signed it and all is as it was signed.

    Args:
        path: the bundle's folder.
        trusted: keys whose signature is believed.
        passed: told in words of every check that was passed.

    Raises:
        SignatureError: no signature, or not by a trusted key over this manifest.
        BundleError: not a bundle, one of another kind, or a file is missing, changed or unlisted.
    """
    body, key = sealed_folder.read_signed(path, trusted)
    passed(f"manifest signed by trusted key {key.key_id}")
    manifest = _parse(body, path / MANIFEST)
    passed(f"manifest of schema version {manifest.schema_version} understood")
    sealed_folder.check_files(path, manifest, passed)
    check_model(path / MODEL)
    passed("graph without control flow, custom operators or tensors in other files")
    return CatalogBundle(path, manifest, hashlib.sha256(body).hexdigest(), key)


def _parse(body: bytes, path: Path) -> CatalogManifest:
    if sealed_folder.kind_of(body) == "inspection":
        raise BundleError(
            f"{path} is of a bundle that inspects parts: it knows no categories of products",
            "give one that was trained with `linewarden train … --task catalog`",
        )
    remedy = "export the bundle again, or update Linewarden here"
    return sealed_folder.understood(CatalogManifest, body, path, remedy)


def write_catalog(
    out: Path,
    description: CatalogDescription,
    contents: Mapping[str, bytes | Path],
    key: PrivateKey,
) -> CatalogBundle:
    """Write and sign a bundle; returns it as opened again and verified.

    Args:
        out: the folder to make; nothing of that name may exist.
        description: its manifest, except for the files.
        contents: path in the bundle → bytes, or a file to copy.
        key: signs the manifest.

    Raises:
        BundleError: `out` exists, can't be written, or the result is no valid bundle.
    """
    opened: list[CatalogBundle] = []

    def manifest(files: Mapping[str, FileEntry]) -> bytes:
        listed = {name: entry.model_dump() for name, entry in files.items()}
        whole = CatalogManifest.model_validate({**description.model_dump(), "files": listed})
        return whole.model_dump_json(indent=2).encode() + b"\n"

    def verify(folder: Path) -> None:
        opened.append(open_catalog(folder, [key.public]))

    sealed_folder.write_folder(out, contents, manifest, key, verify)
    return replace(opened[0], path=out)
