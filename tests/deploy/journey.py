"""`make deploy-test`: the life of a box on a clean Debian, from the installer to its removal.

In a root of debootstrap's with systemd as its first process and a network of its own that leads
nowhere: installed from a wheelhouse, asked for its rights, upgraded, upgraded to what is broken in
two ways, cut off in the middle, restarted, taken off and put back. Needs root, debootstrap and, the
first time, the network. Takes some 10 minutes; leaves its folders in work/deploy/.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from deploy import sbom
from export.figures import Figure, save, table
from export.signature import load_or_make
from tests.deploy import expected
from tests.deploy.room import PACKAGES, Room, base
from tests.export.small_bundle import small_bundle

ROOT = Path(__file__).parents[2]
PREFIX = expected.PREFIX
UNITS = (
    "linewarden-broker",
    "linewarden",
    "linewarden-console",
    "linewarden-assistant",
    "linewarden-gateway",
    "linewarden-guard",
)
PYTHON = "/opt/linewarden/current/bin/python"
BESIDE = ("linewarden-assistant", "linewarden-gateway")  # enabled by whoever wants them
QUESTION = "How many parts were judged today?"
INSTALL = ("/root/new/deploy/install.sh", "--wheelhouse", "/root/media/wheelhouse")
LOGIN = (
    "import ssl, urllib.request as u\n"
    "c = ssl.create_default_context(cafile='/etc/linewarden/tls/ca.pem')\n"
    "print(u.urlopen('https://127.0.0.1:8480/login', context=c, timeout=5).status)"
)
BREAKS = {
    "fails its golden test": (
        "edge/inspection/session.py", "\nraise RuntimeError('a broken build')\n"
    ),
    "fails when it starts": (
        "edge/service.py",
        "\ndef _broken(*_):\n    raise RuntimeError('a broken build')\nService.ready = _broken\n",
    ),
}  # fmt: skip


class Journey:
    """One box's life, step by step; each step asserts and notes what it measured."""

    def __init__(self, work: Path, wheelhouse: Path) -> None:
        self.work, self.wheelhouse = work, wheelhouse
        self.figures: list[Figure] = []
        self.room: Room | None = None
        self.root = work / "root"

    def note(self, name: str, value: float, unit: str, target: str = "", note: str = "") -> None:
        """A figure, said at once."""
        self.figures.append(Figure(name, value, unit, target, note))
        print(f"  {name}: {value:g} {unit} {note}", flush=True)

    def machine(self) -> None:
        """A clean root with the distribution's packages that install.sh asks for."""
        clean = base(self.work / "base", PACKAGES)
        packed = self.work / "packed"
        if not (packed / ".packed").exists():
            shutil.rmtree(packed, ignore_errors=True)
            copied(clean, packed)
            self.tree(packed / "root/new")
            words = ["chroot", str(packed), "/root/new/deploy/install.sh", "packages"]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            (packed / "etc/systemd/system/mosquitto.service").symlink_to("/dev/null")
            (packed / ".packed").touch()
        shutil.rmtree(self.root, ignore_errors=True)
        copied(packed, self.root)
        key, _ = load_or_make(self.root / "root/media/signing.key")
        small_bundle(self.root / "root/media/bundle", key)
        self.tree(self.root / "root/new")
        self.offer(self.wheelhouse)

    def tree(self, to: Path) -> None:
        """The project as git has it, here and now."""
        shutil.rmtree(to, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for name in listed:
            if (
                name.split("/")[0] not in ("trainer", "node_modules", "tests")
                and (ROOT / name).is_file()
            ):
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, to / name)

    def offer(self, wheelhouse: Path) -> None:
        """Have the wheels lie where the next installation looks."""
        at = self.root / "root/media/wheelhouse"
        shutil.rmtree(at, ignore_errors=True)
        shutil.copytree(wheelhouse, at)

    def version(self, version: str, planted: tuple[str, str] | None = None) -> None:
        """Offer another version, with a line planted in one of its files."""
        made = self.work / "made"
        shutil.rmtree(made, ignore_errors=True)
        self.tree(made)
        shutil.copytree(
            ROOT / "trainer",
            made / "trainer",
            ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"),
        )
        self.renamed(made, version)
        if planted:
            with (made / planted[0]).open("a") as file:
                file.write(planted[1])
        house = self.work / "house"
        shutil.rmtree(house, ignore_errors=True)
        house.mkdir()
        for wheel in self.wheelhouse.glob("*.whl"):
            if not wheel.name.startswith("linewarden-"):
                (house / wheel.name).hardlink_to(wheel)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "--wheel-dir", str(house), str(made)], check=True)
        sums(house)
        self.tree(self.root / "root/new")
        self.renamed(self.root / "root/new", version)
        self.offer(house)

    def renamed(self, tree: Path, version: str) -> None:
        """Call the release so."""
        for name, line in (
            ("export/__init__.py", "__version__ = "),
            ("pyproject.toml", "version = "),
        ):
            text = (tree / name).read_text()
            (tree / name).write_text(
                re.sub(rf'^{re.escape(line)}".*"', f'{line}"{version}"', text, flags=re.MULTILINE)
            )

    def sh(self, *words: str, check: bool = True, **more):
        """Run in the room."""
        assert self.room is not None
        return self.room.run(*words, check=check, **more)

    def says(self, *words: str) -> str:
        """What a program in the room writes to standard output."""
        return self.sh(*words).stdout.strip()

    def pids(self) -> dict[str, str]:
        """The main process of each service."""
        return {unit: self.says("systemctl", "show", "-P", "MainPID", unit) for unit in UNITS[:3]}

    def release(self) -> str:
        """The release that is the current one."""
        return self.says("readlink", "/opt/linewarden/current").rpartition("/")[2]

    def settings_digest(self) -> str:
        """Of everything below /etc/linewarden."""
        words = "cd /etc/linewarden && find . -type f -exec sha256sum {} + | sort -k2 | sha256sum"
        return self.says("sh", "-c", words)

    def upgrade(self, *, works: bool):
        """Run the installer of what is offered; returns (its process, seconds)."""
        began = time.monotonic()
        done = self.sh(*INSTALL, check=False)
        assert (done.returncode == 0) is works, done.stdout + done.stderr
        return done, time.monotonic() - began

    def watch(self, count: int, *more: str, account: str = "watcher"):
        """`linewarden watch` with an account's certificate: so many verdicts, none lost."""
        at = f"/root/{account}"
        own = (
            ("--certificate", f"{at}/{account}.pem", "--key", f"{at}/{account}.key")
            if account
            else ()
        )
        return self.sh(
            "/opt/linewarden/current/bin/linewarden", "watch", "--broker", "mqtts://127.0.0.1:8883",
            "--prefix", PREFIX, "--ca-file", "/etc/linewarden/tls/ca.pem", *own,
            "--count", str(count), "--timeout", "60", *more, check=False,
        )  # fmt: skip


