"""The wire to a box's console: HTTPS with a token, verified, tried again, and clear about refusals.

A token never crosses a network in clear and never follows a redirect. Knows no sample or bundle.
"""

import builtins
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx2
from pydantic import ValidationError

from export.doorway import Refusal
from export.errors import BoxError
from export.verdict import Contract

TRIES = 4
FIRST_WAIT_S = 0.5
CHUNK = 1 << 18
LONGEST_WAIT_S = 30.0
MOST_BYTES = 16 << 20  # of a document
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
BUSY = frozenset({408, 429, 502, 503, 504})
KEPT = ("retry-after", "location", "content-type")  # of an answer's headers
REMEDIES = {
    401: "give a token that an admin made on the console's page People (--token, or "
    "LINEWARDEN_TOKEN); one that was revoked is void",
    403: "the token's role may not do this: samples need operator, bundles need engineer",
    404: "check the address; an older box has no such page",
    409: "wait until the other one is finished",
    413: "the box takes no file of that size",
    429: "wait a minute",
    507: "make room on the box's disk",
}

Told = TypeVar("Told", bound=Contract)


class Wire:
    """Asks one console.

    Args:
        url: its address: https://box:8480, or http:// on this machine alone.
        token: of a machine, as an admin of the console made it.
        ca: certificates to trust (PEM) instead of the system's, where the box signs its own.
        timeout_s: without an answer, or between two pieces of one.

    Raises:
        BoxError: the address can't be used, or would carry the token in clear.
    """

    def __init__(
        self, url: str, token: str, *, ca: Path | None = None, timeout_s: float = 60.0
    ) -> None:
        self.url = _checked(url.rstrip("/"))
        if not token.strip():
            raise BoxError(f"no token for {self.url}", REMEDIES[401])
        try:
            self._client = httpx2.Client(
                base_url=self.url, timeout=timeout_s, follow_redirects=False, trust_env=False,
                verify=True if ca is None else _context(ca),
                headers={"authorization": f"Bearer {token.strip()}",
                         "accept": "application/json", "accept-encoding": "identity"},
            )  # fmt: skip
        except UnicodeEncodeError as error:
            raise BoxError("the token holds letters that no token has", REMEDIES[401]) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._client.close()

    def document(self, kind: type[Told], path: str, **query: str) -> Told:
        """GET a document; raises BoxError if it can't be had or isn't one."""
        return self.read(kind, path, self._asked("GET", path, params=query))

    def bytes(self, path: str, most: int) -> bytes:
        """GET bytes, at most so many; raises BoxError if more come."""
        return self._asked("GET", path, most=most).content

    def post(self, kind: type[Told], path: str, **form: str) -> Told:
        """POST a form, once: what may have been done is not done twice."""
        return self.read(kind, path, self._asked("POST", path, tries=1, data=form))

    def put(
        self, path: str, body: "bytes | Path", headers: Mapping[str, str] | None = None
    ) -> "httpx2.Response":
        """PUT bytes or a file; may be tried again."""
        sent = dict(headers or {})
        if isinstance(body, Path):
            sent["content-length"] = str(body.stat().st_size)
        return self._asked("PUT", path, content=body, headers=sent)

    def read(self, kind: type[Told], path: str, answer: "httpx2.Response") -> Told:
        """An answer as the document it should be."""
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            said = error.errors(include_url=False, include_input=False)[0]
            raise BoxError(
                f"{self.url}{path} answered {answer.status_code} with something else than a "
                f"{kind.__name__}: {said['msg']}",
                "check that this is a console's address, and that both have the same version",
            ) from error

    def _asked(
        self, method: str, path: str, *, tries: int = TRIES, content: "bytes | Path | None" = None,
        headers: Mapping[str, str] | None = None, most: int = MOST_BYTES, **more: object,
    ) -> "httpx2.Response":  # fmt: skip
        wait_s = FIRST_WAIT_S
        for left in reversed(range(tries)):
            sent = _pieces(content) if isinstance(content, Path) else content
            try:
                with self._client.stream(
                    method, path, content=sent, headers=dict(headers or {}), **more,  # pyright: ignore[reportArgumentType]
                ) as coming:  # fmt: skip
                    answer = self._whole(coming, path, most)
            except httpx2.TransportError as error:
                if left and not _untrusted(error):
                    time.sleep(wait_s)
                    wait_s *= 2
                    continue
                raise self._unreached(method, path, error) from error
            if answer.status_code in BUSY and left:
                time.sleep(_asked_to_wait_s(answer.headers.get("retry-after", ""), wait_s))
                wait_s *= 2
                continue
            if not answer.is_success:
                raise self._refused(method, path, answer)
            return answer
        raise AssertionError("unreachable")

    def _whole(self, coming: "httpx2.Response", path: str, most: int) -> "httpx2.Response":
        """The answer with its body, as it came; a refusal may have as many words as a document."""
        most = most if coming.is_success else MOST_BYTES
        body = bytearray()
        for piece in coming.iter_raw(CHUNK):
            body += piece
            if len(body) > most:
                raise BoxError(
                    f"{self.url}{path} answers with more than {most:,} bytes",
                    "check that this is a console's address; collect again",
                )
        kept = {name: coming.headers[name] for name in KEPT if name in coming.headers}
        return httpx2.Response(coming.status_code, headers=kept, content=builtins.bytes(body))

    def _unreached(self, method: str, path: str, error: Exception) -> BoxError:
        if _untrusted(error):
            return BoxError(
                f"{self.url}: its certificate is not to be trusted: {error}",
                "give the certificate that signed it: --ca box.pem; it is always checked",
            )
        if _speaks_plain(error):
            return BoxError(
                f"{self.url} speaks plain HTTP, and no TLS",
                "on this machine write http://; elsewhere give the console a certificate "
                "([console] certificate, key)",
            )
        return BoxError(
            f"{method} {self.url}{path}: no answer: {error or type(error).__name__}",
            "check the address, that `linewarden console` runs there, and the network between",
        )

    def _refused(self, method: str, path: str, answer: "httpx2.Response") -> BoxError:
        status = answer.status_code
        if 300 <= status < 400:
            where = answer.headers.get("location", "elsewhere")
            return BoxError(
                f"{method} {self.url}{path}: {status}, it sends to {where}",
                "give the console's own address: a token follows no redirect",
            )
        try:
            told = Refusal.model_validate_json(answer.content)
        except ValidationError:
            told = Refusal(error=answer.reason_phrase or "no reason given")
        remedy = told.remedy or REMEDIES.get(status, "see the console's log")
        return BoxError(f"{method} {self.url}{path}: {status}: {told.error}", remedy, status)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BoxError(f"{url!r} is no console's address", "write https://box.plant:8480")
    if parts.username or parts.password:
        raise BoxError("the address holds a password", "leave it out: a token is enough")
    if parts.scheme == "http" and parts.hostname not in LOCAL:
        raise BoxError(
            f"{url} would carry the token over a network in clear",
            "write https://, and give the console a certificate ([console] certificate, key)",
        )
    return url


def _context(ca: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca))
    except OSError as error:
        raise BoxError(f"{str(ca)!r} holds no certificates: {error}", "give a PEM file") from error


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def _asked_to_wait_s(told: str, otherwise_s: float) -> float:
    """What Retry-After asks for in seconds; a date (RFC 9110, 10.2.3) is as good as nothing."""
    return min(LONGEST_WAIT_S, float(told)) if told.isdecimal() else otherwise_s


def _speaks_plain(error: Exception) -> bool:
    """Whether TLS met a server that speaks HTTP; OpenSSL's reasons for what is no TLS record."""
    return any(said in str(error).upper() for said in ("WRONG_VERSION_NUMBER", "RECORD_LAYER"))


def _untrusted(error: Exception) -> bool:
    return "certificate" in str(error).lower()
