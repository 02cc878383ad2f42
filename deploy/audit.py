"""Known weaknesses of every pinned version, each either gone or explained.

    python -m deploy.audit
    python -m deploy.audit --unless-offline      # as CI asks

The question is pip-audit's, to OSV, which knows PyPA's advisories and GitHub's. Findings that do
not touch us stand in deploy/weaknesses.toml with their reason and a date until which it holds.

Exit codes: 0 nothing unexplained; 1 a finding; 3 it could not be asked (0 with --unless-offline, if
nobody could be reached).
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from export.errors import LinewardenError

ROOT = Path(__file__).parents[1]
EXPLAINED = ROOT / "deploy" / "weaknesses.toml"
OSV = "https://api.osv.dev/v1/query"


class UnaskedError(LinewardenError):
    """Nobody could say whether something is known."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A known weakness of a version that we pin; `ids`: its name and other names for it."""

    package: str
    version: str
    ids: frozenset[str]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fix is known"
        return f"{self.package} {self.version}: {', '.join(sorted(self.ids))}; {fixed}"


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a weakness doesn't touch us, and until when that is believed."""

    package: str
    id: str
    why: str
    until: date

    def covers(self, found: Weakness, today: date) -> bool:
        """Whether it speaks of this one, and still holds."""
        return self.package == found.package and self.id in found.ids and today <= self.until


def pins(folder: Path = ROOT / "requirements") -> list[str]:
    """Every `name==version` of any role, once."""
    texts = [file.read_text(encoding="utf-8") for file in folder.glob("*.txt")]
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return sorted(line for line in lines if "==" in line and not line.startswith("#"))


def weaknesses(pinned: Iterable[str], url: str = OSV) -> list[Weakness]:
    """What is known of these; raises UnaskedError if it could not be asked of each."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pinned))
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--format", "json",
             "--progress-spinner", "off", "--vulnerability-service", "osv", "--osv-url", url,
             "--requirement", file.name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UnaskedError(
            f"{url} could not be asked: pip-audit said: {said[:300]}",
            "ask again with a network; nothing was checked",
        ) from None
    if skipped := [f"{one['name']}: {one['skip_reason']}" for one in told if "skip_reason" in one]:
        raise UnaskedError(f"not every pin was looked up: {'; '.join(skipped)}", "ask again")
    return [
        Weakness(one["name"], one["version"], frozenset({known["id"], *known["aliases"]}),
                 tuple(known["fix_versions"]))
        for one in told for known in one["vulns"]
    ]  # fmt: skip


def reached(url: str) -> bool:
    """Whether anybody listens there: if so, that nothing was checked is no lack of network."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname, port), timeout=10).close()
    except OSError:
        return False
    return True


def explanations(file: Path = EXPLAINED) -> list[Explained]:
    """What deploy/weaknesses.toml holds."""
    return [Explained(**one) for one in tomllib.loads(file.read_text()).get("explained", [])]


def main(words: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default=OSV, help="another service that speaks OSV's protocol")
    parser.add_argument("--explained", type=Path, default=EXPLAINED)
    parser.add_argument("--unless-offline", action="store_true", help="0 if it can't be asked")
    asked = parser.parse_args(words)
    pinned, known = pins(), explanations(asked.explained)
    try:
        found = weaknesses(pinned, asked.url)
    except UnaskedError as error:
        print(f"audit: {error}", file=sys.stderr)
        return 0 if asked.unless_offline and not reached(asked.url) else 3
    today = datetime.now(UTC).date()
    open_ones = [one for one in found if not any(told.covers(one, today) for told in known)]
    for told in known:
        if not any(told.covers(one, today) for one in found):
            print(f"audit: {told.package} {told.id} is explained for nothing: take it out")
    for one in open_ones:
        print(f"audit: {one}")
    print(f"audit: {len(pinned)} pinned versions, {len(found)} known weaknesses, "
          f"{len(found) - len(open_ones)} explained")  # fmt: skip
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
