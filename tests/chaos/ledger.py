"""The independent ledger: what was promised, what was heard, what a consumer got; and the judge.

Reads the outbox's file with plain sqlite3, zlib and json; uses none of our own code, only the text
that bodies are packed against.
"""

import hashlib
import json
import sqlite3
import zlib
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from edge.outbox.packing import WORDING

Key = tuple[str, int, int]


def digest(body: bytes) -> tuple[Key, str, bool]:
    """Key, digest of everything but `replay`, and whether it is a replay."""
    fields = json.loads(body)
    replay = fields.pop("replay", False)
    text = json.dumps(fields, sort_keys=True)
    key = (fields["camera"], fields["epoch"], fields["seq"])
    return key, hashlib.sha256(text.encode()).hexdigest(), replay


def committed(path: Path, after: int = 0) -> dict[Key, str]:
    """Every verdict in the outbox's file at this moment, by key; or those of rows above `after`."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        rows = db.execute("SELECT body FROM verdict WHERE n > ?", (after,))
        return dict(digest(_plain(body))[:2] for (body,) in rows)


def _plain(body: bytes) -> bytes:
    return body if body[:1] == b"{" else zlib.decompressobj(12, WORDING).decompress(body)


@dataclass
class Ledger:
    """What became known, in the order in which it did.

    `due` is what the consumer must have at the end: all that was stored when the faults were over.
    """

    promised: dict[Key, str] = field(default_factory=dict)
    due: set[Key] = field(default_factory=set)
    broken_promises: int = 0
    heard: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    first_heard: list[Key] = field(default_factory=list)
    messages: int = 0
    delivered: list[tuple[Key, str]] = field(default_factory=list)

    def promise(self, rows: dict[Key, str]) -> None:
        """Rows that were in the file: all of them must be there for ever after."""
        self.broken_promises += sum(rows.get(key) != body for key, body in self.promised.items())
        self.promised.update(rows)

    def hear(self, body: bytes) -> None:
        """A plain subscriber received this."""
        key, text, replay = digest(body)
        self.messages += 1
        if key not in self.heard and not replay:
            self.first_heard.append(key)
        self.heard[key].add(text)

    def deliver(self, body: bytes) -> None:
        """The consumer handed this over."""
        key, text, _ = digest(body)
        self.delivered.append((key, text))

    def judge(self) -> dict[str, int]:
        """Counts of every kind of failure, and of what it was all about."""
        lines: dict[tuple[str, int], list[int]] = defaultdict(list)
        for camera, epoch, seq in sorted(self.promised):
            lines[camera, epoch].append(seq)
        got: dict[Key, list[str]] = defaultdict(list)
        for key, text in self.delivered:
            got[key].append(text)
        in_order: dict[tuple[str, int], list[int]] = defaultdict(list)
        for (camera, epoch, seq), _ in self.delivered:
            in_order[camera, epoch].append(seq)
        first: dict[tuple[str, int], list[int]] = defaultdict(list)
        for camera, epoch, seq in self.first_heard:
            first[camera, epoch].append(seq)
        return {
            "verdicts": len(self.promised),
            "messages heard": self.messages,
            "heard again": self.messages - len(self.heard),
            "not heard by a plain subscriber": len(self.due - self.heard.keys()),
            "promises broken": self.broken_promises,
            "gaps in seq": sum(seqs != list(range(1, len(seqs) + 1)) for seqs in lines.values()),
            "published before stored": len(self.heard.keys() - self.promised.keys()),
            "contradictions": sum(
                len({*self.heard.get(key, ()), *got.get(key, ()), body}) > 1
                for key, body in self.promised.items()
            ),
            "lost": len(self.due - got.keys()),
            "delivered twice": sum(len(texts) > 1 for texts in got.values()),
            "delivered out of order": sum(_inversions(seqs) for seqs in in_order.values()),
            "live inversions": sum(_inversions(seqs) for seqs in first.values()),
        }


def _inversions(seqs: list[int]) -> int:
    return sum(after < before for before, after in pairwise(seqs))
