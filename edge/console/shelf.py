"""The shelf: what lies in the box's folder of samples, known without reading it for each question.

The daemon adds and removes, people label: records appear by renaming, so the folder's time tells
whether there is anything to look at. Samples are remembered without their heatmaps. Safe to use
from every thread; writes nothing.
"""

import heapq
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import clock
from export.audit import EscapeEstimate, escape_rate
from export.errors import SampleError
from export.sample import Sample, Why
from export.sample_folder import RECORDS, SampleFolder

EVERY_S = 0.5
TICK_NS = 50_000_000  # a folder's time stands still for some milliseconds: it is looked at again

Edition = tuple[int, int]  # when a record was written, ns, and its file: each is a new one


@dataclass(frozen=True, slots=True)
class _Known:
    """A sample, and its record's edition."""

    edition: Edition
    sample: Sample


class Shelf:
    """Knows the samples below `root`.

    Args:
        root: the folder, which need not exist.
        on_change: called after a look that found something new, in the thread that looked.

    Attributes:
        number: of the last change.
    """

    def __init__(self, root: Path, on_change: Callable[[], None] = lambda: None) -> None:
        self.folder = SampleFolder(root)
        self.number = 0
        self._on_change = on_change
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._seen_ns = -1
        self._escapes: EscapeEstimate | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shelf", daemon=True)

    def start(self) -> None:
        """Look every half second, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> bool:
        """Look at what has changed; whether anything has."""
        records = self.folder.root / RECORDS
        try:
            now_ns = records.stat().st_mtime_ns
            if now_ns == self._seen_ns:
                return False
            found = {
                entry.name.removesuffix(".json"): _edition(entry)
                for entry in os.scandir(records)
                if entry.name.endswith(".json") and not entry.name.startswith(".")
            }
        except OSError:  # no folder, or a record that went while we looked: the next look tells
            self._seen_ns = -1
            return False
        changed = self._update(found)
        self._seen_ns = now_ns if abs(clock.wall_ns() - now_ns) > TICK_NS else -1
        if changed:
            self._on_change()
        return changed

    def all(self) -> list[Sample]:
        """Every sample, the newest record last."""
        with self._lock:
            known = sorted(self._known.values(), key=lambda one: one.edition)
        return [one.sample for one in known]

    def get(self, name: str) -> Sample | None:
        """The sample of this id, without its heatmap."""
        with self._lock:
            known = self._known.get(name)
        return known.sample if known else None

    def newest(self, camera: str, count: int) -> list[Sample]:
        """The camera's newest samples, by their verdicts, the newest first."""
        with self._lock:
            own = [k.sample for k in self._known.values() if k.sample.verdict.camera == camera]
        return heapq.nlargest(count, own, key=lambda one: (one.verdict.epoch, one.verdict.seq))

    def labelled(self) -> list[tuple[str, int, int]]:
        """The keys of all verdicts that somebody has spoken about."""
        return [one.verdict.key for one in self.all() if one.labels]

    def escapes(self) -> EscapeEstimate:
        """The outgoing escape rate by the audit, from the labels so far."""
        with self._lock:
            if self._escapes is None:
                drawn = [k.sample for k in self._known.values() if Why.AUDIT in k.sample.why]
                self._escapes = escape_rate(drawn)
            return self._escapes

    def _update(self, found: dict[str, Edition]) -> bool:
        with self._lock:
            old = dict(self._known)
        fresh: dict[str, _Known] = {}
        for name, edition in found.items():
            known = old.get(name)
            if known is not None and known.edition == edition:
                fresh[name] = known
                continue
            try:
                sample = self.folder.read(name)
            except SampleError:
                continue  # gone, or not a sample: the folder's owner says so
            fresh[name] = _Known(edition, sample.model_copy(update={"heat": None}))
        with self._lock:
            changed = fresh != old
            self.number += changed
            self._known, self._escapes = fresh, None if changed else self._escapes
        return changed

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(EVERY_S)


def _edition(entry: "os.DirEntry[str]") -> Edition:
    found = entry.stat()
    return found.st_mtime_ns, found.st_ino
