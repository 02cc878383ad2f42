"""The sealed folder: files listed in a signed manifest, written whole and read in doubt.

What every kind of bundle stands on. Nothing is believed that isn't listed, no link is followed, and
a file that differs by one bit is refused. Knows no kind of bundle.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from export.errors import BundleError
from export.manifest import MANIFEST, SIGNATURE, FileEntry

MAX_MANIFEST_BYTES = 1024 * 1024
MAX_SIGNATURE_BYTES = 4096


def read_small(path: Path, limit: int, error: type[BundleError]) -> bytes:
    """A small file's bytes; raises `error` if it is none, or larger than `limit`."""
    refuse_irregular(path, error)
    with path.open("rb") as file:
        body = file.read(limit + 1)
    if len(body) > limit:
        raise error(f"{path} is larger than {limit} bytes", "export the bundle again")
    return body


def refuse_irregular(path: Path, error: type[BundleError] = BundleError) -> os.stat_result:
    """What a regular file is; raises `error` for anything else."""
    try:
        found = path.lstat()
    except OSError as cause:
        raise error(
            f"{path} is missing or can't be read: {cause.strerror}", "copy the whole bundle again"
        ) from cause
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{path} is a link or no regular file", "copy the bundle again, without links")
    return found


def refuse_unlisted(path: Path, listed: Iterable[str]) -> None:
    """Raise BundleError for what isn't listed, and for links."""
    files = {MANIFEST, SIGNATURE, *listed}
    folders = {str(parent) for name in files for parent in Path(name).parents}
    for found, entry in _entries(path):
        known = found in folders if entry.is_dir(follow_symlinks=False) else found in files
        if entry.is_symlink() or not known:
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


def check_file(path: Path, entry: FileEntry) -> None:
    """Raise BundleError unless the file is what was signed."""
    size = refuse_irregular(path).st_size
    if size != entry.bytes:
        raise BundleError(
            f"{path} has {size} bytes, its manifest says {entry.bytes}", "copy the bundle again"
        )
    if sha256(path) != entry.sha256:
        raise changed(path)


def changed(path: Path) -> BundleError:
    """The error for a file that is no longer what was signed."""
    said = f"{path} is not the file that was signed: its SHA-256 differs"
    return BundleError(said, "copy the bundle again")


def unreadable(path: Path, error: OSError) -> BundleError:
    """The error for a file that can't be read."""
    return BundleError(f"{path} can't be read: {error.strerror}", "check the file and its rights")


def sha256(path: Path) -> str:
    """A file's SHA-256; raises BundleError if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def refuse_existing(out: Path) -> None:
    """Raise BundleError if something is at `out`: a bundle is never overwritten."""
    if out.exists() or out.is_symlink():
        raise BundleError(f"{out} exists already", "choose another --out, or delete it first")
