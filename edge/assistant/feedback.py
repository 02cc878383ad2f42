"""Feedback: what operators say about answers, kept until an engineer has read it.

A thumb, a wrong figure, a better answer. What an engineer accepts becomes a dialogue of the next
tuning; nothing does by itself. A file of its own, beside the verdicts and never in them.
"""

import json
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge import clock
from edge.assistant.answer import Answer
from export.errors import StoreError

FILE = "feedback.db"
REMEMBERED = 500  # answers that may still be judged
MOST_CHARS = 2000
Kind = Literal["good", "bad", "wrong figure"]
KINDS: tuple[Kind, ...] = ("good", "bad", "wrong figure")
_TABLES = """
CREATE TABLE IF NOT EXISTS feedback (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, question TEXT NOT NULL,
  answer TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('good', 'bad', 'wrong figure')),
  correction TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('waits', 'accepted', 'refused')),
  reviewer TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of feedback."""

    id: int
    at: str
    who: str
    question: str
    answer: dict[str, object]
    kind: str
    correction: str
    state: str
    reviewer: str


class Feedback:
    """The store at `path`; from any thread.

    Raises:
        StoreError: it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[str, Answer]] = OrderedDict()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{path} can't be opened: {error}", "check its folder and room"
            ) from error

    def remember(self, name: str, question: str, answer: Answer) -> None:
        """An answer was given: it may be judged by this name for a while."""
        with self._lock:
            self._answers[name] = (question, answer)
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def say(self, name: str, kind: str, correction: str, who: str) -> bool:
        """Keep what somebody says of an answer; False if it isn't remembered, or no such kind."""
        with self._lock:
            found = self._answers.get(name)
            if found is None or kind not in KINDS:
                return False
            question, answer = found
            told = json.dumps(answer.as_dict(), ensure_ascii=False)
            self._db.execute(
                "INSERT INTO feedback (at, who, question, answer, kind, correction, state,"
                " reviewer)"
                " VALUES (?, ?, ?, ?, ?, ?, 'waits', '')",
                (clock.rfc3339(clock.wall_ns()), who[:64], question, told, kind,
                 correction.strip()[:MOST_CHARS]),
            )  # fmt: skip
        return True

    def list(self, state: str = "waits") -> list[Said]:
        """What was said, the oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id, at, who, question, answer, kind, correction, state, reviewer"
                " FROM feedback WHERE state = ? ORDER BY id",
                (state,),
            ).fetchall()
        return [
            Said(number, at, who, question, json.loads(answer), kind, better, now, reviewer)
            for number, at, who, question, answer, kind, better, now, reviewer in rows
        ]

    def find(self, number: int, *states: str) -> Said | None:
        """The one of this number, if it is in one of these states."""
        return next(
            (said for state in states for said in self.list(state) if said.id == number), None
        )

    def review(self, number: int, *, accept: bool, reviewer: str, better: str = "") -> bool:
        """An engineer has read it; False if there is none to be decided on by this number.

        What waits can be accepted; what waits or was accepted can be refused.

        Args:
            number: of the feedback.
            accept: learn from it.
            reviewer: who decides.
            better: the engineer's answer, instead of what was said.
        """
        state, undone = ("accepted", "waits") if accept else ("refused", "accepted")
        with self._lock:
            done = self._db.execute(
                "UPDATE feedback SET state = ?, reviewer = ?,"
                " correction = CASE ? WHEN '' THEN correction ELSE ? END"
                " WHERE id = ? AND state IN ('waits', ?)",
                (state, reviewer, better, better, number, undone),
            )
        return done.rowcount == 1

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
