"""Fetching a bundle by its digest, from any web server or an OCI registry, over HTTPS.

    https://bundles.example/brackets-2.tar@sha256:…       a tar of the bundle's folder
    oci://registry.example/brackets@sha256:…              an OCI manifest whose one layer is such a
    tar

The digest says what is fetched, so that neither the server nor a proxy can put something else in
its place; who made it is the signature's to say, which is checked before anything lies where it was
asked for (OCI distribution specification 1.1, sections "pulling manifests" and "pulling blobs").
"""

import hashlib
import json
import re
import shutil
import ssl
import tarfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from export.bundle import Bundle, open_bundle, refuse_existing
from export.errors import BundleError, ConfigError
from export.signature import PublicKey

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LARGEST = 2 * 1024**3
LARGEST_MANIFEST = 1024**2
SILENCE_S = 30.0
_CHUNK = 1 << 20
_HERE = ("localhost", "127.0.0.1", "::1")
_PATTERN = re.compile(r"(?P<address>(?:https?|oci)://[^@\s]+)@sha256:(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Reference:
    """What to fetch: an address, and the SHA-256 that says it is that."""

    address: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read ADDRESS@sha256:DIGEST; raises ConfigError."""
        found = _PATTERN.fullmatch(text)
        if not found:
            raise ConfigError(
                f"{text!r} names no bundle by its digest",
                "https://HOST/FILE.tar@sha256:… or oci://HOST/NAME@sha256:…",
            )
        reference = cls(found["address"], found["digest"])
        if urlsplit(reference.address).scheme == "http" and not _here(reference.address):
            raise ConfigError(f"{reference.address} is not encrypted", "https://")
        return reference


class _SafeRedirect(urllib.request.HTTPRedirectHandler):
    """Follows to HTTPS alone."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917 - as Python's own
        if not (newurl.startswith("https://") or _here(newurl)):
            raise BundleError(
                f"the server sends us to {newurl}, which is not encrypted", "ask its owner"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Fetcher:
    """Fetches over HTTPS.

    Args:
        ca_file: certificates to trust instead of the system's.
        told: called with (bytes so far, bytes in all or 0).
    """

    def __init__(
        self, ca_file: Path | None = None, told: Callable[[int, int], None] | None = None
    ) -> None:
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{ca_file} can't be used: {error}", "name a PEM file") from error
        secure = urllib.request.HTTPSHandler(context=context)
        self._opener = urllib.request.build_opener(secure, _SafeRedirect())
        self._told = told or _nobody

    def fetch(self, reference: Reference, out: Path, keys: list[PublicKey]) -> Bundle:
        """Have the bundle at `out`, verified; nothing is there if that fails.

        Raises:
            BundleError, SignatureError: it can't be had, isn't what the digest says, or isn't to be
                trusted.
        """
        refuse_existing(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        part, tar = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.tar")
        try:
            self._tar(reference, tar)
            unpack(tar, part)
            open_bundle(part, keys)
            part.replace(out)
        finally:
            tar.unlink(missing_ok=True)
            shutil.rmtree(part, ignore_errors=True)
        return open_bundle(out, keys)

    def _tar(self, reference: Reference, to: Path) -> None:
        parts = urlsplit(reference.address)
        if parts.scheme != "oci":
            self._download(reference.address, reference.digest, to, LARGEST)
            return
        scheme = "http" if parts.hostname in _HERE and parts.port else "https"
        base = f"{scheme}://{parts.netloc}/v2{parts.path}"
        self._download(
            f"{base}/manifests/sha256:{reference.digest}",
            reference.digest,
            to,
            LARGEST_MANIFEST,
            MANIFEST,
        )
        try:
            (layer,) = json.loads(to.read_bytes())["layers"]
            kind, _, digest = layer["digest"].partition(":")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                f"{reference.address} is no manifest with one layer: {error!r}",
                "push the bundle's tar alone",
            ) from error
        if kind != "sha256" or not re.fullmatch("[0-9a-f]{64}", digest):
            raise BundleError(
                f"{reference.address}: the layer's digest is {layer['digest']!r}", "SHA-256"
            )
        self._download(f"{base}/blobs/sha256:{digest}", digest, to, LARGEST)

    def _download(
        self, address: str, digest: str, to: Path, largest: int, accept: str = "*/*"
    ) -> None:
        request = urllib.request.Request(address, headers={"Accept": accept})  # noqa: S310 - HTTPS, see parse
        try:
            with self._opener.open(request, timeout=SILENCE_S) as answer, to.open("wb") as file:
                found = self._copied(answer, file, address, largest)
        except (HTTPError, URLError, OSError, HTTPException, ValueError) as error:
            raise BundleError(
                f"{address} can't be fetched: {error}", "check address, network and certificate"
            ) from error
        if found != digest:
            raise BundleError(
                f"{address} is not what was asked for: its SHA-256 is {found}, not {digest}",
                "ask for the digest of what is there, if you trust who put it there",
            )

    def _copied(self, answer: IO[bytes], file: IO[bytes], address: str, largest: int) -> str:
        size = int(getattr(answer, "headers", {}).get("Content-Length") or 0)
        digest, done = hashlib.sha256(), 0
        while chunk := answer.read(_CHUNK):
            done += len(chunk)
            if done > largest:
                raise BundleError(f"{address} is larger than {largest} bytes", "no bundle is")
            digest.update(chunk)
            file.write(chunk)
            self._told(done, size)
        return digest.hexdigest()


def unpack(tar: Path, to: Path) -> None:
    """Unpack plain files and folders, and nothing that would lie elsewhere; raises BundleError.

    A tar of the bundle's folder comes out as one of what is in it.
    """
    shutil.rmtree(to, ignore_errors=True)
    room = LARGEST
    try:
        with tarfile.open(tar) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if (
                    name.is_absolute()
                    or ".." in name.parts
                    or not (member.isreg() or member.isdir())
                ):
                    raise BundleError(
                        f"the tar holds {member.name!r}, which no bundle has",
                        "tar the folder's content",
                    )
                at = to.joinpath(*name.parts)
                room -= member.size
                if room < 0:
                    raise BundleError(
                        f"what the tar holds is larger than {LARGEST} bytes", "no bundle is"
                    )
                if member.isdir():
                    at.mkdir(parents=True, exist_ok=True)
                    continue
                at.parent.mkdir(parents=True, exist_ok=True)
                with archive.extractfile(member) as source, at.open("xb") as file:  # type: ignore[union-attr]
                    shutil.copyfileobj(source, file, _CHUNK)
        _lift(to)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BundleError(
            f"the tar can't be unpacked: {error}", "tar -C BUNDLE -cf FILE.tar ."
        ) from error


def _lift(to: Path) -> None:
    """Where all lies in one folder, that folder takes the place of the one around it."""
    inside = list(to.iterdir()) if to.exists() else []
    if len(inside) == 1 and inside[0].is_dir():
        lifted = to.with_name(f"{to.name}.lifted")
        shutil.rmtree(lifted, ignore_errors=True)
        inside[0].rename(lifted)
        to.rmdir()
        lifted.rename(to)


def _here(address: str) -> bool:
    return urlsplit(address).hostname in _HERE


def _nobody(_done: int, _size: int) -> None: ...
