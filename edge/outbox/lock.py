"""One record, one process: two writers would both think themselves next."""

import contextlib
import fcntl
import os
from pathlib import Path

from export.errors import StoreError


def held(path: Path) -> bool:
    """Whether a process holds `path`.lock; makes nothing."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        door = os.open(_door(path), os.O_RDONLY)
        try:
            fcntl.flock(door, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(door)
    return False


def lock(path: Path) -> int:
    """Hold `path`.lock until the returned descriptor is closed; raises StoreError if it is held."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        door = os.open(_door(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(
            f"outbox {path} can't be opened: {error}", "check its folder's rights"
        ) from error
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(door)
        raise StoreError(
            f"outbox {path} is in use by another process", "stop the other linewarden first"
        ) from error
    return door


def _door(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
