import sqlite3
from contextlib import closing

import pytest

from edge.store import schema
from export.errors import StoreError


def version(path):
    """The file's version."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_every_table_is_strict(tmp_path):
    """SQLite refuses a value of the wrong type in each of them."""
    schema.prepare(tmp_path / "v.db")
    with closing(sqlite3.connect(tmp_path / "v.db")) as db:
        rows = db.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
        loose = [name for name, strict in rows if not strict and not name.startswith("sqlite_")]
    assert loose == []


def test_migrations_run_once_in_order_and_keep_what_is_there(tmp_path):
    """An older file gets what it lacks, a present one nothing."""
    path = tmp_path / "v.db"
    steps = ("CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)",)
    schema.prepare(path, steps)
    assert version(path) == 1
    more = (*steps, "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1")
    schema.prepare(path, more)
    schema.prepare(path, more)
    assert version(path) == 2
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]


def test_a_migration_that_fails_changes_nothing(tmp_path):
    """Whole or not at all, and the sentence says what to do."""
    path = tmp_path / "v.db"
    schema.prepare(path, ("CREATE TABLE a (x INTEGER) STRICT",))
    broken = ("", "INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StoreError, match="nowhere"):
        schema.prepare(path, broken)
    assert version(path) == 1
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM a").fetchall() == []


def test_a_later_version_is_refused(tmp_path):
    """An old program leaves a new program's file alone."""
    path = tmp_path / "v.db"
    schema.prepare(path, ("SELECT 1", "SELECT 1"))
    with pytest.raises(StoreError, match="version 2, this program knows 1"):
        schema.prepare(path, ("SELECT 1",))


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """Nothing is written over it."""
    path = tmp_path / "v.db"
    path.write_text("a shopping list, long enough to be read as a header" * 20)
    with pytest.raises(StoreError, match="not a database"):
        schema.prepare(path)
    assert path.read_text().startswith("a shopping list")
