"""The line itself: its settings, its bundle, and the proof that a release judges as it must."""

import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.box.layout import FILES, Layout
from deploy.box.program import InstallError, run, write
from deploy.box.releases import Releases

USER = "linewarden"
_NAME = re.compile(r"[A-Za-z0-9_-]+")  # a bare key of TOML
_VARIABLE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")  # a part of a variable's name


@dataclass(frozen=True, slots=True)
class Sight:
    """The first camera: `virtual`, `device:N`, or an address such as `rtsp://…`."""

    camera: str = "top"
    what: str = "virtual"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.camera):
            raise InstallError(
                f"{self.camera!r} can't be a camera's name", "letters, digits, - and _"
            )
        if not self.what.isprintable():
            raise InstallError(f"--camera {self.what!r} is no camera", "write it on one line")

    def source(self) -> str:
        """As a table of the settings; an address's password is left out."""
        kind, _, rest = self.what.partition(":")
        if self.what == "virtual":
            return '{ kind = "virtual", seed = 1, parts = 100000, designs = ["bracket"] }'
        if kind == "device" and rest.isdigit():
            return f'{{ kind = "device", index = {int(rest)} }}'
        if urlsplit(self.what).hostname:
            who, at, _ = urlsplit(self.what).netloc.rpartition("@")
            bare = self.what.replace(f"{who}{at}", "", 1) if at else self.what
            return f'{{ kind = "stream", url = "{_escaped(bare)}" }}'
        raise InstallError(
            f"--camera {self.what!r} is no camera", "virtual, device:0, or rtsp://HOST/PATH"
        )

    def secret(self) -> str:
        """The address with its password, as a variable that overrides the settings; '' without."""
        if "@" not in urlsplit(self.what).netloc:
            return ""
        if not _VARIABLE.fullmatch(self.camera):
            said = f"the password of the camera {self.camera!r} can't be handed to the line"
            raise InstallError(said, "--camera-name: small letters, digits and single _")
        key = f"LINEWARDEN__CAMERAS__{self.camera.upper()}__SOURCE__URL"
        return f'{key}="{_escaped(self.what)}"\n'


def appliance(prefix: str, listen: str, port: int, sight: Sight) -> str:
    """A box's settings."""
    text = (FILES / "appliance.toml").read_text(encoding="utf-8")
    told = {
        "prefix": _escaped(prefix), "listen": listen, "port": str(port), "camera": sight.camera,
        "trigger": '{ kind = "gate" }', "source": sight.source(),
    }  # fmt: skip
    for key, value in told.items():
        text = text.replace(f"{{{key}}}", value)
    return text


class Line:
    """What the box's line is told, below `layout`."""

    def __init__(self, layout: Layout, releases: Releases) -> None:
        self._layout, self._releases = layout, releases

    def armed(self) -> bool:
        """Whether it has a bundle."""
        return self._layout.armed.exists()

    def prefix(self) -> str:
        """The box's topic prefix; '' without settings."""
        return str(self._told().get("station", {}).get("prefix", ""))

    def console(self) -> str:
        """The address that the settings have the console listen on; '' if they don't say."""
        return str(self._told().get("console", {}).get("host", ""))

    def agree(self, prefix: str) -> str:
        """The topic prefix: `prefix`, or the settings' if that is ''; raises if they differ."""
        told = self.prefix()
        if prefix and told and prefix != told:
            said = f"the settings say {told!r}, --prefix says {prefix!r}"
            raise InstallError(said, f"change station.prefix in {self._layout.settings}")
        if not (prefix or told):
            raise InstallError(
                "the box has no topic prefix yet", "--prefix enterprise/site/area/line/cell"
            )
        return prefix or told

    def settle(self, prefix: str, listen: str, port: int, sight: Sight) -> bool:
        """Write settings if there are none, for the line to read and no stranger."""
        made = not self._layout.settings.exists()
        if made:
            text = appliance(prefix, listen, port, sight)
            if secret := sight.secret():
                write(self._layout.secrets / "line.env", secret, 0o600)
            write(self._layout.settings, text, 0o640)
        shutil.chown(self._layout.settings, group=USER)
        return made

    def take(self, bundle: Path, key: Path, release: str) -> bool:
        """Have every camera judge by `bundle`, signed by `key`; returns if it is another.

        Raises:
            InstallError: it isn't signed by `key`, or `release` doesn't answer its golden samples;
                what was there lies there again.
        """
        program = self._releases.path(release) / "bin/linewarden"
        run(
            program,
            "bundle",
            "verify",
            bundle,
            "--key",
            key,
            remedy="the bundle was left as it was",
        )
        trusted = self._layout.etc / "trust/line.pub"
        before = trusted.read_text(encoding="utf-8") if trusted.exists() else ""
        another = write(trusted, key.read_text(encoding="utf-8"))
        places = {Path(camera["bundle"]) for camera in self._told()["cameras"].values()}
        new = [at for at in sorted(places) if replaced(bundle, at, keep=True)]
        try:
            self.prove(release)
        except InstallError:
            for at in new:
                _put_back(at)
            write(trusted, before) if before else trusted.unlink()
            raise
        for at in new:
            shutil.rmtree(_old(at), ignore_errors=True)
        self._layout.armed.touch()
        return another or bool(new)

    def prove(self, release: str) -> None:
        """See that `release` reads the settings and answers every golden sample."""
        program = self._releases.path(release) / "bin/linewarden"
        as_user = (
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--init-groups",
            "--no-new-privs",
        )
        where = ("env", "-C", self._layout.var / "empty")
        told = ("run", "--config", self._layout.settings, "--check")
        try:
            run(*as_user, *where, program, *told)
        except InstallError as error:
            said = f"release {release} fails the golden self-test: {error.problem}"
            raise InstallError(
                said, "nothing was changed; the line goes on with what it had"
            ) from error

    def wrong(self, release: str) -> str:
        """What `release` finds wrong with the settings; '' if it can read them."""
        program = self._releases.path(release) / "bin/linewarden"
        try:
            run(program, "config", "check", self._layout.settings)
        except InstallError as error:
            return error.problem.partition("\n")[2] or error.problem
        return ""

    def sees(self, sight: Sight) -> bool:
        """Whether the settings have that camera."""
        camera = self._told().get("cameras", {}).get(sight.camera, {})
        return camera.get("source") == tomllib.loads(f"source = {sight.source()}")["source"]

    def _told(self) -> dict[str, Any]:
        if not self._layout.settings.exists():
            return {}
        try:
            with self._layout.settings.open("rb") as file:
                return tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise InstallError(
                f"{self._layout.settings} is not TOML: {error}", "mend that line"
            ) from error


def replaced(bundle: Path, to: Path, *, keep: bool = False) -> bool:
    """Have a copy of a bundle at `to`, whole or not at all; returns whether it is another one.

    `keep`: the one before stays beside it, hidden.
    """
    signature = "manifest.sig"
    if (to / signature).exists() and (to / signature).read_bytes() == (
        bundle / signature
    ).read_bytes():
        return False
    new, old = to.with_name(f".{to.name}.new"), _old(to)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(bundle, new)
    for at in (new, *new.rglob("*")):
        at.chmod(0o755 if at.is_dir() else 0o644)
    if to.exists():
        to.replace(old)
    new.replace(to)
    if not keep:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _old(to: Path) -> Path:
    return to.with_name(f".{to.name}.old")


def _put_back(to: Path) -> None:
    """Undo `replaced`."""
    shutil.rmtree(to)
    if _old(to).exists():
        _old(to).replace(to)


def _escaped(text: str) -> str:
    """As it stands between double quotes, in TOML and in systemd's files of variables."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
