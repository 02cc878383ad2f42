"""The inbox: bundles on their way in, taken file by file, and nothing of them unsigned.

    <folder>/<digest>/…            as the bundle will lie: manifest, signature, the files so far
    <folder>/<digest>.<sha>.part   a file that is coming

First comes the manifest with its signature; only what it lists is taken after that, each file no
longer than it says and with the very SHA-256. So there is no archive, no name from outside becomes
a path, and whoever has no trusted key fills no disk. Knows no HTTP and no running box.
"""

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from edge.clock import wall_ns
from export import durable
from export.bundle import MAX_MANIFEST_BYTES, believed
from export.doorway import Offer
from export.errors import BundleError, BusyError, StoreError
from export.manifest import MANIFEST, SIGNATURE, FileEntry, Manifest
from export.signature import load_public
from export.verdict import BundleRef

MOST_BYTES = 4 << 30  # of one bundle
AT_ONCE = 4  # bundles that may be half here
KEPT_S = 24 * 3600.0  # one that nobody goes on with


class Inbox:
    """Takes bundles below `folder`.

    Args:
        folder: made when it is needed.
        keys: the files of the keys whose signature is believed; read when a bundle comes, since
            a box is armed, or gets another key, while the console runs.
        leave_free: bytes that the disk must have left.
    """

    def __init__(self, folder: Path, keys: Sequence[Path], leave_free: int) -> None:
        self._folder, self._keys, self._leave_free = folder, keys, leave_free
        self._lock = threading.Lock()

    def offer(self, digest: str, manifest: bytes, signed: bytes) -> tuple[BundleRef, Offer]:
        """Believe a manifest, or not; returns which bundle it is, and what is lacking of it.

        Raises:
            SignatureError, BundleError: not by a trusted key, or a key can't be read; not of that
                digest; too large.
            StoreError: there is no room, or the folder can't be written.
        """
        if hashlib.sha256(manifest).hexdigest() != digest:
            raise BundleError("the manifest is not the one that was announced", "push it again")
        told = self._believed(manifest, signed, Path(MANIFEST))
        place = self.place(digest)
        with self._lock, _told(place):
            self._sweep(place)
            self._check_room(told, place)
            place.mkdir(parents=True, exist_ok=True)
            durable.replace(place / MANIFEST, manifest)
            durable.replace(place / SIGNATURE, signed)
        return BundleRef(name=told.name, version=told.version, digest=digest), self._left(
            digest, told
        )

    def left(self, digest: str) -> Offer:
        """What is lacking; raises BundleError if its manifest isn't here."""
        return self._left(digest, self._manifest(digest))

    def receive(self, digest: str, sha256: str) -> "Receipt":
        """Begin to take a file.

        Raises:
            BundleError: the manifest isn't here, or lists no such file.
        """
        listed = self._manifest(digest).files
        names = [name for name, entry in listed.items() if entry.sha256 == sha256]
        if not names:
            raise BundleError(f"the signed manifest lists no file {sha256[:12]}…", "push it again")
        place = self.place(digest)
        return Receipt(place, names, listed[names[0]], place.with_name(f"{place.name}.{sha256}"))

    def place(self, digest: str) -> Path:
        """Where a bundle lies, or would; its digest was checked to be one."""
        return self._folder / digest[:32]

    def clear(self, digest: str) -> None:
        """Forget it: the box has its own copy, or nobody wants it."""
        shutil.rmtree(self.place(digest), ignore_errors=True)

    def _manifest(self, digest: str) -> Manifest:
        place = self.place(digest)
        try:
            body = (place / MANIFEST).read_bytes()[: MAX_MANIFEST_BYTES + 1]
            signed = (place / SIGNATURE).read_bytes()
        except OSError as error:
            raise BundleError("send its manifest first", "push it again") from error
        return self._believed(body, signed, place / MANIFEST)

    def _believed(self, manifest: bytes, signed: bytes, path: Path) -> Manifest:
        return believed(manifest, signed, [load_public(one) for one in self._keys], path)[1]

    def _left(self, digest: str, told: Manifest) -> Offer:
        place = self.place(digest)
        lacking = {
            entry.sha256 for name, entry in told.files.items() if not _is_here(place / name, entry)
        }
        return Offer(digest=digest, missing=tuple(sorted(lacking)))

    def _check_room(self, told: Manifest, place: Path) -> None:
        total = sum(entry.bytes for entry in told.files.values())
        if total > MOST_BYTES:
            raise BundleError(
                f"the bundle has {total:,} bytes, {MOST_BYTES:,} are taken", "make it smaller"
            )
        others = [one for one in self._folder.glob("*") if one.is_dir() and one != place]
        if len(others) >= AT_ONCE:
            raise BusyError(f"{len(others)} bundles are on their way in already", "wait for them")
        self._folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._folder).free
        if free - total < self._leave_free:
            raise StoreError(
                f"the disk has {free:,} bytes left, the bundle needs {total:,}", "make room"
            )

    def _sweep(self, place: Path) -> None:
        """Remove what nobody went on with."""
        for one in self._folder.glob("*"):
            if one != place and wall_ns() / 1e9 - one.stat().st_mtime > KEPT_S:
                shutil.rmtree(one) if one.is_dir() else one.unlink()


class Receipt:
    """One file on its way in; a context that leaves it whole or not at all."""

    def __init__(self, place: Path, names: Sequence[str], entry: FileEntry, part: Path) -> None:
        self._place, self._names, self._entry = place, names, entry
        self._part = part.with_name(f"{part.name}.{threading.get_native_id()}.part")
        self._digest, self._bytes = hashlib.sha256(), 0
        with _told(self._part):
            self._file = self._part.open("wb")

    def __enter__(self) -> "Receipt":  # noqa: PYI034 - sealed
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Take a piece; raises BundleError as soon as it is more than was signed."""
        self._bytes += len(piece)
        if self._bytes > self._entry.bytes:
            raise BundleError(
                f"the file is larger than the {self._entry.bytes} bytes that were signed",
                "push the bundle as it was exported",
            )
        self._digest.update(piece)
        with _told(self._part):
            self._file.write(piece)

    def keep(self) -> None:
        """It is whole: put it where it belongs; raises BundleError if it isn't what was signed."""
        if self._digest.hexdigest() != self._entry.sha256 or self._bytes != self._entry.bytes:
            raise BundleError(
                "the file is not the one that was signed: its SHA-256 differs", "push it again"
            )
        with _told(self._place):
            self._file.flush()
            os.fsync(self._file.fileno())
            for name in self._names[1:]:
                (self._place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._part, self._place / name)
            (self._place / self._names[0]).parent.mkdir(parents=True, exist_ok=True)
            self._part.rename(self._place / self._names[0])


def _is_here(path: Path, entry: FileEntry) -> bool:
    """Files get their name when they are whole; opening the bundle verifies them again."""
    return path.is_file() and path.stat().st_size == entry.bytes


@contextlib.contextmanager
def _told(path: Path):  # noqa: ANN202 - a context
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path.name} can't be written: {error.strerror}", "make room on the box's disk"
        ) from error
