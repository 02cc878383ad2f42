"""The book of accounts: people, their sessions, machines' tokens, and the one-time code.

Every change is written into the audit log in the same commit. Knows no HTTP; safe to use from every
thread. A session is kept here and nowhere else: the browser holds a secret that means nothing.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import clock
from edge.console.accounts import audit, passwords, tables
from edge.console.accounts.roles import Role, role
from edge.store.schema import transaction

NAME = re.compile(r"[A-Za-zÀ-ÿ0-9][A-Za-zÀ-ÿ0-9 ._-]{0,63}")
TOKEN_PREFIX = "lwt_"  # noqa: S105 - how a token begins, not a token
SEEN_EVERY_S = 60  # a session's last use is noted no more often


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """What was asked can't be done, in words for who asked; shown on the page."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may log in."""

    name: str
    role: Role
    enabled: bool
    made_s: int


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in, or a machine with its token (then `csrf` is empty)."""

    name: str
    role: Role
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A machine's token, without its secret."""

    name: str
    role: Role
    made_by: str
    made_s: int
    used_s: int | None


class Book:
    """The accounts in `folder`.

    Args:
        folder: of the console's own files.
        idle_s: a session that wasn't used for so long has ended.

    Raises:
        StoreError: the file or the log's key can't be used.
    """

    def __init__(
        self, folder: Path, idle_s: int, wall_ns: Callable[[], int] = clock.wall_ns
    ) -> None:
        path = folder / "accounts.db"
        tables.prepare(path)
        self._db = tables.connect(path)
        secret = audit.key(folder / "audit.key")
        self._log = audit.AuditLog(self._db, secret, folder / "audit.proved")
        self._idle_s, self._wall_ns = idle_s, wall_ns
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # ── the first person ──

    def first_code(self) -> str | None:
        """A new one-time code for the first admin, while there is none; the old one is void."""
        with self._lock:
            return None if self._admins() else self.new_code()

    def new_code(self) -> str:
        """A new one-time code with which an admin can be made; for who has the box's files."""
        code = passwords.code()
        with self._lock, transaction(self._db):
            self._db.execute("DELETE FROM code")
            self._db.execute("INSERT INTO code VALUES (?, ?)", (_code_digest(code), self._now_s()))
            self._log.write("console", "code made")
        return code

    @property
    def wants_code(self) -> bool:
        """Whether an admin can be made with a code now."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM code").fetchone() is not None

    def redeem(self, code: str, name: str, password: str) -> None:
        """Make an admin (or give an admin a new password) with the code, which is then void.

        Raises:
            Refused: the code is wrong, or name or password are no good.
        """
        with self._lock:
            self._check(name, password)
            with transaction(self._db):
                gone = self._db.execute(
                    "DELETE FROM code WHERE digest = ?", (_code_digest(code),)
                ).rowcount
                if not gone:
                    raise Refused("this code is not valid; the console's log shows the present one")
                self._db.execute(
                    "INSERT INTO person (name, role, password, made_s) VALUES (?, 'admin', ?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET role = 'admin', enabled = 1,"
                    " password = excluded.password",
                    (name, passwords.hashed(password), self._now_s()),
                )
                self._db.execute("DELETE FROM session WHERE person = ?", (name,))
                self._log.write(name, "admin made with the code")

    # ── sessions and tokens ──

    def log_in(self, name: str, password: str, origin: str) -> str | None:
        """A new session's secret, or None if name and password don't match. Slow by design."""
        with self._lock:
            row = self._db.execute(
                "SELECT name, password, enabled FROM person WHERE name = ?", (name,)
            ).fetchone()
        matched = passwords.matches(row[1] if row else None, password)
        with self._lock, transaction(self._db):
            if not (matched and row[2]):
                self._log.write("console", "login refused", name[:64], origin)
                return None
            if passwords.is_old(row[1]):
                self._db.execute(
                    "UPDATE person SET password = ? WHERE name = ?",
                    (passwords.hashed(password), row[0]),
                )
            return self._begin(row[0], origin)

    def admit(self, name: str, subject: str, of: Role, origin: str) -> str:
        """A new session's secret for somebody whom the plant's issuer vouches for.

        The account is made at the first time and is that subject's for good; it has no password
        here, and the role that the issuer says now.

        Raises:
            Refused: the name is another's, or the account was closed here.
        """
        bound = passwords.ELSEWHERE + subject
        with self._lock, transaction(self._db):
            if not NAME.fullmatch(name):
                raise Refused("a name has 1 to 64 letters, digits, spaces, dots and hyphens")
            self._db.execute(
                "INSERT OR IGNORE INTO person (name, role, password, made_s) VALUES (?, ?, ?, ?)",
                (name, of.word, bound, self._now_s()),
            )
            row = self._db.execute(
                "SELECT name, password, enabled FROM person WHERE name = ?", (name,)
            ).fetchone()
            if row[1] != bound:
                raise Refused("there is somebody of this name already")
            if not row[2]:
                raise Refused("this account was closed")
            self._db.execute("UPDATE person SET role = ? WHERE name = ?", (of.word, row[0]))
            return self._begin(row[0], origin)

    def _begin(self, name: str, origin: str) -> str:
        """A new session of that person; within a transaction."""
        secret, now_s = passwords.token(), self._now_s()
        self._db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
            (passwords.digest(secret), name, passwords.token(), now_s, now_s),
        )
        self._db.execute("DELETE FROM session WHERE seen_s < ?", (now_s - self._idle_s,))
        self._log.write(name, "login", "", origin)
        return secret

    def session(self, secret: str, *, used: bool = True) -> Session | None:
        """Who this secret belongs to, if the session is alive; `used`: somebody is there."""
        now_s, digest = self._now_s(), passwords.digest(secret)
        with self._lock:
            row = self._db.execute(
                "SELECT p.name, p.role, s.csrf, s.seen_s FROM session s"
                " JOIN person p ON p.name = s.person WHERE s.digest = ? AND p.enabled",
                (digest,),
            ).fetchone()
            if row is None or row[3] < now_s - self._idle_s:
                return None
            if used and row[3] < now_s - SEEN_EVERY_S:
                self._db.execute("UPDATE session SET seen_s = ? WHERE digest = ?", (now_s, digest))
        return Session(row[0], role(row[1]), row[2])

    def log_out(self, secret: str) -> None:
        """End the session."""
        with self._lock, transaction(self._db):
            rows = self._db.execute(
                "DELETE FROM session WHERE digest = ? RETURNING person",
                (passwords.digest(secret),),
            ).fetchall()
            for (name,) in rows:
                self._log.write(name, "logout")

    def machine(self, secret: str) -> Session | None:
        """Which machine this token belongs to."""
        if not secret.startswith(TOKEN_PREFIX):
            return None
        now_s, digest = self._now_s(), passwords.digest(secret)
        with self._lock:
            row = self._db.execute(
                "SELECT name, role, used_s FROM token WHERE digest = ?", (digest,)
            ).fetchone()
            if row is None:
                return None
            if row[2] is None or row[2] < now_s - SEEN_EVERY_S:
                self._db.execute("UPDATE token SET used_s = ? WHERE digest = ?", (now_s, digest))
        return Session(f"token {row[0]}", role(row[1]))

    # ── administration ──

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with self._lock:
            rows = self._db.execute("SELECT name, role, enabled, made_s FROM person ORDER BY name")
            return [Person(name, role(word), bool(on), made) for name, word, on, made in rows]

    def tokens(self) -> list[Token]:
        """Every token, by name."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name, role, made_by, made_s, used_s FROM token ORDER BY name"
            )
            return [Token(name, role(word), *rest) for name, word, *rest in rows]

    def add(self, by: str, name: str, of: Role, password: str) -> None:
        """Give somebody an account; raises Refused if that can't be."""
        with self._lock:
            self._check(name, password)
            with transaction(self._db):
                made = self._db.execute(
                    "INSERT OR IGNORE INTO person (name, role, password, made_s)"
                    " VALUES (?, ?, ?, ?)",
                    (name, of.word, passwords.hashed(password), self._now_s()),
                ).rowcount
                if made < 1:
                    raise Refused("there is somebody of this name already")
                self._log.write(by, "account made", name, of.word)

    def change(self, by: str, name: str, *, of: Role | None = None, enabled: bool = True) -> None:
        """Give another role, or take the account away; ends the person's sessions.

        Raises:
            Refused: there is no such person, or no admin would be left.
        """
        with self._lock, transaction(self._db):
            row = self._db.execute("SELECT role FROM person WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise Refused("there is nobody of this name")
            word = of.word if of else row[0]
            self._db.execute(
                "UPDATE person SET role = ?, enabled = ? WHERE name = ?", (word, enabled, name)
            )
            if not self._admins():
                raise Refused("the last admin can't go: make another one first")
            self._db.execute("DELETE FROM session WHERE person = ?", (name,))
            self._log.write(by, "account changed" if enabled else "account closed", name, word)

    def set_password(self, by: str, name: str, password: str) -> None:
        """Give somebody a new password; ends the person's sessions. Raises Refused as `add`."""
        with self._lock:
            self._check(name, password)
            with transaction(self._db):
                changed = self._db.execute(
                    "UPDATE person SET password = ? WHERE name = ?",
                    (passwords.hashed(password), name),
                ).rowcount
                if not changed:
                    raise Refused("there is nobody of this name")
                self._db.execute("DELETE FROM session WHERE person = ?", (name,))
                self._log.write(by, "password changed", name)

    def make_token(self, by: str, name: str, of: Role) -> str:
        """A token for a machine; its secret is told once. Raises Refused if the name is taken."""
        if not NAME.fullmatch(name):
            raise Refused("a name has 1 to 64 letters, digits, spaces, dots and hyphens")
        secret = passwords.token(TOKEN_PREFIX)
        with self._lock, transaction(self._db):
            made = self._db.execute(
                "INSERT OR IGNORE INTO token VALUES (?, ?, ?, ?, ?, NULL)",
                (passwords.digest(secret), name, of.word, by, self._now_s()),
            ).rowcount
            if made < 1:
                raise Refused("there is a token of this name already")
            self._log.write(by, "token made", name, of.word)
        return secret

    def revoke(self, by: str, name: str) -> None:
        """Make a token void; raises Refused if there is none of this name."""
        with self._lock, transaction(self._db):
            if not self._db.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount:
                raise Refused("there is no token of this name")
            self._log.write(by, "token revoked", name)

    def note(self, who: str, what: str, about: str = "", detail: str = "") -> None:
        """Write into the audit log what was done elsewhere (a label, an export)."""
        with self._lock, transaction(self._db):
            self._log.write(who, what, about, detail)

    def log(self, limit: int = 100, below: int = 2**62) -> list[audit.Entry]:
        """The newest entries of the audit log."""
        with self._lock:
            return self._log.newest(limit, below)

    def verify(self, noted_head: str = "") -> audit.Finding:
        """Check the audit log's chain."""
        with self._lock:
            return self._log.verify(noted_head)

    def _check(self, name: str, password: str) -> None:
        if not NAME.fullmatch(name):
            raise Refused("a name has 1 to 64 letters, digits, spaces, dots and hyphens")
        try:
            passwords.check_new(password, name)
        except ValueError as error:
            raise Refused(str(error)) from error

    def _admins(self) -> int:
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM person WHERE role = 'admin' AND enabled"
        ).fetchone()
        return int(count)

    def _now_s(self) -> int:
        return self._wall_ns() // 1_000_000_000


def _code_digest(code: str) -> str:
    return passwords.digest(passwords.normal(code))
