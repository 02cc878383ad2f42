"""Keys stay private, and only what was signed verifies."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from export import signature
from export.errors import SignatureError
from export.signature import PrivateKey

KEY = PrivateKey(Ed25519PrivateKey.generate())


def test_first_use_makes_a_private_pair(tmp_path: Path):
    """The key made on first use is readable by its owner only, and loads again the same."""
    path = tmp_path / "deep" / "signing.key"
    key, made = signature.load_or_make(path)
    again, made_again = signature.load_or_make(path)
    assert (made, made_again) == (True, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert again.public == key.public == signature.load_public(path.with_suffix(".pub"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int):
    """A private key that others may read is refused, saying chmod 600."""
    path = tmp_path / "signing.key"
    signature.load_or_make(path)
    path.chmod(mode)
    with pytest.raises(SignatureError, match="chmod 600"):
        signature.load_or_make(path)


def test_what_is_no_key_is_refused(tmp_path: Path):
    """A missing file, text, a public key, or another algorithm is refused as a key."""
    path = tmp_path / "signing.key"
    with pytest.raises(SignatureError, match="can't be read"):
        signature.load_public(path)
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for body in (b"", b"hello", pem):
        path.write_bytes(body)
        path.chmod(0o600)
        with pytest.raises(SignatureError, match=r"signing\.key"):
            signature.load_private(path)
        with pytest.raises(SignatureError, match=r"signing\.key"):
            signature.load_public(path)
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    path.write_bytes(public)
    with pytest.raises(SignatureError, match="not Ed25519"):
        signature.load_public(path)


@given(body=st.binary(max_size=100), other=st.binary(max_size=100))
def test_only_what_was_signed_verifies(body: bytes, other: bytes):
    """The body verifies; any other body doesn't."""
    signed = KEY.sign(body)
    assert signature.verify(body, signed, [KEY.public], "it") == KEY.public
    if other != body:
        with pytest.raises(SignatureError, match="does not match"):
            signature.verify(other, signed, [KEY.public], "it")


@given(signed=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_no_bytes_make_a_signature(signed: bytes):
    """Whatever stands in manifest.sig, the answer is a SignatureError, never another."""
    with pytest.raises(SignatureError):
        signature.verify(b"body", signed, [KEY.public], "it")


@pytest.mark.parametrize("code", ["é", "====", "not base64!", "QUJD"])
def test_a_code_that_is_no_signature_is_refused(code: str):
    """A trusted key's name in front of nonsense is refused in the same words."""
    told = signature.Signature(key_id=KEY.public.key_id, signature=code)
    with pytest.raises(SignatureError):
        signature.verify(b"body", told.model_dump_json().encode(), [KEY.public], "it")
