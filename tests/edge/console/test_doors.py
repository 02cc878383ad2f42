import random
import re
from html.parser import HTMLParser

import pytest
from starlette.responses import Response
from starlette.routing import Route

from edge.console.accounts.roles import PEOPLE, Role
from edge.console.web import live
from edge.console.web.app import application, doors
from edge.console.web.door import Door
from edge.console.web.headers import ALWAYS
from export.sample import Why
from tests.edge.console.plant import FAILED, HOSTILE, NOVEL, PASSWORD, Plant

# Who may go where: this table is the promise, and every door must stand in it.
MAY = {
    "GET /": Role.VIEWER,
    "GET /live/events": Role.VIEWER,
    "GET /quality": Role.VIEWER,
    "GET /verdicts": Role.VIEWER,
    "GET /verdict": Role.VIEWER,
    "GET /picture/{name}": Role.VIEWER,
    "GET /health": Role.VIEWER,
    "GET /assistant": Role.VIEWER,
    "POST /assistant": Role.VIEWER,
    "GET /assistant/section": Role.VIEWER,
    "POST /assistant/feedback": Role.OPERATOR,
    "GET /account": Role.VIEWER,
    "POST /account": Role.VIEWER,
    "POST /logout": Role.VIEWER,
    "GET /review": Role.OPERATOR,
    "POST /review": Role.OPERATOR,
    "POST /review/undo": Role.OPERATOR,
    "GET /people": Role.ADMIN,
    "POST /people/add": Role.ADMIN,
    "POST /people/change": Role.ADMIN,
    "POST /tokens/add": Role.ADMIN,
    "POST /tokens/revoke": Role.ADMIN,
    "GET /audit": Role.ADMIN,
    "GET /login": Role.PUBLIC,
    "POST /login": Role.PUBLIC,
    "GET /setup": Role.PUBLIC,
    "POST /setup": Role.PUBLIC,
    "GET /bundles": Role.VIEWER,
    "POST /bundles/rollback": Role.ENGINEER,
    "POST /bundles/stop": Role.ENGINEER,
    "GET /api/samples": Role.OPERATOR,
    "GET /api/samples/{name}/record": Role.OPERATOR,
    "GET /api/samples/{name}/picture": Role.OPERATOR,
    "GET /api/bundles": Role.VIEWER,
    "PUT /api/bundles/{digest}": Role.ENGINEER,
    "GET /api/bundles/{digest}": Role.ENGINEER,
    "PUT /api/bundles/{digest}/{sha256}": Role.ENGINEER,
    "POST /api/bundles/{digest}/shadow": Role.ENGINEER,
    "GET /oidc/begin": Role.PUBLIC,
    "GET /oidc/callback": Role.PUBLIC,
    "GET /static/{name}": Role.PUBLIC,
    "GET /words/{code}": Role.PUBLIC,
}


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """A console over a few verdicts, some of hostile name."""
    plant = Plant(tmp_path_factory.mktemp("plant"))
    told = plant.record(
        ("top", {}), ("top", {"part": HOSTILE, **FAILED}), ("side", {"part": "p-2", **NOVEL}),
        ("top", {"part": HOSTILE, "detail": HOSTILE, "outcome": "fail",
                 "reason": "inspection_error"}),
        ("side", {"part": "../../etc/passwd", **FAILED}),
    )  # fmt: skip
    plant.keep(told[1])
    plant.keep(told[2], Why.REVIEW, Why.NOVEL)
    with plant.open() as opened:
        opened.told = told
        yield opened


def test_every_door_stands_in_the_table():
    """A route that is added without being promised to somebody fails here."""
    assert {f"{door.method} {door.path}": door.role for door in doors()} == MAY


def test_every_route_is_a_door(console):
    """There is no route without a role, and no folder is served."""
    app = application(console.desk)
    assert app.routes
    assert all(isinstance(route, Door) for route in app.routes)
    assert issubclass(Door, Route)


@pytest.mark.parametrize("role", [Role.PUBLIC, *PEOPLE], ids=lambda role: role.word)
@pytest.mark.parametrize("door", sorted(MAY))
def test_every_door_lets_in_exactly_who_may(console, monkeypatch, door, role):
    """All roles at all doors: let in, sent to log in, or refused."""
    monkeypatch.setattr(live, "Stream", lambda *_: Response(b"data"))
    method, path = door.split(" ")
    path = path.replace("{name}", "base.css" if "static" in path else "x")
    path = path.replace("{code}", "de").replace("{digest}", "0" * 64).replace("{sha256}", "1" * 64)
    if door == "POST /logout" and role is not Role.PUBLIC:
        console._secrets.pop(role, None)
    asked = {"GET": console.get, "POST": console.post, "PUT": console.put}[method]
    answer = asked(path, role=role, headers={"accept": "application/json"})
    refused = answer.status_code in (401, 403) and door != "POST /login"  # no such name: 401
    assert refused is (role < MAY[door]), answer.text
    assert answer.status_code == 401 if role is Role.PUBLIC and refused else True
    if door == "POST /logout":
        console._secrets.pop(role, None)


