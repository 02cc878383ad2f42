"""Installing, cut off at any step and run again; going back; what is refused before it is begun."""

import grp
import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.box import __main__ as command
from deploy.box import line as line_module
from deploy.box import machine
from deploy.box.accounts import Accounts
from deploy.box.authority import Authority
from deploy.box.bridge import Bridge
from deploy.box.install import Box, Wish, broker_conf
from deploy.box.layout import BROKER, CONSOLE, FILES, LINE, Layout
from deploy.box.line import Sight, appliance
from deploy.box.program import InstallError, run, write
from deploy.box.releases import Releases, Source
from deploy.box.rights import Account, Role
from edge.config import load
from tests.broker import Mosquitto, free_port, needs_mosquitto

PREFIX = "acme/p/a/l/c"
SCRIPT = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *--check*) exit {code};; esac
"""


class Machine:
    """A systemd that is none: what it was told, and why what runs doesn't."""

    live = True

    def __init__(self):
        self.told, self.why, self.states = [], {}, {}

    def place(self, files, networks=None):
        self.told.append(("place", str(files)))
        return []

    def settled(self, *_, ready=False):
        return self.why.get(self.runs(), "")

    def state(self, unit):
        return self.states.get(unit, "active")

    def ready(self):
        return []

    def asked_for(self):
        return []

    def __getattr__(self, name):
        return lambda *words: self.told.append((name, *words))


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A box below a folder, with two releases that answer their golden samples, '1' running."""
    monkeypatch.setattr(line_module, "USER", grp.getgrgid(os.getgid()).gr_name)
    monkeypatch.setattr(machine, "check", lambda *_, **__: iter(()))
    monkeypatch.setattr(line_module, "run", unprivileged)
    layout = Layout(tmp_path)
    for folder in (layout.secrets, layout.tls, layout.acl.parent / "conf.d", layout.var / "empty"):
        folder.mkdir(parents=True)
    services = Machine()
    made = Box(layout, services, lambda *_: None)
    monkeypatch.setattr(made, "_system", lambda: None)
    monkeypatch.setattr(made.releases, "build", lambda source: source)
    services.runs = made.releases.current
    for name in ("1", "2", "3"):
        release(layout, name)
    made.releases.switch("1")
    return made


def unprivileged(*words, remedy=""):
    """Without changing the user, which needs root."""
    kept = [word for word in words if not str(word).startswith("--") or "check" in str(word)]
    return run(*[word for word in kept if word != "setpriv"], remedy=remedy)


def release(layout, name, code=0):
    """A complete release whose program says yes, or ends with `code` at its golden samples."""
    at = layout.opt / "releases" / name
    (at / "bin").mkdir(parents=True, exist_ok=True)
    (at / ".complete").touch()
    program = at / "bin/linewarden"
    program.write_text(SCRIPT.format(log=layout.opt / "asked", code=code))
    program.chmod(0o755)


def settled(box):
    """The box with settings, in which a bundle of nothing lies."""
    bundle = box.layout.var / "bundles/top"
    text = appliance(PREFIX, "127.0.0.1", 8883, Sight())
    write(box.layout.settings, text.replace("/var/lib/linewarden", str(box.layout.var)))
    return bundle


def bundle(folder, signature):
    """A folder that passes for a bundle, and who signed it."""
    folder.mkdir(parents=True)
    (folder / "manifest.sig").write_text(signature)
    (folder / signature).touch()
    key = folder.with_name(f"{folder.name}.pub")
    key.write_text(signature)
    return folder, key


def test_another_prefix_is_refused_before_anything_is_changed(box):
    """The running line's rights at the broker stay, and the broker isn't told to read new ones."""
    box.install(Wish("1", PREFIX))
    before, box.services.told = box.layout.acl.read_text(), []
    with pytest.raises(InstallError, match="the settings say"):
        box.install(Wish("1", "acme/p/a/l/other"))
    assert box.layout.acl.read_text() == before
    assert box.services.told == []


def test_rights_that_were_not_written_are_written_by_the_next_run(box):
    """Cut off between the list of accounts and the ACL, and before the settings got their group."""
    box.install(Wish("1", PREFIX))
    whole = box.layout.acl.read_text()
    box.layout.acl.unlink()
    box.services.told = []
    box.install(Wish("1"))
    assert box.layout.acl.read_text() == whole
    assert ("reload_broker",) in box.services.told


def test_a_switch_that_was_cut_off_is_still_gone_back_from(box):
    """Killed while the new release was on trial, run again: it can't start, the old one runs."""
    settled(box)
    box.releases.switch("2")
    write(box.layout.trial, "1\n")
    box.services.why = {"2": "broken"}
    with pytest.raises(InstallError, match="1 runs again"):
        box.install(Wish("2"))
    assert box.releases.current() == "1"
    assert not box.layout.trial.exists()
    box.releases.switch("2")
    write(box.layout.trial, "1\n")
    box.services.why = {"3": "broken"}
    with pytest.raises(InstallError, match="1 runs again"):
        box.install(Wish("3"))
    assert box.releases.current() == "1"


