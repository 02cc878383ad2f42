"""The installer's parts that need no machine of their own; the whole is `make deploy-test`."""

import hashlib
import os
import tomllib

import pytest

from deploy.box import machine
from deploy.box.line import Sight, appliance
from deploy.box.program import InstallError, write
from deploy.box.releases import SUMS, Releases, Source
from edge.config import load

DEBIAN = {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12"}


def release(home, name):
    """A complete release that holds nothing."""
    at = home / "releases" / name
    at.mkdir(parents=True)
    (at / ".complete").touch()


def test_switching_is_one_link_and_can_be_undone(tmp_path):
    """The current release, the one before, and back; what isn't whole is never switched to."""
    releases = Releases(tmp_path)
    for name in ("1", "2"):
        release(tmp_path, name)
    releases.switch("1")
    assert (releases.current(), releases.previous()) == ("1", "")
    releases.switch("2")
    releases.switch("2")
    assert (releases.current(), releases.previous()) == ("2", "1")
    assert releases.go_back() == "1"
    assert (releases.current(), releases.previous()) == ("1", "2")
    (tmp_path / "releases/half").mkdir()
    with pytest.raises(InstallError, match="not whole"):
        releases.switch("half")
    assert releases.current() == "1"


def test_what_was_never_finished_is_swept_and_what_runs_is_kept(tmp_path):
    """An interrupted build goes; the current and the previous release stay however old they are."""
    releases = Releases(tmp_path)
    for number in range(6):
        release(tmp_path, str(number))
        stamp = tmp_path / f"releases/{number}/.complete"
        os.utime(stamp, (number, number))
    releases.switch("0")
    releases.switch("1")
    (tmp_path / "releases/torn").mkdir()
    releases.sweep()
    assert sorted(at.name for at in (tmp_path / "releases").iterdir()) == ["0", "1", "3", "4", "5"]


def test_there_is_nothing_to_go_back_to_at_first(tmp_path):
    """A first release has none before it, and says so."""
    release(tmp_path, "1")
    Releases(tmp_path).switch("1")
    with pytest.raises(InstallError, match="no release to go back to"):
        Releases(tmp_path).go_back()


@pytest.fixture
def source(tmp_path):
    """A tree and a wheelhouse with one wheel."""
    tree, house = tmp_path / "tree", tmp_path / "house"
    for folder in ("requirements", "export", "deploy", "edge"):
        (tree / folder).mkdir(parents=True)
    (tree / "requirements/box.txt").write_text("numpy==2\n")
    (tree / "pyproject.toml").write_text("")
    (tree / "export/__init__.py").write_text('__version__ = "1.2.3"\n')
    house.mkdir()
    wheel = house / "linewarden-1.2.3-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    (house / SUMS).write_text(f"{hashlib.sha256(b'wheel').hexdigest()}  {wheel.name}\n")
    return Source(tree, house)


def test_a_release_is_named_by_what_it_holds(source):
    """The version, and a digest that changes with wheel and pins."""
    before = source.identity()
    assert before.startswith("1.2.3-")
    assert source.identity() == before
    next(source.wheelhouse.glob("*.whl")).write_bytes(b"another")
    changed = source.identity()
    source.constraints.write_text("numpy==3\n")
    assert len({before, changed, source.identity()}) == 3


@pytest.mark.parametrize("harm", ["changed", "missing", "added", "no sums", "no tree"])
def test_a_wheelhouse_that_is_not_whole_is_refused(source, harm):
    """A wheel that was changed, is missing or isn't listed; no sums; a folder that isn't ours."""
    wheel = next(source.wheelhouse.glob("*.whl"))
    if harm == "changed":
        wheel.write_bytes(b"whee1")
    elif harm == "missing":
        wheel.unlink()
    elif harm == "added":
        (source.wheelhouse / "more-1-py3-none-any.whl").touch()
    elif harm == "no sums":
        (source.wheelhouse / SUMS).unlink()
    else:
        source.constraints.unlink()
    with pytest.raises(InstallError):
        source.check()


@pytest.mark.skipif(
    os.geteuid() != 0, reason="who isn't root is refused before anything else is looked at"
)
@pytest.mark.parametrize(
    ("told", "arch", "why"),
    [(DEBIAN | {"VERSION_ID": "11"}, "x86_64", "not among"),
     ({"ID": "fedora", "VERSION_ID": "44"}, "x86_64", "not among"),
     (DEBIAN, "armv7l", "no machine")],
)  # fmt: skip
def test_a_machine_that_nobody_tried_is_refused(told, arch, why):
    """An older or another system, and a processor without wheels."""
    with pytest.raises(InstallError, match=why):
        list(machine.check(told, arch))


def test_a_clock_of_1970_is_refused(monkeypatch):
    """Certificates would be dated wrong."""
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "_found", lambda _: True)
    monkeypatch.setattr(machine.time, "time", lambda: 1000.0)
    with pytest.raises(InstallError, match="clock"):
        list(machine.check(DEBIAN, "x86_64"))


@pytest.mark.parametrize("what", ["virtual", "device:2", "rtsp://cam:s3cret@10.0.0.9/stream1"])
def test_the_settings_it_writes_are_settings(tmp_path, what):
    """What the installer writes is read without a fault, and holds no password."""
    path = tmp_path / "appliance.toml"
    sight = Sight("top", what)
    path.write_text(appliance("acme/p/a/l/c", "127.0.0.1", 8883, sight))
    told = load(path, {}).appliance
    assert told.broker.certificate.name == "box.pem"
    assert "s3cret" not in path.read_text()
    if "@" in what:
        key, _, value = sight.secret().strip().partition("=")
        again = load(path, {key: value.strip('"')}).appliance
        assert again.cameras["top"].source.url == what


def test_a_camera_that_is_none_is_refused():
    """Neither virtual, nor a device, nor an address."""
    for what in ("device:x", "camera", ""):
        with pytest.raises(InstallError, match="no camera"):
            Sight("top", what).source()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    """The same text again changes nothing but rights; another replaces it."""
    path = tmp_path / "a" / "b"
    assert write(path, "one", 0o600)
    assert not write(path, "one", 0o640)
    assert path.stat().st_mode & 0o777 == 0o640
    assert write(path, "two")
    assert [at.name for at in path.parent.iterdir()] == ["b"]


def test_the_example_reads_as_toml(tmp_path):
    """A prefix with quotes in it can't break out of its place."""
    text = appliance("acme/p/a/l/c", "127.0.0.1", 8883, Sight())
    assert tomllib.loads(text)["station"]["prefix"] == "acme/p/a/l/c"