def copied(root: Path, to: Path) -> None:
    """A system's files with owners, rights, links and devices."""
    subprocess.run(["cp", "--archive", "--one-file-system", str(root), str(to)], check=True)


def sums(house: Path) -> None:
    """Write SHA256SUMS of a wheelhouse."""
    lines = [
        f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n"
        for wheel in sorted(house.glob("*.whl"))
    ]
    (house / "SHA256SUMS").write_text("".join(lines))


def bare(j: Journey) -> None:
    """Without a model everything but the line runs; armed, it judges; then all is wiped away."""
    done = j.sh(*INSTALL, "--prefix", PREFIX)
    assert "no bundle yet: linewarden-box arm" in done.stdout
    assert j.says("systemctl", "is-active", "linewarden-console") == "active"
    assert console_answers(j) == "200"
    assert j.says("linewarden-box", "code")
    told = j.sh("linewarden-box", "status", check=False)
    assert told.returncode == 1
    assert "the line has no bundle" in told.stdout
    own = ("--bundle", "/root/media/bundle", "--key", "/root/media/signing.pub")
    j.sh("linewarden-box", "arm", *own)
    assert "ready" in j.says("linewarden-box", "status")
    before = j.pids()
    j.upgrade(works=True)
    assert j.pids() == before
    j.sh("linewarden-box", "uninstall")
    j.sh("sh", "-c", "rm -rf /etc/linewarden /var/lib/linewarden*")


