"""Laws of the broker's address: refused with a sentence that says what is wrong."""

import pytest

from edge.mqtt.address import BrokerSettings, BrokerUrl, read_password
from export.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("mqtt://box", "box", 1883, False),
        ("mqtt://10.0.0.7:2883", "10.0.0.7", 2883, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://[fd00::7]:1884/", "fd00::7", 1884, False),
    ],
)
def test_addresses_that_can_be_reached(text, host, port, tls):
    """Scheme, host and port; the port has a default; what is shown reads back."""
    url = BrokerUrl.parse(text)
    assert (url.host, url.port, url.tls) == (host, port, tls)
    assert BrokerUrl.parse(str(url)) == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "scheme"),
        ("box:1883", "scheme"),
        ("http://box", "scheme"),
        ("mqtt://", "no host"),
        ("mqtt://:1883", "no host"),
        ("mqtt://box:0", "port 0"),
        ("mqtt://box:65536", "port"),
        ("mqtt://box:many", "port"),
        ("mqtt://box/topic", "after the port"),
        ("mqtt://box?x=1", "after the port"),
        ("mqtt://anna:secret@box", "no place"),
        ("tcp://anna:secret@box", "scheme"),
    ],
)
def test_addresses_that_cannot(text, problem):
    """What is wrong is named; a password that stood there is not repeated."""
    with pytest.raises(ConfigError, match=problem) as refused:
        BrokerUrl.parse(text)
    assert "secret" not in str(refused.value)


def test_a_password_comes_from_a_private_file(tmp_path):
    """First line of a file that not everybody can read; else refused with what to do."""
    file = tmp_path / "password"
    with pytest.raises(ConfigError, match="can't be read"):
        read_password(file)
    file.write_text("")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="empty"):
        read_password(file)
    file.write_text("s3cret\nnote\n")
    assert read_password(file) == "s3cret"
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_password(file)


def test_settings_show_no_password_and_refuse_nonsense(tmp_path):
    """The password isn't in the repr; a password without a user and a lost CA file are refused."""
    url = BrokerUrl("box", 1883)
    assert "s3cret" not in repr(BrokerSettings(url, user="anna", password="s3cret"))
    for wrong in ({"password": "x"}, {"window": 0}, {"ca_file": tmp_path / "none.pem"}):
        with pytest.raises(ConfigError):
            BrokerSettings(url, **wrong)
