"""What is pinned: everything that can be installed, and one version of each thing everywhere."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.box.releases import ROLES

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PLACES = {
    "edge": ("edge", "box"), "modbus": ("edge", "box"), "gpio": ("edge", "box"),
    "openvino": ("edge", "box"), "genicam": ("edge", "box"), "sparkplug": ("gateway", "box"),
    "opcua": ("gateway", "box"), "console": ("console", "box"), "oidc": ("console", "box"),
    "assistant": ("assistant", "box"), "text": ("assistant", "box"), "archive": ("archive",),
    "trainer": ("trainer",),
    "tuner": ("tuner",), "qlora": ("tuner",), "gcs": ("trainer",), "https": ("trainer",),
    "demo": (), "dev": (),
}  # fmt: skip
# Each s3fs wants the fsspec of its own month, and there is none yet of the one that is pinned.
UNPINNED = {"s3"}


def pins(role: str) -> dict[str, str]:
    """{package: version} of one file."""
    lines = (ROOT / f"requirements/{role}.txt").read_text().splitlines()
    pairs = (line.split(";")[0].strip().split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, version in pairs}


FILES = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


def test_what_ships_is_what_is_tested():
    """Every file has the version that dev has, which the tests run on."""
    tested = pins("dev")
    other = {
        (role, name, version, tested.get(name))
        for role in FILES
        for name, version in pins(role).items()
        if tested.get(name) != version
    }
    assert other == set()


@pytest.mark.parametrize("extra", sorted(EXTRAS.keys() - UNPINNED))
def test_every_extra_is_pinned_where_it_is_installed_from(extra):
    """In dev, and in the file of each role that may have it."""
    named = {canonicalize_name(Requirement(one).name) for one in EXTRAS[extra]}
    for role in ("dev", *PLACES[extra]):
        assert named - pins(role).keys() == set(), role


def test_the_makefile_fetches_what_the_installer_installs():
    """The wheelhouse and the release are of the same roles."""
    said = re.search(r"^BOX := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert said is not None
    assert said[1] == ROLES


def test_a_box_has_a_release_with_every_process_that_it_has_a_unit_for():
    """Line, console, assistant and gateway, with what each stands on."""
    assert {"edge", "console", "assistant", "sparkplug", "opcua"} <= set(ROLES.split(","))
    needed = {one for role in ROLES.split(",") for one in EXTRAS[role]}
    names = {canonicalize_name(Requirement(one).name) for one in needed}
    assert names - pins("box").keys() == set()
