"""systemd's own opinion of the units, without a running systemd."""

import re
import shutil
import subprocess

import pytest

from deploy.box.layout import ASSISTANT, BROKER, CONSOLE, FILES, GATEWAY, GUARD, LINE, UNITS
from deploy.box.line import Sight, appliance
from deploy.box.services import Services
from edge.config import load

ANALYZE = shutil.which("systemd-analyze")
MOST = 1.5  # of 10; a bare unit has 9.6
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def exposure(unit, folder=FILES / "systemd", *more) -> float:
    """What `systemd-analyze security` scores a unit, 0 to 10."""
    words = [ANALYZE, "security", "--offline=true", "--no-pager", *more, str(folder / unit)]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_may_little(unit):
    """Each unit's exposure is at most 1.5."""
    assert exposure(unit) <= MOST


@needs_systemd
@pytest.mark.parametrize("unit", [BROKER, LINE, CONSOLE, GATEWAY])
def test_a_unit_that_speaks_to_a_network_may_little_still(unit, tmp_path):
    """With --network the services may speak to that network, and the exposure stays at most 1.5."""

    class Here:
        units = tmp_path

    assert Services(Here, live=False)._allow(unit, ["192.168.1.0/24"])
    drop_in = (tmp_path / f"{unit}.d/network.conf").read_text()
    whole = (FILES / "systemd" / unit).read_text() + drop_in
    (tmp_path / unit).write_text(whole)
    assert exposure(unit, tmp_path) <= MOST


@needs_systemd
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_has_no_mistake_in_it(unit, tmp_path):
    """`systemd-analyze verify` finds nothing, programs aside, which aren't installed here."""
    for name in UNITS:
        text = (FILES / "systemd" / name).read_text()
        text = re.sub(r"^(ExecStart(Pre)?)=\S+", r"\1=/bin/true", text, flags=re.MULTILINE)
        (tmp_path / name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
    words = [ANALYZE, "verify", "--man=no", str(tmp_path / unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "linewarden" in line]
    assert (done.returncode, ours) == (0, [])


def test_secrets_come_as_credentials():
    """No unit names a secret in its environment; keys are loaded by systemd as root."""
    for unit in set(UNITS) - {GUARD}:
        text = (FILES / "systemd" / unit).read_text()
        assert "LoadCredential=" in text
        assert not re.search(r"^Environment=.*(?i:password|secret|token)", text, re.MULTILINE)


def test_only_the_line_may_touch_devices():
    """Cameras and GPIO are the line's; the others see no device, and the assistant dials nobody."""
    text = {unit: (FILES / "systemd" / unit).read_text() for unit in UNITS}
    assert {unit for unit in UNITS if "char-video4linux" in text[unit]} == {LINE}
    assert {unit for unit in UNITS if "PrivateDevices=yes" in text[unit]} == {*UNITS} - {LINE}
    assert "IPAddressAllow=localhost\n" in text[ASSISTANT]
    assert "PrivateNetwork=yes" in text[GUARD]


@pytest.mark.parametrize("unit", [CONSOLE, ASSISTANT, GATEWAY])
def test_a_process_beside_the_line_has_an_account_and_a_folder_of_its_own(unit, tmp_path):
    """By the installer's settings and the unit's environment."""
    text = (FILES / "systemd" / unit).read_text()
    name = unit.removeprefix("linewarden-").removesuffix(".service")
    said = re.search(r"^Environment=(.*)$", text, re.MULTILINE)[1].replace("%d", "/credentials")
    (tmp_path / "appliance.toml").write_text(appliance("a/b/c", "127.0.0.1", 8883, Sight()))
    told = load(
        tmp_path / "appliance.toml", dict(word.split("=", 1) for word in said.split())
    ).appliance
    assert str(told.broker.certificate) == f"/etc/linewarden/tls/{name}.pem"
    assert str(told.broker.key) == "/credentials/broker.key"
    assert f"LoadCredential=broker.key:/etc/linewarden/secrets/{name}.key" in text
    assert str(getattr(told, name).folder) == f"/var/lib/linewarden-{name}"
    assert f"StateDirectory=linewarden-{name}\n" in text


def test_the_line_reads_its_settings_again_when_systemd_asks():
    """`systemctl reload` sends SIGHUP; the box says itself when it has read them."""
    text = (FILES / "systemd" / LINE).read_text()
    assert "Type=notify\n" in text
    assert "ExecReload=/bin/kill -HUP $MAINPID\n" in text
