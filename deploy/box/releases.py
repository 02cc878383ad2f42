"""Releases beside each other, and the link that says which one runs.

A release is a virtualenv of its own, built where it will stay, complete once its stamp is written.
To switch is to rename one symbolic link, which is atomic (rename(2)); the one before is remembered.
"""

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.box.program import InstallError, on_disk, run

ROLES = "edge,console,assistant,modbus,gpio,oidc,sparkplug,opcua"
SUMS = "SHA256SUMS"
KEPT = 3
_STAMP = ".complete"
_NO_NETWORK = "without a network: --wheelhouse FOLDER, which `make wheelhouse` fills elsewhere"
_SHARED = ("deploy", "docs", "requirements")


@dataclass(frozen=True, slots=True)
class Source:
    """What a release is made from.

    Attributes:
        tree: the unpacked project.
        wheelhouse: a folder with every wheel and SHA256SUMS (`make wheelhouse`), so that no network
            is needed; None: PyPI, at the pinned versions.
    """

    tree: Path
    wheelhouse: Path | None = None

    @property
    def constraints(self) -> Path:
        """The pinned versions."""
        return self.tree / "requirements/box.txt"

    def identity(self) -> str:
        """The release's name: version and a digest of what it would hold."""
        digest = hashlib.sha256()
        for path in self._parts():
            digest.update(f"{path.name}\0".encode() + path.read_bytes())
        return f"{self._version()}-{digest.hexdigest()[:8]}"

    def check(self) -> None:
        """Refuse a tree that isn't ours and a wheelhouse that isn't whole; raises InstallError."""
        if not self.constraints.is_file():
            raise InstallError(
                f"{self.tree} isn't Linewarden's tree", "run install.sh from its own folder"
            )
        if self.wheelhouse is None:
            return
        sums = self.wheelhouse / SUMS
        if not sums.is_file():
            raise InstallError(f"there is no {sums}", "make the wheelhouse with: make wheelhouse")
        lines = [line.split() for line in sums.read_text(encoding="utf-8").splitlines()]
        if odd := [words for words in lines if len(words) not in (0, 2)]:
            raise InstallError(
                f"{sums} says {' '.join(odd[0])!r}: no sum of a file", "make it again"
            )
        listed = {words[1]: words[0] for words in lines if words}
        for wheel in sorted(self.wheelhouse.glob("*.whl")):
            if listed.pop(wheel.name, None) != hashlib.sha256(wheel.read_bytes()).hexdigest():
                raise InstallError(f"{wheel} isn't the file that {SUMS} speaks of", "copy it again")
        if listed:
            raise InstallError(
                f"{self.wheelhouse} lacks {', '.join(sorted(listed))}", "copy it again"
            )

    def _version(self) -> str:
        for line in (self.tree / "export/__init__.py").read_text(encoding="utf-8").splitlines():
            if line.startswith("__version__"):
                return line.split('"')[1]
        raise InstallError(f"{self.tree}/export/__init__.py names no version", "unpack it again")

    def _parts(self) -> list[Path]:
        ours = [self.constraints, self.tree / "pyproject.toml"]
        ours += sorted((self.tree / "deploy").rglob("*.*"))
        wheels = sorted(self.wheelhouse.glob("linewarden-*.whl")) if self.wheelhouse else []
        rooms = [] if wheels else [*self.tree.glob("edge/**/*"), *self.tree.glob("export/**/*")]
        return [
            one
            for one in [*ours, *wheels, *sorted(rooms)]
            if one.is_file() and one.suffix != ".pyc"
        ]


class Releases:
    """The releases below `home` (/opt/linewarden)."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def path(self, name: str) -> Path:
        """Where the release called `name` lies."""
        return self.home / "releases" / name

    def current(self) -> str:
        """The one that runs; '' if there is none."""
        return self._led_to("current")

    def previous(self) -> str:
        """The one that ran before it; '' if there is none any more."""
        return self._led_to("previous")

    def complete(self, name: str) -> bool:
        """Whether it was built to its end."""
        return (self.path(name) / _STAMP).is_file()

    def build(self, source: Source) -> str:
        """Build what `source` describes, if it isn't there yet; returns its name."""
        source.check()
        name = source.identity()
        if self.complete(name):
            return name
        self.sweep()
        try:
            self._make(self.path(name), source)
        finally:
            if not self.complete(name):  # half of it would fill the disk of a line that runs
                shutil.rmtree(self.path(name), ignore_errors=True)
        return name

    def _make(self, at: Path, source: Source) -> None:
        run(sys.executable, "-m", "venv", at, remedy="apt-get install python3-venv")
        pip = (at / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        told = ("--constraint", source.constraints)
        if source.wheelhouse:
            wheels = sorted(source.wheelhouse.glob("linewarden-*.whl"))
            if len(wheels) != 1:
                raise InstallError(
                    f"{source.wheelhouse} holds {len(wheels)} wheels of linewarden", "make it again"
                )
            offline = ("--no-index", "--only-binary", ":all:", "--find-links", source.wheelhouse)
            run(*pip, *told, *offline, f"linewarden[{ROLES}] @ {wheels[0].resolve().as_uri()}")
        else:
            ours = f"linewarden[{ROLES}] @ {source.tree.resolve().as_uri()}"
            run(*pip, *told, ours, remedy=_NO_NETWORK)
        for shared in _SHARED:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source.tree / shared, at / "share" / shared, ignore=ignored)
        os.sync()  # a stamp that outlived a power cut without the rest would lie
        (at / _STAMP).touch()
        on_disk(at)

    def switch(self, name: str) -> None:
        """Have `name` be the one that runs from the next start on."""
        if not self.complete(name):
            raise InstallError(
                f"the release {name!r} isn't there, or not whole", f"there are: {self.all()}"
            )
        before = self.current()
        if before and before != name:
            self._lead("previous", before)
        self._lead("current", name)

    def go_back(self, to: str = "") -> str:
        """Switch to `to`, or else to the one before; returns its name."""
        before = to or self.previous()
        if not before or not self.complete(before):
            raise InstallError("there is no release to go back to", "install one")
        self._lead("previous", self.current())
        self._lead("current", before)
        return before

    def all(self) -> list[str]:
        """Every complete release, oldest first."""
        found = [at for at in (self.home / "releases").glob("*") if (at / _STAMP).is_file()]
        return [at.name for at in sorted(found, key=lambda at: (at / _STAMP).stat().st_mtime)]

    def sweep(self) -> None:
        """Remove what was never finished, and old ones beyond the newest few."""
        whole = self.all()
        needed = {self.current(), self.previous(), *whole[-KEPT:]}
        for at in (self.home / "releases").glob("*"):
            if at.name not in needed or at.name not in whole:
                shutil.rmtree(at)

    def _led_to(self, link: str) -> str:
        at = self.home / link
        return at.readlink().name if at.is_symlink() else ""

    def _lead(self, link: str, name: str) -> None:
        new = self.home / f".{link}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases") / name)
        new.replace(self.home / link)
        on_disk(self.home)
