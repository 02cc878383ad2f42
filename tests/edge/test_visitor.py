"""Who may call at a door on loopback."""

import pytest

from edge.visitor import turned_away


def asked(host=None, origin=None, ours=""):
    """Why a request with these headers is turned away."""
    return turned_away({"host": host, "origin": origin}.get, ours)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8490", "LOCALHOST:1", "127.0.0.1:8490", "[::1]:8490", "10.0.0.5"],
)
def test_an_address_or_our_own_name_is_let_in(host):
    """With and without the Origin of its own pages; an address can't be pointed elsewhere."""
    assert not asked(host)
    assert not asked(host, f"http://{host}")
    assert not asked(host, f"https://{host}")


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "evil.example:8490", "localhost.evil.example", "127.0.0.1.nip.io",
     "[::1", "127.0.0.1\nlocalhost"],
)  # fmt: skip
def test_a_name_that_may_have_been_pointed_here_is_turned_away(host):
    """DNS rebinding: its page counts as our own, so its Origin says nothing."""
    assert asked(host)
    assert asked(host, f"http://{host}")


@pytest.mark.parametrize(
    "origin", ["null", "", "http://evil.example", "http://localhost:81", "file://localhost:8490"]
)
def test_another_page_is_turned_away(origin):
    """Another origin, another port, a file."""
    assert asked("localhost:8490", origin) == "this was sent from another page"


def test_a_container_is_called_by_the_name_that_it_was_opened_under():
    """And by no other."""
    assert not asked("assistant:8490", ours="assistant")
    assert asked("assistant:8490", ours="127.0.0.1")
    assert asked("assistant.evil.example:8490", ours="assistant")
