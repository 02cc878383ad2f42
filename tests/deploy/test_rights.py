"""Who may what at the broker, tried on a real Mosquitto that knows its clients by certificate."""

import socket
import ssl
import time

import pytest

from deploy.box.accounts import Accounts
from deploy.box.authority import Authority
from deploy.box.layout import FILES, Layout
from deploy.box.program import InstallError, run
from deploy.box.rights import Account, Role
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.pipe import Pipe, PipeClosed
from export.errors import ConfigError
from tests.broker import Mosquitto, free_port, needs_mosquitto
from tests.deploy import expected
from tests.deploy.matrix import tried


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """A box's authority and accounts below a folder."""
    layout = Layout(tmp_path_factory.mktemp("box"))
    layout.secrets.mkdir(parents=True)
    layout.tls.mkdir()
    layout.acl.parent.mkdir()
    authority = Authority(
        layout.etc / "authority", layout.tls / "ca.pem", layout.tls / "revoked.pem"
    )
    authority.found("authority of a test")
    authority.server(
        ["localhost", "127.0.0.1"], layout.secrets / "server.key", layout.tls / "server.pem"
    )
    accounts = Accounts(layout, authority)
    for name in expected.ACCOUNTS:
        scope = expected.SCOPES.get(name, expected.PREFIX)
        accounts.add(Account(name, Role(expected.ROLES.get(name, name)), scope))
    for path in layout.secrets.glob("*.key"):  # one folder with all that a client needs
        (layout.tls / path.name).write_bytes(path.read_bytes())
    return layout, authority, accounts


@pytest.fixture(scope="module")
def broker(box, tmp_path_factory):
    """Mosquitto with the settings that the installer writes, but for where things lie."""
    layout = box[0]
    port = free_port()
    conf = (FILES / "broker/mosquitto.conf").read_text()
    told = {
        "{port}": str(port), "{listen}": "127.0.0.1", "/etc/linewarden": str(layout.etc),
        "/run/credentials/linewarden-broker.service": str(layout.secrets),
    }  # fmt: skip
    for name, value in told.items():
        conf = conf.replace(name, value)
    conf = "\n".join(
        line
        for line in conf.splitlines()
        if not line.startswith(
            (
                "include_dir",
                "log_",
                "persistence",
                "autosave",
                "allow_anonymous",
                "max_queued",
                "set_tcp",
            )
        )
    )
    conf += "\nsys_interval 1"
    folder = tmp_path_factory.mktemp("broker")
    with Mosquitto(folder, conf, port=port, listener=False, anonymous=False) as running:
        yield running


def settings(layout, port, name="", **more):
    """As a client called `name`, or as one without a certificate."""
    own = (
        {"certificate": layout.tls / f"{name}.pem", "key": layout.secrets / f"{name}.key"}
        if name
        else {}
    )
    return BrokerSettings(
        BrokerUrl("127.0.0.1", port, tls=True), ca_file=layout.tls / "ca.pem", **own, **more
    )


def soon(true) -> bool:
    """Whether it comes true: a signal takes a moment."""
    end = time.monotonic() + 5
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def let_in(told) -> bool:
    """Whether the broker takes a connection."""
    pipe = Pipe(told, "test")
    try:
        pipe.open()
    except PipeClosed:
        return False
    else:
        return True
    finally:
        pipe.close(goodbye=True)


@needs_mosquitto
def test_every_account_may_do_what_is_written_and_nothing_else(box, broker):
    """Publishing is granted or refused, and what is published reaches whom it may."""
    table = expected.table()
    topics = list(dict.fromkeys(topic for _, topic in table))
    found = tried("127.0.0.1", broker.port, box[0].tls, list(expected.ACCOUNTS), topics)
    assert len(found) == len(table) == len(expected.ACCOUNTS) * 36
    wrong = [
        (name, topic, writes, reads)
        for name, topic, writes, reads in found
        if not expected.agrees(table[name, topic], writes, reads)
    ]
    assert wrong == []


@needs_mosquitto
def test_who_has_no_certificate_of_ours_is_turned_away(box, broker, tmp_path):
    """No certificate, one of a stranger's authority, a name in clear: none is let in."""
    layout = box[0]
    assert let_in(settings(layout, broker.port, "viewer"))
    assert not let_in(settings(layout, broker.port))
    assert not let_in(settings(layout, broker.port, user="viewer", password="guess"))
    stranger = Authority(tmp_path / "ca", tmp_path / "ca.pem", tmp_path / "revoked.pem")
    stranger.found("stranger")
    stranger.client("viewer", tmp_path / "viewer.key", tmp_path / "viewer.pem")
    forged = BrokerSettings(
        BrokerUrl("127.0.0.1", broker.port, tls=True), ca_file=layout.tls / "ca.pem",
        certificate=tmp_path / "viewer.pem", key=tmp_path / "viewer.key",
    )  # fmt: skip
    assert not let_in(forged)


