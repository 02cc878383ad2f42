"""The box's own certificate authority, kept by openssl: one root, a certificate for each account.

A certificate is valid from the year 2000 on, so that a box whose clock has lost its battery still
reaches its broker; revoking is by list, which the broker reads. Keys are P-256 and never leave
root.
"""

import os
import shutil
import time
from calendar import timegm
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from deploy.box.layout import FILES
from deploy.box.program import InstallError, run

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
        made = not (self._folder / "ca.key").exists()
        if made:
            (self._folder / "issued").mkdir(parents=True, exist_ok=True)
            (self._folder / "index.txt").touch(mode=0o600)
            self._req(self._folder / "ca.key", self._folder / "root.csr", name)
            self._sign("root.csr", self._folder / "ca.pem", "root", ROOT_YEARS, itself=True)
        if not self.certificate.exists():
            self.certificate.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._folder / "ca.pem", self.certificate)
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

    def revoke(self, certificate: Path) -> None:
        """Let `certificate` be valid no more."""
        self._ca("-revoke", certificate)
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
        if key.exists() and self._lasts(certificate, said):
            return False
        request = self._folder / "request.csr"
        fresh = key.with_name(f".{key.name}.new")
        self._req(fresh, request, name)
        self._sign(request.name, certificate, kind, LEAF_YEARS, names=said)
        fresh.replace(key)  # last: a certificate without its key is made again
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
        has = set(told.replace("IP Address:", "IP:").replace(",", " ").split())
        return set(names.split(",")) - {""} <= has

    def _req(self, key: Path, request: Path, name: str) -> None:
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        subject = f"/O=Linewarden/CN={name.replace('/', '-')}"
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


def _kind(name: str) -> str:
    try:
        ip_address(name)
    except ValueError:
        return "DNS"
    return "IP"
