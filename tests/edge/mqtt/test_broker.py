"""Laws of the broker's thread, against a real mosquitto: what is stored arrives, in order, once."""

import contextlib
import json
import ssl
import subprocess
import time

import pytest

from edge import clock
from edge.alarm import Alarms
from edge.messages import CameraReport, Health
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.broker import Broker
from edge.outbox import Outbox
from edge.topics import Topics
from tests.broker import Mosquitto, free_port, needs_mosquitto
from tests.edge.verdicts import verdict
from tests.listener import Listener

OPENSSL = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    " -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
)
TOPICS = Topics("acme/line1")


class Box:
    """An outbox and a broker's thread, as the daemon has them."""

    def __init__(self, folder, url, **more):
        self.outbox = Outbox(folder / "outbox.db")
        settings = BrokerSettings(BrokerUrl.parse(url), backoff_max_s=0.5, stall_s=1.0, **more)
        self.alarms, self.wrong = Alarms(), ()
        self.broker = Broker(
            settings, TOPICS, self.outbox, self.health, "1.2.3", alarms=self.alarms
        )
        self.broker.start()

    def health(self):
        heads = self.outbox.heads().items()
        return Health(
            at=clock.rfc3339(clock.wall_ns()),
            boots=self.outbox.boots,
            epoch=self.outbox.epoch,
            cameras={name: CameraReport(oldest=old, newest=new) for name, (old, new) in heads},
            outbox=self.outbox.report(),
            faults=self.wrong,
        )

    def put(self, count, camera="cam", **more):
        for _ in range(count):
            seq = self.outbox.next_seq(camera)
            self.outbox.put(verdict(self.outbox.epoch, seq, camera, **more))

    def delivered(self, timeout=10.0):
        return wait(lambda: self.outbox.flush() and self.outbox.depth() == 0, timeout)

    def close(self):
        self.broker.stop(3.0)
        self.outbox.close()


def wait(condition, timeout=10.0):
    """Wait until `condition()` holds; returns whether it does."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def seqs(bodies, camera="cam"):
    """The seqs of a camera's live verdicts, in order of arrival."""
    return [b["seq"] for b in bodies if b["camera"] == camera and not b["replay"]]


@pytest.fixture
def mosquitto(tmp_path):
    """A broker that runs."""
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def ear(mosquitto):
    """A plain listener to everything."""
    with Listener(mosquitto.port, "acme/#") as listener:
        yield listener


@pytest.fixture
def box(tmp_path, mosquitto):
    """A box at that broker."""
    made = Box(tmp_path, mosquitto.url)
    yield made
    made.close()


@needs_mosquitto
def test_birth_verdicts_last_health_and_a_clean_farewell(tmp_path, mosquitto, ear):
    """All topics carry what the table says, and the state ends offline and clean."""
    box = Box(tmp_path, mosquitto.url)
    box.put(30)
    assert ear.wait_for(lambda e: len(e.bodies("/verdicts")) == 30)
    assert ear.wait_for(lambda e: e.bodies("/last") and e.bodies("/last")[-1]["seq"] == 30)
    assert ear.wait_for(lambda e: e.bodies("/health"))
    box.close()
    assert seqs(ear.bodies("/verdicts")) == list(range(1, 31))
    states = ear.bodies("/state")
    assert [(s["state"], s["clean"]) for s in states] == [("online", False), ("offline", True)]
    assert states[0]["version"] == "1.2.3"
    with Listener(mosquitto.port, "acme/#") as late:
        assert late.wait_for(lambda e: len(e.messages) >= 3)
        kept = {topic: json.loads(body) for topic, body, retain, _ in late.messages if retain}
    assert kept[TOPICS("last", "cam")]["seq"] == 30
    assert kept[TOPICS("state")]["clean"]
    assert TOPICS("health") in kept
    assert TOPICS("verdicts", "cam") not in kept


