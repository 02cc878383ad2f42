"""A copy on a disk of labelled pictures that lie on a store, kept in step by size and version.

    CACHE/NAME-0123456789ab/NAME/…        the copy: the same folders, names and bytes
    CACHE/NAME-0123456789ab/source.json   where it comes from
    CACHE/NAME-0123456789ab/index.jsonl   what is there: each object's size and version

An object is fetched once, as a whole or not at all, and again where the store says that it has
changed, or can't tell (a plain web server without ETag). The copy is a plain folder, so that
splits, fingerprints and history are a folder's (docs/decisions/0020-a-copy-on-the-disk.md). It
knows names and bytes, not pictures.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from export import picture
from export.errors import DatasetError
from trainer.progress import Progress
from trainer.storage.address import Address
from trainer.storage.store import AT_ONCE, Entry, Store

SOURCE, INDEX, LOCK = "source.json", "index.jsonl", "lock"
# Read besides pictures: tables, history, labels. Of anything else an empty file keeps the name.
_READ = picture.SUFFIXES | {".csv", ".json", ".jsonl"}
_SPARE_BYTES = 256 << 20  # that the disk keeps


def folder_of(data: str, progress: Progress, cache: Path) -> Path:
    """The folder that `data` names: itself, or the copy of what an address names, in step with it.

    Raises:
        DatasetError: the address can't be read, or the copy can't be written.
    """
    scheme, mark, rest = data.partition("://")
    if not mark:
        return Path(data)
    if scheme == "file":
        return Path(rest)
    address = Address.of(data)
    return Mirror(address, Store(address), cache).follow(progress)


def source_of(root: Path) -> str:
    """The address that `root` is a copy of; empty for a folder of its own."""
    try:
        return str(json.loads((root.absolute().parent / SOURCE).read_bytes())["copy_of"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


class Mirror:
    """The copy of what lies below one address.

    Attributes:
        root: its folder.
    """

    def __init__(self, address: Address, store: Store, cache: Path) -> None:
        digest = hashlib.sha256(address.url.encode()).hexdigest()[:12]
        self._url, self._store = address.url, store
        self._home = cache.expanduser() / f"{address.name}-{digest}"
        self.root = self._home / address.name

    def follow(self, progress: Progress) -> Path:
        """Fetch what is new or has changed, remove what is gone; returns the copy's folder.

        Raises:
            DatasetError: the store can't be read or changes meanwhile, or the disk is full.
        """
        with self._alone():
            there, here = self._store.entries(), self._known()
            same = {path: one for path, one in here.items() if there.get(path) == one}
            wanted = [one for path, one in there.items() if path not in same]
            self._check_space(wanted)
            self._write_index(same.values())
            for path in here.keys() - there.keys():
                self._remove(path)
            if wanted:
                with progress.phase(f"fetching {self._url}", len(wanted)) as advance:
                    self._fetch_all(wanted, advance)
                self._check_still(there)
        return self.root

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Other processes wait meanwhile; the disk's errors become a sentence."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with (self._home / LOCK).open("w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                told = json.dumps({"copy_of": self._url}) + "\n"
                (self._home / SOURCE).write_text(told, encoding="utf-8")
                yield
        except OSError as error:
            raise DatasetError(
                f"{str(self._home)!r}, for the copy of {self._url}: {error.strerror or error}",
                "make room and rights there, or give another --cache",
            ) from error

    def _known(self) -> dict[str, Entry]:
        """What the index tells of and the disk still has."""
        index = self._home / INDEX
        lines = index.read_text(encoding="utf-8").splitlines() if index.exists() else []
        found: dict[str, Entry] = {}
        for line in lines:
            try:
                one = Entry(**json.loads(line))
            except (ValueError, TypeError):  # torn by a kill: fetched again
                continue
            path = self.root / one.path
            if path.is_file() and _fits(one, path.stat().st_size):
                found[one.path] = one
        return found

    def _write_index(self, entries: Iterable[Entry]) -> None:
        fresh = self._home / f"{INDEX}.part"
        fresh.write_text("".join(map(_line, entries)), encoding="utf-8")
        fresh.replace(self._home / INDEX)

    def _check_space(self, wanted: list[Entry]) -> None:
        needed = sum(max(0, _kept_bytes(one)) for one in wanted)
        free = shutil.disk_usage(self._home).free
        if needed + _SPARE_BYTES > free:
            raise DatasetError(
                f"{self._url} needs {needed / 1e9:.1f} GB more in {str(self._home)!r}, where "
                f"{free / 1e9:.1f} GB are free",
                "give a folder on a larger disk: --cache",
            )

    def _fetch_all(self, wanted: list[Entry], advance: Callable[[], None]) -> None:
        """Fetch, and note each in the index once it is there, also those under way at a fault."""
        with (
            (self._home / INDEX).open("a", encoding="utf-8", buffering=1) as index,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            begun = {pool.submit(self._fetch, one) for one in wanted}
            try:
                for done in as_completed(set(begun)):
                    index.write(_line(done.result()))
                    begun.remove(done)
                    advance()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                whole = (one for one in begun if not one.cancelled() and not one.exception())
                index.writelines(_line(one.result()) for one in whole)
                raise

    def _fetch(self, one: Entry) -> Entry:
        path = self.root / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _kept_bytes(one):
            path.write_bytes(b"")
            return one
        part = path.with_name(f".{path.name}.part")
        self._store.fetch(one.path, part)
        found = part.stat().st_size
        if one.size >= 0 and found != one.size:
            part.unlink()
            raise DatasetError(
                f"{self._url}/{one.path} came with {found} bytes of {one.size}",
                "run the same again: what was fetched stays",
            )
        part.replace(path)
        return one

    def _check_still(self, before: dict[str, Entry]) -> None:
        now = self._store.entries()
        changed = sorted(p for p in before.keys() | now.keys() if before.get(p) != now.get(p))
        if changed:
            raise DatasetError(
                f"{self._url} changed while it was fetched: {changed[0]!r} and "
                f"{len(changed) - 1} more",
                "run the same again when nobody writes there: what was fetched stays",
            )

    def _remove(self, path: str) -> None:
        gone = self.root / path
        gone.unlink(missing_ok=True)
        for above in gone.parents:
            if above == self.root or any(above.iterdir()):
                break
            above.rmdir()


def _kept_bytes(one: Entry) -> int:
    """How much of an object is kept; -1 where the store doesn't tell its size."""
    return one.size if Path(one.path).suffix.lower() in _READ else 0


def _fits(one: Entry, size: int) -> bool:
    """Whether a file of that size can be the object; one without a version is never trusted."""
    return bool(one.version) and (one.size < 0 or size == _kept_bytes(one))


def _line(one: Entry) -> str:
    return json.dumps(asdict(one)) + "\n"
