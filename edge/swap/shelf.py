"""The shelf: the box's own copies of bundles, and which of them judges for which camera.

    <folder>/slots/<digest>/       a bundle, copied file by file as its manifest lists them
    <folder>/<camera>.json         what is active, what was before, whether it is on probation
    <folder>/<camera>.bout.json    who is, or was last, in the shadow, and how it stands

Copies get their name, and records their content, by a rename after everything is on the disk
(RAUC's slots are the precedent). Starts nothing and judges nothing; for one process, from any
thread.
"""

import contextlib
import hashlib
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.swap.bout import Record
from edge.topics import check_level
from export import durable
from export.bundle import Bundle, open_bundle
from export.errors import BundleError, StoreError
from export.manifest import MANIFEST, SIGNATURE
from export.signature import PublicKey
from export.verdict import BundleRef

SLOTS, PARTIAL = "slots", ".partial"


class Chosen(BaseModel):
    """Which bundles a camera has had.

    Attributes:
        configured: path in the settings, and digest there, when it was last chosen: other
            settings end what was chosen at run time.
        active: judges, or did when the box was last on.
        before: where a rollback leads.
        probation: `active` has yet to prove itself: "running", or "paused" by a clean stop. A
            start that finds it running knows that the box died over it.
        refused: digests that were taken back, newest last: not to be activated again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    configured: str
    configured_digest: str
    active: BundleRef
    before: BundleRef | None = None
    probation: Literal["", "running", "paused"] = ""
    refused: tuple[str, ...] = Field(default=(), max_length=100)


class Shelf:
    """One box's bundles.

    Args:
        folder: made when it is needed.
        keys: whose signature is believed.

    Raises:
        StoreError: it can't be written, when something is.
    """

    def __init__(self, folder: Path, keys: Sequence[PublicKey]) -> None:
        self._folder, self._keys = folder, keys
        self._admitting, self._noting = threading.Lock(), threading.Lock()

    def admit(self, bundle: Bundle) -> Bundle:
        """A copy of `bundle` on the shelf, of the files that its manifest lists and no others.

        Raises:
            BundleError: a file is no longer what was signed.
        """
        with self._admitting:  # two cameras may be given the same one at once
            return self._admitted(bundle, self.slot(bundle.digest))

    def _admitted(self, bundle: Bundle, slot: Path) -> Bundle:
        if slot.is_dir():
            return self.take(bundle.digest)
        partial = slot.with_name(slot.name + PARTIAL)
        try:
            shutil.rmtree(partial, ignore_errors=True)
            self._copy(bundle, partial)
            open_bundle(partial, self._keys)
            partial.rename(slot)
            durable.sync(slot.parent)
        except OSError as error:
            raise _unwritable(slot, error) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return self.take(bundle.digest)

    def take(self, digest: str) -> Bundle:
        """The bundle of that digest, verified again; raises BundleError if it isn't there."""
        bundle = open_bundle(self.slot(digest), self._keys)
        if bundle.digest != digest:
            raise BundleError(f"{bundle.path} holds another bundle", "activate a fresh one")
        return bundle

    def slot(self, digest: str) -> Path:
        """Where the bundle of that digest lies, or would."""
        return self._folder / SLOTS / digest[:32]

    def chosen(self, camera: str) -> Chosen | None:
        """What a camera has; None if nothing was ever chosen at run time.

        Raises:
            StoreError: the record is damaged.
        """
        path = self._record(camera)
        try:
            return Chosen.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise StoreError(
                f"{path} can't be read: {error}",
                "delete it: the bundle of the settings then judges",
            ) from error

    def choose(self, camera: str, chosen: Chosen) -> None:
        """Write what a camera has; on the disk when this returns."""
        path = self._record(camera)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, chosen.model_dump_json(indent=1).encode())
        except OSError as error:
            raise _unwritable(path, error) from error

    def bout(self, camera: str) -> Record | None:
        """What a camera's challenger came to so far; None without one, or if it can't be read."""
        try:
            return Record.model_validate_json(self._record(camera, ".bout").read_bytes())
        except (OSError, ValidationError):
            return None

    def note(self, camera: str, record: Record) -> None:
        """Write down how a challenger stands."""
        path = self._record(camera, ".bout")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._noting:  # the last to come writes what then holds
                durable.replace(path, record.model_dump_json().encode())
        except OSError as error:
            raise _unwritable(path, error) from error

    def forget(self, camera: str) -> None:
        """Nothing is chosen for a camera: the bundle of the settings judges."""
        with contextlib.suppress(FileNotFoundError):
            self._record(camera).unlink()

    def sweep(self, cameras: Sequence[str]) -> int:
        """Remove copies that no camera has, and what a kill left half done; how many."""
        records = [self.chosen(camera) for camera in cameras]
        kept = {
            self.slot(ref.digest).name
            for one in records if one
            for ref in (one.active, one.before) if ref
        }  # fmt: skip
        bouts = [bout for camera in cameras if (bout := self.bout(camera)) and not bout.over]
        kept |= {self.slot(bout.challenger.digest).name for bout in bouts}
        slots = self._folder / SLOTS
        there = list(slots.iterdir()) if slots.is_dir() else []
        litter = [path for path in there if path.name not in kept]
        for path in litter:
            shutil.rmtree(path, ignore_errors=True)
        return len(litter)

    def _record(self, camera: str, kind: str = "") -> Path:
        return self._folder / f"{check_level(camera)}{kind}.json"

    def _copy(self, bundle: Bundle, into: Path) -> None:
        manifest = (bundle.path / MANIFEST).read_bytes()
        if hashlib.sha256(manifest).hexdigest() != bundle.digest:
            raise BundleError(f"{bundle.path} was exchanged while it was copied", "try again")
        into.mkdir(parents=True)
        durable.put(into / MANIFEST, manifest)
        durable.put(into / SIGNATURE, (bundle.path / SIGNATURE).read_bytes())
        for name in bundle.manifest.files:
            durable.put(into / name, bundle.read(name))
        for folder in {into, *(path for path in into.rglob("*") if path.is_dir())}:
            durable.sync(folder)


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} can't be written: {error.strerror}", "make room, or let it write")