@needs_mosquitto
def test_alarms_are_told_at_once_and_retained(tmp_path, mosquitto, ear):
    """Raising and clearing reach a listener without waiting, and one who comes later too."""
    box = Box(tmp_path, mosquitto.url)
    assert ear.wait_for(lambda e: e.bodies("/alarms"))
    assert ear.bodies("/alarms")[0]["alarms"] == []  # an older life's list is overwritten
    began = time.monotonic()
    box.alarms.raise_("cam", "frozen", "the picture stands")
    assert ear.wait_for(lambda e: e.bodies("/alarms")[-1]["number"] == 1, 5)
    assert time.monotonic() - began < 1.0
    box.alarms.clear("cam", "frozen")
    assert ear.wait_for(lambda e: e.bodies("/alarms")[-1]["number"] == 2, 5)
    with Listener(mosquitto.port, "acme/line1/alarms") as late:
        assert late.wait_for(lambda e: e.messages)
        (alarm,) = late.bodies("/alarms")[-1]["alarms"]
    assert (alarm["name"], alarm["state"]) == ("frozen", "cleared")
    box.close()


@needs_mosquitto
def test_the_will_speaks_for_a_box_that_fell_silent(tmp_path, mosquitto, ear):
    """A connection that ends without a farewell leaves `offline`, not clean, with its session."""
    box = Box(tmp_path, mosquitto.url)
    assert wait(lambda: box.broker.connected)
    sock = box.broker._session._pipe._client.socket()
    sock.shutdown(2)
    assert ear.wait_for(lambda e: len(e.bodies("/state")) >= 3)
    told = [(s["state"], s["clean"], s["session"]) for s in ear.bodies("/state")[:3]]
    assert told == [("online", False, 1), ("offline", False, 1), ("online", False, 2)]
    box.close()


@needs_mosquitto
def test_a_broker_that_comes_late_gets_everything_in_order(tmp_path):
    """Without a broker nothing is lost; absence is a fault; the newest goes out at once."""
    port = free_port()
    box = Box(tmp_path, f"mqtt://127.0.0.1:{port}")
    box.put(500)
    assert not box.broker.connected
    assert box.outbox.flush()
    box.broker._absent_since_s -= 60
    assert "no broker" in box.broker.faults()[0]
    with Mosquitto(tmp_path, port=port), Listener(port, "acme/#") as ear:
        assert ear.wait_for(lambda e: len(seqs(e.bodies("/verdicts"))) >= 500)
        assert seqs(ear.bodies("/verdicts"))[-500:] == list(range(1, 501))
        assert ear.bodies("/last")[0]["seq"] == 500
        assert box.broker.faults() == ()
        told = ear.bodies("/alarms")[-1]["alarms"]
        assert {one["name"] for one in told} <= {"broker_absent"}
        box.close()


@needs_mosquitto
def test_a_broker_killed_again_and_again_gets_everything(tmp_path, mosquitto):
    """What the broker had not acknowledged is sent again; the first arrivals stay in order."""
    box = Box(tmp_path, mosquitto.url)
    with Listener(mosquitto.port, "acme/#") as ear:
        for _ in range(3):
            box.put(100)
            mosquitto.restart()
        assert box.delivered()
        box.put(1)
        assert ear.wait_for(lambda e: 301 in seqs(e.bodies("/verdicts")))
        heard = list(dict.fromkeys(seqs(ear.bodies("/verdicts"))))
        assert heard == sorted(heard)
    box.close()


@needs_mosquitto
def test_a_silent_broker_is_given_up(tmp_path, mosquitto):
    """A broker that is stopped (SIGSTOP) but connected is noticed, and served when it wakes."""
    import signal

    box = Box(tmp_path, mosquitto.url)
    box.put(5)
    assert box.delivered()
    mosquitto._process.send_signal(signal.SIGSTOP)
    box.put(5)
    assert wait(lambda: not box.broker.connected, 5)
    mosquitto._process.send_signal(signal.SIGCONT)
    assert box.delivered()
    box.close()


@needs_mosquitto
def test_a_denied_verdict_is_kept_and_is_a_fault(tmp_path):
    """An acknowledgement that says "not authorized" delivers nothing; other cameras go on."""
    acl = tmp_path / "acl"
    rest = "topic readwrite acme/line1/good/#\ntopic readwrite acme/line1/state\n"
    acl.write_text(rest + "topic readwrite acme/line1/health\ntopic read acme/#\n")
    with Mosquitto(tmp_path, f"acl_file {acl}") as broker, Listener(broker.port, "acme/#") as ear:
        box = Box(tmp_path, broker.url)
        box.put(3, "bad")
        box.put(30, "good")
        assert ear.wait_for(lambda e: len(seqs(e.bodies("/verdicts"), "good")) == 30)
        assert wait(lambda: any("verdicts of bad" in fault for fault in box.broker.faults()))
        assert box.outbox.depth() == 3
        assert seqs(ear.bodies("/verdicts"), "bad") == []
        acl.write_text("topic readwrite acme/#\n")
        broker.restart()
        assert box.delivered(15)
        assert seqs(ear.bodies("/verdicts"), "bad")[:3] == [1, 2, 3]
        assert not any("bad" in fault for fault in box.broker.faults())
        box.close()


