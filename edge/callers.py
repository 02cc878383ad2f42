"""Who may call an HTTP service of this machine: the pages of others may not.

A page from anywhere can make its reader's browser send what it likes to 127.0.0.1; that it comes
from elsewhere, the browser says in Origin. And it can have its own name resolved to 127.0.0.1 (DNS
rebinding); then Origin and Host agree, but they say that name. An address of digits belongs to
nobody's DNS. Knows no server: whoever has one hands in the headers.
"""

import ipaddress
from collections.abc import Iterable

LOCAL = "localhost"


class Callers:
    """By which names a service is called.

    Args:
        host: where it listens.
        names: under which it is called besides, as behind a proxy or in a container.
        given: what gives these names, for who is turned away by a missing one.
    """

    def __init__(self, host: str, names: Iterable[str] = (), given: str = "--name") -> None:
        self._given = given
        self._names = {LOCAL, *(name.lower() for name in (host, *names) if name)}

    def refusal(self, host: str, origin: str | None) -> str:
        """Why a request is refused, by its headers Host and Origin (None: not sent), or ""."""
        name = _name(host)
        if name not in self._names and not _is_address(name):
            return f"nobody is called {name!r} here: further names are given by {self._given}"
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return "this was sent from another page"
        return ""


def _name(host: str) -> str:
    """A Host header without its port, and an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