def test_a_disk_that_is_full_at_the_switch_is_gone_back_from(box, monkeypatch):
    """Half of the units placed: the old ones are placed again, and the old release runs."""
    settled(box)
    place = box.services.place

    def once(files, networks=None):
        monkeypatch.setattr(box.services, "place", place)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(box.services, "place", once)
    with pytest.raises(InstallError, match=r"No space left.*\n.*1 runs again"):
        box.install(Wish("2"))
    assert box.releases.current() == "1"
    placed = str(box.releases.path("1") / "share/deploy/box/files")
    assert ("place", placed) in box.services.told


def test_a_release_that_cannot_read_the_settings_is_not_gone_back_to_by_hand(box):
    """Settings have grown since: it would leave the line standing. Nothing is changed."""
    settled(box)
    box.layout.armed.touch()
    box.releases.switch("2")
    release(box.layout, "1", code=2)
    with pytest.raises(InstallError, match="golden self-test"):
        box.roll_back()
    assert box.releases.current() == "2"
    assert box.services.told == []


def test_a_bundle_that_fails_its_golden_samples_leaves_the_one_before(box, tmp_path):
    """And the key that it was signed by; a first one leaves nothing, and the line unarmed."""
    at = settled(box)
    release(box.layout, "1", code=2)
    with pytest.raises(InstallError):
        box.line.take(*bundle(tmp_path / "a", "a"), "1")
    assert not at.exists()
    assert not box.line.armed()
    release(box.layout, "1")
    assert box.line.take(tmp_path / "a", tmp_path / "a.pub", "1")
    release(box.layout, "1", code=2)
    with pytest.raises(InstallError):
        box.line.take(*bundle(tmp_path / "b", "b"), "1")
    assert sorted(one.name for one in at.iterdir()) == ["a", "manifest.sig"]
    assert [one.name for one in at.parent.iterdir()] == ["top"]
    assert (box.layout.etc / "trust/line.pub").read_text() == "a"


def test_where_systemd_does_not_run_the_services_are_enabled_all_the_same(box):
    """In an image that is built: they start with the machine, as is said."""
    box.services.live = False
    box.install(Wish("1", PREFIX))
    assert ("enable",) in box.services.told


def test_an_upgrade_keeps_the_address_that_the_broker_listens_on(box):
    """Without --listen it stays as it was asked for before."""
    box.install(Wish("1", PREFIX, "192.168.1.10"))
    box.install(Wish("2"))
    assert "\nlistener 8883 192.168.1.10\n" in box.layout.broker.read_text()
    box.install(Wish("2", listen="127.0.0.1"))
    assert "192.168.1.10" not in box.layout.broker.read_text()


def test_who_moves_the_broker_hears_that_the_console_stays(box):
    """The settings are the box's owner's: the installer doesn't write them again, and says so."""
    told = []
    box._tell = lambda *words: told.append(words)
    box.install(Wish("1", PREFIX))
    assert "the console stays" not in str(told)
    box.install(Wish("1", listen="192.168.1.10"))
    assert "the console stays at 127.0.0.1" in str(told)


