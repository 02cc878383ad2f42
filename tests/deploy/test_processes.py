"""The processes beside the line, as their own users, with what their units give them alone."""

import json
import os
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.box.layout import ASSISTANT, FILES, GATEWAY
from deploy.box.line import Sight, appliance
from deploy.box.rights import Account, Role
from edge.config import load
from edge.gateway.gateway import Gateway
from edge.messages import Ask, CameraReport, Health
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.broker import Broker
from edge.outbox import Outbox
from edge.store import schema
from edge.topics import Topics
from tests.assistant.suite import november
from tests.assistant.truth import MANUAL
from tests.broker import free_port, needs_mosquitto
from tests.deploy.fleet import house
from tests.edge.gateway.official import decoded
from tests.listener import Listener

PREFIX = "acme/plant1/line7"
CONSOLE_UID, ASSISTANT_UID, GATEWAY_UID, GROUP = 10002, 10003, 10004, 10001
QUESTION = "How many parts failed on 2026-11-23?"
TELLS = '[gateway.sparkplug]\ngroup = "plant1"\nnode = "cell1"\n[gateway.home_assistant]\n'
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="starts processes as other users")
# All is loaded first: the other user can't read it where the tests lie below somebody's home.
PROGRAM = """
import os, sys
from pathlib import Path
import anyio._backends._asyncio, uvicorn
import encodings.idna, multiprocessing, concurrent.futures.thread
import edge.cli.assistant, edge.cli.gateway, edge.gateway.gateway
from edge.gateway.sparkplug.payload import Codec
Codec()
import edge.assistant.desk, edge.assistant.post, edge.assistant.web, edge.assistant.feedback
uvicorn.Config(lambda: None).load()
command, settings, user, group = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
os.setgroups([group]); os.setgid(user); os.setuid(user)
call = {"assistant": edge.cli.assistant.serve, "gateway": edge.cli.gateway.gateway}[command]
call(Path(settings))
"""


@pytest.fixture
def box():
    """A box's broker with the installer's accounts, below a folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="linewarden-"))
    folder.chmod(0o755)
    accounts = [Account(role.value, role, PREFIX) for role in Role if role is not Role.MONITOR]
    made = house(folder / "box", accounts)
    made.layout.secrets.chmod(0o700)
    made.broker.start()
    yield SimpleNamespace(folder=folder, house=made, port=made.broker.port)
    made.broker.stop()
    shutil.rmtree(folder)


def moved(box, text):
    """A text of the installer's, with the paths of this box."""
    for path, now in {"/etc/linewarden": box.house.layout.etc, "/var/lib": box.folder}.items():
        text = text.replace(path, str(now))
    return text


def settings(box, more="", assistant=""):
    """The installer's settings and `more`; readable by the line's group."""
    text = appliance(PREFIX, "127.0.0.1", box.port, Sight())
    text = moved(box, text).replace("[assistant]", f"[assistant]\n{assistant}")
    told, gateway = text.split("[gateway]\n")
    at = box.folder / "appliance.toml"
    at.write_text(f"{told}{more}\n[gateway]\n{gateway}")
    os.chown(at, 0, GROUP) if os.geteuid() == 0 else None
    at.chmod(0o640)
    return at


