"""The bill of materials leaves nothing out, and one that does is found out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import sbom

SPELT = (("NumPy", "2.4.6"), ("paho_mqtt", "2.2.0"), ("typing.extensions", "4.16.0"))
THERE = {("numpy", "2.4.6"), ("paho-mqtt", "2.2.0"), ("typing-extensions", "4.16.0")}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment with three distributions, spelt as people spell them."""
    at = tmp_path_factory.mktemp("env") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", at], check=True)
    site = next(at.glob("lib/python3*/site-packages"))
    for name, version in SPELT:
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return at / "bin/python"


def test_every_installed_distribution_is_in_the_bill(python):
    """100 % of what Python finds installed, by name and version, in CycloneDX."""
    bill = sbom.bill(python)
    assert json.loads(bill)["bomFormat"] == "CycloneDX"
    assert sbom.installed(python) == THERE
    assert sbom.lacking(bill, THERE) == []


def test_a_bill_that_lacks_one_is_found_out(python):
    """A component taken out, or of another version, is named."""
    told = json.loads(sbom.bill(python))
    gone = told["components"].pop()
    named = f"{sbom.normal(gone['name'])} {gone['version']}"
    assert sbom.lacking(json.dumps(told), THERE) == [named]
    told["components"][0]["version"] += ".1"
    assert len(sbom.lacking(json.dumps(told), THERE)) == 2


@pytest.mark.slow
def test_all_of_this_environment_is_in_its_bill():
    """Also where there are a hundred and more."""
    python = Path(sys.executable)
    there = sbom.installed(python)
    assert len(there) > 50
    assert sbom.lacking(sbom.bill(python), there) == []
