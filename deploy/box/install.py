"""Installing and upgrading: the same steps, safe to take twice; what is as it should be stays.

The new release is built beside the old one and must reproduce the golden samples of the bundles in
use while the old one still judges. Then one link is renamed and the services start anew. If they
don't come up, or don't stay up, the link goes back and so do the units.
"""

import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
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
        listen: the address that broker and console listen on.
        networks: that the services may speak to besides the box; None leaves it as it is.
        sight: the first camera.
        bundle, key: judge with this bundle, signed by this key; None: later, with `arm`.
        names: further names and addresses by which the box is known.
        untested: go on where nobody has tried it.
    """

    source: Source
    prefix: str = ""
    listen: str = "127.0.0.1"
    networks: tuple[str, ...] | None = None
    sight: Sight = field(default_factory=Sight)
    bundle: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()
    untested: bool = False


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
        was_ready = not self.services.ready() if self.line.armed() else False
        built = self.releases.build(wish.source)
        self._tell("program", f"release {built} in {self.releases.path(built)}")
        self._system()
        stale = self._identity(wish) | self._settings(wish)
        if wish.bundle and wish.key:
            stale |= {LINE} if self.line.take(wish.bundle, wish.key, built) else set()
            self._tell("bundle", f"{wish.bundle} is signed by {wish.key}")
        if self.line.armed():
            self.line.prove(built)
            self._tell("golden samples", f"release {built} answers them as it must")
        self._begin(built, stale, wish.networks, ready=was_ready or bool(wish.bundle))

    def roll_back(self) -> str:
        """Have the release before run again; returns its name."""
        name = self.releases.go_back()
        self.services.place(self.releases.path(name) / "share/deploy/box/files")
        self.services.restart(*self._running(), *self.services.asked_for())
        if why := self.services.settled(*self._running()):
            raise InstallError(
                f"release {name} doesn't start either: {why}", "linewarden-box status"
            )
        return name

    def _begin(
        self, built: str, stale: set[str], networks: Iterable[str] | None, *, ready: bool
    ) -> None:
        """Switch to the release and start what has to start anew."""
        before = self.releases.current()
        trial = self.layout.opt / "trial"
        if before and before != built:
            write(
                trial, f"{before}\n"
            )  # a power cut from here on: linewarden-guard.service goes back
        changed = set(self.services.place(FILES, networks)) | stale
        self.releases.switch(built)
        self._command()
        if not self.services.live:
            trial.unlink(missing_ok=True)
            self._tell("services", "systemd doesn't run here: they start with the machine")
            return
        self.services.enable()
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
        trial.unlink(missing_ok=True)
        if not why:
            again += self._asked_for(changed, anew=before != built)
            self._tell(
                "services", f"{', '.join(units)} run; started anew: {', '.join(again) or 'none'}"
            )
            return
        if not before or before == built:
            raise InstallError(
                f"release {built} doesn't start: {why}", "mend it and run the installer again"
            )
        self._tell("services", f"release {built} doesn't start: back to {before}")
        self.roll_back()
        raise InstallError(
            f"release {built} doesn't start: {why}\n  {before} runs again",
            "nothing was lost; report the above",
        )

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
        names |= {wish.listen} - {"0.0.0.0", "::"}  # noqa: S104 - each is named with --name
        secrets, tls = self.layout.secrets, self.layout.tls
        stale: set[str] = set()
        if self.authority.server(names, secrets / "server.key", tls / "server.pem"):
            stale.add(BROKER)
        if self.authority.server(names, secrets / "web.key", tls / "web.pem"):
            stale.add(CONSOLE)
        prefix = wish.prefix or self.line.prefix()
        if not prefix:
            raise InstallError(
                "the box has no topic prefix yet", "--prefix enterprise/site/area/line/cell"
            )
        known = {one.name: one for one in self.accounts.all()}
        for name, role, unit in CHAIN:
            if self.accounts.certify(name):
                stale.add(unit)
            if known.get(name) != Account(name, role, prefix):
                self.accounts.add(Account(name, role, prefix))
                self.services.reload_broker()
        self._tell("accounts", f"{len(self.accounts.all())} at the broker, each with a certificate")
        return stale

    def _settings(self, wish: Wish) -> set[str]:
        """The broker's settings, and the box's if there are none; returns what must start anew."""
        conf = (FILES / "broker/mosquitto.conf").read_text(encoding="utf-8")
        at = self.layout.etc / "broker/mosquitto.conf"
        changed = write(
            at, conf.replace("{port}", str(PORT)).replace("{listen}", wish.listen), 0o640
        )
        shutil.chown(at, group=at.parent.stat().st_gid)
        if self.line.settle(wish.prefix, wish.listen, PORT, wish.sight):
            self._tell("settings", f"{self.layout.settings}: made; yours from now on")
        return {BROKER} if changed else set()


class Tell:
    """Says what was done, a line each."""

    def __call__(self, what: str, said: str) -> None:
        """One line."""
        print(f"{what:<15} {said}", flush=True)
