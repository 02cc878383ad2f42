"""Other programs, run to their end: what they say on failure becomes an error that names them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from export.errors import LinewardenError


class InstallError(LinewardenError):
    """The machine isn't as it must be, or a step of the installation failed."""


def run(*words: str | Path, remedy: str = "", env: Mapping[str, str] | None = None) -> str:
    """Run a program; returns what it wrote to standard output.

    Raises:
        InstallError: it isn't there, or ended with another code than 0.
    """
    spoken = [str(word) for word in words]
    try:
        done = subprocess.run(spoken, capture_output=True, text=True, check=False, env=env)
    except OSError as error:
        raise InstallError(f"{spoken[0]} can't be run: {error.strerror}", remedy) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise InstallError(f"{' '.join(spoken)} ended with {done.returncode}:\n{said}", remedy)
    return done.stdout


def write(path: Path, body: str, mode: int = 0o644) -> bool:
    """Have `path` hold `body`, never half of it; returns whether that changed anything."""
    if path.is_file() and path.read_text(encoding="utf-8") == body:
        path.chmod(mode)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)  # cut off before, perhaps with other rights
    new.touch(mode=0o600)
    with new.open("w", encoding="utf-8") as file:
        file.write(body)
        new.chmod(mode)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    on_disk(path.parent)
    return True


def on_disk(folder: Path) -> None:
    """Have what was renamed or made in `folder` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
