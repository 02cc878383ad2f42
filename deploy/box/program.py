"""Other programs, run to their end: what they say on failure becomes an error that names them."""

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
    new.touch(mode=0o600)
    new.write_text(body, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)
    return True
