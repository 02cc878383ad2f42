import json
import signal

import pytest
import structlog
import typer
from typer.testing import CliRunner

from edge.cli.config import config
from edge.cli.run import run
from edge.outbox import OUTBOX_FILE, Outbox
from edge.swap.shelf import Chosen
from edge.swap.standing import shelf
from export.bundle import open_bundle
from export.errors import BundleError, ConfigError, StoreError
from export.signature import load_or_make
from tests.edge.box import BRIGHT, DARK, Box, folder_camera
from tests.export.small_bundle import small_bundle

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def box(tmp_path):
    """A box with four pictures."""
    made = Box(tmp_path)
    made.pictures([DARK, BRIGHT, DARK, BRIGHT])
    made.write(folder_camera())
    return made


def call(app, *words):
    """What a command prints and how it ends; its errors come through."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def application():
    """`run` as a program of its own; what it sets for its process is put back."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    app = typer.Typer()
    app.command()(run)
    yield app
    structlog.reset_defaults()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_run_judges_everything_and_says_what_it_came_to(box, application):
    """A folder ends by itself, with a table of parts, outcomes and faults."""
    code, out = call(application, "--config", box.settings)
    assert code == 0
    row = next(line.split() for line in out.splitlines() if line.startswith("top"))
    assert row == ["top", "4", "4", "4", "2", "2", "0", "0", "0"]


def test_check_proves_the_bundles_and_starts_nothing(box, application):
    """It tells what would run, and leaves no store behind."""
    code, out = call(application, "--config", box.settings, "--check")
    assert code == 0
    assert "small 1" in out
    assert "none: verdicts are only kept" in out
    assert not (box.folder / "store").exists()


def test_check_refuses_a_bundle_that_has_changed(box, application):
    """A golden sample that isn't the signed one is an error, not a warning."""
    (box.folder / "bundle" / "golden" / "extra.png").write_bytes(b"x")
    with pytest.raises(BundleError):
        call(application, "--config", box.settings, "--check")


def test_the_help_shows_examples(application):
    """Whoever asks for help sees how to call it."""
    code, out = call(application, "--help")
    assert code == 0
    assert "linewarden run --config appliance.toml --check" in " ".join(out.split())


def test_config_check_prints_every_value_with_its_origin(box):
    """For people as a table, for machines as JSON."""
    code, out = call(config, "check", box.settings)
    assert code == 0
    assert any(line.split() == ["engine.provider", "cpu", "default"] for line in out.splitlines())
    _, told = call(config, "check", box.settings, "--json")
    assert {"key": "engine.threads", "value": "1", "origin": "default"} in json.loads(told)


def test_config_check_refuses_a_typo(box):
    """The key that was probably meant is named."""
    box.settings.write_text(box.settings.read_text().replace("bundle =", "bundel ="))
    with pytest.raises(ConfigError, match="did you mean 'bundle'"):
        call(config, "check", box.settings)


def test_config_example_and_schema_are_whole(tmp_path):
    """The example passes its own check, and the schema names every table."""
    _, text = call(config, "example")
    (tmp_path / "appliance.toml").write_text(text)
    assert call(config, "check", tmp_path / "appliance.toml")[0] == 0
    _, schema = call(config, "schema")
    tables = {"station", "broker", "store", "samples", "engine", "console", "trust"}
    tables |= {"status", "cameras", "gateway", "shadow", "assistant"}
    assert set(json.loads(schema)["properties"]) == tables


def test_a_second_run_touches_nothing_of_the_first(box, application, tmp_path):
    """Started by mistake beside a box whose bundle is on probation: it ends before it decides."""
    appliance = box.appliance()
    key = load_or_make(tmp_path / "signing.key")[0]
    old = open_bundle(box.folder / "bundle", [key.public])
    new = small_bundle(tmp_path / "newer", key, version=2)
    kept = shelf(appliance)
    kept.admit(old)
    kept.admit(new)
    told = {"configured": str(old.path), "configured_digest": old.digest}
    record = Chosen(**told, active=new.ref, before=old.ref, probation="running")
    kept.choose("top", record)
    first = Outbox(appliance.store.folder / OUTBOX_FILE)
    try:
        with pytest.raises(StoreError, match="another process"):
            call(application, "--config", box.settings)
    finally:
        first.close()
    assert kept.chosen("top") == record
    assert kept.slot(new.digest).is_dir()
