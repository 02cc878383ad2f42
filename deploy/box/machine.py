"""The machine: whether it is one that Linewarden was installed on before, and what it lacks."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.box.program import InstallError, run

KNOWN = {"debian": (12,), "ubuntu": (24, 4)}  # from this version on
BUILT_S = 1_767_225_600  # 2026-01-01: no clock that is right says less
NEEDS = {
    "openssl": "openssl",
    "mosquitto": "mosquitto",
    "systemctl": "systemd",
    "setpriv": "util-linux",
}
ARM_NOTE = "aarch64 (Jetson): written for, never run there"


def check(release: Mapping[str, str], machine: str, *, untested: bool = False) -> Iterator[str]:
    """What to tell about the machine.

    Args:
        release: /etc/os-release.
        machine: as `uname -m` says.
        untested: go on where nobody has tried it.

    Raises:
        InstallError: it lacks something, or is none that we know.
    """
    if os.geteuid():
        raise InstallError(
            "the installer changes the system: it must be root", "sudo ./deploy/install.sh …"
        )
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs it may be older
        raise InstallError(
            f"Python {platform.python_version()} is too old", "3.11 or newer is needed"
        )
    name = release.get("PRETTY_NAME", "this system")
    known = KNOWN.get(release.get("ID", ""))
    version = tuple(
        int(part) for part in release.get("VERSION_ID", "0").split(".") if part.isdigit()
    )
    if machine not in ("x86_64", "aarch64"):
        raise InstallError(
            f"{machine} is no machine that ONNX Runtime has wheels for", "x86-64 or aarch64"
        )
    if (known is None or version < known) and not untested:
        said = ", ".join(f"{one} {'.'.join(map(str, least))}" for one, least in KNOWN.items())
        raise InstallError(
            f"{name} is not among {said} and newer", "go on at your own risk with --untested"
        )
    lacking = [package for program, package in NEEDS.items() if not _found(program)]
    if lacking:
        raise InstallError(f"it lacks {', '.join(lacking)}", f"apt-get install {' '.join(lacking)}")
    if time.time() < BUILT_S:
        said = (
            f"the clock says {time.strftime('%Y-%m-%d %H:%M')}: certificates would be dated wrong"
        )
        raise InstallError(
            said, "set it: date -s 'YYYY-MM-DD HH:MM', then timedatectl set-ntp true"
        )
    yield f"{name}, {machine}, Python {platform.python_version()}"
    if machine == "aarch64":
        yield ARM_NOTE
    if not clock_is_kept():
        yield "nothing keeps the clock right: timedatectl set-ntp true, or run chrony"


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """What the distribution says of itself."""
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {key: value.strip('"') for key, _, value in pairs if value}


def runs_systemd() -> bool:
    """Whether systemd is this system's first process (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def clock_is_kept() -> bool:
    """Whether something synchronises the clock; False where that can't be asked."""
    try:
        return run("timedatectl", "show", "--property=NTPSynchronized", "--value").strip() == "yes"
    except InstallError:
        return False


def _found(program: str) -> bool:
    return shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is not None
