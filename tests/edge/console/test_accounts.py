import random
import re
import sqlite3
from contextlib import closing

import pytest

from edge.console.accounts.book import Book, Refused
from edge.console.accounts.limiter import Limiter
from edge.console.accounts.roles import PEOPLE, Role, role
from export.errors import StoreError

PASSWORD = "a long enough one"


class Clock:
    """A wall clock that stands still."""

    def __init__(self):
        self.s = 1_790_000_000

    def __call__(self):
        return self.s * 1_000_000_000


@pytest.fixture
def clock():
    """Its time."""
    return Clock()


@pytest.fixture
def book(tmp_path, clock):
    """Accounts with one admin."""
    made = Book(tmp_path, 3600, clock)
    made.redeem(made.first_code(), "Ada", PASSWORD)
    yield made
    made.close()


def test_there_is_no_default_password(tmp_path):
    """At first nobody can log in; the code makes one admin, once."""
    book = Book(tmp_path, 3600)
    assert book.people() == []
    assert book.log_in("admin", "admin", "here") is None
    code = book.first_code()
    assert re.fullmatch(r"([A-Z2-9]{4}-){3}[A-Z2-9]{4}", code)
    with pytest.raises(Refused, match="not valid"):
        book.redeem("AAAA-AAAA-AAAA-AAAA", "Eve", PASSWORD)
    book.redeem(code.lower().replace("-", " "), "Ada", PASSWORD)
    with pytest.raises(Refused, match="not valid"):
        book.redeem(code, "Eve", PASSWORD)
    assert [(one.name, one.role) for one in book.people()] == [("Ada", Role.ADMIN)]
    assert book.first_code() is None


def test_a_new_start_voids_the_old_code(tmp_path):
    """The code that the log shows last is the one that counts."""
    book = Book(tmp_path, 3600)
    old, new = book.first_code(), book.first_code()
    with pytest.raises(Refused):
        book.redeem(old, "Ada", PASSWORD)
    book.redeem(new, "Ada", PASSWORD)


