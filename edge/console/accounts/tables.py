"""The accounts' tables, as numbered migrations (edge/store/schema.py runs them).

The audit log can't be changed or shortened through SQL: triggers refuse it, and its chain shows it
where somebody went around them.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.store.schema import prepare as migrate

ACCOUNTS = """
CREATE TABLE person (
  name TEXT PRIMARY KEY COLLATE NOCASE,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'admin')),
  password TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  made_s INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
  digest TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person ON DELETE CASCADE,
  csrf TEXT NOT NULL,
  made_s INTEGER NOT NULL,
  seen_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token (
  digest TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'admin')),
  made_by TEXT NOT NULL,
  made_s INTEGER NOT NULL,
  used_s INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE code (digest TEXT PRIMARY KEY, made_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  n INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  about TEXT NOT NULL,
  detail TEXT NOT NULL,
  mac TEXT NOT NULL
) STRICT;
CREATE TABLE seal (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL, mac TEXT NOT NULL)
STRICT;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END;
"""
MIGRATIONS = (ACCOUNTS,)
# No migration: a console of before, to which a box may go back, knows nothing of it and goes on.
PROOF = """
CREATE TABLE IF NOT EXISTS proof (
  id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL, mac TEXT NOT NULL, proof TEXT NOT NULL
) STRICT
"""


def prepare(path: Path) -> None:
    """Make or bring up the accounts' file, readable by the box's user only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    migrate(path, MIGRATIONS)
    with closing(connect(path)) as db:
        db.execute(PROOF)


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on the disk: who was let in isn't forgotten in a power cut."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db