@needs_mosquitto
@pytest.mark.parametrize("limit", ["message_size_limit 900", "max_packet_size 1000"])
def test_a_verdict_the_broker_cannot_take_is_set_aside(tmp_path, limit):
    """Whether the broker states its limit or just breaks, one verdict is quarantined, loudly."""
    with Mosquitto(tmp_path, limit) as broker, Listener(broker.port, "acme/#") as ear:
        box = Box(tmp_path, broker.url)
        box.put(10)
        box.put(1, detail="x" * 512)
        box.put(10)
        assert ear.wait_for(lambda e: len(set(seqs(e.bodies("/verdicts")))) == 20, 20)
        assert box.delivered()
        assert set(seqs(ear.bodies("/verdicts"))) == {*range(1, 22)} - {11}
        assert box.outbox.report().quarantined == 1
        assert "quarantine" in box.outbox.faults()[0]
        box.close()


@needs_mosquitto
def test_health_and_alarms_over_a_limit_are_shortened_and_verdicts_go_on(tmp_path):
    """An unstated limit: what is too long is made shorter, and no verdict suffers for it."""
    with (
        Mosquitto(tmp_path, "message_size_limit 900") as broker,
        Listener(broker.port, "acme/#") as ear,
    ):
        box = Box(tmp_path, broker.url)
        box.put(10)
        assert box.delivered()
        box.wrong = ("w" * 300,) * 4
        for number in range(8):
            box.alarms.raise_("box", f"trouble_{number}", "d" * 200)
        known = len(ear.bodies("/health"))
        box.put(10)
        assert wait(lambda: len(ear.bodies("/health")) > known + 1, 20)
        assert box.delivered()
        assert box.outbox.report().quarantined == 0
        assert seqs(ear.bodies("/verdicts"))[-10:] == list(range(11, 21))
        assert ear.bodies("/health")[-1]["faults"] == ["4 faults untold"]
        assert wait(lambda: ear.bodies("/alarms")[-1]["unlisted"] >= 5)
        for topic in ("acme/line1/health", "acme/line1/alarms"):
            assert wait(lambda topic=topic: topic in " ".join(box.broker.faults()))
        box.close()


@needs_mosquitto
def test_what_is_asked_for_is_sent_again(box, ear):
    """A replay brings the same bodies, flagged; only of this epoch, only what is kept."""
    box.put(20)
    assert ear.wait_for(lambda e: len(e.bodies("/verdicts")) == 20)
    for first, last, epoch in ((3, 7, 0), (19, 500, 0), (1, 20, 1)):
        asked = {"camera": "cam", "epoch": box.outbox.epoch + epoch, "first": first, "last": last}
        ear.publish(TOPICS("replay"), json.dumps(asked))
    assert ear.wait_for(lambda e: len(e.bodies("/verdicts")) == 27)
    again = ear.bodies("/verdicts")[20:]
    assert [b["seq"] for b in again] == [3, 4, 5, 6, 7, 19, 20]
    assert all(b["replay"] for b in again)
    before = {b["seq"]: b for b in ear.bodies("/verdicts")[:20]}
    assert all({**b, "replay": False} == before[b["seq"]] for b in again)
    assert wait(lambda: box.broker.rejected == 1)


