import json
import time
from types import SimpleNamespace

import pytest

from edge.assistant.post import Post
from edge.messages import Ask, Reply, read
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.topics import Topics
from tests.assistant.suite import november
from tests.broker import Mosquitto, needs_mosquitto
from tests.listener import Listener

PREFIX = "acme/plant1/line7"


@needs_mosquitto
def test_a_question_over_mqtt_is_answered_once(tmp_path):
    """On `answers`, with the question's id and figures; a copy and nonsense change nothing."""
    with Mosquitto(tmp_path) as broker:
        desk = SimpleNamespace(clerk=november().clerk(), alarms=None, refresh=lambda: None)
        settings = BrokerSettings(BrokerUrl("127.0.0.1", broker.port))
        post = Post(settings, Topics(PREFIX), desk)
        post.start()
        with Listener(broker.port, f"{PREFIX}/answers") as ear:
            ask = Ask(id="q1", question="How many parts failed on 2026-11-23?").model_dump_json()
            end = time.monotonic() + 10
            while not ear.messages and time.monotonic() < end:
                for body in (b"{", ask.encode(), ask.encode()):
                    ear.publish(f"{PREFIX}/cmd/ask", body)
                ear.wait_for(lambda one: one.messages, 0.5)
            time.sleep(0.3)
            told = [read(Reply, one[1]) for one in ear.messages]
        post.stop()
    assert len(told) == 1
    truth = november().figures(november().day(2), outcome="fail")
    assert told[0].id == "q1"
    assert told[0].figures["chosen"] == truth["chosen"]
    assert told[0].source == "records"
    assert post.rejected > 0


@pytest.mark.parametrize(
    "payload",
    [{}, {"id": "", "question": "x"}, {"id": "a", "question": ""},
     {"id": "a", "question": "x" * 501},
     {"id": "a", "question": "x", "language": "fr"}, {"id": "a", "question": "x", "do": "stop"}],
)  # fmt: skip
def test_a_payload_that_is_no_question_is_an_error(payload):
    """Unknown fields, lengths and languages."""
    with pytest.raises(ValueError, match="Ask"):
        read(Ask, json.dumps(payload).encode())
