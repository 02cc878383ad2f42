"""Who may call at a door that is open on loopback: programs here and a door's own pages.

Loopback keeps other machines out, but not the pages in a browser here. Any page may send a form,
and one whose name was pointed at 127.0.0.1 afterwards (DNS rebinding) counts as our own. So the
door must be called by an address, which can't be pointed elsewhere, or by a name that is ours; and
what a page sends must come from such a page. Knows no web framework.
"""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

LOCAL = "localhost"


def turned_away(header: Callable[[str], str | None], ours: str = "") -> str:
    """Why a request may not come in; "" if it may.

    Args:
        header: looks a header of the request up, by its name in small letters.
        ours: the name that the door was opened under.
    """
    host = header("host") or ""
    if not _ours(host, ours):
        return f"{host[:100]!r} is not the name of this service: call it by its address"
    origin = header("origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return "this was sent from another page"
    return ""


def _ours(host: str, ours: str) -> bool:
    """Whether a Host header (name or address, perhaps a port) means us."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in (LOCAL, ours.lower()):
        return bool(name)
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
