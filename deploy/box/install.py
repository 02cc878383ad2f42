"""Installing and upgrading: the same steps, safe to take twice; what is as it should be stays.

The new release is built beside the old one and must reproduce the golden samples of the bundles in
use while the old one still judges. Then one link is renamed and the services start anew. If they
don't come up, or don't stay up, the link goes back and so do the units.
"""

import re
import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from deploy.box import machine
from deploy.box.accounts import Accounts
from deploy.box.authority import Authority
from deploy.box.layout import ASSISTANT, BROKER, CONSOLE, FILES, GATEWAY, LINE, Layout
from deploy.box.line import Line, Sight
from deploy.box.program import InstallError, run, write
from deploy.box.releases import Releases, Source
from deploy.box.rights import Account, Role
from deploy.box.services import Services

PORT = 8883
HERE, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - only compared
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
CHAIN = (  # the accounts that every box has, and whose they are
    ("box", Role.BOX, LINE),
    ("console", Role.CONSOLE, CONSOLE),
    ("assistant", Role.ASSISTANT, ASSISTANT),
    ("gateway", Role.GATEWAY, GATEWAY),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for.

    Attributes:
        source: what to install.
        prefix: the box's topic prefix; '' keeps what the settings say.
        listen: the address that broker and console listen on; '' keeps the broker's, at first
            this box only.
        networks: that the services may speak to besides the box; None leaves it as it is.
        sight: the first camera; None: as the settings have it, at first the virtual one.
        bundle, key: judge with this bundle, signed by this key; None: later, with `arm`.
        names: further names and addresses by which the box is known.
        untested: go on where nobody has tried it.
    """

    source: Source
    prefix: str = ""
    listen: str = ""
    networks: tuple[str, ...] | None = None
    sight: Sight | None = None
    bundle: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()
    untested: bool = False

    def __post_init__(self) -> None:
        for one in (self.listen or HERE, *self.names):
            if not (_HOST.fullmatch(one) or _is_address(one)):
                raise InstallError(f"{one!r} is no name or address of a host", "as in box1.example")
        for one in self.networks or ():
            if one not in ("any", "link-local", "multicast") and not _is_network(one):
                raise InstallError(f"--network {one!r} is none", "as in 192.168.1.0/24")


class Box:
    """A box, installed or to be."""

    def __init__(self, layout: Layout, services: Services, tell: "Tell") -> None:
        self.layout, self.services, self._tell = layout, services, tell
        self.releases = Releases(layout.opt)
        self.authority = Authority(
            layout.etc / "authority", layout.tls / "ca.pem", layout.tls / "revoked.pem"
        )
        self.accounts = Accounts(layout, self.authority)
        self.line = Line(layout, self.releases)

    def install(self, wish: Wish) -> None:
        """Do all that `wish` asks for and isn't done yet; raises InstallError, having gone back."""
        for said in machine.check(
            machine.os_release(), machine.platform.machine(), untested=wish.untested
        ):
            self._tell("machine", said)
        self.line.agree(wish.prefix)
        was_ready = not self.services.ready() if self.line.armed() else False
        built = self.releases.build(wish.source)
        self._tell("program", f"release {built} in {self.releases.path(built)}")
        self._system()
        stale = self._identity(wish) | self._settings(wish)
        if wish.bundle and wish.key:
            stale |= {LINE} if self.line.take(wish.bundle, wish.key, built) else set()
            self._tell("bundle", f"{wish.bundle} is signed by {wish.key}")
        elif self.line.armed():
            self.line.prove(built)
        if self.line.armed():
            self._tell("golden samples", f"release {built} answers them as it must")
        self._begin(built, stale, wish.networks, ready=was_ready or bool(wish.bundle))

    def roll_back(self, to: str = "") -> str:
        """Have `to`, or else the release before, run again; returns its name.

        The release before must read the settings and answer the golden samples: raises
        InstallError, having changed nothing, if it doesn't.
        """
        before = self.releases.previous()
        if not to and self.line.armed() and self.releases.complete(before):
            self.line.prove(before)
        name = self.releases.go_back(to)
        self.services.place(self.releases.path(name) / "share/deploy/box/files")
        self.services.restart(*self._running(), *self.services.asked_for())
        if why := self.services.settled(*self._running()):
            raise InstallError(
                f"release {name} doesn't start either: {why}", "linewarden-box status"
            )
        self.layout.trial.unlink(missing_ok=True)
        return name

    def _begin(
        self, built: str, stale: set[str], networks: Iterable[str] | None, *, ready: bool
    ) -> None:
        """Switch to the release and start what has to start anew."""
        before, trial = self._proven(), self.layout.trial
        if before and before != built:
            write(
                trial, f"{before}\n"
            )  # a power cut from here on: linewarden-guard.service goes back
        try:
            why = self._switch(built, before, stale, networks, ready=ready)
        except (InstallError, OSError) as error:
            if before in ("", built):
                raise
            why = str(error)
        if not why:
            trial.unlink(missing_ok=True)
            return
        if before in ("", built):
            raise InstallError(
                f"release {built} doesn't start: {why}", "mend it and run the installer again"
            )
        self._tell("services", f"release {built} doesn't start: back to {before}")
        self.roll_back(before)
        raise InstallError(
            f"release {built} doesn't start: {why}\n  {before} runs again",
            "nothing was lost; report the above",
        )

    def _proven(self) -> str:
        """The release to go back to; '' if there is none.

        That is the one before a switch that was cut off, else the one that runs.
        """
        names = (self.layout.cut_off(), self.releases.current())
        return next((name for name in names if name and self.releases.complete(name)), "")

    def _switch(
        self,
        built: str,
        before: str,
        stale: set[str],
        networks: Iterable[str] | None,
        *,
        ready: bool,
    ) -> str:
        """Have `built` run; returns why it doesn't, '' if it does."""
        changed = set(self.services.place(FILES, networks)) | stale
        self.releases.switch(built)
        self._command()
        self.services.enable()
        if not self.services.live:
            self._tell("services", "systemd doesn't run here: they start with the machine")
            return ""
        units = self._running()
        again = [
            unit
            for unit in units
            if unit in changed
            or self.services.state(unit) != "active"
            or (before != built and unit != BROKER)
        ]
        self.services.restart(*again)
        why = self.services.settled(*units, ready=ready and self.line.armed())
        if not why:
            again += self._asked_for(changed, anew=before != built)
            self._tell(
                "services", f"{', '.join(units)} run; started anew: {', '.join(again) or 'none'}"
            )
        return why

    def _asked_for(self, changed: set[str], *, anew: bool) -> list[str]:
        """Start assistant and gateway anew where that is due; nothing goes back for them."""
        due = [unit for unit in self.services.asked_for() if anew or unit in changed]
        self.services.restart(*due)
        return due

    def _running(self) -> list[str]:
        return [BROKER, CONSOLE, *([LINE] if self.line.armed() else [])]

    def _command(self) -> None:
        write(self.layout.wrapper, (FILES / "wrapper.sh").read_text(encoding="utf-8"), 0o755)

    def _system(self) -> None:
        """Users, folders, camera rights, limits of the log."""
        changed = [
            name
            for name, path in self.layout.placed.items()
            if write(path, (FILES / name).read_text(encoding="utf-8"))
        ]
        run("systemd-sysusers", self.layout.placed["sysusers.conf"])
        run("systemd-tmpfiles", "--create", self.layout.placed["tmpfiles.conf"])
        if "camera.rules" in changed and self.services.live and Path("/run/udev/control").exists():
            run("udevadm", "control", "--reload")
        self._tell("system", f"users, folders, rights: {', '.join(changed) or 'as they were'}")

    def _identity(self, wish: Wish) -> set[str]:
        """Authority, certificates, accounts; returns the services that must start anew for it."""
        here = socket.gethostname()
        if self.authority.found(f"Linewarden authority of {here}"):
            self._tell("authority", f"made: {self.authority.certificate}")
        names = {"localhost", "127.0.0.1", here, *wish.names}
        names |= {self._listen(wish)} - {"0.0.0.0", "::"}  # noqa: S104 - each is named with --name
        secrets, tls = self.layout.secrets, self.layout.tls
        stale: set[str] = set()
        if self.authority.server(names, secrets / "server.key", tls / "server.pem"):
            stale.add(BROKER)
        if self.authority.server(names, secrets / "web.key", tls / "web.pem"):
            stale.add(CONSOLE)
        prefix = self.line.agree(wish.prefix)
        known = {one.name: one for one in self.accounts.all()}
        for name, role, unit in CHAIN:
            if self.accounts.certify(name):
                stale.add(unit)
            if known.get(name) != Account(name, role, prefix):
                self.accounts.add(Account(name, role, prefix))
                self.services.reload_broker()
        if self.accounts.settle():  # cut off before the rights were written
            self.services.reload_broker()
        self._tell("accounts", f"{len(self.accounts.all())} at the broker, each with a certificate")
        return stale

    def _settings(self, wish: Wish) -> set[str]:
        """The broker's settings, and the box's if there are none; returns what must start anew."""
        listen, at = self._listen(wish), self.layout.broker
        changed = write(at, broker_conf(listen), 0o640)
        shutil.chown(at, group=at.parent.stat().st_gid)
        if self.line.settle(wish.prefix, listen, PORT, wish.sight or Sight()):
            self._tell("settings", f"{self.layout.settings}: made; yours from now on")
        else:
            self._kept(wish)
        return {BROKER} if changed else set()

    def _kept(self, wish: Wish) -> None:
        """Say what was asked for and is not as the settings have it: they are a person's."""
        if wish.listen not in ("", self.line.console()):
            said = f"the console stays at {self.line.console()}: they are yours, [console] host"
            self._tell("settings", said)
        if wish.sight and not self.line.sees(wish.sight):
            said = f"--camera {wish.sight.what} changes nothing: they are yours"
            self._tell("settings", f"{said}, [cameras.{wish.sight.camera}] source")

    def _listen(self, wish: Wish) -> str:
        """The address to listen on: asked for, or as the broker has it, or this box only."""
        if wish.listen or not self.layout.broker.exists():
            return wish.listen or HERE
        lines = self.layout.broker.read_text(encoding="utf-8").splitlines()
        told = (line.split() for line in lines if line.startswith("listener "))
        return next((words[2] for words in told if len(words) == 3), HERE)


def broker_conf(listen: str) -> str:
    """Mosquitto's settings; the box's own services come by loopback, whatever `listen` is."""
    text = (FILES / "broker/mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("{port}", str(PORT))
    start, end = text.index("listener "), text.index("allow_anonymous ")
    own = "" if listen in (HERE, "localhost", EVERYWHERE) else text[start:end]
    return (text[:end] + own.replace("{listen}", HERE) + text[end:]).replace("{listen}", listen)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


class Tell:
    """Says what was done, a line each."""

    def __call__(self, what: str, said: str) -> None:
        """One line."""
        print(f"{what:<15} {said}", flush=True)