def installs(j: Journey) -> None:
    """From nothing to a line that judges, in one command and without a network."""
    began = time.monotonic()
    asked = (
        "--prefix",
        PREFIX,
        "--bundle",
        "/root/media/bundle",
        "--key",
        "/root/media/signing.pub",
    )
    done = j.sh(*INSTALL, *asked)
    print(done.stdout)
    j.note(
        "installation, to a line that is ready",
        time.monotonic() - began,
        "s",
        "",
        "wheels on the disk, no network",
    )
    assert "ready" in j.says("linewarden-box", "status")
    for unit in UNITS[:3]:
        assert j.says("systemctl", "is-active", unit) == "active"


def twice(j: Journey) -> None:
    """The second run changes nothing: the same processes, the same files."""
    before = j.pids(), j.settings_digest(), j.release()
    done, seconds = j.upgrade(works=True)
    assert (j.pids(), j.settings_digest(), j.release()) == before, done.stdout
    j.note("the same again", seconds, "s", "", "no file changed, no service restarted")


def doctor(j: Journey) -> None:
    """The doctor finds nothing that keeps the box from being armed."""
    said = j.says("linewarden-box", "doctor")
    print(said)
    assert said.endswith("fit to be armed")
    assert "FAULT" not in said
    j.sh("sh", "-c", "until linewarden-box status >/dev/null; do sleep 0.5; done", timeout=90)


def scores(j: Journey) -> None:
    """What systemd thinks of the units as they run, and of their syntax."""
    for unit in UNITS:
        said = j.says("systemctl", "cat", unit)
        assert "NoNewPrivileges=yes" in said
        words = f"systemd-analyze security --no-pager {unit}.service | grep -o 'service: [0-9.]*'"
        j.note(
            f"exposure of {unit}",
            float(j.says("sh", "-c", words).split()[-1]),
            "",
            "<= 1.5",
            "systemd-analyze security",
        )
    done = j.sh(
        "systemd-analyze",
        "verify",
        "--man=no",
        *(f"/etc/systemd/system/{unit}.service" for unit in UNITS),
    )
    assert "linewarden" not in done.stderr, done.stderr


def confined(j: Journey) -> None:
    """What the line's own restrictions keep from it, tried from within them."""
    pid = j.says("systemctl", "show", "-P", "MainPID", "linewarden")
    status = j.says("cat", f"/proc/{pid}/status")
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
    for unit in UNITS[:3]:
        assert j.says("systemctl", "show", "-P", "User", unit) != "root"
    keys = j.says(
        "stat", "-c", "%U %a", "/etc/linewarden/secrets/box.key", "/etc/linewarden/authority/ca.key"
    )
    assert keys == "root 600\nroot 600"
    denied = j.sh("setpriv", "--reuid=linewarden", "--regid=linewarden", "--clear-groups", "cat",
                  "/etc/linewarden/secrets/console.key", check=False)  # fmt: skip
    assert denied.returncode != 0


