"""A data set's address: what fsspec is told, and what people, records and logs may see of it.

Credentials in an address go to the store and nowhere else. It opens nothing.
"""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from export.errors import DatasetError

_S3 = frozenset({"s3", "s3a"})
_WEB = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where pictures lie on a store.

    Attributes:
        scheme: s3, gs, https…
        url: without credentials, fit to be shown.
        user, password: from the address, or empty.
    """

    scheme: str
    url: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, text: str) -> "Address":
        """Take an address apart.

        Raises:
            DatasetError: it is a chain, has a query, or credentials that its scheme doesn't take.
        """
        scheme, _, rest = text.partition("://")
        if "::" in text:
            raise DatasetError(
                f"an address that begins with {scheme.partition('::')[0]!r}:: is a chain",
                "give the plain address: pictures are kept on the disk anyway",
            )
        parts = urlsplit(f"//{rest}")
        userinfo, _, host = parts.netloc.rpartition("@")
        url = f"{scheme}://{host}{parts.path}".rstrip("/")
        if url.rpartition("/")[2] in {".", ".."}:
            raise DatasetError(f"{url} names no folder", "give its own name")
        if parts.query or parts.fragment:
            raise DatasetError(
                f"{url} goes on with a query, which a folder has not",
                "give the folder alone; a key goes into the store's own settings or environment",
            )
        if userinfo and scheme not in _S3 | _WEB:
            raise DatasetError(
                f"{url} has credentials before it, which {scheme}:// does not take",
                "put them into the store's own settings or environment",
            )
        user, _, password = userinfo.partition(":")
        return cls(scheme, url, unquote(user), unquote(password))

    @property
    def name(self) -> str:
        """What the folder is called."""
        return unquote(self.url.rpartition("/")[2]) or self.scheme

    def options(self) -> dict[str, object]:
        """What fsspec's file system is told besides the address."""
        if not self.user:
            return {}
        if self.scheme in _S3:
            return {"key": self.user, "secret": self.password}
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"client_kwargs": {"headers": {"Authorization": f"Basic {basic}"}}}

    def scrubbed(self, text: str) -> str:
        """A library's words without the password."""
        return text.replace(self.password, "…") if self.password else text
