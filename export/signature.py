"""Signatures: who made a bundle. Ed25519 over the manifest's bytes, keys as PEM files.

The private key lives on the workstation, readable by its owner only; the box holds public keys.
Knows nothing of what is signed.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from export.errors import SignatureError
from export.verdict import Contract

FOLDER = Path(".linewarden")
PRIVATE_KEY = FOLDER / "signing.key"
PUBLIC_KEY = FOLDER / "signing.pub"

_PEM = serialization.Encoding.PEM
_MAX_KEY_BYTES = 4096


class Signature(Contract):
    """The content of a bundle's manifest.sig."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key whose signatures can be checked."""

    raw: bytes

    @property
    def key_id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the raw public key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signs."""
        return PublicKey(self.key.public_key().public_bytes_raw())

    def sign(self, body: bytes) -> bytes:
        """The bytes of a manifest.sig for `body`."""
        code = base64.b64encode(self.key.sign(body)).decode()
        signature = Signature(key_id=self.public.key_id, signature=code)
        return signature.model_dump_json(indent=2).encode() + b"\n"


def verify(body: bytes, signed: bytes, trusted: Sequence[PublicKey], name: str) -> PublicKey:
    """Check that a trusted key signed `body`.

    Args:
        body: what was signed.
        signed: the bytes of manifest.sig.
        trusted: keys whose signature is believed.
        name: what to call the thing in errors.

    Returns:
        The key that signed.

    Raises:
        SignatureError: unreadable signature, unknown key, or the body isn't what was signed.
    """
    try:
        signature = Signature.model_validate_json(signed)
        code = base64.b64decode(signature.signature, validate=True)
    except ValueError as error:  # not JSON, not our fields, not base64
        raise SignatureError(
            f"the signature of {name} is not a readable Ed25519 signature", "export it again"
        ) from error
    key = next((key for key in trusted if key.key_id == signature.key_id), None)
    if key is None:
        known = ", ".join(key.key_id for key in trusted) or "none"
        raise SignatureError(
            f"{name} is signed by key {signature.key_id}, which is not trusted here "
            f"(trusted: {known})",
            "trust that key's .pub file, or export with a trusted key",
        )
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(code, body)
    except InvalidSignature as error:
        raise SignatureError(
            f"the signature does not match {name}: it was changed after signing, or is damaged",
            "copy the bundle again, or export it again",
        ) from error
    return key


def load_public(path: Path) -> PublicKey:
    """Read a public key from a PEM file; raises SignatureError if it can't be used."""
    try:
        key = serialization.load_pem_public_key(_read(path))
    except ValueError as error:
        raise SignatureError(f"{path} is not a public key in PEM form", _MAKE) from error
    if not isinstance(key, Ed25519PublicKey):
        raise SignatureError(f"{path} holds a key that is not Ed25519", _MAKE)
    return PublicKey(key.public_bytes_raw())


_MAKE = "name the right one; `linewarden export` makes a pair at first: signing.key, signing.pub"


def load_private(path: Path) -> PrivateKey:
    """Read a private key from a PEM file that only its owner may read.

    Raises:
        SignatureError: it can't be read, is no Ed25519 key, or others may read it.
    """
    pem = _read(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SignatureError(
            f"the private key {path} can be read by other users", f"chmod 600 {path}"
        )
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise SignatureError(
            f"{path} is not a private key in PEM form without a password", _MAKE
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureError(f"{path} holds a key that is not Ed25519", _MAKE)
    return PrivateKey(key)


def load_or_make(path: Path) -> tuple[PrivateKey, bool]:
    """The private key at `path`, and whether it was made now, with its .pub beside it."""
    if path.exists():
        return load_private(path), False
    key = PrivateKey(Ed25519PrivateKey.generate())
    pem = key.key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.key.public_key().public_bytes(
        _PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        path.with_suffix(".pub").write_bytes(public)
    except OSError as error:
        raise SignatureError(
            f"the key {path} can't be written: {error.strerror}", "check the folder, or give --key"
        ) from error
    return key, True


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise SignatureError(f"the key {path} can't be read: {error.strerror}", _MAKE) from error
