"""The outbox's tables, and how its file is opened: checked first, set aside if damaged.

The laws stand in the schema itself: a verdict is immutable, its seq follows the camera's head
without a gap, and it waits for its acknowledgement from the moment it is stored. One file is one
life of the record: its `epoch` is chosen when the file is made and never changes; NAME.epoch notes
the last one beside it, so that the next life's is later even if the clock isn't.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from edge import clock
from export import durable
from export.errors import StoreError

VERSION = 2
PAGE_BYTES = 4096

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE verdict (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  camera TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  stored_at INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (camera, seq)
) STRICT;
CREATE TABLE head (camera TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE done (n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE quarantine (n INTEGER PRIMARY KEY, reason TEXT NOT NULL) STRICT;
CREATE TRIGGER verdict_is_immutable BEFORE UPDATE ON verdict
BEGIN SELECT RAISE(ABORT, 'a stored verdict never changes'); END;
CREATE TRIGGER verdict_follows_head BEFORE INSERT ON verdict
WHEN NEW.seq <> 1 + COALESCE((SELECT seq FROM head WHERE camera = NEW.camera), 0)
BEGIN SELECT RAISE(ABORT, 'a verdict must follow the camera''s last one'); END;
CREATE TRIGGER verdict_is_stored AFTER INSERT ON verdict
BEGIN
  INSERT INTO head VALUES (NEW.camera, NEW.seq)
    ON CONFLICT (camera) DO UPDATE SET seq = excluded.seq;
  INSERT INTO waiting VALUES (NEW.n);
END;
"""


COUNT_BOOT = "UPDATE meta SET value = value + 1 WHERE key = 'boots';"
# Version 1 had no list of what is done, aged rows by the wall clock, and kept bodies as they are.
FROM_VERSION_1 = """
CREATE TABLE done (n INTEGER PRIMARY KEY) STRICT;
INSERT INTO done SELECT n FROM verdict
  WHERE n NOT IN (SELECT n FROM waiting) AND n NOT IN (SELECT n FROM quarantine);
INSERT INTO meta SELECT 'lived_s', COALESCE(MAX(stored_at), 0) FROM verdict;
"""


def prepare(path: Path) -> str:
    """Make `path` an outbox that can be trusted: create it, or check it and count the boot.

    A damaged file is moved aside as `NAME.damaged-EPOCH` (EPOCH being the new life's) with its
    journal, and a new one begun. Returns a sentence about that, or "" if there was nothing to
    mend. Raises StoreError if the file can't be opened, made or understood.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        damage = _damage(path)
        told = _begin_again(path, damage) if damage else ""
        if not path.exists():
            _create(path, _new_epoch(path))
        _count_boot(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"outbox {path} can't be opened: {error}",
            "check that its folder exists, is writable and has room",
        ) from error
    return told


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode: write-ahead log, every commit on the disk (FULL)."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 4194304")
    return connection


def meta(connection: sqlite3.Connection, key: str) -> int:
    """The number kept as `key`: `epoch`, `boots`, or `lived_s`, seconds the record was open."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return int(row[0])


def _damage(path: Path) -> str:
    """What is wrong with the file, or ""; raises StoreError if it is a later version's."""
    if not path.exists():
        return "its journal lies there without it" if _beside(path, "-wal").exists() else ""
    try:
        with closing(connect(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                return str(verdict).replace("\n", " ")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise StoreError(
                    f"outbox {path} is of version {version}, this program knows {VERSION}",
                    "run the version of linewarden that wrote it, or a later one",
                )
            if version == 0:
                return "it holds no tables"
            meta(connection, "epoch")
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, TypeError) as error:
        return str(error)
    return ""


def _create(path: Path, epoch: int) -> None:
    """Make the file elsewhere and rename it, so that a half-made one never stands here."""
    new = _beside(path, ".new")
    for name in (new, _beside(new, "-wal"), _beside(new, "-shm")):
        name.unlink(missing_ok=True)
    with closing(connect(new)) as connection:
        connection.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version = {VERSION};COMMIT;")
        connection.execute(
            "INSERT INTO meta VALUES ('epoch', ?), ('boots', 0), ('lived_s', 0)", (epoch,)
        )
    new.rename(path)
    durable.sync(path.parent)


def _count_boot(path: Path) -> None:
    with closing(connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        steps = f"{FROM_VERSION_1}PRAGMA user_version = {VERSION};" if version == 1 else ""
        connection.executescript(f"BEGIN IMMEDIATE;{steps}{COUNT_BOOT}COMMIT;")


def _new_epoch(path: Path) -> int:
    """Wall seconds, yet later than every life before it, even if the clock went back."""
    note = _beside(path, ".epoch")
    before = note.read_text(encoding="ascii", errors="replace") if note.exists() else ""
    epoch = clock.wall_ns() // 1_000_000_000
    if before.strip().isdigit():
        epoch = max(epoch, int(before) + 1)
    durable.replace(note, f"{epoch}\n".encode())
    return epoch


def _begin_again(path: Path, damage: str) -> str:
    """Move the damaged file and its journal aside, begin a new one, and say so."""
    epoch = _new_epoch(path)
    aside = _beside(path, f".damaged-{epoch}")
    for suffix in ("-wal", "-shm", ""):
        if (part := _beside(path, suffix)).exists():
            part.rename(_beside(aside, suffix))
    _create(path, epoch)
    return (
        f"outbox {path.name} was damaged ({damage}); it was set aside as {aside.name}"
        f" and a new record begun with epoch {epoch}"
    )


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