def test_a_stranger_is_shown_the_door(console):
    """A page sends to the login and comes back; nothing else tells that it exists."""
    answer = console.get("/verdicts?part=a", Role.PUBLIC)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/verdicts%3Fpart%3Da"


@pytest.mark.parametrize("next_path", ["//evil.example", "https://evil.example", "/\\evil.example",
                                       "/ok\nset-cookie: a=b", ""])  # fmt: skip
def test_login_goes_on_to_our_own_pages_only(console, next_path):
    """No link to our login sends anybody elsewhere."""
    console.desk.by_address._seen.clear()
    form = {"name": "the viewer", "password": PASSWORD, "next": next_path}
    answer = console.post("/login", form, Role.PUBLIC)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"


def test_the_session_cookie_is_out_of_reach(console):
    """HttpOnly, SameSite=Strict, and a new secret at each login."""
    console.desk.by_address._seen.clear()
    form = {"name": "the viewer", "password": PASSWORD}
    cookies = [
        console.post("/login", form, Role.PUBLIC).headers["set-cookie"].lower() for _ in range(2)
    ]
    for cookie in cookies:
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
    assert cookies[0].split(";")[0] != cookies[1].split(";")[0]


def test_over_tls_the_cookie_is_secure(tmp_path):
    """Where a proxy on the box does TLS, the cookie has the prefix that browsers insist on."""
    plant = Plant(tmp_path)
    section = plant.appliance.console.model_copy(update={"plain_http": True})
    plant.appliance = plant.appliance.model_copy(update={"console": section})
    with plant.open() as console:
        form = {"name": "the viewer", "password": PASSWORD}
        cookie = console.post("/login", form, Role.PUBLIC).headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert "secure" in cookie.lower()


def test_a_guesser_is_answered_429(console):
    """Five tries a minute from one address, then none, whatever the name and the password."""
    console.desk.by_address._seen.clear()
    console.desk.by_name._seen.clear()
    wrong = [
        console.post("/login", {"name": f"n{n}", "password": "x"}, Role.PUBLIC) for n in range(8)
    ]
    assert [answer.status_code for answer in wrong] == [401] * 5 + [429] * 3
    right = console.post("/login", {"name": "the admin", "password": PASSWORD}, Role.PUBLIC)
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 60
    console.desk.by_address._seen.clear()


def test_a_name_is_guessed_at_from_many_addresses_no_more_often(console):
    """Ten tries a minute for one name, wherever they come from."""
    console.desk.by_name._seen.clear()
    codes = []
    for n in range(12):
        console.desk.by_address._seen.clear()
        form = {"name": "the admin", "password": f"guess {n}"}
        codes.append(console.post("/login", form, Role.PUBLIC).status_code)
    assert codes == [401] * 10 + [429] * 2
    console.desk.by_address._seen.clear()
    console.desk.by_name._seen.clear()


CHANGING = sorted(
    door for door in MAY if not door.startswith("GET") and MAY[door] is not Role.PUBLIC
)


