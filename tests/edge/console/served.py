"""A console over a plant, served on a real port, by a thread; with TLS where that is asked for."""

import datetime as dt
import ipaddress
import threading
import time
from contextlib import contextmanager

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.console.accounts.roles import Role
from edge.console.desk import Desk
from edge.console.web.app import application
from edge.console.web.live import drawer
from tests.broker import free_port


def certificate(folder):
    """A certificate that signs itself, for 127.0.0.1; (PEM, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, private = folder / "box.pem", folder / "box.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption()))  # fmt: skip
    return pem, private


class Served:
    """A console that answers at `url`."""

    def __init__(self, desk, url):
        self.desk, self.url = desk, url

    def token(self, role=Role.ENGINEER, name="workstation"):
        """A machine's."""
        return self.desk.book.make_token("test", f"{name} {role.word} {time.monotonic_ns()}", role)


@contextmanager
def served(plant, tls=None):
    """The plant's console, until the end."""
    port = free_port()
    desk = Desk(plant.appliance, drawer)
    pem, key = tls or (None, None)
    config = uvicorn.Config(
        application(desk), port=port, log_level="error", server_header=False, ssl_certfile=pem,
        ssl_keyfile=key, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    desk.shelf.look()
    try:
        yield Served(desk, f"{'https' if tls else 'http'}://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(10)
