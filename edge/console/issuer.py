"""The plant's issuer: who somebody is and what they may, as OpenID Connect tells it.

The code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636). An ID token counts if the issuer's
own key signed it, for us, now, and for the log-in that was begun here (state and nonce). Knows no
account and no page.
"""

import base64
import hashlib
import json
import secrets
import threading
import urllib.request
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from edge.clock import monotonic_ns
from edge.config import Oidc
from edge.console.accounts.book import Refused
from edge.console.accounts.roles import Role, role
from edge.mqtt.address import read_password
from export.errors import ConfigError

ALGORITHMS = ["RS256", "ES256", "PS256"]  # by the issuer's key, never by a shared secret
BEGUN, BEGUN_S = 500, 600.0
ANSWER_BYTES, TIMEOUT_S, LEEWAY_S = 262_144, 10.0, 30
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the issuer vouches for: the name to show, its own lasting name for them, and the role."""

    name: str
    subject: str
    role: Role


@dataclass(frozen=True, slots=True)
class _Begun:
    nonce: str
    verifier: str
    at_ns: int


class Issuer:
    """One issuer, as the settings name it.

    Raises:
        ConfigError: PyJWT isn't installed, or the secret can't be read.
    """

    def __init__(self, section: Oidc) -> None:
        try:
            import jwt  # noqa: PLC0415 - an extra of its own
        except ImportError as error:
            raise ConfigError(
                "[console.oidc] needs PyJWT", "pip install 'linewarden[oidc]'"
            ) from error
        self._jwt = jwt
        self._section = section
        file = section.client_secret_file
        self._secret = read_password(file) if file else ""
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._lock = threading.Lock()
        self._known: Told = {}
        self._keys: Any = None

    @property
    def callback(self) -> str:
        """Where the issuer sends people back to."""
        return f"{self._section.url.rstrip('/')}/oidc/callback"

    def begin(self) -> tuple[str, str]:
        """Where to send somebody, and the state to recognise them by; raises Refused."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        where = str(self._discovered()["authorization_endpoint"])
        with self._lock:
            self._begun[state] = _Begun(nonce, verifier, monotonic_ns())
            while len(self._begun) > BEGUN:
                self._begun.popitem(last=False)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code", "client_id": self._section.client_id,
            "redirect_uri": self.callback, "scope": self._section.scope, "state": state,
            "nonce": nonce, "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }  # fmt: skip
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}", state

    def finish(self, state: str, code: str) -> Identity:
        """Who came back; a state counts once. Raises Refused if anything is not as it must be."""
        with self._lock:
            begun = self._begun.pop(state, None)
        if begun is None or (monotonic_ns() - begun.at_ns) / 1e9 > BEGUN_S:
            raise Refused("this log-in was not begun here, or too long ago: begin again")
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.callback,
            "client_id": self._section.client_id, "code_verifier": begun.verifier,
        }  # fmt: skip
        if self._secret:
            form["client_secret"] = self._secret
        answer = self._asked(str(self._discovered()["token_endpoint"]), form)
        return self._identity(self._claims(str(answer.get("id_token", "")), begun.nonce))

    def _claims(self, token: str, nonce: str) -> Told:
        told = self._discovered()
        try:
            if self._keys is None:
                self._keys = self._jwt.PyJWKClient(
                    _safe(str(told["jwks_uri"])), timeout=round(TIMEOUT_S)
                )
            key = self._keys.get_signing_key_from_jwt(token)
            claims: Told = self._jwt.decode(
                token, key.key, algorithms=ALGORITHMS, audience=self._section.client_id,
                issuer=self._section.issuer, leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )  # fmt: skip
        except self._jwt.PyJWTError as error:
            raise Refused("the issuer's answer can't be believed") from error
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise Refused("the issuer's answer can't be believed")
        if claims.get("azp", self._section.client_id) != self._section.client_id:
            raise Refused("the issuer's answer can't be believed")
        return claims

    def _identity(self, claims: Told) -> Identity:
        told = claims.get(self._section.roles_claim, [])
        groups = (
            {str(one) for one in cast("list[Any]", told)} if isinstance(told, list) else {str(told)}
        )
        roles = [role(word) for group, word in self._section.roles.items() if group in groups]
        if not roles:
            raise Refused("the issuer gives you no role here: ask for one")
        name = str(claims.get("preferred_username") or claims["sub"]).partition("@")[0]
        return Identity(name, str(claims["sub"]), max(roles))

    def _discovered(self) -> Told:
        """The issuer's own description, read once (OpenID Connect Discovery 1.0, 4)."""
        if not self._known:
            issuer = self._section.issuer
            told = self._asked(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != issuer:
                raise Refused("the issuer's answer can't be believed")
            self._known = told
        return self._known

    def _asked(self, url: str, form: dict[str, str] | None = None) -> Told:
        body = urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked
            _safe(url), body, {"accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                told = json.loads(answer.read(ANSWER_BYTES))
        except (OSError, ValueError) as error:
            raise Refused("the issuer doesn't answer: log in with a password") from error
        if not isinstance(told, dict):
            raise Refused("the issuer's answer can't be believed")
        return cast("Told", told)


def _safe(url: str) -> str:
    """Only over TLS, or to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL):
        return url
    raise Refused("the issuer's answer can't be believed")
