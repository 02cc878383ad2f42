"""The ledger of looks: what has been looked at stays looked at, whatever kills the program.

One SQLite file beside the results. A look counts for a file of the same size and time of change,
the same bundle, and the same version of the measures.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from edge.catalog.look import VERSION, Look
from edge.catalog.relief import Packed, Relief, unpacked
from export.errors import StoreError

_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS looks (
  path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
  look TEXT, problem TEXT);
CREATE TABLE IF NOT EXISTS reliefs (path TEXT PRIMARY KEY, relief BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as it was when it was looked at: its look and relief, or why there is none."""

    path: str
    bytes: int
    changed_ns: int
    look: Look | None = None
    relief: Packed | None = None
    problem: str | None = None


class Ledger:
    """Looks by path.

    Args:
        path: the file; made if it isn't there.
        digest: of the bundle; looks by another one are forgotten.
        keep: refuse looks by another one, instead of forgetting them.

    Attributes:
        forgotten: looks that were, because they were another bundle's or version's.

    Raises:
        StoreError: the file can't be used, or is of another bundle or version, to be kept.
    """

    def __init__(self, path: Path, digest: str, *, keep: bool = False) -> None:
        self._path = path
        self.forgotten = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(f"file:{quote(os.fsencode(path))}", uri=True)
            self._base.executescript(
                f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;{_TABLES}"
            )
            self._begin(f"{digest} {VERSION}", keep=keep)
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from error

    def _begin(self, mark: str, *, keep: bool) -> None:
        found = self._base.execute("SELECT value FROM about WHERE key='by'").fetchone()
        if keep and (found is None or found[0] != mark):
            self._base.close()
            raise StoreError(
                f"the looks in {self._path} are not by the bundle and version of the choice",
                "run `linewarden catalog select` again",
            )
        if found is not None and found[0] != mark:
            self.forgotten = self._base.execute("DELETE FROM looks").rowcount
            self._base.execute("DELETE FROM reliefs")
        self._base.execute("INSERT OR REPLACE INTO about VALUES ('by', ?)", (mark,))
        self._base.commit()

    def known(self) -> dict[str, tuple[int, int]]:
        """Path → size and time of change of every file that was looked at."""
        rows = self._base.execute("SELECT path, bytes, changed_ns FROM looks")
        return {path: (size, changed) for path, size, changed in rows}

    def write(self, entries: Iterable[Entry]) -> None:
        """Keep looks, all of them or none; raises StoreError if they can't be kept."""
        entries = list(entries)
        reliefs = [(e.path, e.relief) for e in entries if e.relief is not None]
        rows = [
            (e.path, e.bytes, e.changed_ns, e.look.model_dump_json() if e.look else None, e.problem)
            for e in entries
        ]
        try:
            with self._base:
                self._base.executemany("INSERT OR REPLACE INTO looks VALUES (?,?,?,?,?)", rows)
                self._base.executemany("INSERT OR REPLACE INTO reliefs VALUES (?,?)", reliefs)
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def forget(self, paths: Iterable[str]) -> None:
        """Drop what is no longer there."""
        gone = [(path,) for path in paths]
        with self._base:
            self._base.executemany("DELETE FROM looks WHERE path=?", gone)
            self._base.executemany("DELETE FROM reliefs WHERE path=?", gone)

    def absorb(self, other: Path) -> int:
        """Take the looks of another worker's ledger in, but for files changed since; how many.

        Raises:
            StoreError: it can't be read, or is by another bundle or version.
        """
        try:
            self._base.execute("ATTACH ? AS other", (f"file:{quote(os.fsencode(other))}?mode=ro",))
            mine = self._base.execute("SELECT value FROM about WHERE key='by'").fetchone()
            theirs = self._base.execute("SELECT value FROM other.about WHERE key='by'").fetchone()
            if mine != theirs:
                raise StoreError(
                    f"the looks in {other} are by another bundle or version than these",
                    "remove that file, or look again with this bundle",
                )
            with self._base:
                self._base.execute(
                    "CREATE TEMP TABLE taken AS SELECT path FROM other.looks AS o WHERE NOT EXISTS "
                    "(SELECT 1 FROM looks AS m WHERE m.path=o.path AND m.changed_ns>o.changed_ns)"
                )
                found = self._base.execute(
                    "INSERT OR REPLACE INTO looks SELECT * FROM other.looks WHERE path IN taken"
                )
                self._base.execute(
                    "INSERT OR REPLACE INTO reliefs SELECT * FROM other.reliefs WHERE path IN taken"
                )
                self._base.execute("DROP TABLE taken")
            self._base.execute("DETACH other")
        except sqlite3.Error as error:
            raise StoreError(
                f"the looks in {other} can't be read: {error}", "remove that file, or look again"
            ) from error
        return found.rowcount

    def looks(self) -> Iterator[Look]:
        """Every look, in the order of paths."""
        rows = self._base.execute("SELECT look FROM looks WHERE look IS NOT NULL ORDER BY path")
        for (body,) in rows:
            yield Look.model_validate_json(body)

    def reliefs(self, paths: Sequence[str]) -> Iterator[tuple[str, Relief]]:
        """Path and relief (4,GRID,GRID) of those that have one, in the order given."""
        for path in paths:
            row = self._base.execute("SELECT relief FROM reliefs WHERE path=?", (path,)).fetchone()
            if row is not None:
                yield path, unpacked(row[0])

    def problems(self) -> list[tuple[str, str]]:
        """Path and problem of every file that couldn't be used, in the order of paths."""
        return self._base.execute(
            "SELECT path, problem FROM looks WHERE problem IS NOT NULL ORDER BY path"
        ).fetchall()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _broken(self, error: Exception) -> StoreError:
        return StoreError(
            f"the ledger {self._path} can't be used: {error}",
            "check the folder, its rights and free space, or give another --out",
        )