def rights(j: Journey) -> None:
    """A certificate brings verdicts, none brings nothing; every topic by every account."""
    own = (
        ("watcher", "collector", PREFIX),
        ("other", "box", expected.OTHER),
        ("site", "site", expected.SITE),
    )
    for name, role, scope in (
        *own,
        *((n, n, PREFIX) for n in ("viewer", "collector", "operator", "shop", "host")),
    ):
        j.sh(
            "linewarden-box",
            "account",
            "add",
            name,
            "--role",
            role,
            "--scope",
            scope,
            "--out",
            f"/root/{name}",
        )
    j.sh(
        "linewarden-box", "account", "add", "monitor", "--role", "monitor", "--out", "/root/monitor"
    )
    done = j.watch(20)
    assert done.returncode == 0, done.stderr
    assert "20 verdicts in order" in done.stderr
    refused = j.watch(1, "--timeout", "8", account="")
    assert refused.returncode == 2
    assert "it may ask for a certificate" in refused.stderr, refused.stderr
    at = j.root / "root/matrix"
    at.mkdir(exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("asking.py"), j.root / "root/asking.py")
    for name in expected.ACCOUNTS:
        home = j.root / "root" / name
        for kind, folder in (("pem", "tls"), ("key", "secrets")):
            kept = j.root / f"etc/linewarden/{folder}/{name}.{kind}"
            shutil.copyfile(
                home / f"{name}.{kind}" if home.exists() else kept, at / f"{name}.{kind}"
            )
    shutil.copyfile(j.root / "etc/linewarden/tls/ca.pem", at / "ca.pem")
    shutil.copyfile(Path(__file__).with_name("matrix.py"), at / "matrix.py")
    table = expected.table()
    topics = list(dict.fromkeys(topic for _, topic in table))
    # What the running line says itself would be heard as well: it rests meanwhile.
    j.sh("systemctl", "stop", "linewarden")
    words = (
        PYTHON,
        "/root/matrix/matrix.py",
        "127.0.0.1",
        "8883",
        "/root/matrix",
        *expected.ACCOUNTS,
    )
    found = json.loads(j.sh(*words, input=json.dumps(topics)).stdout)
    wrong = [one for one in found if not expected.agrees(table[one[0], one[1]], one[2], one[3])]
    assert wrong == []
    assert len(found) == len(table)
    j.note(
        "topic and account, rights as specified",
        len(found),
        "",
        f"== {len(table)}",
        "publishing and hearing, each tried",
    )
    j.sh("systemctl", "start", "linewarden")
    j.sh("linewarden-box", "account", "remove", "viewer")
    asks = (PYTHON, "/root/matrix/matrix.py", "127.0.0.1", "8883", "/root/matrix", "viewer")
    end = time.monotonic() + 5  # the broker reads its files again a moment after it is told to
    while not j.sh(*asks, input="[]", check=False).returncode:
        assert time.monotonic() < end, "a removed account is still let in"