def test_a_camera_that_the_settings_do_not_have_is_not_passed_over(box):
    """They are the owner's and stay; who asks again for what they have hears nothing."""
    told = []
    box._tell = lambda *words: told.append(words)
    box.install(Wish("1", PREFIX, sight=Sight("top", "device:0")))
    box.install(Wish("1", sight=Sight("top", "device:0")))
    assert "changes nothing" not in str(told)
    for sight in (Sight("top", "device:1"), Sight("side", "device:0")):
        box.install(Wish("1", sight=sight))
        assert f"--camera {sight.what} changes nothing" in str(told)
        told.clear()


@needs_mosquitto
def test_the_line_reaches_a_broker_that_listens_elsewhere(tmp_path):
    """On an address for clients, and on loopback for the box's own: each asks for a certificate."""
    layout, port = Layout(tmp_path), free_port()
    for folder in (layout.secrets, layout.tls, layout.acl.parent / "conf.d"):
        folder.mkdir(parents=True)
    authority = Authority(
        layout.etc / "authority", layout.tls / "ca.pem", layout.tls / "revoked.pem"
    )
    authority.found("test")
    authority.server(
        ["127.0.0.1", "127.0.0.9"], layout.secrets / "server.key", layout.tls / "server.pem"
    )
    authority.client("box", layout.secrets / "box.key", layout.tls / "box.pem")
    Accounts(layout, authority).settle()
    conf = broker_conf("127.0.0.9").replace("8883", str(port))
    for here, there in {
        "/etc/linewarden": str(layout.etc), "/var/lib/linewarden-broker": str(tmp_path),
        "/run/credentials/linewarden-broker.service": str(layout.secrets),
        "allow_anonymous false": "", "persistence true": "",
    }.items():  # fmt: skip
        conf = conf.replace(here, there)
    ask = ["openssl", "s_client", "-CAfile", layout.tls / "ca.pem", "-verify_return_error"]
    own = ["-cert", layout.tls / "box.pem", "-key", layout.secrets / "box.key"]
    connect = bytes.fromhex("100e00044d5154540402003c00027878")
    with Mosquitto(tmp_path, conf, port=port, listener=False, anonymous=False):
        for address in ("127.0.0.1", "127.0.0.9"):
            for more, let_in in ((own, True), ([], False)):
                words = [*ask, "-connect", f"{address}:{port}", "-quiet", *more]
                with subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                ) as client:
                    client.stdin.write(connect)
                    client.stdin.flush()
                    heard = client.stdout.read(4)
                    client.kill()
                assert (heard == b"\x20\x02\x00\x00") is let_in, (address, heard)


