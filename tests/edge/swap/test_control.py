import json
import signal
import socket
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from edge.swap.control import AT_ONCE, NAME, Control, ask
from export.command import application
from export.errors import BundleError, LinewardenError, StoreError
from export.signature import load_or_make
from tests.edge.box import Box
from tests.export.small_bundle import small_bundle

VIRTUAL = """
[cameras.line]
bundle = "bundle"
deadline_ms = 20000.0
source = { kind = "virtual", parts = 4000, fps = 60.0, width = 320, height = 256 }
trigger = { kind = "gate" }
"""


def refuses(_asked, _say):
    """An act that says no."""
    raise BundleError("it is too old", "take a newer one")


@pytest.fixture
def control(tmp_path):
    """A socket in a folder whose path is longer than an address may be."""
    folder = tmp_path / ("x" * 120)
    acts = {"echo": lambda asked, say: (say("thinking"), asked)[1], "refuse": refuses}
    made = Control(folder, acts)
    made.start()
    yield folder
    made.stop()


def test_what_is_asked_is_answered(control):
    """Progress first, then the outcome; refused as the box refused it, with its remedy."""
    steps = []
    assert ask(control, "echo", steps.append, camera="é\n") == {"camera": "é\n"}
    assert steps == ["thinking"]
    with pytest.raises(BundleError, match="too old") as refused:
        ask(control, "refuse")
    assert refused.value.remedy == "take a newer one"
    with pytest.raises(LinewardenError, match="no request"):
        ask(control, "nothing of the kind")


def test_only_its_owner_may_ask(control):
    """Mode 0600, whatever the umask; and it is gone when the box is."""
    assert (control / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"[]\n", b'{"do": 1}\n', b'{"do": []}\n', b"\xff\n", b"x" * 70_000 + b"\n"]
)
def test_nonsense_is_refused_and_harms_nobody(control, body):
    """Whatever is sent, the next one who asks is answered."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(_short(control))
        line.sendall(body)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(5)
        told = line.makefile().readline()
    assert not told or "refused" in json.loads(told)
    assert ask(control, "echo") == {}


def test_those_who_only_sit_there_are_few(control):
    """One more is sent away at once; when one has gone there is room again."""
    sitting = [socket.socket(socket.AF_UNIX) for _ in range(AT_ONCE)]
    for line in sitting:
        line.connect(_short(control))
    time.sleep(0.1)
    with pytest.raises((StoreError, OSError)):
        ask(control, "echo")
    for line in sitting:
        line.close()
    time.sleep(0.1)
    assert ask(control, "echo") == {}


def _short(folder):
    link = folder.parent / "s"
    if not link.exists():
        link.symlink_to(folder)
    return str(link / NAME)


def test_nobody_there_is_told(tmp_path):
    """With how to start it."""
    with pytest.raises(StoreError, match="no box answers"):
        ask(tmp_path, "list")


def test_a_running_box_exchanges_its_bundle_by_command(tmp_path):
    """list, activate, list, rollback, and a refusal, on a real box under load."""
    box, key = Box(tmp_path), load_or_make(tmp_path / "signing.key")[0]
    box.write(VIRTUAL)
    new = small_bundle(tmp_path / "new", key, version=2)
    (tmp_path / "unsigned").mkdir()
    run = (
        "from edge.cli.run import run; import sys; from pathlib import Path; run(Path(sys.argv[1]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", run, str(box.settings)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    runner, config = CliRunner(), ["--config", str(box.settings)]

    def say(*words):
        return runner.invoke(application(), ["bundle", *words, *config])

    try:
        until_s = time.monotonic() + 30
        while (told := say("list")).exit_code and time.monotonic() < until_s:
            time.sleep(0.1)
        assert "small 1" in told.output
        told = say("activate", str(new.path))
        assert told.exit_code == 0, (told.output, told.exception)
        assert "active   small 2" in told.output
        assert "golden samples hold on this box" in told.output
        rows = json.loads(say("list", "--json").output)
        assert (rows["line"]["active"]["version"], rows["line"]["before"]["version"]) == (2, 1)
        assert isinstance(say("activate", str(tmp_path / "unsigned")).exception, BundleError)
        assert "active   small 1" in say("rollback").output
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_number_without_end_is_a_wrong_field(tmp_path):
    """JSON has none; Python reads one all the same."""
    made = Control(tmp_path, {"count": lambda asked, _say: {"count": int(asked["count"])}})
    made.start()
    try:
        with pytest.raises(LinewardenError, match="a field is wrong"):
            ask(tmp_path, "count", count=float("inf"))
    finally:
        made.stop()
