"""A data set's history: which versions there were, what came in from where, and who labelled it.

    DATA/.history/versions.jsonl   one line for each recorded version, oldest first
    DATA/.history/VERSION.csv      path,class,sha256 of every picture in it

A version is the SHA-256 over every picture's path, class and bytes: the same that a run's record
calls its data's fingerprint. Files are plain, so that git, a backup or a person can keep them. It
records and compares; it changes no picture.
"""

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from export import stamp
from export.errors import DatasetError
from export.verdict import Contract
from trainer.album import version_of
from trainer.dataset import good_folder, listing, named, walk

FOLDER, VERSIONS = ".history", "versions.jsonl"
SHORT = 12
_NAMED = 5

# Class and SHA-256 of each picture by its path.
Files = Mapping[str, tuple[str, str]]


class Change(Contract):
    """How many pictures differ from the version before, and the first of them."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    relabelled: int = 0
    first: tuple[str, ...] = ()

    def words(self) -> str:
        """The change for people."""
        counts = {
            "added": self.added, "removed": self.removed, "changed": self.changed,
            "relabelled": self.relabelled,
        }  # fmt: skip
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{told}: {listing(list(self.first))}" if told else "the same pictures"


class Version(Contract):
    """One line of versions.jsonl.

    `origins` counts pictures by where they came from, as far as that is known: a box's camera, an
    import. `labelled` counts them by who gave the label that stands.
    """

    schema_version: Literal[1] = 1
    version: str
    at: str
    by: str = ""
    note: str = ""
    pictures: int
    classes: dict[str, int]
    change: Change
    origins: dict[str, int] = Field(default_factory=dict)
    labelled: dict[str, int] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a data set holds now."""

    files: Files

    @property
    def version(self) -> str:
        """Its version."""
        return version_of((path, label, sha) for path, (label, sha) in self.files.items())


def scan(root: Path, good: str | None = None, advance: Callable[[], None] = lambda: None) -> Seen:
    """Hash every picture; raises DatasetError if the folder is no data set or can't be read."""
    found = walk(root)
    name = good_folder(root, {p.label for p in found.pictures}, good, needed=False)
    paths = [one.path for one in found.pictures]
    files: dict[str, tuple[str, str]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing lets go of the interpreter's lock
        for one, digest in zip(
            found.pictures, pool.map(lambda p: digest_of(root / p), paths), strict=True
        ):
            files[one.path] = (named(one.label, name), digest)
            advance()
    return Seen(files)


def digest_of(path: Path) -> str:
    """SHA-256 of a file; raises DatasetError if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error.strerror}", "check its rights, or copy it again"
        ) from error


def versions(root: Path) -> list[Version]:
    """Every recorded version, oldest first; raises DatasetError where a line can't be read."""
    path = root / FOLDER / VERSIONS
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "restore it from a backup"
        ) from error
    return [_version(path, number, line) for number, line in enumerate(lines, start=1)]


def _version(path: Path, number: int, line: str) -> Version:
    try:
        return Version.model_validate_json(line)
    except ValidationError as error:
        raise DatasetError(
            f"{str(path)!r}, line {number} can't be read", "mend or remove that line"
        ) from error


def files_of(root: Path, version: str) -> Files:
    """What a recorded version held; raises DatasetError if its table is missing."""
    path = root / FOLDER / f"{version[:SHORT]}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["path"]: (row["class"], row["sha256"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "restore it from a backup, or record anew"
        ) from error


def compare(before: Files, after: Files) -> Change:
    """What differs; a picture of the same bytes under another class is relabelled, not moved."""
    gone = {path for path in before if path not in after}
    new = {path for path in after if path not in before}
    was = {before[path][1]: path for path in gone}
    moved = {path: was[after[path][1]] for path in sorted(new) if after[path][1] in was}
    relabelled = {p for p, old in moved.items() if after[p][0] != before[old][0]}
    both = before.keys() & after.keys()
    relabelled |= {p for p in both if before[p][0] != after[p][0]}
    changed = {p for p in both if before[p][1] != after[p][1]}
    added, removed = new - moved.keys(), gone - set(moved.values())
    first = [*sorted(changed), *sorted(relabelled), *sorted(removed), *sorted(added)]
    return Change(
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        relabelled=len(relabelled),
        first=tuple(first[:_NAMED]),
    )


def record(
    root: Path,
    seen: Seen,
    *,
    by: str = "",
    note: str = "",
    origins: Iterable[str] = (),
    labelled: Iterable[str] = (),
) -> tuple[Version, bool]:
    """Write what a data set holds now as a version, unless it is the last one already.

    Returns:
        The version, and whether it was written now.

    Raises:
        DatasetError: the history can't be read or written.
    """
    known = versions(root)
    if known and known[-1].version == seen.version and not note:
        return known[-1], False
    before = files_of(root, known[-1].version) if known else {}
    entry = Version(
        version=seen.version,
        at=stamp.now(),
        by=by,
        note=note,
        pictures=len(seen.files),
        classes=dict(Counter(label for label, _ in seen.files.values())),
        change=compare(before, seen.files),
        origins=dict(Counter(origins)),
        labelled=dict(Counter(labelled)),
    )
    folder = root / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        fresh = folder / f"{seen.version[:SHORT]}.csv.part"
        with fresh.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "class", "sha256"))
            writer.writerows((p, label, sha) for p, (label, sha) in sorted(seen.files.items()))
        fresh.replace(fresh.with_suffix(""))
        with (folder / VERSIONS).open("a", encoding="utf-8") as file:
            file.write(entry.model_dump_json() + "\n")
    except OSError as error:
        raise DatasetError(
            f"{str(folder)!r} can't be written: {error.strerror}", "check its rights and the space"
        ) from error
    return entry, True


def named_version(root: Path, fingerprint: str) -> str:
    """How a run may call the version it saw; empty where the data set keeps no history."""
    known = versions(root)
    if not known:
        return ""
    for one in reversed(known):
        if one.version == fingerprint:
            told = f"version {fingerprint[:SHORT]}, recorded {one.at}"
            return f"{told}: {one.note}" if one.note else told
    return (
        f"version {fingerprint[:SHORT]} is not recorded (the last recorded is "
        f"{known[-1].version[:SHORT]}): `linewarden data record {root}` keeps it"
    )


def changed_since(known: Mapping[str, str], root: Path) -> list[str]:
    """Paths below `root` whose bytes aren't those of `known` (path to SHA-256) any more.

    A picture that isn't there is not named: it may have been moved, and nobody reads it.
    """
    paths = sorted(path for path, sha in known.items() if sha and (root / path).is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = pool.map(lambda path: digest_of(root / path), paths)
        return [path for path, sha in zip(paths, digests, strict=True) if sha != known[path]]


def changed_words(changed: list[str], since: str) -> str:
    """A sentence that names the pictures that have changed."""
    verb = "has" if len(changed) == 1 else "have"
    what = "picture" if len(changed) == 1 else "pictures"
    return f"{len(changed)} {what} {verb} changed since {since}: {listing(changed)}"
