"""Where the broker is and who we are there: one place for the daemon and for every listener.

The address is a URL without secrets, `mqtt://host:1883` or `mqtts://host:8883`; the user's name
comes from the settings and the password from a file. Knows no paho.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from edge.config import BrokerSection
from export.errors import ConfigError

PORTS = {"mqtt": 1883, "mqtts": 8883}
PATTERN = "mqtt://HOST[:PORT] or, with TLS, mqtts://HOST[:PORT]"


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """A broker's address; `tls` for mqtts://."""

    host: str
    port: int
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> "BrokerUrl":
        """Read `mqtt://host:port`; raises ConfigError that says what is wrong with it."""
        parts = urlsplit(text.strip())
        if parts.scheme not in PORTS:
            raise ConfigError(
                f"broker {_masked(text)!r}: the scheme must be mqtt or mqtts", f"write {PATTERN}"
            )
        if "@" in parts.netloc:
            raise ConfigError(
                f"broker {_masked(text)!r}: a user or password has no place in the address",
                "give the user's name and the file of the password as settings of their own",
            )
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ConfigError(
                f"broker {text!r}: there is something after the port", f"write {PATTERN}"
            )
        try:
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(
                f"broker {text!r}: the port must be a number from 1 to 65535", f"write {PATTERN}"
            ) from error
        if not host or any(letter.isspace() for letter in host):
            raise ConfigError(f"broker {text!r}: no host is named", f"write {PATTERN}")
        if port == 0:
            raise ConfigError(f"broker {text!r}: port 0 can't be reached", f"write {PATTERN}")
        return cls(host, port or PORTS[parts.scheme], parts.scheme == "mqtts")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the broker and when to give a connection up.

    Attributes:
        url: its address.
        user: empty for an anonymous connection.
        password: shown nowhere.
        ca_file: certificates to trust for mqtts://; None trusts the system's.
        certificate, key: who we are, where the broker knows its clients by certificate.
        window: messages sent and not yet acknowledged, at most.
        stall_s: without an acknowledgement for this long, the connection is given up.
        backoff_min_s, backoff_max_s: the pause before another try doubles between these.
        refusals: after this many in a row, a refusal by the broker is a fault; and a message that
            ended this many connections is put in quarantine.
    """

    url: BrokerUrl
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    window: int = 50
    stall_s: float = 3.0
    connect_s: float = 3.0
    keepalive_s: int = 10
    backoff_min_s: float = 0.1
    backoff_max_s: float = 1.5
    refusals: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.window <= 1000:
            raise ConfigError(f"broker window {self.window} is out of range", "1 to 1000, say 50")
        if self.password and not self.user:
            raise ConfigError("the broker's password is set, its user is not", "set the user too")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ConfigError(f"broker ca_file {self.ca_file} is not a file", "name a PEM file")
        if (self.certificate is None) is not (self.key is None):
            raise ConfigError("the broker's certificate and key belong together", "set both")
        if self.certificate is not None and not self.url.tls:
            raise ConfigError(f"a certificate says nothing to {self.url}", "write mqtts://")
        if self.url.tls:
            self.tls()  # now, rather than in the thread that connects

    def tls(self) -> ssl.SSLContext:
        """What is trusted and who we are, TLS 1.2 or newer; raises ConfigError for a bad file."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"broker ca_file {self.ca_file} can't be used: {error}", "name a PEM file"
            ) from error
        if self.certificate is None:
            return context
        try:
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"broker certificate {self.certificate} with key {self.key} can't be used: {error}",
                "name a PEM certificate, and its own key without a password",
            ) from error
        return context


def settings_of(section: BrokerSection) -> BrokerSettings:
    """The broker's table as whoever connects takes it; reads the password.

    Raises:
        ConfigError: the address is wrong, or a file can't be read.
    """
    return BrokerSettings(
        BrokerUrl.parse(section.url),
        user=section.username or "",
        password=read_password(section.password_file) if section.password_file else "",
        ca_file=section.ca_file,
        certificate=section.certificate,
        key=section.key,
        keepalive_s=section.keepalive_s,
    )


def read_password(path: Path) -> str:
    """The first line of `path`; raises ConfigError if it can't be read, is empty or is others'."""
    try:
        if path.stat().st_mode & 0o007:
            raise ConfigError(
                f"the broker's password in {path} can be read by everybody", f"chmod 600 {path}"
            )
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the broker's password can't be read from {path}: {error}",
            "name a file whose first line is the password",
        ) from error
    if not lines or not lines[0]:
        raise ConfigError(f"the broker's password file {path} is empty", "write it into line 1")
    return lines[0]


def _masked(text: str) -> str:
    """`text` without what stands before an @: it may be a password."""
    before, at, after = text.rpartition("@")
    return f"{before.partition('://')[0]}://…@{after}" if at else text