@contextmanager
def started(box, unit, user, at):
    """The unit's program with the unit's environment and credential, as `user`."""
    name = unit.removeprefix("linewarden-").removesuffix(".service")
    said = (FILES / "systemd" / unit).read_text()
    given = box.folder / "credentials" / name
    given.mkdir(parents=True)
    shutil.copyfile(box.house.layout.secrets / f"{name}.key", given / "broker.key")
    own = box.folder / f"linewarden-{name}"
    own.mkdir(mode=0o700)
    for path in (given / "broker.key", own):
        os.chown(path, user, user)
    line = moved(box, re.search(r"^Environment=(.*)$", said, re.MULTILINE)[1])
    env = dict(word.split("=", 1) for word in line.replace("%d", str(given)).split())
    told = [sys.executable, "-c", PROGRAM, name, str(at), str(user), str(GROUP)]
    with subprocess.Popen(
        told, env=os.environ | env, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def soon(true, process, timeout_s=40.0):
    """Whether it comes true while the process lives."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        assert process.poll() is None, process.stderr.read()[-2000:]
        try:
            if true():
                return True
        except OSError:
            pass
        time.sleep(0.1)
    process.terminate()
    raise AssertionError(f"not in {timeout_s:g} s; it said: {process.stderr.read()[-2000:]}")


def ear(box, name, *topics):
    """What the account `name` hears of `topics`."""
    own = box.house.own(name)
    context = ssl.create_default_context(cafile=own["ca"])
    context.load_cert_chain(own["certificate"], own["key"])
    return Listener(box.port, *topics, tls=context)


def kept(box):
    """The console's folder as its unit leaves it: the group may read the verdicts, and no more."""
    at = box.folder / "linewarden-console"
    at.mkdir(mode=0o750)
    with (
        closing(sqlite3.connect(november().path)) as line,
        closing(schema.connect(at / "verdicts.db")) as db,
    ):
        line.backup(db)
    (at / "accounts.db").touch(mode=0o600)
    for path in (at, *at.iterdir()):
        os.chown(path, CONSOLE_UID, GROUP)
    (at / "verdicts.db").chmod(0o640)
    return at


def as_assistant(work):
    """What `work` returned, or the name of what it raised, done as the assistant's user."""
    hear, say = os.pipe()
    if not (child := os.fork()):
        os.setgroups([GROUP])
        os.setgid(ASSISTANT_UID)
        os.setuid(ASSISTANT_UID)
        try:
            os.write(say, repr(work()).encode())
        except Exception as error:  # noqa: BLE001 - the outermost line of a process
            os.write(say, type(error).__name__.encode())
        os._exit(0)
    os.close(say)
    with os.fdopen(hear, "rb") as heard:
        said = heard.read().decode()
    os.waitpid(child, 0)
    return said


def counted(path):
    """Verdicts in a store that belongs to somebody else."""
    with closing(schema.onlooker(path)) as db:
        return db.execute("SELECT count(*) FROM verdict").fetchone()[0]


def emptied(path):
    """An attempt to write there."""
    with closing(schema.onlooker(path)) as db:
        db.execute("DELETE FROM verdict")


@needs_root
def test_the_verdicts_can_be_read_while_the_console_runs_and_after_and_never_written(box):
    """Also those that only its log holds; accounts can't be read, and nothing is left behind."""
    at = kept(box) / "verdicts.db"
    with closing(schema.connect(at)) as db:
        count = db.execute("SELECT count(*) FROM verdict").fetchone()[0]
        db.execute("DELETE FROM verdict WHERE id = (SELECT max(id) FROM verdict)")
        for path in at.parent.glob("verdicts.db-*"):
            os.chown(path, CONSOLE_UID, GROUP)
        assert as_assistant(lambda: counted(at)) == str(count - 1)
        assert as_assistant(lambda: emptied(at)) == "OperationalError"
    assert not list(at.parent.glob("verdicts.db-*"))
    assert as_assistant(lambda: counted(at)) == str(count - 1)
    assert as_assistant(lambda: emptied(at)) == "OperationalError"
    assert as_assistant(at.with_name("accounts.db").read_bytes) == "PermissionError"
    at.chmod(0o600)
    assert as_assistant(lambda: counted(at)) == "StoreError"
    assert as_assistant(lambda: counted(at.with_name("none.db"))) == "StoreError"


@needs_root
@needs_mosquitto
def test_the_assistant_answers_over_http_and_mqtt_as_its_own_user(box):
    """With the unit's environment and credential: from the console's records, and on `answers`."""
    kept(box)
    port = free_port()
    own = f'port = {port}\ndocuments = "{box.folder}/manual"\ntime_zone = "Europe/Berlin"'
    shutil.copytree(MANUAL, box.folder / "manual")
    at = settings(box, assistant=own)
    truth = november().figures(november().day(2), outcome="fail")["chosen"]
    ask = Ask(id="q1", question=QUESTION).model_dump_json()
    with (
        started(box, ASSISTANT, ASSISTANT_UID, at) as process,
        ear(box, "operator", f"{PREFIX}/answers") as heard,
    ):
        assert soon(lambda: answered(port)["figures"]["chosen"] == truth, process)

        def over_mqtt():
            heard.publish(f"{PREFIX}/cmd/ask", ask)
            return heard.wait_for(lambda one: one.messages, 1.0)

        assert soon(over_mqtt, process)
    assert json.loads(heard.messages[0][1])["figures"]["chosen"] == truth
    assert [at.stat().st_uid for at in (box.folder / "linewarden-assistant").iterdir()]


def answered(port):
    """What /ask says."""
    body = json.dumps({"question": QUESTION}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/ask", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


@contextmanager
def a_line(box):
    """The box's own side of the broker: online, with a camera that gives frames."""
    own = box.house.own("box")
    told = BrokerSettings(
        BrokerUrl("127.0.0.1", box.port, tls=True), ca_file=own["ca"],
        certificate=own["certificate"], key=own["key"],
    )  # fmt: skip
    outbox = Outbox(box.folder / "outbox.db")

    def health():
        return Health(
            at="2026-11-29T00:00:00Z", boots=outbox.boots, epoch=outbox.epoch,
            cameras={"top": CameraReport(oldest=1, newest=1, frames=3)}, outbox=outbox.report(),
        )  # fmt: skip

    broker = Broker(told, Topics(PREFIX), outbox, health, "1")
    broker.start()
    try:
        yield
    finally:
        broker.stop(2)
        outbox.close()


@needs_root
@needs_mosquitto
def test_a_gateways_birth_arrives_at_the_host(box):
    """As its own user, by the gateway's account: Sparkplug's births, Home Assistant's topics."""
    at = settings(box, TELLS)
    with (
        a_line(box),
        ear(box, "host", "spBv1.0/#", "homeassistant/#") as heard,
        started(box, GATEWAY, GATEWAY_UID, at) as process,
    ):

        def said(part):
            return [body for topic, body, *_ in list(heard.messages) if part in topic]

        assert soon(lambda: said("/NBIRTH/") and said("/DBIRTH/"), process)
        assert soon(lambda: len(said("/config")) >= 5, process)
        assert decoded(said("/NBIRTH/")[0])[0] == 0


@needs_mosquitto
@pytest.mark.parametrize("role", ["viewer", "console"])
def test_a_gateway_without_rights_says_so_and_is_not_born(box, role):
    """Sparkplug's births are QoS 0, which a broker refuses in silence: the right is tried first."""
    own = box.house.own(role)
    told = load(settings(box, TELLS), {}).appliance
    broker = told.broker.model_copy(
        update={"certificate": own["certificate"], "key": own["key"], "ca_file": own["ca"]}
    )
    place = told.gateway.model_copy(update={"folder": box.folder / "gateway"})
    gateway = Gateway(told.model_copy(update={"broker": broker, "gateway": place}))
    stop = threading.Event()
    thread = threading.Thread(target=gateway.run, args=(stop,))
    with a_line(box):
        thread.start()
        end = time.monotonic() + 20
        while "refuses" not in gateway.troubles().get("sparkplug", "") and time.monotonic() < end:
            time.sleep(0.05)
        troubles = gateway.troubles()
        stop.set()
        thread.join()
    assert "spBv1.0/plant1/NDEATH/cell1: Not authorized" in troubles["sparkplug"]
    assert gateway.tellers[0].births == 0
