"""Files that are on the disk when the function returns, and never half there.

A rename within a folder is atomic, and lasts once the folder itself is synchronised (rename(2),
fsync(2)). All raise OSError; whoever calls knows what the file was and says so.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator
from pathlib import Path

PART = ".part"
_CHUNK = 1 << 20


def replace(path: Path, body: bytes) -> None:
    """Write a file: a power cut leaves the old one or the new one, whole."""
    part = path.with_name(f".{path.name}{PART}")
    try:
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def put(path: Path, content: bytes | Path) -> None:
    """Write bytes, or a copy of a file, to where nothing is yet, making the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, file, _CHUNK)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def alone(folder: Path) -> Generator[None]:
    """Only one process, and one of its threads, is in here at a time with this folder."""
    door = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
    finally:
        os.close(door)


def sync(folder: Path) -> None:
    """Put a folder's list of names onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
