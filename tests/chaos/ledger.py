"""The independent ledger: what was promised, what was heard, what a consumer got; and the judge.

Reads the outbox's file with plain sqlite3, zlib and json; uses none of our own code, only the text
that bodies are packed against. Counts as things come, so that half a million verdicts fit.
"""

import hashlib
import json
import sqlite3
import sys
import zlib
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from edge.outbox.packing import WORDING

Key = tuple[str, int, int]
Line = tuple[str, int]  # camera and epoch


def digest(body: bytes) -> tuple[Key, str, bool]:
    """Key, digest of everything but `replay`, and whether it is a replay."""
    fields = json.loads(body)
    replay = fields.pop("replay", False)
    text = json.dumps(fields, sort_keys=True)
    key = (sys.intern(fields["camera"]), fields["epoch"], fields["seq"])
    return key, hashlib.sha256(text.encode()).hexdigest()[:16], replay


def committed(path: Path, after: int = 0) -> tuple[dict[Key, str], int, int]:
    """What is in the outbox's file at this moment.

    Returns the verdicts of the rows above `after`, how many rows there are up to it, and the last.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        db.execute("BEGIN")
        (before,) = db.execute("SELECT COUNT(*) FROM verdict WHERE n <= ?", (after,)).fetchone()
        rows = db.execute("SELECT n, body FROM verdict WHERE n > ? ORDER BY n", (after,))
        found, last = {}, after
        for n, body in rows:
            key, text, _ = digest(_plain(body))
            found[key], last = text, n
    return found, before, last


def quarantined(path: Path) -> set[Key]:
    """What the box has set aside."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        rows = db.execute("SELECT v.body FROM quarantine q JOIN verdict v ON v.n = q.n")
        return {digest(_plain(body))[0] for (body,) in rows}


def _plain(body: bytes) -> bytes:
    return body if body[:1] == b"{" else zlib.decompressobj(12, WORDING).decompress(body)


@dataclass
class Heard:
    """What came to one who listens."""

    messages: int = 0
    bodies: dict[Key, str] = field(default_factory=dict)
    again: int = 0
    contradicted: set[Key] = field(default_factory=set)
    inversions: int = 0
    _last: dict[Line, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, key: Key, text: str, *, in_order: bool = True) -> bool:
        """One verdict; `in_order`: its place in the order counts if it is new.

        Returns whether it came, new, after one that stands behind it.
        """
        self.messages += 1
        known = self.bodies.setdefault(key, text)
        if known != text:
            self.contradicted.add(key)
        if self.messages - self.again > len(self.bodies):
            self.again += 1
        elif in_order:
            line = key[:2]
            late = key[2] < self._last[line]
            self.inversions += late
            self._last[line] = key[2]
            return late
        return False


class Ledger:
    """What became known, in the order in which it did.

    Attributes:
        promised: every verdict that was ever seen in the outbox's file.
        due: what the consumer must have at the end; of that, `aside` is what the box may keep back.
        heard: what a plain subscriber received.
        late: of that, the length in bytes of each that came after one behind it.
        delivered: what the consumer handed over.
    """

    def __init__(self) -> None:
        self.promised: dict[Key, str] = {}
        self.due: set[Key] = set()
        self.aside: set[Key] = set()
        self.heard, self.delivered = Heard(), Heard()
        self.late: list[int] = []
        self._broken = self._read = self._until = 0

    def promise(self, path: Path) -> None:
        """What is in the file now must be there for ever after; reads what is new."""
        rows, before, self._until = committed(path, self._until)
        self._broken += max(0, self._read - before)
        self._read += len(rows)
        self.promised.update(rows)

    def check(self, path: Path) -> None:
        """Read the whole file: what was promised must be there, and as it was."""
        rows, _, self._until = committed(path)
        self._broken += sum(rows.get(key) != body for key, body in self.promised.items())
        self._read = len(rows)
        self.promised.update(rows)

    def hear(self, body: bytes) -> bool:
        """A plain subscriber received this; returns whether it was said to be a replay."""
        key, text, replay = digest(body)
        if self.heard.take(key, text, in_order=not replay):
            self.late.append(len(body))
        return replay

    def missing(self) -> set[Key]:
        """What the consumer must have and hasn't."""
        return self.due - self.aside - self.delivered.bodies.keys()

    def judge(self) -> dict[str, int]:
        """Counts of every kind of failure, and of what it was all about."""
        lines: dict[Line, list[int]] = defaultdict(list)
        for camera, epoch, seq in sorted(self.promised):
            lines[camera, epoch].append(seq)
        heard, got = self.heard, self.delivered
        return {
            "verdicts": len(self.promised),
            "messages heard": heard.messages,
            "heard again": heard.again,
            "not heard by a plain subscriber": len(self.due - heard.bodies.keys()),
            "promises broken": self._broken,
            "gaps in seq": sum(seqs != list(range(1, len(seqs) + 1)) for seqs in lines.values()),
            "published before stored": len(heard.bodies.keys() - self.promised.keys()),
            "contradictions": len(heard.contradicted | got.contradicted)
            + sum(
                heard.bodies.get(key, body) != body or got.bodies.get(key, body) != body
                for key, body in self.promised.items()
            ),
            "lost": len(self.missing()),
            "delivered twice": got.again,
            "delivered out of order": got.inversions,
            "live inversions": heard.inversions,
        }
