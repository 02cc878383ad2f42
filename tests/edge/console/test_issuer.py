"""edge/console/issuer.py and its routes, against a stand-in issuer that speaks OpenID Connect."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from edge.config import Oidc
from edge.console.accounts.roles import Role
from tests.edge.console.plant import PASSWORD, Plant

CLIENT, CALLBACK = "linewarden", "http://testserver/oidc/callback"


class StandIn:
    """An issuer; `claims` are added to or, if None, taken out of what it says."""

    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        self.signer, self.claims, self.codes = self.key, {}, {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def _say(self, told, status=200):
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path.endswith("openid-configuration"):
                    self._say({"issuer": outer.url, "jwks_uri": f"{outer.url}/keys",
                               "authorization_endpoint": f"{outer.url}/authorize",
                               "token_endpoint": f"{outer.url}/token"})  # fmt: skip
                    return
                jwk = json.loads(RSAAlgorithm.to_jwk(outer.key.public_key()))
                self._say({"keys": [jwk | {"kid": "k1", "use": "sig", "alg": "RS256"}]})

            def do_POST(self):
                form = dict(
                    parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode())
                )
                begun = outer.codes.pop(form["code"], None)
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                if begun is None or proof != begun["code_challenge"]:
                    self._say({"error": "invalid_grant"}, 400)
                    return
                self._say({"id_token": outer.token(begun["nonce"]), "token_type": "Bearer"})

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def token(self, nonce):
        """An ID token."""
        now = int(time.time())
        told = {"iss": self.url, "aud": CLIENT, "sub": "u-17", "iat": now, "exp": now + 300,
                "nonce": nonce, "preferred_username": "mira@plant", "groups": ["qa", "all"],
                } | self.claims  # fmt: skip
        told = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(told, self.signer, algorithm="RS256", headers={"kid": "k1"})

    def authorize(self, where):
        """The person agrees: (state, code)."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        assert query["redirect_uri"] == CALLBACK
        assert query["code_challenge_method"] == "S256"
        self.codes["code"] = query
        return query["state"], "code"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)


@pytest.fixture
def issuer():
    """One that is stopped afterwards."""
    made = StandIn()
    yield made
    made.close()


@pytest.fixture
def console(issuer, tmp_path):
    """A console that believes it."""
    plant = Plant(tmp_path)
    oidc = Oidc(issuer=issuer.url, client_id=CLIENT, url="http://testserver", name="plant account",
                roles={"qa": "engineer", "all": "viewer"})  # fmt: skip
    section = plant.appliance.console.model_copy(update={"oidc": oidc})
    plant.appliance = plant.appliance.model_copy(update={"console": section})
    with plant.open() as opened:
        yield opened


def signed_on(console, issuer, *, state=None, cookie=True):
    """The whole way of a browser; the last answer."""
    console.client.cookies.clear()
    begun = console.client.get("/oidc/begin")
    assert begun.status_code == 303
    known, code = issuer.authorize(begun.headers["location"])
    if not cookie:
        console.client.cookies.clear()
    query = {"state": state or known, "code": code}
    return console.client.get("/oidc/callback", params=query, headers={"accept": "text/html"})


def test_somebody_whom_the_issuer_vouches_for_comes_in(console, issuer):
    """With the highest role of their groups, under their own name, and into the audit log."""
    assert "plant account" in console.client.get("/login").text
    answer = signed_on(console, issuer)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert console.client.get("/bundles").status_code == 200
    assert console.client.get("/people").status_code == 403
    person = next(one for one in console.desk.book.people() if one.name == "mira")
    assert person.role is Role.ENGINEER
    assert any(one.who == "mira" and one.what == "login" for one in console.desk.book.log())


def test_the_role_is_what_the_issuer_says_now(console, issuer):
    """Out of the group, out of the right; out of all groups, out."""
    signed_on(console, issuer)
    issuer.claims = {"groups": ["all"]}
    signed_on(console, issuer)
    assert next(p for p in console.desk.book.people() if p.name == "mira").role is Role.VIEWER
    issuer.claims = {"groups": ["others"]}
    assert signed_on(console, issuer).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"exp": 1_700_000_000},
     {"nonce": "replayed"}, {"nonce": None}, {"sub": None}, {"azp": "another"}],
    ids=str,
)  # fmt: skip
def test_a_token_that_is_not_for_us_now_is_refused(console, issuer, claims):
    """Another issuer, audience, time or log-in."""
    issuer.claims = claims
    answer = signed_on(console, issuer)
    assert answer.status_code == 401
    assert "session=" not in answer.headers.get("set-cookie", "")


def test_a_token_by_another_key_is_refused(console, issuer):
    """However right it is otherwise."""
    issuer.signer = rsa.generate_private_key(65537, 2048)
    assert signed_on(console, issuer).status_code == 401


def test_a_way_back_that_did_not_begin_here_is_refused(console, issuer):
    """Without the browser's own state, with another, or with the same one twice."""
    assert signed_on(console, issuer, cookie=False).status_code == 401
    assert signed_on(console, issuer, state="guessed").status_code == 401
    console.desk.by_address._seen.clear()
    console.client.cookies.clear()
    begun = console.client.get("/oidc/begin")
    state, code = issuer.authorize(begun.headers["location"])
    query = {"state": state, "code": code}
    assert console.client.get("/oidc/callback", params=query).status_code == 200
    console.client.cookies.set("oidc_state", state)
    assert console.client.get("/oidc/callback", params=query).status_code == 401


def test_nobody_takes_another_ones_account(console, issuer):
    """A name here, or of another subject, stays whose it is; a closed account is closed."""
    console.desk.book.add("the admin", "mira", Role.ADMIN, PASSWORD)
    assert signed_on(console, issuer).status_code == 401
    issuer.claims = {"preferred_username": "noor"}
    assert signed_on(console, issuer).status_code == 200
    issuer.claims = {"preferred_username": "noor", "sub": "u-18"}
    assert signed_on(console, issuer).status_code == 401
    console.desk.by_address._seen.clear()
    issuer.claims = {"preferred_username": "noor"}
    console.desk.book.change("the admin", "noor", enabled=False)
    assert signed_on(console, issuer).status_code == 401


def test_an_issuers_account_has_no_password(console, issuer):
    """None that is typed matches."""
    signed_on(console, issuer)
    for password in ("", "elsewhere:u-17", PASSWORD):
        assert console.desk.book.log_in("mira", password, "test") is None


def test_without_an_issuer_there_is_no_such_page(tmp_path):
    """And none that is down lets anybody in or keeps anybody out."""
    with Plant(tmp_path).open() as console:
        assert console.client.get("/oidc/begin").status_code == 404
        assert "/oidc" not in console.client.get("/login").text


def test_an_issuer_that_is_down_says_so(console, issuer):
    """A password still works."""
    issuer.close()
    answer = console.client.get("/oidc/begin", headers={"accept": "text/html"})
    assert answer.status_code == 401
    assert console.desk.book.log_in("the viewer", PASSWORD, "test")