@pytest.mark.parametrize(
    "told",
    [{"listen": "0.0.0.0\nallow_anonymous true"}, {"listen": "192.168.1.10/24"},
     {"names": ("a,DNS:evil",)}, {"names": ("box 1",)}, {"networks": ("192.168.1.",)},
     {"networks": ("10.0.0.0/8\nExecStartPre=/bin/x",)}],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(told):
    """It would stand in the broker's settings, a certificate or a unit."""
    with pytest.raises(InstallError):
        Wish(Source(Path()), **told)


def test_a_bridge_goes_to_a_host():
    """What would add lines to the broker's settings is refused; an address is one."""
    for to in ("a.example\ntopic # both:8883", "a b:8883", ":8883"):
        with pytest.raises(InstallError, match="no address"):
            Bridge("box", to, PREFIX)
    assert "address [fd00::7]:8883\n" in Bridge("box", "[fd00::7]:8883", PREFIX).conf()


def test_a_broker_that_cannot_start_with_its_bridge_starts_without(box, tmp_path):
    """The box's own line needs it."""
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text(name)
    box.services.settled = lambda *_: "a key that isn't one"
    asked = SimpleNamespace(
        account="box", to="a.example:8883", scope=PREFIX, ca_file=tmp_path / "ca",
        certificate=tmp_path / "certificate", key=tmp_path / "key",
    )  # fmt: skip
    with pytest.raises(InstallError, match="taken out again"):
        command.bridge(box, asked, lambda *_: None)
    assert list((box.layout.acl.parent / "conf.d").iterdir()) == []
    assert box.services.told[-1] == ("restart", BROKER)


def test_the_doctor_starts_a_line_again_that_ends_and_ends(box, monkeypatch):
    """It was between two starts; one that was stopped stays so."""
    monkeypatch.setattr(command, "run", lambda *_: "")
    for state, again in (("activating", True), ("active", True), ("inactive", False)):
        box.services.states, box.services.told = {LINE: state}, []
        command.doctor(box, None, None)
        assert (("restart", LINE) in box.services.told) is again


def test_settings_that_are_wrong_are_what_the_status_says(box):
    """Not that the line doesn't answer; also where they are no TOML at all."""
    settled(box)
    box.layout.armed.touch()
    program = box.layout.opt / "releases/1/bin/linewarden"
    program.write_text("#!/bin/sh\necho 'trigger: none of gate, free' >&2; exit 2")
    program.chmod(0o755)
    told = []
    with pytest.raises(SystemExit):
        command.status(box, None, lambda *words: told.append(words))
    assert ("line", "its settings are wrong: trigger: none of gate, free") in told


def test_a_reader_that_has_seen_enough_ends_the_command_without_a_trace(tmp_path):
    """`linewarden-box status | head -1`."""
    script = (
        "import sys\nfrom deploy.box import __main__ as command\n"
        "command.alone = __import__('contextlib').nullcontext\n"
        "def act(_box, _asked, tell):\n    [tell('line', 'x' * 1000) for _ in range(1000)]\n"
        "command.parser = lambda: type('P', (), {'parse_args': lambda _: "
        "type('A', (), {'act': staticmethod(act)})})()\n"
        "command.main()"
    )
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "$0" | head -1; exit ${{PIPESTATUS[0]}}', script],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")


def test_a_dead_console_and_a_switch_that_was_cut_off_are_told(box):
    """Exit code 1, and what the next start will do."""
    settled(box)
    box.layout.armed.touch()
    told = []
    command.status(box, None, lambda *words: told.append(words))
    box.services.states = {CONSOLE: "failed"}
    with pytest.raises(SystemExit):
        command.status(box, None, lambda *_: None)
    box.services.states = {}
    write(box.layout.trial, "1\n")
    with pytest.raises(SystemExit):
        command.status(box, None, lambda *words: told.append(words))
    assert "goes back to 1" in str(told)


def test_a_file_that_is_not_there_is_a_sentence(monkeypatch, capsys, tmp_path):
    """Exit code 2 and its name, no trace."""
    words = ["linewarden-box", "arm", "--bundle", str(tmp_path / "none"), "--key", "none.pub"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(command, "alone", lambda: open(tmp_path / "lock"))  # noqa: SIM115, PTH123
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert str(tmp_path / "lock") in capsys.readouterr().err


@pytest.fixture
def authority(tmp_path):
    """An authority, founded."""
    made = Authority(tmp_path / "authority", tmp_path / "ca.pem", tmp_path / "revoked.pem")
    made.found("test")
    return made


def test_an_authority_that_was_cut_off_is_founded_by_the_next_run(tmp_path, monkeypatch):
    """Its key was there, its certificate not yet."""
    made = Authority(tmp_path / "authority", tmp_path / "ca.pem", tmp_path / "revoked.pem")
    with monkeypatch.context() as cut:
        cut.setattr(made, "_sign", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.found("test")
    assert made.found("test")
    assert made.client("box", tmp_path / "box.key", tmp_path / "box.pem")


def test_a_certificate_that_does_not_fit_its_key_is_made_again(authority, tmp_path):
    """Cut off between the two while a new name was added: the broker couldn't start with them."""
    key, certificate = tmp_path / "s.key", tmp_path / "s.pem"
    authority.server(["a.example"], key, certificate)
    old = key.read_bytes()
    authority.server(["a.example", "::1"], key, certificate)
    assert not authority.server(["a.example", "::1"], key, certificate)
    key.write_bytes(old)
    assert authority.server(["a.example", "::1"], key, certificate)
    said = run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
    assert run("openssl", "pkey", "-in", key, "-pubout") == said


def test_no_certificate_that_an_account_ever_had_outlives_it(authority, tmp_path):
    """Also one before the newest, and of a name with umlauts; revoking again is no fault."""
    key, kept = tmp_path / "Prüfer.key", []
    for number in range(2):
        key.unlink(missing_ok=True)
        kept.append(tmp_path / f"{number}.pem")
        authority.client("Prüfer", key, tmp_path / "p.pem")
        shutil.copyfile(tmp_path / "p.pem", kept[-1])
    authority.client("other", tmp_path / "other.key", tmp_path / "other.pem")
    for _ in range(2):
        authority.revoke("Prüfer")
    check = ("openssl", "verify", "-crl_check", "-CAfile", authority.certificate)
    for certificate in kept:
        with pytest.raises(InstallError, match="revoked"):
            run(*check, "-CRLfile", authority.revoked, certificate)
    run(*check, "-CRLfile", authority.revoked, tmp_path / "other.pem")


@pytest.mark.parametrize(
    "name", ["ca", "server", "web", "revoked", "above", "box ", " box", "a\tb"]
)
def test_an_account_cannot_take_a_name_of_the_boxs_own(name):
    """Its certificate would lie where the authority's does, its rights would be another's."""
    with pytest.raises(InstallError):
        Account(name, Role.VIEWER, PREFIX)


def test_a_key_that_is_handed_out_is_its_owners_alone(box, tmp_path):
    """Also where a file of that name lay open to everybody."""
    box.authority.found("test")
    box.accounts.add(Account("tablet", Role.VIEWER, PREFIX))
    out = tmp_path / "out"
    out.mkdir()
    (out / "tablet.key").write_text("old")
    (out / "tablet.key").chmod(0o644)
    box.accounts.hand_out("tablet", out)
    assert stat.S_IMODE((out / "tablet.key").stat().st_mode) == 0o600
    assert (out / "tablet.key").read_text().startswith("-----BEGIN")


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """A power cut leaves the old or the new, not an empty file: the guard reads one."""
    done = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda at: (done.append("sync"), sync(at))[1])
    monkeypatch.setattr(Path, "replace", lambda *at: (done.append("name"), replace(*at))[1])
    write(tmp_path / "trial", "1\n")
    assert done == ["sync", "name", "sync"]
    done.clear()
    release(Layout(tmp_path), "1")
    Releases(tmp_path / "opt/linewarden").switch("1")
    assert done == ["name", "sync"]


def test_a_build_that_fails_leaves_nothing_on_the_disk(tmp_path, monkeypatch):
    """Half a release would fill the disk of a line that runs."""
    releases = Releases(tmp_path)
    source = SimpleNamespace(check=lambda: None, identity=lambda: "new")

    def full(at, _source):
        at.mkdir(parents=True)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(releases, "_make", full)
    with pytest.raises(OSError, match="No space"):
        releases.build(source)
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_release_is_another_when_a_page_of_the_console_is(tmp_path):
    """Not by its Python alone: else an upgrade without a wheelhouse would pass for done."""
    for folder in ("requirements", "export", "deploy", "edge/console/web/static"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "requirements/box.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "export/__init__.py").write_text('__version__ = "1"\n')
    page = tmp_path / "edge/console/web/static/live.js"
    names = []
    for text in ("1", "2"):
        page.write_text(text)
        names.append(Source(tmp_path).identity())
    assert names[0] != names[1]


def test_sums_that_are_none_are_refused_in_a_sentence(tmp_path):
    """And an empty line is nothing."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/box.txt").touch()
    for text, good in (("\n", True), ("half\n", False)):
        (tmp_path / "SHA256SUMS").write_text(text)
        if good:
            Source(tmp_path, tmp_path).check()
            continue
        with pytest.raises(InstallError, match="no sum"):
            Source(tmp_path, tmp_path).check()


@pytest.mark.parametrize(
    ("prefix", "what"),
    [('a"\nx = "', "virtual"), ("a\\b/c", "virtual"),
     (PREFIX, 'rtsp://cam:pa"ss\\w@10.0.0.9/a"b'), (PREFIX, "rtsp://10.0.0.9/stream@2")],
)  # fmt: skip
def test_nothing_breaks_out_of_its_place_in_the_settings(tmp_path, prefix, what):
    """Quotes and backslashes are read back as they were; an @ in a path is no password's."""
    if "\n" in prefix:
        with pytest.raises(InstallError):
            Account("box", Role.BOX, prefix)
        return
    text = appliance(prefix, "127.0.0.1", 8883, Sight("top", what))
    told = tomllib.loads(text)
    assert told["station"]["prefix"] == prefix
    bare = {"virtual": None, "rtsp://10.0.0.9/stream@2": what}.get(what, 'rtsp://10.0.0.9/a"b')
    assert told["cameras"]["top"]["source"].get("url") == bare
    key, _, value = Sight("top", what).secret().strip().partition("=")
    if key:  # systemd.exec(5): as between a shell's double quotes
        assert value[1:-1].replace('\\"', '"').replace("\\\\", "\\") == what
        path = tmp_path / "appliance.toml"
        path.write_text(text)
        assert load(path, {key: what}).appliance.cameras["top"].source.url == what


def test_a_camera_whose_password_could_not_reach_the_line_is_refused():
    """The variable would have a name that systemd passes over."""
    with pytest.raises(InstallError, match="can't be handed"):
        Sight("top-left", "rtsp://cam:s3cret@10.0.0.9/").secret()
    for name in ("top.left", 'top"', "", "a\nb"):
        with pytest.raises(InstallError, match="camera's name"):
            Sight(name)


def test_the_command_runs_the_release_and_not_what_lies_around(tmp_path):
    """Called as root in somebody's folder, or in an unpacked tree of another version."""
    share = tmp_path / "current/share/deploy/box"
    stray = tmp_path / "stray/deploy/box"
    for at, said in ((share, "release"), (stray, "stray")):
        at.mkdir(parents=True)
        (at.parent / "__init__.py").touch()
        (at / "__init__.py").touch()
        (at / "__main__.py").write_text(f"print('{said}')")
    bin_ = tmp_path / "current/bin"
    bin_.mkdir()
    (bin_ / "python").symlink_to(sys.executable)
    text = (FILES / "wrapper.sh").read_text().replace("/opt/linewarden", str(tmp_path))
    done = subprocess.run(
        ["sh", "-c", text], cwd=tmp_path / "stray", capture_output=True, text=True, check=True
    )
    assert done.stdout == "release\n"


@pytest.fixture
def shell(tmp_path):
    """install.sh in a tree, among programs that are none; returns how to call it."""
    fakes, tree = tmp_path / "bin", tmp_path / "tree"
    (tree / "deploy/box").mkdir(parents=True)
    shutil.copyfile(FILES.parents[1] / "install.sh", tree / "deploy/install.sh")
    for package in ("deploy", "deploy/box"):
        (tree / package / "__init__.py").touch()
    (tree / "deploy/box/__main__.py").write_text("import os, sys; print(os.getcwd(), sys.argv[1:])")
    fakes.mkdir()
    for name, body in {"id": "echo 0", "chronyd": "", "mosquitto": ""}.items():
        (fakes / name).write_text(f"#!/bin/sh\n{body}\n")

    def call(*words, **programs):
        for name, body in programs.items():
            (fakes / name.replace("_", "-")).write_text(f"#!/bin/sh\n{body}\n")
        for at in fakes.iterdir():
            at.chmod(0o755)
        env = os.environ | {"PATH": f"{fakes}:{os.environ['PATH']}"}
        return subprocess.run(
            ["sh", tree / "deploy/install.sh", *words], cwd=tmp_path, env=env,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


def test_packages_that_cannot_be_had_are_no_success(shell):
    """Without a network nothing was installed, and that is an error."""
    done = shell("packages", dpkg_query="exit 1", apt_get="exit 100")
    assert done.returncode == 2
    assert "could not get" in done.stderr


def test_the_installer_finds_what_the_caller_names(shell, tmp_path):
    """Relative to the folder it is called in, not to its own."""
    done = shell("--bundle", "bundle", dpkg_query="echo 'install ok installed'")
    assert done.stdout == f"{tmp_path} {['install', '--bundle', 'bundle']}\n", done.stderr


def test_the_list_of_accounts_is_as_before(box):
    """Removing one that was cut off is done by the next: rights go last."""
    box.authority.found("test")
    box.accounts.add(Account("tablet", Role.VIEWER, PREFIX))
    box.authority.revoke("tablet")
    (box.layout.tls / "tablet.pem").unlink()
    box.accounts.remove("tablet")
    assert json.loads(box.layout.accounts.read_text()) == []
