"""The audit log: who did what when, each entry chained to the one before.

An entry's MAC (HMAC-SHA256 under the box's own key) covers its fields and the MAC before it, and a
seal holds the number and MAC of the last: a changed, removed, moved or cut-off entry shows, unless
who did it has the key too. Against that, note the head elsewhere: `verify` tells whether a noted
head is still in the chain.
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
    """The log in the accounts' database `db`; the caller holds the transaction."""

    def __init__(self, db: sqlite3.Connection, secret: bytes) -> None:
        self._db, self._key = db, secret

    def write(self, who: str, what: str, about: str = "", detail: str = "") -> None:
        """Add an entry."""
        last, before = self._seal() or (0, _BEGIN)
        at = clock.rfc3339(clock.wall_ns())
        fields = (last + 1, at, who, what, about, detail)
        mac = self._mac(before, fields)
        self._db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*fields, mac))
        self._db.execute("INSERT OR REPLACE INTO seal VALUES (1, ?, ?)", (last + 1, mac))

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
        if not seen:
            wrong.append("the noted head is not in the log")
        return Finding(expected - 1, before, tuple(wrong))

    def _seal(self) -> tuple[int, str] | None:
        return self._db.execute("SELECT n, mac FROM seal").fetchone()

    def _mac(self, before: str, fields: tuple[object, ...]) -> str:
        said = json.dumps([before, *fields], ensure_ascii=False, separators=(",", ":"))
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()
