"""A folder whose every file stands in one signed manifest: written whole, and read in doubt.

Writing goes to a folder beside it that gets its name only when all of it is on disk. Reading
believes nothing before the signature, then nothing that the signed manifest doesn't list. Knows
nothing of what a manifest says besides its list of files: export/bundle.py and
export/catalog_bundle.py do.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar, cast

from pydantic import BaseModel, ValidationError

from export import durable, signature
from export.errors import BundleError, SignatureError
from export.manifest import MANIFEST, SIGNATURE, FileEntry
from export.signature import PrivateKey, PublicKey

MAX_MANIFEST_BYTES = 1024 * 1024
MAX_SIGNATURE_BYTES = 4096
_CHUNK = 1 << 20
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


Kind = TypeVar("Kind", bound=BaseModel)


class Listing(Protocol):
    """A manifest, as far as this knows it."""

    @property
    def files(self) -> Mapping[str, FileEntry]:
        """Path in the folder → its size and hash."""
        ...


def read_signed(path: Path, trusted: Sequence[PublicKey]) -> tuple[bytes, PublicKey]:
    """The manifest's bytes, and the trusted key that signed them.

    Raises:
        SignatureError: no signature, or not by a trusted key over this manifest.
        BundleError: no folder, or no manifest in it.
    """
    if not path.is_dir():
        raise BundleError(f"{path} is not a folder", "give the folder that `export --out` wrote")
    body = _read_small(path / MANIFEST, MAX_MANIFEST_BYTES, BundleError)
    signed = _read_small(path / SIGNATURE, MAX_SIGNATURE_BYTES, SignatureError)
    return body, signature.verify(body, signed, trusted, str(path / MANIFEST))


def understood(kind: type[Kind], body: bytes, path: Path, remedy: str) -> Kind:
    """A manifest's bytes as what they say; raises BundleError with the first field that doesn't."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BundleError(
            f"{path} is not a manifest that this Linewarden understands: {where}: {first['msg']}",
            remedy,
        ) from error