def test_passwords_are_kept_as_argon2id_only(tmp_path, book):
    """Neither the password nor a session's or token's secret stands in the file."""
    session = book.log_in("Ada", PASSWORD, "here")
    token = book.make_token("Ada", "collector", Role.VIEWER)
    book.close()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    for secret in (PASSWORD, session, token):
        assert secret.encode() not in files
    with closing(sqlite3.connect(tmp_path / "accounts.db")) as db:
        (kept,) = db.execute("SELECT password FROM person").fetchone()
    assert kept.startswith("$argon2id$")
    assert (tmp_path / "accounts.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "audit.key").stat().st_mode & 0o077 == 0


def test_a_session_ends_by_itself_by_logout_and_with_the_account(book, clock):
    """Idle for an hour; or at once."""
    book.add("Ada", "Bo", Role.OPERATOR, PASSWORD)
    secret = book.log_in("bo", PASSWORD, "here")
    assert book.session(secret).role is Role.OPERATOR
    clock.s += 3000
    assert book.session(secret).name == "Bo"
    clock.s += 3000
    assert book.session(secret)
    clock.s += 3000
    assert book.session(secret, used=False)
    clock.s += 700
    assert book.session(secret) is None
    secret = book.log_in("Bo", PASSWORD, "here")
    book.log_out(secret)
    assert book.session(secret) is None
    secret = book.log_in("Bo", PASSWORD, "here")
    book.change("Ada", "Bo", enabled=False)
    assert book.session(secret) is None
    assert book.log_in("Bo", PASSWORD, "here") is None
    book.change("Ada", "Bo", of=Role.ENGINEER)
    assert book.session(book.log_in("Bo", PASSWORD, "here")).role is Role.ENGINEER
    book.set_password("Ada", "Bo", "another long one")
    assert book.log_in("Bo", PASSWORD, "here") is None


def test_the_last_admin_can_not_go(book):
    """Nobody locks everybody out."""
    with pytest.raises(Refused, match="last admin"):
        book.change("Ada", "Ada", of=Role.VIEWER)
    with pytest.raises(Refused, match="last admin"):
        book.change("Ada", "Ada", enabled=False)
    assert book.people()[0].role is Role.ADMIN


@pytest.mark.parametrize(
    ("name", "password"),
    [("Bo", "short"), ("Bo", "aaaaaaaaaaaa"), ("Bobby", "my bobby is 9"), ("", PASSWORD),
     ("<b>", PASSWORD), ("x" * 65, PASSWORD), ("Bo", "x" * 201), ("a\nb", PASSWORD)],
)  # fmt: skip
def test_what_is_no_name_or_password_is_refused(book, name, password):
    """In words, and nothing is written."""
    with pytest.raises(Refused):
        book.add("Ada", name, Role.VIEWER, password)
    assert len(book.people()) == 1


def test_a_token_opens_what_its_role_may_until_it_is_revoked(book):
    """It is told once and found by its digest."""
    secret = book.make_token("Ada", "collector", Role.ENGINEER)
    assert book.machine(secret).role is Role.ENGINEER
    assert book.machine(secret[:-1] + "_") is None
    assert book.machine("") is None
    with pytest.raises(Refused, match="already"):
        book.make_token("Ada", "collector", Role.VIEWER)
    book.revoke("Ada", "collector")
    assert book.machine(secret) is None


def test_everything_that_is_done_stands_in_the_log(book):
    """Logins, refusals, accounts, passwords, tokens: who, what, about whom."""
    book.log_in("Ada", "wrong", "10.0.0.9")
    book.add("Ada", "Bo", Role.VIEWER, PASSWORD)
    told = [(one.who, one.what, one.about) for one in book.log()]
    assert told[:2] == [("Ada", "account made", "Bo"), ("console", "login refused", "Ada")]
    finding = book.verify()
    assert (finding.entries, finding.wrong) == (4, ())


def tampered(db, chance, entries):
    """One of the ways in which a log is falsified."""
    db.execute("DROP TRIGGER audit_is_never_changed")
    db.execute("DROP TRIGGER audit_is_never_shortened")
    n = chance.randrange(1, entries + 1)
    way = chance.randrange(5)
    if way == 0:
        column = chance.choice(["at", "who", "what", "about", "detail", "mac"])
        db.execute(f"UPDATE audit SET {column} = {column} || 'x' WHERE n = ?", (n,))
    elif way == 1:
        db.execute("DELETE FROM audit WHERE n = ?", (n,))
    elif way == 2:
        other = n % entries + 1
        db.execute("UPDATE audit SET n = -1 WHERE n = ?", (n,))
        db.execute("UPDATE audit SET n = ? WHERE n = ?", (n, other))
        db.execute("UPDATE audit SET n = ? WHERE n = -1", (other,))
    elif way == 3:
        db.execute("DELETE FROM audit WHERE n >= ?", (n,))
    else:
        db.execute(
            "INSERT INTO audit SELECT ?, at, who, what, about, detail, mac FROM audit WHERE n = ?",
            (entries + 1, n),
        )


def test_a_log_that_was_tampered_with_is_detected_100_times_of_100(tmp_path, book):
    """A changed field, a removed, moved, added or cut-off entry."""
    for number in range(20):
        book.note("Ada", "label", f"top-1-{number}", "scratch")
    book.verify()
    book._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = (tmp_path / "accounts.db").read_bytes()
    head = book.verify().head
    for seed in range(100):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "accounts.db").write_bytes(sound)
        (folder / "audit.key").write_bytes((tmp_path / "audit.key").read_bytes())
        with closing(sqlite3.connect(folder / "accounts.db")) as db:
            db.execute("PRAGMA synchronous = OFF")
            tampered(db, random.Random(seed), 22)
            db.commit()
        false = Book(folder, 3600)
        assert false.verify().wrong, seed
        false.close()
    assert book.verify(head).wrong == ()
    assert book.verify("f" * 64).wrong == ("the noted head is not in the log",)


