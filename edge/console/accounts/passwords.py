"""Passwords and codes: hashed with argon2id, compared in constant time.

Parameters from OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane): one lane, so that a
login takes one core of the box for a moment and not all of them.
"""

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

LEAST, MOST = 10, 200
ELSEWHERE = "elsewhere:"  # instead of a hash: an issuer vouches for them, no password matches
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Verified when nobody has that name, so that an answer takes as long.
_NOBODY = _HASHER.hash(secrets.token_hex(16))
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # no I, L, O, U, 0 or 1: they are misread


def check_new(password: str, name: str) -> None:
    """Raises ValueError, in words, for a password that is no good (NIST SP 800-63B, 5.1.1.2)."""
    if not LEAST <= len(password) <= MOST:
        raise ValueError("a password has 10 to 200 characters")
    if name.lower() in password.lower():
        raise ValueError("a password that holds the name is guessed first")
    if len(set(password)) < 5:
        raise ValueError("a password of so few different characters is guessed at once")


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password whose hash is kept; as slow if none is."""
    try:
        return _HASHER.verify(kept or _NOBODY, password[:MOST]) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


def is_old(kept: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def code() -> str:
    """A one-time code for a person to type: four groups of four letters, 78 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def token(prefix: str = "") -> str:
    """A secret for a machine or a cookie: 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret that nobody could guess: its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


def normal(typed: str) -> str:
    """A code as it is kept: case and hyphens don't matter."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())
