"""What an installation consists of, as a CycloneDX bill of materials that lists every distribution.

    python -m deploy.sbom --python /opt/linewarden/current/bin/python --out sbom.cdx.json

The list is cyclonedx-py's; whether it is whole is checked against what Python itself finds
installed there. Exit code 2 names what is missing.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from export.errors import LinewardenError

_LISTED = (
    "import importlib.metadata as m, json;"
    "print(json.dumps(sorted({(d.metadata['Name'], d.version) for d in m.distributions()})))"
)


class IncompleteError(LinewardenError):
    """A bill that leaves something out."""


Pinned = tuple[str, str]


def normal(name: str) -> str:
    """A distribution's name in PyPI's normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(python: Path) -> set[Pinned]:
    """(name, version) of every distribution that this Python finds."""
    done = subprocess.run([python, "-c", _LISTED], capture_output=True, text=True, check=True)
    return {(normal(name), version) for name, version in json.loads(done.stdout)}


def bill(python: Path) -> str:
    """The environment's bill of materials, CycloneDX 1.6 as JSON."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    words = [
        tool,
        "environment",
        "--output-format",
        "JSON",
        "--spec-version",
        "1.6",
        "--output-reproducible",
    ]
    try:
        return subprocess.run([*words, python], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise LinewardenError(f"{tool} is not installed", "pip install cyclonedx-bom") from error
    except subprocess.CalledProcessError as error:
        raise LinewardenError(
            f"cyclonedx-py can't look into {python}: {error.stderr.strip()[-500:]}"
        ) from error


def listed(text: str) -> set[Pinned]:
    """(name, version) of every component of a bill, the installed project itself included."""
    told = json.loads(text)
    parts = [*told.get("components", []), told.get("metadata", {}).get("component", {})]
    return {(normal(one["name"]), one["version"]) for one in parts if "version" in one}


def lacking(text: str, there: set[Pinned]) -> list[str]:
    """What is installed and not in the bill."""
    return sorted(f"{name} {version}" for name, version in there - listed(text))


def main() -> None:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m deploy.sbom", description=__doc__, formatter_class=form
    )
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="of the environment"
    )
    parser.add_argument("--out", type=Path, default=Path("dist/sbom.cdx.json"))
    asked = parser.parse_args()
    try:
        text, there = bill(asked.python), installed(asked.python)
        if absent := lacking(text, there):
            raise IncompleteError(
                f"the bill lacks {len(absent)} of {len(there)}: {', '.join(absent)}"
            )
    except LinewardenError as error:
        sys.stderr.write(f"sbom: {error}\n")
        sys.exit(error.exit_code)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(text, encoding="utf-8")
    print(f"{asked.out}: {len(there)} of {len(there)} installed distributions")


if __name__ == "__main__":
    main()