def cut(folder, to):
    """Cut the log behind entry `to`, and the seal with it, as who lacks the key can."""
    with closing(sqlite3.connect(folder / "accounts.db", isolation_level=None)) as db:
        db.execute("DROP TRIGGER IF EXISTS audit_is_never_shortened")
        db.execute("DELETE FROM audit WHERE n > ?", (to,))
        if not to:
            db.execute("DELETE FROM seal")
        else:
            db.execute("UPDATE seal SET n = ?1, mac = (SELECT mac FROM audit WHERE n = ?1)", (to,))


@pytest.mark.parametrize("to", [0, 1, 4])
def test_a_log_whose_end_was_cut_off_with_its_seal_is_detected(tmp_path, book, to):
    """Be it the whole of it, and whatever is written after; a proof from elsewhere is none."""
    for number in range(4):
        book.note("Ada", "label", f"top-1-{number}")
    assert book.verify().wrong == ()
    book.close()
    cut(tmp_path, to)
    false = Book(tmp_path, 3600)
    assert "cut off" in " ".join(false.verify().wrong)
    for number in range(9):
        false.note("Eve", "label", f"top-1-{number}")
    assert "cut off" in " ".join(false.verify().wrong)
    false._db.execute("UPDATE proof SET n = 1, mac = (SELECT mac FROM audit WHERE n = 1)")
    assert "missing or false" in " ".join(false.verify().wrong)
    false._db.execute("DELETE FROM proof")
    false.close()
    again = Book(tmp_path, 3600)
    assert "missing or false" in " ".join(again.verify().wrong)
    again.close()


def test_a_log_of_before_is_taken_over_once_and_may_go_back(tmp_path, book):
    """A version that proved no end: taken as it is; it may write again in between."""
    book._db.execute("DELETE FROM proof")
    (tmp_path / "audit.proved").unlink()
    book.close()
    taken = Book(tmp_path, 3600)
    assert taken.verify().wrong == ()
    proved = taken._db.execute("SELECT * FROM proof").fetchall()
    taken.note("Ada", "label", "written by the version of before")
    taken._db.execute("INSERT OR REPLACE INTO proof VALUES (?, ?, ?, ?)", proved[0])
    assert taken.verify().wrong == ()
    taken.note("Ada", "label", "top-1-1")
    assert taken.verify().wrong == ()
    assert taken._db.execute("SELECT n FROM proof").fetchall() == [(taken.verify().entries,)]
    taken.close()


def test_sql_can_not_change_the_log(book):
    """The triggers refuse, before the chain has to show it."""
    for statement in ("UPDATE audit SET who = 'Eve'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="audit log is never"):
            book._db.execute(statement)


def test_a_broken_key_is_refused_not_replaced(tmp_path, book):
    """A new key would make the old log look false."""
    (tmp_path / "audit.key").write_text("nonsense")
    with pytest.raises(StoreError, match="put the key back"):
        Book(tmp_path, 3600)


def test_five_tries_a_minute_and_then_none():
    """The sixth waits until the first has aged, whatever other keys do."""
    now = [0]
    limiter = Limiter(5, 60.0, lambda: now[0])
    for second in range(5):
        now[0] = second * 1_000_000_000
        assert limiter.wait_s("10.0.0.9") == 0
    assert limiter.wait_s("10.0.0.9") == 56
    assert limiter.wait_s("10.0.0.10") == 0
    now[0] = 60 * 1_000_000_000
    assert limiter.wait_s("10.0.0.9") == 0
    assert limiter.wait_s("10.0.0.9") == 1


def test_the_limiter_forgets_who_is_long_gone(monkeypatch):
    """Ten thousand addresses don't fill the memory."""
    monkeypatch.setattr("edge.console.accounts.limiter.KEYS", 3)
    limiter = Limiter(1, 60.0, lambda: 0)
    for key in "abcd":
        limiter.wait_s(key)
    assert len(limiter._seen) == 3


def test_roles_rise():
    """Each may what the one before may; a word that is none is refused."""
    assert sorted(PEOPLE) == [Role.VIEWER, Role.OPERATOR, Role.ENGINEER, Role.ADMIN]
    assert role("engineer") is Role.ENGINEER
    for word in ("public", "root", ""):
        with pytest.raises(ValueError, match="no role"):
            role(word)
