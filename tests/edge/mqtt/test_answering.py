"""Laws of answering: no request is lost to its own work, and no answer stands in another's way."""

import json
import threading
import time

import pytest

from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.answering import WAITING, Answering
from edge.topics import Topics
from tests.broker import Mosquitto, needs_mosquitto
from tests.listener import Listener

TOPICS = Topics("acme/line1")
ASK, ANSWERS = TOPICS("ask"), TOPICS("answers")


class Echo:
    """A trade that answers with the request's own letters, `times` as many; may be held up."""

    requests, answers = "ask", "answers"

    def __init__(self, work=lambda _: None):
        self.work, self.done = work, []

    def read(self, payload):
        return json.loads(payload)

    def identity(self, asked):
        return asked["id"]

    def answer(self, asked):
        self.done.append(asked["id"])
        self.work(asked)
        return {"id": asked["id"], "text": "x" * asked.get("times", 1)}

    def refuse(self, asked, why):
        return {"id": asked["id"], "text": why.name}

    def misread(self, payload, why):
        return {"id": "", "text": "no request"}

    def fit(self, told, most_bytes):
        body = json.dumps(told).encode()
        return body if len(body) <= most_bytes else None


class Careless(Echo):
    """Doesn't look at what the broker takes."""

    def fit(self, told, most_bytes):
        return json.dumps(told).encode()


@pytest.fixture
def open_answering():
    """Opens one at a broker with a trade; stops it in the end."""
    opened = []

    def made(broker, trade, **more):
        settings = BrokerSettings(BrokerUrl.parse(broker.url), **{"backoff_max_s": 0.2, **more})
        one = Answering(settings, TOPICS, trade, lambda: "lw-test")
        opened.append(one)
        one.start()
        return one

    yield made
    for one in opened:
        one.stop()


def ask(broker, ear, *requests):
    """Publish requests once somebody listens."""
    end = time.monotonic() + 10
    while f"{ASK} (QoS 1)" not in broker.log() and time.monotonic() < end:
        time.sleep(0.02)
    for one in requests:
        ear.publish(ASK, json.dumps(one))


def told(ear):
    """{id: text} of what was answered, in order."""
    return {one["id"]: one["text"] for one in ear.bodies("/answers")}


@needs_mosquitto
def test_work_may_take_longer_than_a_keepalive(tmp_path, open_answering):
    """The connection lives on meanwhile, and the one answer comes."""
    with Mosquitto(tmp_path) as broker, Listener(broker.port, ANSWERS) as ear:
        trade = Echo(lambda _: time.sleep(2.2))
        open_answering(broker, trade, keepalive_s=1)  # the broker ends it after 1.5
        ask(broker, ear, {"id": "1"})
        assert ear.wait_for(lambda _: told(ear) == {"1": "x"}, 8)
        assert broker.log().count("as lw-test") == 1


@needs_mosquitto
def test_an_answer_outlives_its_connection(tmp_path, open_answering):
    """Made while the broker is away, it is said when it is back; the last one, before the end."""
    with Mosquitto(tmp_path) as broker, Listener(broker.port, ANSWERS) as ear:
        begun, go = threading.Event(), threading.Event()

        def work(asked):
            begun.set()
            assert go.wait(10)

        later = {"backoff_min_s": 1.0, "backoff_max_s": 1.0}  # than the listener is back
        one = open_answering(broker, Echo(work), **later)
        ask(broker, ear, {"id": "1"})
        assert begun.wait(5)
        broker.kill()
        go.set()
        time.sleep(0.2)
        broker.start()
        assert ear.wait_for(lambda _: told(ear) == {"1": "x"})
        begun.clear()
        go.clear()
        ask(broker, ear, {"id": "2"})
        assert begun.wait(5)
        threading.Timer(0.2, go.set).start()
        one.stop()
        assert ear.wait_for(lambda _: told(ear) == {"1": "x", "2": "x"}, 2)
        assert len(ear.messages) == 2


@needs_mosquitto
@pytest.mark.parametrize("trade", [Echo, Careless])
def test_an_answer_that_the_broker_does_not_take_is_refused_and_the_next_comes(
    tmp_path, open_answering, trade
):
    """Found before, by what the broker says that it takes, or by the connections that it ends."""
    with (
        Mosquitto(tmp_path, "max_packet_size 2000") as broker,
        Listener(broker.port, ANSWERS) as ear,
    ):
        go = threading.Event()
        one = open_answering(broker, trade(lambda _: go.wait(10)))
        ask(broker, ear, {"id": "large", "times": 3000}, {"id": "small"})
        assert ear.wait_for(lambda _: one._requests.qsize() == 1)  # both came before it ended any
        go.set()
        wanted = {"large": "UNSENDABLE", "small": "x"}
        assert ear.wait_for(lambda _: told(ear) == wanted)
        assert broker.log().count("as lw-test") == (1 if trade is Echo else 4)
        assert one.dropped == 0


@needs_mosquitto
def test_an_answer_that_may_not_be_said_is_given_up(tmp_path, open_answering):
    """The broker takes nothing on that topic: both are dropped, and counted."""
    (tmp_path / "acl").write_text(f"topic read #\ntopic write {ASK}\n")
    with (
        Mosquitto(tmp_path, f"acl_file {tmp_path}/acl") as broker,
        Listener(broker.port, ANSWERS) as ear,
    ):
        one = open_answering(broker, Echo())
        ask(broker, ear, {"id": "1"}, {"id": "2"})
        assert ear.wait_for(lambda _: one.dropped == 2)


@needs_mosquitto
def test_a_request_is_done_once_and_what_waits_has_an_end(tmp_path, open_answering):
    """A copy changes nothing; one too many is told so at once, and may come again; so is noise."""
    with Mosquitto(tmp_path) as broker, Listener(broker.port, ANSWERS) as ear:
        go = threading.Event()
        trade = Echo(lambda _: go.wait(10))
        one = open_answering(broker, trade)
        ask(broker, ear, {"id": "0"})
        assert ear.wait_for(lambda _: trade.done)
        names = [str(n) for n in range(WAITING + 1)]
        ask(broker, ear, *({"id": name} for name in [*names, *names, "more"]))
        ear.publish(ASK, b"{")
        assert ear.wait_for(lambda _: told(ear) == {"more": "BUSY", "": "no request"})
        assert one.rejected == 1
        go.set()
        ear.publish(ASK, b'{"id": "more"}')
        assert ear.wait_for(lambda _: told(ear).get("more") == "x")
        assert trade.done == [*names, "more"]


@needs_mosquitto
def test_work_that_fails_is_said_to_have_failed(tmp_path, open_answering):
    """And the next request is answered."""

    def work(asked):
        if asked["id"] == "bad":
            raise RuntimeError("planted")

    with Mosquitto(tmp_path) as broker, Listener(broker.port, ANSWERS) as ear:
        open_answering(broker, Echo(work))
        ask(broker, ear, {"id": "bad"}, {"id": "good"})
        assert ear.wait_for(lambda _: told(ear) == {"bad": "FAILED", "good": "x"})
