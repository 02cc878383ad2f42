"""The containers' files: what they may, what they ask, and that each is what its reader expects."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy import dashboards
from deploy.box.line import Sight
from deploy.box.program import InstallError
from deploy.containers.prepare import prepare
from edge.config import load
from edge.health import CameraCounts
from edge.messages import Alarm, CameraReport, Health, OutboxReport, Severity
from edge.status.metrics import Metrics
from edge.status.readiness import Known
from export.signature import load_or_make
from tests.edge.verdicts import verdict
from tests.export.small_bundle import small_bundle

HERE = Path(dashboards.__file__).with_name("containers")
DOCKERFILE = (HERE / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((HERE / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
BIN = Path(sys.executable).parent
PROMTOOL = shutil.which("promtool")


def test_the_compose_file_satisfies_its_schema():
    """The Compose specification's own schema finds no fault, and finds a planted one."""
    check = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert subprocess.run([*check, HERE / "compose.yaml"], check=False).returncode == 0
    broken = "services: {a: {image: x, read_onli: true}}"
    assert subprocess.run(
        [*check, "-"], input=broken, text=True, check=False, capture_output=True
    ).returncode


def test_hadolint_finds_nothing():
    """The Dockerfile follows its linter's rules."""
    done = subprocess.run(
        [BIN / "hadolint", HERE / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_may_little(name):
    """Read-only root, no capability, no new privileges, not root, bounded logs, a health check."""
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in one["security_opt"]
    assert int(one["user"].split(":")[0]) > 0
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & set(one)
    assert one["logging"]["options"]["max-size"]
    target = one.get("build", {}).get("target")
    assert "healthcheck" in one or "HEALTHCHECK" in stage(target)
    assert not re.search(r":latest$|^[^:]+$", one["image"])


def test_only_what_people_use_is_reachable_and_from_this_machine_alone():
    """Ports are bound to LISTEN, 127.0.0.1 if unset; Prometheus and the line have none."""
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert set(ports) == {"broker", "console", "grafana"}
    assert all(port.startswith("${LISTEN:-127.0.0.1}:") for some in ports.values() for port in some)


def test_the_assistant_reaches_broker_and_console_alone_and_writes_nothing_but_its_own():
    """Its network leads nowhere else, and what it mounts of others it mounts to read."""
    one = SERVICES["assistant"]
    assert one["networks"] == ["asking"]
    assert COMPOSE["networks"]["asking"]["internal"] is True
    there = {name for name, other in SERVICES.items() if "asking" in other["networks"]}
    assert there == {"assistant", "broker", "console"}
    assert [m["source"] for m in one["volumes"] if not m.get("read_only")] == ["assistant"]
    assert "store" not in {mount["source"] for mount in one["volumes"]}


def given(name: str, site: Path):
    """The settings as a service's container gets them; its files must be mounted there."""
    one = SERVICES[name]
    told = load(site / "appliance.toml", one["environment"]).appliance
    keys = {f"/run/secrets/{secret['target']}" for secret in one["secrets"]}
    mounts = tuple(mount["target"] for mount in one["volumes"])
    assert str(told.broker.key) in keys
    assert str(told.broker.certificate).startswith(mounts)
    assert str(told.broker.ca_file).startswith(mounts)
    return told


@pytest.mark.skipif(os.geteuid() != 0, reason="keys are given to the containers' users: needs root")
def test_every_service_gets_the_certificate_the_key_and_the_folder_that_it_needs(site):
    """What the settings name is mounted, each key is its user's, each folder its own to write."""
    for name in ("console", "assistant", "gateway"):
        told = given(name, site)
        assert told.broker.certificate.name == f"{name}.pem"
        assert (site / "tls" / f"{name}.pem").is_file()
        owner = (site / "secrets" / f"{name}.key").stat().st_uid
        assert owner == int(SERVICES[name]["user"].split(":")[0])
        folder = getattr(told, name).folder
        mount = next(m for m in SERVICES[name]["volumes"] if m["target"] == str(folder))
        assert not mount.get("read_only")
    assert given("console", site).assistant.host == given("assistant", site).assistant.host


def test_the_assistants_image_brings_what_the_assistant_needs():
    """Its own environment, not the console's: pypdf and tzdata are in it."""
    assert "COPY --from=venv-assistant" in stage("assistant")
    assert '"linewarden[assistant]"' in stage("venv-assistant")
    assert "/healthz" in stage("assistant")
    assert "/healthz" in str(SERVICES["assistant"]["healthcheck"]["test"])


def test_the_console_reads_the_record_and_cannot_write_it():
    """The store is mounted to read; secrets come as secrets, none in the environment."""
    store = next(m for m in SERVICES["console"]["volumes"] if m["source"] == "store")
    assert store["read_only"] is True
    for one in SERVICES.values():
        for key, value in one.get("environment", {}).items():
            assert not re.search("(?i)password|token|key$", key) or str(value).startswith("/"), key


def stage(target):
    """The lines of one stage of the Dockerfile."""
    parts = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    return next((part for part in parts if re.match(rf"\S+ AS {target}\n", part)), "")


@pytest.mark.parametrize("role", ["edge", "console", "assistant", "gateway"])
def test_a_role_runs_as_its_own_user_and_says_how_it_is(role):
    """Each role's stage ends with a user that isn't root, a health check and its command."""
    text = stage(role)
    assert re.search(r"^USER 1000[1234]:10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert re.search(r'^CMD \["', text, re.MULTILINE)


def metrics() -> set[str]:
    """Every series that a box gives."""
    counts = CameraCounts(
        frames=9, triggers=4, verdicts=3, outcomes={"pass": 3}, faults={"capture": 1}
    )
    alarm = Alarm(
        source="box",
        name="disk_full",
        severity=Severity.CRITICAL,
        since="2026-11-24T00:00:00Z",
        state="raised",
    )
    health = Health(
        at="2026-11-24T00:00:00Z",
        boots=1,
        epoch=1,
        cameras={"top": CameraReport(oldest=1, newest=2)},
        outbox=OutboxReport(depth=1, waiting_in_memory=0, quarantined=0, bytes=1),
    )
    known = Known((), {"inspector": 0.1}, health, frozenset(), connected=True, alarms=(alarm,))
    page = Metrics(lambda: known, lambda: {"top": counts}, "1")
    page.decided(verdict(1, 1, "top"))
    return set(re.findall(rb"^([a-z_]+)[{ ]", page.page(), re.MULTILINE))


def test_dashboards_and_alerts_ask_for_what_a_box_gives():
    """Every metric that a panel or an alert names is one of the box's."""
    given = {name.decode() for name in metrics()}
    asked = dashboards.BOX.read_text() + (HERE / "prometheus/alerts.yml").read_text()
    named = set(re.findall(r"\blinewarden_[a-z_]+", asked))
    assert named - given == set()
    assert len(named) > 8


@pytest.mark.parametrize("path", [dashboards.BOX, dashboards.FLEET], ids=lambda path: path.name)
def test_a_dashboard_is_what_its_table_says(path):
    """The JSON equals what `python -m deploy.dashboards` writes; panels don't overlap."""
    assert path.read_text() == dashboards.written()[path]
    panels = json.loads(path.read_text())["panels"]
    taken = [
        (x, y)
        for p in panels
        for g in [p["gridPos"]]
        for x in range(g["x"], g["x"] + g["w"])
        for y in range(g["y"], g["y"] + g["h"])
    ]
    assert len(taken) == len(set(taken))
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: apt install prometheus)"
)
def test_prometheus_takes_its_settings():
    """The tool finds the settings and every rule sound."""
    done = subprocess.run(
        [PROMTOOL, "check", "config", HERE / "prometheus/prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def prepared(folder: Path) -> Path:
    """A prepared site below `folder`, made or made again."""
    prepare(
        folder / "site", "acme/p/a/l/c", ["10.0.0.7"], sight=Sight(), bundle=folder / "bundle",
        key=folder / "signing.pub",
    )  # fmt: skip
    return folder / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What Compose mounts."""
    folder = tmp_path_factory.mktemp("compose")
    key, _ = load_or_make(folder / "signing.key")
    small_bundle(folder / "bundle", key)
    return prepared(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="keys are given to the containers' users: needs root")
def test_what_compose_mounts_is_made_and_made_once(site):
    """Settings load, each key belongs to one user, and a second run changes no key."""
    keys = {at.name: at.read_bytes() for at in (site / "secrets").iterdir()}
    prepared(site.parent)
    assert {at.name: at.read_bytes() for at in (site / "secrets").iterdir()} == keys
    settings = load(site / "appliance.toml", {}).appliance
    assert settings.broker.url == "mqtts://broker:8883"
    assert settings.status.listen == "0.0.0.0:9464"
    owners = {
        at.name: (at.stat().st_uid, at.stat().st_mode & 0o777)
        for at in (site / "secrets").iterdir()
    }
    assert {mode for _, mode in owners.values()} == {0o400}
    assert owners["box.key"][0] == int(SERVICES["line"]["user"].split(":")[0])
    assert owners["web.key"][0] == int(SERVICES["console"]["user"].split(":")[0])
    mounted = {
        Path(one["file"].replace("${SITE:-./site}", str(site)))
        for one in COMPOSE["secrets"].values()
    }
    assert all(at.exists() for at in mounted)
    assert "/run/credentials" not in (site / "broker/mosquitto.conf").read_text()


def test_a_bundle_that_is_none_is_refused_before_anything_is_made(tmp_path):
    """No half-made folder is left behind."""
    with pytest.raises(InstallError, match="no bundle"):
        prepare(
            tmp_path / "site", "a/b", [], sight=Sight(), bundle=tmp_path, key=tmp_path / "x.pub"
        )
    assert not (tmp_path / "site").exists()


def test_a_cameras_password_is_not_dropped_in_silence(tmp_path):
    """The settings don't hold it; who gives one is told where it belongs."""
    small_bundle(tmp_path / "bundle", load_or_make(tmp_path / "signing.key")[0])
    sight = Sight("top", "rtsp://cam:s3cret@10.0.0.9/")
    told = {"bundle": tmp_path / "bundle", "key": tmp_path / "signing.pub"}
    with pytest.raises(InstallError, match="LINEWARDEN__CAMERAS__TOP__SOURCE__URL"):
        prepare(tmp_path / "site", "a/b", [], sight=sight, **told)
    with pytest.raises(FileNotFoundError):
        prepare(tmp_path / "site", "a/b", [], sight=Sight(), **told | {"key": tmp_path / "none"})
    assert not (tmp_path / "site").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="keys are given to the containers' users: needs root")
def test_another_bundle_replaces_the_one_before_and_another_prefix_is_refused(site):
    """No file of the bundle before is left, which its signature wouldn't know."""
    (site / "bundles/top/left.png").touch()
    (site / "bundles/top/manifest.sig").write_text("another")
    prepared(site.parent)
    assert not (site / "bundles/top/left.png").exists()
    rights = (site / "broker/acl").read_text()
    with pytest.raises(InstallError, match="the settings say"):
        prepare(
            site, "acme/other", [], sight=Sight(), bundle=site.parent / "bundle",
            key=site.parent / "signing.pub",
        )  # fmt: skip
    assert (site / "broker/acl").read_text() == rights
