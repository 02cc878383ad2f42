"""A store of objects as fsspec reads it: what lies below an address, and an object's bytes.

The one place that knows fsspec, and that turns what its many back ends raise into a sentence.
"""

import errno
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import fsspec

from export.errors import DatasetError
from trainer.storage.address import Address

AT_ONCE = 16
ATTEMPTS = 3
# Roles (pyproject.toml) that bring a scheme's package; of other schemes fsspec knows the package.
_ROLES = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "http": "https", "https": "https"}
# What changes with an object's bytes, the surest first, as the back ends call it.
_VERSIONS = (
    "ETag", "etag", "generation", "md5Hash", "Content-MD5", "content_hash",
    "LastModified", "last_modified", "updated", "mtime", "created",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An object: its path below the address, its size in bytes, and what changes with its bytes."""

    path: str
    size: int
    version: str


class Store:
    """What lies below one address."""

    def __init__(self, address: Address) -> None:
        """Make ready; raises DatasetError where the scheme is unknown or its package missing."""
        self._address = address
        self._names: dict[str, str] = {}
        try:
            self._files, self._root = fsspec.core.url_to_fs(
                address.url, skip_instance_cache=True, **address.options()
            )
        except ImportError as error:
            role = _ROLES.get(address.scheme)
            remedy = f"pip install 'linewarden[{role}]'" if role else str(error)
            raise DatasetError(
                f"{address.url}: what reads {address.scheme}:// isn't installed", remedy
            ) from error
        except ValueError as error:
            raise DatasetError(
                f"{address.url}: {address.scheme}:// is unknown",
                "a folder, or an address such as s3://bucket/photos or gs://bucket/photos",
            ) from error

    def entries(self) -> dict[str, Entry]:
        """Every object by its path.

        Raises:
            DatasetError: the store can't be asked, nothing lies there, or a name can't be kept.
        """
        with self._asked(""):
            self._files.invalidate_cache()
            listed: dict[str, Any] = self._files.find(self._root, detail=True)
            told = {
                path: (name, info)
                for name, info in listed.items()
                if (path := self._below(name)) and info.get("type") != "directory"
            }
            with ThreadPoolExecutor(AT_ONCE) as pool:
                infos = list(pool.map(self._whole, told.values()))
        folders = {str(above) for path in told for above in PurePosixPath(path).parents}
        self._names = {path: name for path, (name, _) in told.items() if path not in folders}
        if not self._names:
            raise DatasetError(
                f"{self._address.url} holds nothing",
                "give the folder that has one folder of pictures per class in it",
            )
        found = zip(told, infos, strict=True)
        return {path: _entry(path, info) for path, info in found if path in self._names}

    def fetch(self, path: str, to: Path) -> None:
        """Write an object's bytes into a file.

        Raises:
            DatasetError: it can't be had.
            OSError: the disk is full.
        """
        with self._asked(f"/{path}"):
            for attempt in range(1, ATTEMPTS + 1):
                if self._fetched(path, to, last=attempt == ATTEMPTS):
                    break
                time.sleep(attempt)

    def _fetched(self, path: str, to: Path, *, last: bool) -> bool:
        """Try once; False where another try may help."""
        try:
            self._files.get_file(self._names[path], str(to))
        except (FileNotFoundError, PermissionError):
            raise
        except Exception as error:
            if last or _is_ours(error):
                raise
            return False
        return True

    def _below(self, name: str) -> str:
        """A listed name below the address; empty for what is no object of its own."""
        path = name.removeprefix(self._root.rstrip("/")).removeprefix("/")
        if self._address.scheme in {"http", "https"}:
            if "?" in path or "#" in path or "://" in path:
                return ""  # a listing's links for people: sort by name, elsewhere
            path = unquote(path)
        if not path or path.endswith("/"):
            return ""
        levels = path.split("/")
        if "" in levels or "." in levels or ".." in levels or "\0" in path or "\\" in path:
            raise DatasetError(
                f"{self._address.url} holds {path!r}, which is no name for a file", "rename it"
            )
        return path

    def _whole(self, listed: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """What is known of an object, asked once more where the listing tells no size."""
        name, info = listed
        return info if info.get("size") is not None else self._files.info(name)

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """Any back end's error in one sentence that names the address."""
        url = f"{self._address.url}{what}"
        try:
            yield
        except DatasetError:
            raise
        except FileNotFoundError as error:
            raise DatasetError(
                f"{url} is not there (any more)", "check the address, and that nobody writes there"
            ) from error
        except PermissionError as error:
            raise DatasetError(
                f"{url} may not be read with these credentials",
                "allow listing and reading there, or give other credentials: as the store's own "
                "tools take them, from the environment or its settings",
            ) from error
        except Exception as error:
            if _is_ours(error):
                raise
            if getattr(error, "status", 0) in {401, 403}:
                raise DatasetError(
                    f"{url} may not be read: {getattr(error, 'status', '')}",
                    "give credentials that may list and read there",
                ) from error
            said = self._address.scrubbed(str(error).strip() or type(error).__name__)
            raise DatasetError(
                f"{url} can't be read: {said.splitlines()[0]}",
                "check the network and the address, and run the same again: what was fetched stays",
            ) from error


def _entry(path: str, info: dict[str, Any]) -> Entry:
    version = next((str(info[key]) for key in _VERSIONS if info.get(key)), "")
    size = info.get("size")
    return Entry(path, -1 if size is None else int(size), version)


def _is_ours(error: Exception) -> bool:
    """Whether it is this machine's disk that fails, not the store."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