def read_listed(path: Path, entry: FileEntry) -> bytes:
    """A listed file's content, which is again what was signed: it may have changed meanwhile.

    Raises:
        BundleError: it can't be read, or is no longer the file that was verified.
    """
    try:
        with path.open("rb") as file:
            body = file.read(entry.bytes + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if hashlib.sha256(body).hexdigest() != entry.sha256:
        raise _changed(path)
    return body


@contextlib.contextmanager
def sealed_copy(path: Path, entry: FileEntry) -> Generator[Path]:
    """A listed file as it was signed, at a path to load it by, where nobody can change it.

    A copy in memory (memfd_create(2), sealed), gone at the end: whoever may write to the
    folder could exchange the file between the look at it and the loading of it.

    Raises:
        BundleError: it can't be read, or is no longer the file that was verified.
    """
    handle = os.memfd_create(path.name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        _copy(path, handle, entry)
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


def kind_of(body: bytes) -> str | None:
    """What a manifest's bytes say about the kind of bundle, if they say anything."""
    with contextlib.suppress(ValueError):
        found: object = json.loads(body)
        if isinstance(found, dict):
            said: object = cast("dict[str, object]", found).get("kind")
            return said if isinstance(said, str) else None
    return None


def kind_at(path: Path) -> str | None:
    """What a folder says about its kind, if it says anything; nothing is verified."""
    with contextlib.suppress(OSError), (path / MANIFEST).open("rb") as file:
        return kind_of(file.read(MAX_MANIFEST_BYTES))
    return None


def write_folder(
    out: Path,
    contents: Mapping[str, bytes | Path],
    manifest: Callable[[Mapping[str, FileEntry]], bytes],
    key: PrivateKey,
    verify: Callable[[Path], None],
) -> None:
    """Write, sign and verify a folder, then give it its name.

    Args:
        out: the folder to make; nothing of that name may exist.
        contents: path in the folder → bytes, or a file to copy.
        manifest: its bytes, given the list of files.
        key: signs them.
        verify: opens the finished folder, and raises if it can't be believed.

    Raises:
        BundleError: `out` exists, or can't be written; and whatever `verify` raises.
    """
    refuse_existing(out)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        for name, content in contents.items():
            durable.put(partial / name, content)
        body = manifest({name: _entry(partial / name) for name in sorted(contents)})
        durable.put(partial / MANIFEST, body)
        durable.put(partial / SIGNATURE, key.sign(body))
        for folder in sorted({partial, *(file.parent for file in partial.rglob("*"))}):
            durable.sync(folder)
        verify(partial)
        partial.rename(out)
        durable.sync(out.parent)
    except OSError as error:
        raise BundleError(
            f"the bundle {out} can't be written: {error.strerror}", "check the folder and space"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(partial)


def _entry(path: Path) -> FileEntry:
    return FileEntry(sha256=_sha256(path), bytes=path.stat().st_size)


def refuse_existing(out: Path) -> None:
    """Raise BundleError if something is at `out`: a bundle is never overwritten."""
    if out.exists() or out.is_symlink():
        raise BundleError(f"{out} exists already", "choose another --out, or delete it first")


def check_files(path: Path, manifest: Listing, passed: Callable[[str], None]) -> None:
    """Raise BundleError unless the folder holds just what the manifest lists, as it was signed."""
    _refuse_unlisted(path, manifest)
    passed("no unlisted file, link or folder")
    for name, entry in manifest.files.items():
        _check_file(path / name, entry)
    total = sum(entry.bytes for entry in manifest.files.values())
    passed(f"{len(manifest.files)} files, {total / 1e6:.1f} MB, as signed (size and SHA-256)")


def _read_small(path: Path, limit: int, error: type[BundleError]) -> bytes:
    _refuse_irregular(path, error)
    with path.open("rb") as file:
        body = file.read(limit + 1)
    if len(body) > limit:
        raise error(f"{path} is larger than {limit} bytes", "export the bundle again")
    return body


def _refuse_irregular(path: Path, error: type[BundleError] = BundleError) -> os.stat_result:
    try:
        found = path.lstat()
    except OSError as cause:
        raise error(
            f"{path} is missing or can't be read: {cause.strerror}", "copy the whole bundle again"
        ) from cause
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{path} is a link or no regular file", "copy the bundle again, without links")
    return found


def _refuse_unlisted(path: Path, manifest: Listing) -> None:
    files = {MANIFEST, SIGNATURE, *manifest.files}
    folders = {str(parent) for name in files for parent in Path(name).parents}
    for found, entry in _entries(path):
        listed = found in folders if entry.is_dir(follow_symlinks=False) else found in files
        if entry.is_symlink() or not listed:
            what = "is a link" if entry.is_symlink() else "is not listed in the manifest"
            raise BundleError(
                f"{path / found} {what}", "copy the bundle again into an empty folder"
            )


def _entries(path: Path, below: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    try:
        with os.scandir(path / below) as entries:
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                yield name, entry
                if entry.is_dir(follow_symlinks=False):
                    yield from _entries(path, name)
    except OSError as error:
        raise BundleError(
            f"{path / below} can't be read: {error.strerror}", "check the folder and its rights"
        ) from error


def _check_file(path: Path, entry: FileEntry) -> None:
    size = _refuse_irregular(path).st_size
    if size != entry.bytes:
        raise BundleError(
            f"{path} has {size} bytes, its manifest says {entry.bytes}", "copy the bundle again"
        )
    if _sha256(path) != entry.sha256:
        raise _changed(path)


def _copy(path: Path, handle: int, entry: FileEntry) -> None:
    """Copy a listed file into an open one, no more of it than was signed."""
    digest, left = hashlib.sha256(), entry.bytes
    try:
        with path.open("rb") as file, os.fdopen(handle, "wb", closefd=False) as copy:
            while chunk := file.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise _changed(path)
                digest.update(chunk)
                copy.write(chunk)
    except OSError as error:
        raise _unreadable(path, error) from error
    if digest.hexdigest() != entry.sha256:
        raise _changed(path)


def _changed(path: Path) -> BundleError:
    said = f"{path} is not the file that was signed: its SHA-256 differs"
    return BundleError(said, "copy the bundle again")


def _unreadable(path: Path, error: OSError) -> BundleError:
    return BundleError(f"{path} can't be read: {error.strerror}", "check the file and its rights")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error
