"""The store's tables, as numbered migrations, and how its file is opened.

A migration is never changed once released: a new one is added below it, and each runs whole or not
at all. Three laws make 5 million verdicts quick to ask: a verdict's `mark` stands for its camera,
outcome, reason and type, so that every filter is a handful of (mark, percent) cells with an index
each; `quarter` counts marks by quarter hours, so that no figure counts verdicts; and pages go on
from the last row seen. A verdict's body is the one that the box published, packed.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from export.errors import StoreError

VERDICTS = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('lived_s', 0), ('forgotten_to', 0), ('unreadable', 0), ('conflicts', 0);
CREATE TABLE source (epoch INTEGER PRIMARY KEY, read_to INTEGER NOT NULL) STRICT;
CREATE TABLE aside (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE camera (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE head (
  camera INTEGER NOT NULL REFERENCES camera, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (camera, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE gap (
  camera INTEGER NOT NULL REFERENCES camera, epoch INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL CHECK (last >= first), noticed_ms INTEGER NOT NULL,
  PRIMARY KEY (camera, epoch, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE mark (
  id INTEGER PRIMARY KEY,
  camera INTEGER NOT NULL REFERENCES camera,
  outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'review')),
  reason TEXT NOT NULL, kind TEXT NOT NULL,
  UNIQUE (camera, outcome, reason, kind)
) STRICT;
CREATE TABLE verdict (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  camera INTEGER NOT NULL REFERENCES camera,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  at_ms INTEGER NOT NULL,
  mark INTEGER NOT NULL REFERENCES mark,
  percent INTEGER NOT NULL CHECK (percent BETWEEN -1 AND 100),
  part TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (camera, epoch, seq)
) STRICT;
CREATE INDEX verdict_by_time ON verdict (at_ms);
CREATE INDEX verdict_by_cell ON verdict (mark, percent, at_ms);
CREATE INDEX verdict_by_part ON verdict (part, at_ms);
CREATE TABLE cell (
  mark INTEGER NOT NULL REFERENCES mark, percent INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (mark, percent)
) STRICT, WITHOUT ROWID;
CREATE TABLE quarter (
  mark INTEGER NOT NULL REFERENCES mark, slot INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (mark, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE tide (lived_s INTEGER PRIMARY KEY, id INTEGER NOT NULL) STRICT;
CREATE TABLE pinned (
  camera TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (camera, epoch, seq)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (VERDICTS,)
SLOT_MS = 900_000  # a quarter of an hour: every time zone's day begins with one
CACHE_KIB = 16_384


def prepare(path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Make `path` a database with all `migrations`, or bring an older one up to them.

    Raises:
        StoreError: it can't be opened, isn't a database, or is a later version's.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(connect(path)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(migrations):
                raise StoreError(
                    f"{path} is of version {version}, this program knows {len(migrations)}",
                    "run the version of linewarden that wrote it, or a later one",
                )
            for number, script in enumerate(migrations[version:], version + 1):
                step = f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT;"
                try:
                    db.executescript(step)
                except sqlite3.Error:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{path} can't be opened: {error}",
            "check that its folder is writable and has room; if it is damaged, move it away: what"
            " the outbox still keeps is read again",
        ) from error


def connect(path: Path) -> sqlite3.Connection:
    """A writing connection in autocommit mode.

    A commit may be lost in a power cut (synchronous NORMAL), never half of one: what is missing
    then is read from the outbox again.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute("PRAGMA journal_size_limit = 16777216")
    return db


def reader(path: Path) -> sqlite3.Connection:
    """A connection that can't write."""
    db = connect(path)
    db.execute("PRAGMA query_only = 1")
    return db


def onlooker(path: Path) -> sqlite3.Connection:
    """A connection of another user's process, which may not write the folder.

    While the store is open elsewhere, its log (-wal) is read along. Once it was closed there is no
    log and SQLite would make one, so the file is then read as it is: a writer that opens it
    meanwhile changes it only at its first checkpoint, a thousand pages later.

    Raises:
        StoreError: it can't be read; after a power cut only the console itself can mend that.
    """
    try:
        closed = not path.with_name(f"{path.name}-wal").exists()
        address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' * closed}"
        db = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        db.execute("SELECT 1 FROM meta").fetchone()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{path} can't be read: {error}", "start linewarden console, which keeps it"
        ) from error
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK if anything raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