@needs_mosquitto
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # paho drops it unclosed
def test_a_box_turns_a_forged_broker_away(box, broker, tmp_path):
    """A client that trusts another authority doesn't speak to this broker."""
    stranger = Authority(tmp_path / "ca", tmp_path / "ca.pem", tmp_path / "revoked.pem")
    stranger.found("stranger")
    told = BrokerSettings(
        BrokerUrl("127.0.0.1", broker.port, tls=True), ca_file=tmp_path / "ca.pem"
    )
    with pytest.raises(PipeClosed, match="certificate verify failed"):
        Pipe(told, "test").open()


@needs_mosquitto
def test_a_removed_account_is_turned_away_at_once(box, broker):
    """Its certificate is revoked, and the broker knows it after reading its files again."""
    layout, _, accounts = box
    accounts.add(Account("leaver", Role.VIEWER, expected.PREFIX))
    broker.reload()
    certificate, key = layout.tls / "leaver.pem", layout.secrets / "leaver.key"
    kept = certificate.read_bytes(), key.read_bytes()
    assert let_in(settings(layout, broker.port, "leaver"))
    accounts.remove("leaver")
    certificate.write_bytes(kept[0])
    key.write_bytes(kept[1])
    broker.reload()
    assert soon(lambda: not let_in(settings(layout, broker.port, "leaver")))
    assert let_in(settings(layout, broker.port, "viewer"))
    assert "user leaver" not in layout.acl.read_text()


@needs_mosquitto
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(box, broker, version):
    """TLS 1.0 and 1.1 get no answer; in clear there is none either."""
    context = ssl.create_default_context(cafile=box[0].tls / "ca.pem")
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", broker.port), 3) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_a_certificate_is_kept_until_a_year_before_its_end(box, tmp_path):
    """Asked again nothing is made anew; another name or a lost key makes a new one."""
    _, authority, _ = box
    key, certificate = tmp_path / "s.key", tmp_path / "s.pem"
    assert authority.server(["a.example", "10.0.0.1"], key, certificate)
    assert not authority.server(["a.example", "10.0.0.1"], key, certificate)
    assert authority.server(["a.example", "10.0.0.1", "b.example"], key, certificate)
    key.unlink()
    assert authority.server(["a.example", "b.example", "10.0.0.1"], key, certificate)
    assert 5 * 365 < authority.days_left(certificate) < 5 * 366
    assert key.stat().st_mode & 0o077 == 0
    said = run("openssl", "x509", "-in", certificate, "-noout", "-text")
    assert "Not Before: Jan  1 00:00:00 2000" in said
    assert "DNS:a.example" in said
    assert "IP Address:10.0.0.1" in said


@pytest.mark.parametrize(
    ("name", "role", "scope"),
    [("", Role.VIEWER, "a/b"), ("a+b", Role.VIEWER, "a/b"), ("a\nuser root", Role.VIEWER, "a/b"),
     ("x", Role.BOX, "a/+"), ("x", Role.VIEWER, "a/#"), ("x", Role.VIEWER, ""),
     ("x" * 65, Role.BOX, "a")],
)  # fmt: skip
def test_an_account_that_would_reach_further_is_refused(name, role, scope):
    """Wildcards in names or in a box's own prefix, lines that would add rights, no scope at all."""
    with pytest.raises(InstallError):
        Account(name, role, scope)


def test_a_broken_certificate_is_an_error_that_names_it(box, tmp_path):
    """Half a pair, a key of another certificate, a file that is none."""
    layout = box[0]
    url = BrokerUrl("127.0.0.1", 8883, tls=True)
    good, other = layout.tls / "viewer.pem", layout.secrets / "box.key"
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(ConfigError, match="belong together"):
        BrokerSettings(url, certificate=good)
    with pytest.raises(ConfigError, match="says nothing"):
        BrokerSettings(BrokerUrl("127.0.0.1", 1883), certificate=good, key=other)
    for certificate, key in ((good, other), (nonsense, nonsense), (good, tmp_path / "none")):
        with pytest.raises(ConfigError, match="can't be used"):
            BrokerSettings(url, certificate=certificate, key=key)
    with pytest.raises(ConfigError, match="can't be used"):
        BrokerSettings(url, ca_file=nonsense)
