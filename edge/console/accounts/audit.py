"""The audit log: who did what when, each entry chained to the one before.

An entry's MAC (HMAC-SHA256 under the box's own key) covers its fields and the MAC before it. A seal
holds the number and MAC of the last, and a proof of these under the key, since whoever can write
the file could set the seal back too: a changed, removed, moved or cut-off entry shows, unless who
did it has the key. Against that, and against an old copy of the whole file, note the head
elsewhere: `verify` tells whether a noted head is still in the chain.
"""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge import clock
from export.errors import StoreError

KEY_BYTES = 32
_BEGIN = "0" * 64
_END = "end of the log"  # no entry's MAC is made of this


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `who` did `what` (login, label, …) to `about`."""

    n: int
    at: str
    who: str
    what: str
    about: str
    detail: str
    mac: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to: entries and head of the chain, and what is wrong, in words."""

    entries: int
    head: str
    wrong: tuple[str, ...]


def key(path: Path) -> bytes:
    """The key of the chain, made at first use; raises StoreError if it can't be kept."""
    try:
        if path.exists():
            return bytes.fromhex(path.read_text(encoding="ascii").strip())
        made = secrets.token_bytes(KEY_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{made.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the audit log's key {path} can't be used: {error}",
            "put the key back: without it the log can't be proved",
        ) from error
    return made


class AuditLog:
    """The log in the accounts' database `db`; the caller holds the transaction.

    Args:
        db: the accounts'.
        secret: the key.
        mark: a file beside the key that says that the log's end is proved from now on: without it
            the log was begun by a version that proved none.
    """

    def __init__(self, db: sqlite3.Connection, secret: bytes, mark: Path) -> None:
        self._db, self._key = db, secret
        if not mark.exists():
            if self._proof() is None:
                self._prove(*(self._seal() or (0, _BEGIN)))
            mark.touch(mode=0o600)

    def write(self, who: str, what: str, about: str = "", detail: str = "") -> None:
        """Add an entry."""
        last, before = self._seal() or (0, _BEGIN)
        at = clock.rfc3339(clock.wall_ns())
        fields = (last + 1, at, who, what, about, detail)
        mac = self._mac(before, fields)
        self._db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*fields, mac))
        sound = self._unproved() == ""
        self._db.execute("INSERT OR REPLACE INTO seal VALUES (1, ?, ?)", (last + 1, mac))
        if sound:  # a broken proof stays broken: writing on heals nothing
            self._prove(last + 1, mac)

    def newest(self, limit: int, below: int = 2**62) -> list[Entry]:
        """The last entries, the newest first."""
        rows = self._db.execute(
            "SELECT * FROM audit WHERE n < ? ORDER BY n DESC LIMIT ?", (below, limit)
        )
        return [Entry(*row) for row in rows]

    def verify(self, noted_head: str = "") -> Finding:
        """Check the whole chain; `noted_head`: a head that must be in it."""
        wrong: list[str] = []
        before, expected, seen = _BEGIN, 1, not noted_head
        for row in self._db.execute("SELECT * FROM audit ORDER BY n"):
            *fields, mac = row
            if fields[0] != expected:
                wrong.append(f"entry {expected} is missing")
            elif not hmac.compare_digest(mac, self._mac(before, tuple(fields))):
                wrong.append(f"entry {fields[0]} was changed, or the one before it")
            before, expected = mac, fields[0] + 1
            seen = seen or mac == noted_head
        sealed = self._seal()
        if (sealed or (0, _BEGIN)) != (expected - 1, before):
            wrong.append("the end doesn't match the seal: entries were cut off or added")
        if unproved := self._unproved():
            wrong.append(unproved)
        if not seen:
            wrong.append("the noted head is not in the log")
        return Finding(expected - 1, before, tuple(wrong))

    def _seal(self) -> tuple[int, str] | None:
        return self._db.execute("SELECT n, mac FROM seal").fetchone()

    def _prove(self, n: int, mac: str) -> None:
        proof = self._mac(_END, (n, mac))
        self._db.execute("INSERT OR REPLACE INTO proof VALUES (1, ?, ?, ?)", (n, mac, proof))

    def _proof(self) -> tuple[int, str, str] | None:
        return self._db.execute("SELECT n, mac, proof FROM proof").fetchone()

    def _unproved(self) -> str:
        """Why the log may lack its end, in words, or "".

        A console of before wrote entries without a proof: what was proved must be in the chain, be
        it the last or not. Nobody who cuts the chain shorter than that has a proof of where.
        """
        told = self._proof()
        if told is None or not hmac.compare_digest(told[2], self._mac(_END, told[:2])):
            return "the proof of the log's end is missing or false"
        n, mac, _ = told
        row = self._db.execute("SELECT mac FROM audit WHERE n = ?", (n,)).fetchone()
        if (row[0] if row else _BEGIN if n == 0 else None) != mac:
            return f"entry {n}, which was proved to be there, is missing: the end was cut off"
        return ""

    def _mac(self, before: str, fields: tuple[object, ...]) -> str:
        said = json.dumps([before, *fields], ensure_ascii=False, separators=(",", ":"))
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()
