"""Passwords are hashed as quickly as argon2id allows: these tests hash often."""

import pytest
from argon2 import PasswordHasher

from edge.console.accounts import passwords


@pytest.fixture(scope="session", autouse=True)
def quick_hashes():
    """The same function with the least memory it takes."""
    before = passwords._HASHER, passwords._NOBODY
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._NOBODY = passwords._HASHER.hash("nobody")
    yield
    passwords._HASHER, passwords._NOBODY = before
