"""The box's own certificate authority, kept by openssl: one root, a certificate for each account.

A certificate is valid from the year 2000 on, so that a box whose clock has lost its battery still
reaches its broker; revoking is by list, which the broker reads. Keys are P-256 and never leave
root.
"""

import os
import time
from calendar import timegm
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from deploy.box.layout import FILES
from deploy.box.program import InstallError, run, write

BEGIN = "20000101000000Z"
ROOT_YEARS, LEAF_YEARS = 20, 5
RENEW_BEFORE_S = 365 * 86_400
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """The authority in `folder`; what it signs is trusted through `certificate`.

    Args:
        folder: its key, its index and what it has issued; root's alone.
        certificate: where the public part lies.
        revoked: the list of what is no longer valid.
    """

    def __init__(self, folder: Path, certificate: Path, revoked: Path) -> None:
        self._folder, self.certificate, self.revoked = folder, certificate, revoked

    def found(self, name: str) -> bool:
        """Make the root, called `name`, if there is none; returns whether it was made."""
        made = not (self._folder / "ca.pem").exists()  # last of what is made: else it was cut off
        if made:
            (self._folder / "issued").mkdir(parents=True, exist_ok=True)
            (self._folder / "index.txt").touch(mode=0o600)
            self._req(self._folder / "ca.key", self._folder / "root.csr", name)
            self._sign("root.csr", self._folder / "ca.pem", "root", ROOT_YEARS, itself=True)
        if not self.certificate.exists():
            self.certificate.parent.mkdir(parents=True, exist_ok=True)
            write(self.certificate, (self._folder / "ca.pem").read_text(encoding="utf-8"))
        if not self.revoked.exists():
            self._list_revoked()
        return made

    def client(self, name: str, key: Path, certificate: Path) -> bool:
        """See that `name` has a certificate that lasts; returns whether one was made."""
        return self._issue(name, key, certificate, "client")

    def server(self, names: Iterable[str], key: Path, certificate: Path) -> bool:
        """See that a server known by `names` (hosts and addresses) has a certificate that lasts."""
        wanted = sorted({*names})
        return self._issue(wanted[0], key, certificate, "server", wanted)

    def revoke(self, name: str) -> None:
        """Let no certificate that `name` ever had be valid any more; safe to do twice."""
        for serial in self._valid(name):
            self._ca("-revoke", self._folder / "issued" / f"{serial}.pem")
        self._list_revoked()

    def days_left(self, certificate: Path) -> float:
        """Until it ends."""
        said = run("openssl", "x509", "-in", certificate, "-noout", "-enddate").strip()
        end = time.strptime(said.removeprefix("notAfter="), "%b %d %H:%M:%S %Y %Z")
        return (timegm(end) - time.time()) / 86_400

    def _issue(
        self, name: str, key: Path, certificate: Path, kind: str, names: Iterable[str] = ()
    ) -> bool:
        said = ",".join(f"{_kind(one)}:{one}" for one in names)
        if self._lasts(certificate, said) and _belong(key, certificate):
            return False
        request = self._folder / "request.csr"
        fresh = key.with_name(f".{key.name}.new")
        self._req(fresh, request, name)
        self._sign(request.name, certificate, kind, LEAF_YEARS, names=said)
        fresh.replace(key)  # last: a certificate that doesn't fit the key is made again
        return True

    def _lasts(self, certificate: Path, names: str) -> bool:
        """Whether it is this authority's, has these names and a year before it."""
        if not certificate.exists():
            return False
        try:
            run("openssl", "verify", "-CAfile", self.certificate, certificate)
            run("openssl", "x509", "-in", certificate, "-noout", "-checkend", str(RENEW_BEFORE_S))
        except InstallError:
            return False
        told = run("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
        has = {_plain(one) for one in told.replace(",", " ").replace("IP Address:", "IP:").split()}
        return {_plain(one) for one in names.split(",")} - {""} <= has

    def _valid(self, name: str) -> list[str]:
        """The serial numbers of what `name` has and isn't revoked (openssl's index.txt)."""
        index = (self._folder / "index.txt").read_text(encoding="utf-8")
        rows = (line.split("\t") for line in index.splitlines())
        subject = _indexed(f"/O=Linewarden/CN={_common_name(name)}")
        return [serial for state, _, _, serial, _, who in rows if (state, who) == ("V", subject)]

    def _req(self, key: Path, request: Path, name: str) -> None:
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        subject = f"/O=Linewarden/CN={_common_name(name)}"
        where = ("-config", FILES / "authority.cnf", "-subj", subject, "-utf8")
        run(
            "openssl",
            "req",
            "-new",
            *_CURVE,
            "-keyout",
            key,
            "-out",
            request,
            *where,
            env=self._env(),
        )
        key.chmod(0o600)

    def _sign(
        self,
        request: str,
        out: Path,
        kind: str,
        years: int,
        *,
        itself: bool = False,
        names: str = "",
    ) -> None:
        end = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + years * 365.25 * 86_400))
        span = ("-startdate", BEGIN, "-enddate", end)
        signer = ("-selfsign",) if itself else ()
        part = out.with_name(f".{out.name}.new")
        self._ca(
            "-in",
            self._folder / request,
            "-out",
            part,
            "-extensions",
            kind,
            *span,
            *signer,
            "-notext",
            names=names,
        )
        part.chmod(0o644)
        part.replace(out)
        (self._folder / request).unlink()

    def _list_revoked(self) -> None:
        end = time.strftime(
            "%Y%m%d%H%M%SZ", time.gmtime(time.time() + ROOT_YEARS * 365.25 * 86_400)
        )
        part = self.revoked.with_name(f".{self.revoked.name}.new")
        span = ("-crl_lastupdate", BEGIN, "-crl_nextupdate", end)
        self._ca("-gencrl", *span, "-out", part)
        part.chmod(0o644)
        part.replace(self.revoked)

    def _ca(self, *words: str | Path, names: str = "") -> None:
        where = ("openssl", "ca", "-batch", "-config", FILES / "authority.cnf")
        run(*where, *words, env=self._env(names))

    def _env(self, names: str = "") -> dict[str, str]:
        return dict(os.environ) | {"DIR": str(self._folder), "NAMES": names or "DNS:none"}


def _common_name(name: str) -> str:
    return name.replace("/", "-")


def _indexed(subject: str) -> str:
    r"""As openssl's index writes it: what isn't ASCII byte by byte, as \xC3."""
    letters = (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02X}" for byte in subject.encode())
    return "".join(letters)


def _belong(key: Path, certificate: Path) -> bool:
    """Whether a key is there, and that of the certificate."""
    try:
        public = run("openssl", "pkey", "-in", key, "-pubout")
    except InstallError:
        return False
    return public == run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")


def _plain(name: str) -> str:
    """`IP:::1` and `IP:0:0:0:0:0:0:0:1` alike; other names as they are."""
    kind, _, address = name.partition(":")
    return f"IP:{ip_address(address)}" if kind == "IP" else name


def _kind(name: str) -> str:
    try:
        ip_address(name)
    except ValueError:
        return "DNS"
    return "IP"