@needs_mosquitto
def test_hostile_commands_change_nothing(box, ear):
    """Nonsense, giants and floods are counted and rejected; verdicts go on."""
    hostile = [
        b"",
        b"\x00\xff\xfe",
        b"[]",
        b"null",
        b'{"camera":"cam"}',
        b'{"camera":"../../x","epoch":-1,"first":1,"last":1}',
        b'{"camera":"cam","epoch":1e400,"first":1,"last":1}',
        b"[" * 5000,
        b'{"camera":"' + b"x" * 100_000 + b'"}',
        b" " * 120_000,
    ]
    for payload in hostile:
        ear.publish(TOPICS("replay"), payload)
    for first in range(1, 300):
        asked = {"camera": "no", "epoch": box.outbox.epoch, "first": first, "last": 2**53 - 1}
        ear.publish(TOPICS("replay"), json.dumps(asked))
    box.put(20)
    assert ear.wait_for(lambda e: len(e.bodies("/verdicts")) == 20)
    assert wait(lambda: box.broker.rejected >= len(hostile))
    assert box.broker.connected
    assert seqs(ear.bodies("/verdicts")) == list(range(1, 21))
    assert len(ear.bodies("/state")) == 1


@needs_mosquitto
def test_only_who_may_connects(tmp_path):
    """A wrong password is a fault in words, a right one works."""
    passwords = tmp_path / "passwords"
    passwords.touch()
    subprocess.run(
        ["mosquitto_passwd", "-b", str(passwords), "box", "right"], check=True, capture_output=True
    )
    conf = f"password_file {passwords}"
    with Mosquitto(tmp_path, conf, anonymous=False) as broker:
        box = Box(tmp_path, broker.url, user="box", password="wrong")
        assert wait(lambda: "refuses" in box.broker._trouble)
        assert not box.broker.connected
        box.close()
        box = Box(tmp_path, broker.url, user="box", password="right")
        assert wait(lambda: box.broker.connected)
        box.close()


def certificate(folder):
    """A key and a certificate that it signed itself."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    with contextlib.suppress(FileNotFoundError):
        words = [*OPENSSL.split(), "-keyout", str(key), "-out", str(cert)]
        subprocess.run(words, check=True, capture_output=True)
    if not cert.exists():
        pytest.skip("openssl is not installed")
    return key, cert


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's socket
@needs_mosquitto
def test_a_broker_that_wants_another_certificate_is_no_silent_one(tmp_path):
    """It hangs up without a word: what it may have missed is said, and a plain client hears TLS."""
    key, cert = certificate(tmp_path)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    other_key, other = certificate(foreign)
    conf = f"certfile {cert}\nkeyfile {key}\ncafile {cert}\nrequire_certificate true"
    with Mosquitto(tmp_path, conf) as broker:
        url, said = f"mqtts://127.0.0.1:{broker.port}", {}
        for name, address, more in (
            ("none was given", url, {}),
            (f"may refuse the certificate {other}", url, {"certificate": other, "key": other_key}),
            ("does it speak TLS", url.replace("mqtts", "mqtt"), {}),
        ):
            if address == url:
                more["ca_file"] = cert
            stranger = Box(tmp_path, address, **more)
            assert wait(lambda: name in stranger.broker._trouble), stranger.broker._trouble  # noqa: B023
            stranger.close()
            said[name] = stranger.broker._trouble
    assert len(said) == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's socket
@needs_mosquitto
def test_tls_trusts_only_its_ca(tmp_path):
    """mqtts:// works with the CA's certificate and is refused without."""
    key, cert = certificate(tmp_path)
    with Mosquitto(tmp_path, f"certfile {cert}\nkeyfile {key}") as broker:
        url = f"mqtts://127.0.0.1:{broker.port}"
        stranger = Box(tmp_path, url)
        assert wait(lambda: "CERTIFICATE_VERIFY_FAILED" in stranger.broker._trouble)
        stranger.close()
        box = Box(tmp_path, url, ca_file=cert)
        trusted = ssl.create_default_context(cafile=cert)
        with Listener(broker.port, "acme/#", tls=trusted) as ear:
            box.put(200)
            assert ear.wait_for(lambda e: len(e.bodies("/verdicts")) == 200)
        box.close()


@needs_mosquitto
def test_two_boxes_with_one_prefix_are_a_fault(tmp_path, mosquitto):
    """Boxes that end each other's connections say so, and slow down."""
    (tmp_path / "two").mkdir()
    one = Box(tmp_path, mosquitto.url)
    assert wait(lambda: one.broker.connected)
    two = Box(tmp_path / "two", mosquitto.url)
    assert wait(lambda: any("another box" in f for f in one.broker.faults() + two.broker.faults()))
    one.close()
    two.close()
