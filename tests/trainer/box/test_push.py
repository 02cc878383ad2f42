"""trainer/box/push.py: over a real console into a running box, and what comes back."""

from types import SimpleNamespace

import pytest
import structlog

from edge.console.accounts.roles import Role
from edge.swap.sequential import Rule
from export.errors import BoxError
from export.signature import load_or_make
from tests.edge.console.served import served
from tests.export.small_bundle import small_bundle
from tests.swap.suite import CAMERA, Line
from trainer.box.push import follow, push
from trainer.box.wire import Wire
from trainer.progress import Progress

QUIET = Progress(None)
RULE = Rule(parts=30, most=200, loosened=0.15, tightened=0.15, risk=0.1)


@pytest.fixture
def line(tmp_path):
    """A box that judges flat pictures, 25 a second."""
    with structlog.testing.capture_logs():
        made = Line(tmp_path)
        made.daemon.bundles.shadow._rule = RULE
        with made:
            yield made


@pytest.fixture
def console(line):
    """Its console, served."""
    with served(SimpleNamespace(appliance=line.box.appliance())) as opened:
        yield opened


def sent(console, bundle, role=Role.ENGINEER, **more):
    """Pushed; (camera, how it stands)."""
    with Wire(console.url, console.token(role)) as wire:
        return push(wire, bundle, QUIET, **more)


def test_a_challenger_that_agrees_is_promoted(line, console):
    """Sent, verified, tried, in the shadow of the running line, followed to its activation."""
    bundle, said = line.bundle(0.99), []
    camera, bout = sent(console, bundle)
    assert (camera, bout.state) == (CAMERA, "shadowing")
    assert line.active.version == 1
    with Wire(console.url, console.token()) as wire:
        seated = follow(wire, camera, bundle.digest, said.append, every_s=0.2)
    assert seated.bout.state == "promoted"
    assert seated.bout.parts >= RULE.parts
    assert line.active == bundle.ref
    assert any("parts" in one for one in said)
    told = line.daemon.bulletin().cameras[CAMERA].shadow
    assert told is not None
    assert told.challenger == bundle.ref
    assert line.wrong() == 0
    assert not list((line.box.appliance().console.folder / "inbox").iterdir())


@pytest.mark.parametrize(
    ("what", "said"),
    [("older", "older than version"), ("stranger", "trust"), ("viewer", "403"), ("camera", "none")],
)
def test_what_may_not_come_in_is_told_why(line, console, tmp_path, what, said):
    """And the box goes on as it was."""
    stranger = load_or_make(tmp_path / "stranger.key")[0]
    bundle = {
        "older": lambda: small_bundle(tmp_path / "old", line.key, version=1,
                                      created_at="2025-01-01T00:00:00Z"),
        "stranger": lambda: small_bundle(tmp_path / "strange", stranger, version=9),
    }.get(what, line.bundle)()  # fmt: skip
    role = Role.VIEWER if what == "viewer" else Role.ENGINEER
    with pytest.raises(BoxError) as told:
        sent(console, bundle, role, camera="none" if what == "camera" else "")
    assert said in str(told.value)
    assert console.url in told.value.problem
    assert told.value.remedy
    assert line.active.version == 1
    assert line.daemon.bundles.shadow.report(CAMERA) is None


def test_a_push_that_was_cut_off_goes_on(line, console):
    """Only what is missing is sent again."""
    bundle = line.bundle(0.99)
    puts = []
    with Wire(console.url, console.token()) as wire:
        put = wire.put

        def cut(path, body, headers=None):
            if len(puts) == 2:
                puts.append("cut")
                raise BoxError("the cable", "plug it in")
            puts.append(path)
            return put(path, body, headers)

        wire.put = cut
        with pytest.raises(BoxError, match="cable"):
            push(wire, bundle, QUIET)
        before = len(puts)
        push(wire, bundle, QUIET)
    files = len({entry.sha256 for entry in bundle.manifest.files.values()})
    assert len(puts) - before == 1 + files - 1
