"""Laws of who may call: this machine's own names and addresses, and no other page."""

import pytest

from edge.callers import Callers


@pytest.mark.parametrize(
    ("host", "origin"),
    [("127.0.0.1:8788", None), ("localhost", None), ("LOCALHOST:1", "http://localhost:1"),
     ("[::1]:8788", "http://[::1]:8788"), ("10.1.2.3:8788", "http://10.1.2.3:8788"),
     ("shop.example", "https://shop.example"), ("box7:80", None)],
)  # fmt: skip
def test_a_name_that_is_ours_is_let_in(host, origin):
    """Addresses, localhost, the host that it listens on, and the names that it was given."""
    assert Callers("box7", ["Shop.example"]).refusal(host, origin) == ""


@pytest.mark.parametrize(
    ("host", "origin", "why"),
    [("127.0.0.1:8788", "http://evil.example", "another page"),
     ("127.0.0.1:8788", "null", "another page"),
     ("127.0.0.1:8788", "http://127.0.0.1:9999", "another page"),
     ("evil.example:8788", "http://evil.example:8788", "nobody is called"),
     ("127.0.0.1.evil.example", None, "nobody is called"),
     ("localhost.evil.example", None, "nobody is called"),
     ("[evil.example]:1", None, "nobody is called"),
     ("", None, "nobody is called"), (":8788", None, "nobody is called")],
)  # fmt: skip
@pytest.mark.parametrize("listens", ["127.0.0.1", "0.0.0.0", ""])
def test_another_page_is_turned_away(host, origin, why, listens):
    """By its Origin, or by the name that it had resolved to this address."""
    assert why in Callers(listens).refusal(host, origin)


def test_who_is_turned_away_is_told_where_a_name_is_given():
    """The setting that the service has for it."""
    assert "by --name" in Callers("127.0.0.1").refusal("evil.example", None)
    told = Callers("127.0.0.1", given="names in [assistant]").refusal("box7.example", None)
    assert "'box7.example'" in told
    assert told.endswith("names in [assistant]")