@pytest.mark.parametrize("door", CHANGING)
def test_no_other_page_can_make_us_change_anything(console, door):
    """Without the token of our own pages, with a wrong one, or from another origin: refused."""
    method, path = door.split(" ")
    path = path.replace("{digest}", "0" * 64).replace("{sha256}", "1" * 64)
    send = console.put if method == "PUT" else console.post
    assert send(path, csrf=False).status_code == 403
    guessed = {"x-csrf-token": "guessed"}
    assert send(path, csrf=False, headers=guessed).status_code == 403
    foreign = {"origin": "https://evil.example"}
    assert send(path, headers=foreign).status_code == 403
    assert send(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    if method == "POST":
        assert send(path, {"csrf": "guessed"}, csrf=False).status_code == 403


def test_a_token_of_a_machine_needs_no_page(console):
    """A machine shows its token; another's is nobody's; it can't do more than its role."""
    token = console.desk.book.make_token("the admin", "a machine", Role.VIEWER)
    console.client.cookies.clear()
    ask = console.client.get
    assert ask("/health", headers={"authorization": f"Bearer {token}"}).status_code == 200
    assert ask("/people", headers={"authorization": f"Bearer {token}"}).status_code == 403
    assert ask("/health", headers={"authorization": f"Bearer {token}x"}).status_code == 401
    wrong = {"authorization": f"Bearer {token}x", "accept": "application/json"}
    assert "token is unknown" in ask("/health", headers=wrong).json()["error"]


@pytest.mark.parametrize("path", ["/login", "/", "/static/base.css", "/nowhere", "/people/add"])
def test_every_answer_has_the_secure_headers(console, path):
    """Pages, files, errors alike; no inline script or style is allowed."""
    answer = console.get(path)
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def traversals():
    """500 ways of asking for a file that is not ours to give."""
    chance = random.Random(3)
    ups = ["..", "%2e%2e", "%252e%252e", "..%2f", "..%5c", "....//", "%c0%ae%c0%ae", ".%00.", "..;"]
    ends = ["etc/passwd", "appliance.toml", "accounts.db", "audit.key", ".records/x.json",
            "signing.key", "proc/self/environ", "console/accounts.db"]  # fmt: skip
    heads = ["/static/", "/picture/", "/words/", "/", "/verdict/", "/static/base.css/"]
    for _ in range(500):
        way = "/".join(chance.choices(ups, k=chance.randrange(1, 7)))
        yield chance.choice(heads) + way + chance.choice(["/", "%2f", "\\"]) + chance.choice(ends)


def test_no_path_leads_out(console):
    """500 path traversals: each is no page, and none gives a byte of the box's files."""
    for path in traversals():
        answer = console.get(path)
        assert answer.status_code in (400, 404), path
        assert "root:" not in answer.text
    for name in ("../appliance", "..%2fappliance", "/etc/passwd", "x" * 5000):
        assert console.get("/picture/x", params={"name": name}).status_code == 404


class Scripts(HTMLParser):
    """Collects what could run in a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        inline = tag == "script" and "src" not in told
        handlers = [name for name, _ in attrs if name.startswith("on") or name == "style"]
        links = [v for n, v in attrs if n in ("href", "src") and (v or "").startswith("javascript")]
        if inline or tag == "style" or handlers or links:
            self.found.append((tag, attrs))


def pages(console):
    """Every page that shows what others wrote."""
    keys = [dict(zip(("camera", "epoch", "seq"), one.key, strict=True)) for one in console.told]
    yield from (console.get("/verdict", params=key) for key in keys)
    for path in ("/", "/quality", "/verdicts", "/health", "/people", "/audit", "/review"):
        yield console.get(path)
    yield console.get("/verdicts", params={"part": HOSTILE, "kind": HOSTILE, "camera": HOSTILE})
    yield console.get("/review", params={"sample": HOSTILE, "skip": HOSTILE})
    yield console.get("/quality", params={"camera": HOSTILE, "back": HOSTILE})
    yield console.get("/login", Role.PUBLIC, params={"next": HOSTILE, "lang": HOSTILE})
    yield console.post("/login", {"name": HOSTILE, "password": HOSTILE}, Role.PUBLIC)
    yield console.post("/people/add", {"name": HOSTILE, "role": HOSTILE, "password": HOSTILE})
    yield console.post("/review", {"sample": HOSTILE, "label": HOSTILE, "note": HOSTILE})
    yield console.get(f"/{HOSTILE}")


def test_what_others_wrote_is_shown_and_never_run(console):
    """Part ids, details, notes, names and queries that are scripts stay text, and no page has any.

    The policy of the headers would stop them besides.
    """
    console.desk.book.note("the admin", HOSTILE, HOSTILE, HOSTILE)
    shown = 0
    for page in pages(console):
        assert page.status_code < 500, page.text
        scripts = Scripts()
        scripts.feed(page.text)
        assert scripts.found == []
        assert "<script>alert" not in page.text
        assert "49" not in re.findall(r"alert\(.{0,60}", page.text)
        shown += "&lt;script&gt;alert" in page.text
    assert shown >= 6


def test_too_much_or_no_form_is_refused(console):
    """A large body, one that is no form, one with too many fields."""
    assert console.post("/review", {"note": "x" * 70_000}).status_code == 413
    answer = console.client.post("/login", content=b"{}", headers={"content-type": "text/json"})
    assert answer.status_code == 415
    many = "&".join(f"a{n}=1" for n in range(100)).encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert console.client.post("/login", content=many, headers=form).status_code == 400
    assert console.client.post("/login", content=b"\xff\xfe=1", headers=form).status_code < 500


def test_an_error_tells_a_stranger_nothing(console, monkeypatch):
    """A page that fails says so, without a trace; the log has it."""
    monkeypatch.setattr(console.desk.readers, "lend", lambda: 1 / 0)
    console.client._transport.raise_server_exceptions = False
    answer = console.get("/verdicts")
    console.client._transport.raise_server_exceptions = True
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert "Traceback" not in answer.text
