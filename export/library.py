"""The library: the passages of a plant's documents, found by the words of a question.

An SQLite FTS5 index with BM25 (Robertson and Zaragoza, 2009), made once and carried in the bundle,
so that tuning, judging and serving find the same sections. Terms are cut by export/terms.py; a code
is one term. Knows no model.
"""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from export.errors import DocumentError
from export.passage import Passage
from export.terms import codes, terms

FILE = "documents.db"
VERSION = 1
TITLE_WEIGHT = 2.0
FOUND = 3
NEAR, NEAR_TO_READ = 0.4, 0.2  # of a question's weight, to be quoted; to be put to a model
_TABLES = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE passage (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL, language TEXT NOT NULL, title TEXT NOT NULL,
  text TEXT NOT NULL, UNIQUE (language, id)
) STRICT;
CREATE TABLE code (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE found USING fts5(title, text, content='', tokenize='ascii');
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found.

    Attributes:
        score: BM25's, the more the better.
        share: of the question's weight (inverse document frequency) whose terms stand in it; a
            term that stands nowhere weighs most. One term of several is chance, and counts half,
            unless it is a code.
    """

    passage: Passage
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Found:
    """The passages found for a question, the nearest first, and its codes that no passage has."""

    hits: tuple[Hit, ...]
    unknown: tuple[str, ...]

    @property
    def readable(self) -> bool:
        """Whether a model is to read them."""
        return not self.unknown and bool(self.hits) and self.hits[0].share >= NEAR_TO_READ

    @property
    def quotable(self) -> Passage | None:
        """The nearest passage, if it is near enough to be quoted where no model proves anything."""
        near = not self.unknown and bool(self.hits) and self.hits[0].share >= NEAR
        return self.hits[0].passage if near else None


def make(path: Path, passages: Iterable[Passage]) -> int:
    """Write the index of `passages` to `path`, which must not exist; returns how many there are."""
    if path.exists():
        raise DocumentError(f"{path} exists already", "choose another name, or delete it first")
    db = sqlite3.connect(path)
    try:
        return _write(db, passages)
    finally:
        db.close()


def _write(db: sqlite3.Connection, passages: Iterable[Passage]) -> int:
    db.executescript(_TABLES)
    count = 0
    for count, one in enumerate(passages, 1):
        db.execute(
            "INSERT INTO passage VALUES (?, ?, ?, ?, ?)",
            (count, one.id, one.language, one.title, one.text),
        )
        words = (" ".join(terms(one.title)), " ".join(terms(one.text)))
        db.execute("INSERT INTO found (rowid, title, text) VALUES (?, ?, ?)", (count, *words))
        db.executemany(
            "INSERT OR IGNORE INTO code VALUES (?)", [(code,) for code in codes(one.whole)]
        )
    db.commit()
    return count


class Library:
    """An index, opened to read; for one thread at a time.

    Args:
        path: of the index; None holds no documents.

    Raises:
        DocumentError: it can't be opened, or isn't an index of this version.
    """

    def __init__(self, path: Path | None) -> None:
        self._db = None if path is None else _opened(path)

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> "Library":
        """One in memory, for the workstation."""
        made = cls(None)
        made._db = sqlite3.connect(":memory:", check_same_thread=False)
        _write(made._db, passages)
        return made

    def search(self, question: str, language: str, most: int = FOUND) -> list[Hit]:
        """The passages that fit `question` best, in its language if there are any in it."""
        asked = list(dict.fromkeys(terms(question)))
        if self._db is None or not asked:
            return []
        wanted = " OR ".join(f'"{term}"' for term in asked)
        for spoken in (language, ""):
            rows = self._db.execute(
                "SELECT p.id, p.language, p.title, p.text, -bm25(found, ?, 1.0) AS score"
                " FROM found JOIN passage p ON p.row = found.rowid"
                " WHERE found MATCH ? AND (? = '' OR p.language = ?)"
                " ORDER BY score DESC, p.row LIMIT ?",
                (TITLE_WEIGHT, wanted, spoken, spoken, most),
            ).fetchall()
            if rows:
                weights = self._weights(asked, rows[0][1])
                return [Hit(one := Passage(*row[:4]), row[4], _share(weights, one)) for row in rows]
        return []

    def _weights(self, asked: Sequence[str], spoken: str) -> dict[str, float]:
        """Each term's inverse document frequency among the passages of a language."""
        assert self._db is not None
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM passage WHERE language = ?", (spoken,)
        ).fetchone()
        weights: dict[str, float] = {}
        for term in asked:
            (n,) = self._db.execute(
                "SELECT COUNT(*) FROM found JOIN passage p ON p.row = found.rowid"
                " WHERE found MATCH ? AND p.language = ?",
                (f'"{term}"', spoken),
            ).fetchone()
            weights[term] = math.log(1 + (count - n + 0.5) / (n + 0.5))
        return weights

    def get(self, language: str, name: str) -> Passage | None:
        """The passage of this id, in the language or any."""
        if self._db is None:
            return None
        row = self._db.execute(
            "SELECT id, language, title, text FROM passage WHERE id = ?"
            " ORDER BY language = ? DESC LIMIT 1",
            (name, language),
        ).fetchone()
        return Passage(*row) if row else None

    def found(self, question: str, language: str) -> "Found":
        """What a question may be answered from: nothing if it has a code that no passage has."""
        hits = self.search(question, language)
        return Found(tuple(hits), tuple(self.unknown(codes(question))))

    def unknown(self, question_codes: Iterable[str]) -> list[str]:
        """Which of these codes stand in no passage at all."""
        return sorted(
            code
            for code in question_codes
            if self._db is None
            or not self._db.execute("SELECT 1 FROM code WHERE name = ?", (code,)).fetchone()
        )

    def __len__(self) -> int:
        if self._db is None:
            return 0
        (count,) = self._db.execute("SELECT COUNT(*) FROM passage").fetchone()
        return int(count)

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()


def _share(weights: dict[str, float], passage: Passage) -> float:
    held = frozenset(terms(passage.whole)) & weights.keys()
    code = any(term[0].isalpha() and term[-1].isdigit() for term in held)
    lone = 0.5 if len(held) == 1 < len(weights) and not code else 1.0
    return lone * sum(weights[term] for term in held) / sum(weights.values())


def _opened(path: Path) -> sqlite3.Connection:
    try:
        uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        db = sqlite3.connect(uri, uri=True, check_same_thread=False)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        db.execute("PRAGMA query_only = 1")
        db.execute("SELECT COUNT(*) FROM passage").fetchone()
    except sqlite3.Error as error:
        raise DocumentError(f"{path} is no index of documents: {error}", "make it again") from error
    if version != VERSION:
        raise DocumentError(
            f"{path} is an index of version {version}, not {VERSION}", "make it again"
        )
    return db