def billed(j: Journey) -> None:
    """The bill of materials of what was installed lists every distribution."""
    release = j.root / "opt/linewarden/releases" / j.release()
    site = next(release.glob("lib/python3*/site-packages"))
    # Read by this machine's Python from the box's own folder: the box carries no such tool.
    there = {
        (sbom.normal(d.metadata["Name"]), d.version)
        for d in metadata.distributions(path=[str(site)])
    }
    made = j.work / "bill"
    shutil.rmtree(made, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    own = next(made.glob("lib/python3*/site-packages"))
    (own / "box.pth").write_text(f"{site}\n")
    bill = sbom.bill(made / "bin/python")
    (j.work / "sbom.cdx.json").write_text(bill)
    assert sbom.lacking(bill, there) == []
    j.note(
        "distributions in the bill of materials",
        len(there & sbom.listed(bill)),
        "",
        f"== {len(there)}",
        "CycloneDX 1.6",
    )


def console_answers(j: Journey) -> str:
    """How the console answers whoever trusts the box's authority."""
    j.sh("sh", "-c", "for i in $(seq 40); do ss -ltn | grep -q :8480 && break; sleep 0.5; done")
    return j.says(PYTHON, "-c", LOGIN)


def page(j: Journey) -> None:
    """The console answers over TLS to who trusts the box's authority, and has a first code."""
    assert console_answers(j) == "200"
    untrusting = LOGIN.replace("cafile='/etc/linewarden/tls/ca.pem'", "")
    assert "CERTIFICATE_VERIFY_FAILED" in j.sh(PYTHON, "-c", untrusting, check=False).stderr
    assert re.fullmatch(r"([A-Z0-9]{4}-?)+", j.says("linewarden-box", "code"))
    assert not list((j.root / "var/lib").rglob(".onnxruntime"))
    rows = "import sqlite3; d = sqlite3.connect('/var/lib/linewarden-console/verdicts.db');"
    rows += "print(d.execute('SELECT count(*) FROM verdict').fetchone()[0])"
    assert int(j.says(PYTHON, "-c", rows)) > 0


def beside(j: Journey) -> None:
    """Assistant and gateway run as their own users: a question is answered, a birth is heard."""
    tells = "\n[gateway.sparkplug]\ngroup = 'plant1'\nnode = 'cell1'\n"
    with (j.root / "etc/linewarden/appliance.toml").open("a") as settings:
        settings.write(tells)
    before = j.pids()
    j.sh("systemctl", "reload", "linewarden")
    j.sh("sh", "-c", "until linewarden-box status >/dev/null; do sleep 0.5; done", timeout=60)
    said = j.says("journalctl", "--namespace=linewarden", "--unit=linewarden", "--output=cat")
    assert "settings taken over" in said
    assert j.pids() == before
    began = time.monotonic()
    j.sh("systemctl", "enable", "--quiet", "--now", *BESIDE)
    told = json.loads(j.says(PYTHON, "/root/asking.py", "http", QUESTION))
    j.note("the assistant, from its start to an answer", time.monotonic() - began, "s")
    by_post = json.loads(j.says(PYTHON, "/root/asking.py", "mqtt", QUESTION))
    for answer in (told, by_post):
        assert answer["source"] == "records", answer
        assert max(answer["figures"].values()) > 0, answer
    print(f"  over HTTP: {told['text']}\n  over MQTT: {by_post['text']}")
    j.sh("systemctl", "restart", "--no-block", "linewarden-gateway")
    births = json.loads(j.says(PYTHON, "/root/asking.py", "births"))
    assert {"spBv1.0/plant1/NBIRTH/cell1", "spBv1.0/plant1/DBIRTH/cell1/top"} <= set(births)
    j.note("topics with Sparkplug births at the host", sum("BIRTH" in one for one in births), "")
    for unit in BESIDE:
        pid = j.says("systemctl", "show", "-P", "MainPID", unit)
        assert j.says("stat", "-c", "%U", f"/proc/{pid}") == unit
        assert j.says("systemctl", "show", "-P", "NRestarts", unit) == "0"


def beside_pids(j: Journey, *, not_of: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The processes of assistant and gateway, once both run as others than `not_of`."""
    end = time.monotonic() + 60
    while True:
        show = ("systemctl", "show", "-P")
        states = [j.says(*show, "ActiveState", unit) for unit in BESIDE]
        pids = tuple(j.says(*show, "MainPID", unit) for unit in BESIDE)
        if states == ["active", "active"] and not {*pids} & {*not_of, "0"}:
            return pids
        assert time.monotonic() < end, (states, pids, not_of)
        time.sleep(0.5)


def upgrades(j: Journey) -> None:
    """A newer version beside the old, proven, switched to; the record goes on without a gap."""
    place = ("--state", "/root/place.json")
    assert j.watch(5, *place).returncode == 0
    before, processes = j.release(), beside_pids(j)
    j.version("0.1.1")
    done, seconds = j.upgrade(works=True)
    beside_pids(j, not_of=processes)  # they don't run the old release
    assert json.loads(j.says(PYTHON, "/root/asking.py", "http", QUESTION))["source"] == "records"
    print(done.stdout)
    assert j.release() != before
    assert j.release().startswith("0.1.1-")
    after = j.watch(30, *place)
    assert after.returncode == 0, after.stderr
    assert "0 lost" in after.stderr
    j.note(
        "upgrade, to a line that is ready", seconds, "s", "", "the old one judges until the switch"
    )


def breaks(j: Journey) -> None:
    """One that fails its golden test changes nothing; one that fails to start goes back."""
    for number, (how, planted) in enumerate(BREAKS.items()):
        before, pids = j.release(), j.pids()
        j.version(f"0.1.{2 + number}", planted)
        done, seconds = j.upgrade(works=False)
        print(done.stderr)
        assert j.release() == before
        assert "a broken build" in done.stderr
        after = j.watch(20, "--state", "/root/place.json")
        assert after.returncode == 0, after.stderr
        assert "0 lost" in after.stderr
        if number == 0:
            assert j.pids() == pids
        j.note(
            f"a release that {how}: the one before runs", seconds, "s", "", "verdicts without a gap"
        )


def power_cut(j: Journey) -> None:
    """The plug is pulled between switch and proof: at the next start the guard goes back."""
    before = j.release()
    j.sh(
        "sh",
        "-c",
        f"cd /opt/linewarden; echo {before} > trial; mkdir releases/torn;"
        " ln -sfn releases/torn new; mv -T new current",
    )
    # The wrapper runs from the current release: the torn one has nothing but what was built.
    j.sh(
        "sh",
        "-c",
        f"cd /opt/linewarden/releases && cp -a {before}/. torn/"
        " && echo 'raise SystemExit(9)' > torn/bin/linewarden",
    )
    j.room.stop()
    began = time.monotonic()
    j.room.start()
    j.sh("sh", "-c", "until linewarden-box status >/dev/null; do sleep 0.5; done", timeout=120)
    assert j.release() == before
    assert not (j.root / "opt/linewarden/trial").exists()
    after = j.watch(20, "--state", "/root/place.json")
    assert after.returncode == 0, after.stderr
    assert "0 lost" in after.stderr
    j.note(
        "power cut in an upgrade: ready again on the old release",
        time.monotonic() - began,
        "s",
        "",
        "from the first process on",
    )


def leaves(j: Journey) -> None:
    """Uninstalled, the record stays; installed again, the line goes on in the same epoch."""
    j.version("0.1.4")  # what is offered after the broken ones
    assert j.watch(5, "--state", "/root/place.json").returncode == 0
    epoch = "import json; d=json.load(open('/root/place.json'))['cameras']['top']; print(d[0])"
    before = j.says(PYTHON, "-c", epoch)
    print(j.says("linewarden-box", "uninstall"))
    left = j.sh("systemctl", "list-unit-files", "--no-legend", "linewarden*", check=False).stdout
    assert left == ""
    for gone in (
        "opt/linewarden",
        "usr/local/sbin/linewarden-box",
        "etc/udev/rules.d/70-linewarden.rules",
    ):
        assert not (j.root / gone).exists()
    for kept in (
        "etc/linewarden/appliance.toml",
        "etc/linewarden/tls/ca.pem",
        "var/lib/linewarden/store/outbox.db",
    ):
        assert (j.root / kept).exists(), kept
    j.upgrade(works=True)
    after = j.watch(20, "--state", "/root/place.json")
    assert after.returncode == 0, after.stderr
    assert "0 lost" in after.stderr
    assert j.says(PYTHON, "-c", epoch) == before
    j.note("removed and installed again: verdicts lost", 0, "", "== 0", "same epoch, same accounts")


STEPS = (
    bare,
    installs,
    twice,
    doctor,
    scores,
    confined,
    rights,
    billed,
    page,
    beside,
    upgrades,
    breaks,
    power_cut,
    leaves,
)


def main() -> None:
    """Take every step, then save the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=ROOT / "work/deploy")
    parser.add_argument("--wheelhouse", type=Path, default=ROOT / "dist/wheelhouse")
    parser.add_argument(
        "--until", choices=[step.__name__ for step in STEPS], default=STEPS[-1].__name__
    )
    parser.add_argument(
        "--again-from", choices=[step.__name__ for step in STEPS], help="go on in the last root"
    )
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    j = Journey(asked.work, asked.wheelhouse.resolve())
    names = [step.__name__ for step in STEPS]
    steps = STEPS[
        names.index(asked.again_from) if asked.again_from else 0 : names.index(asked.until) + 1
    ]
    if steps[0] is STEPS[0]:
        print("a clean Debian", flush=True)
        j.machine()
    j.room = Room(j.root)
    try:
        j.room.start()
        for step in steps:
            print(f"\n{step.__name__}: {step.__doc__.splitlines()[0]}", flush=True)
            step(j)
    finally:
        j.room.stop()
    print(table(j.figures))
    if steps == STEPS:
        save("deploy", j.figures, seed=0)


if __name__ == "__main__":
    main()
