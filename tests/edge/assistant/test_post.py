import json
import time
from types import SimpleNamespace

import pytest

from edge.assistant.post import Post, Questions
from edge.assistant.sources import Heard
from edge.messages import Alarm, AlarmList, Ask, Reply, Severity, State, read
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


@needs_mosquitto
def test_what_is_no_question_is_told_so_if_it_has_an_id(tmp_path):
    """An empty one, one without words, one too long; what has no id can't be answered."""
    bad = [{"id": "a", "question": ""}, {"id": "b"}, {"id": "c", "question": "x" * 501}, {"id": 7},
           {"question": ""}]  # fmt: skip
    with Mosquitto(tmp_path) as broker:
        desk = SimpleNamespace(clerk=november().clerk(), alarms=None, refresh=lambda: None)
        post = Post(BrokerSettings(BrokerUrl("127.0.0.1", broker.port)), Topics(PREFIX), desk)
        post.start()
        with Listener(broker.port, f"{PREFIX}/answers") as ear:
            for _ in range(20):
                for one in bad:
                    ear.publish(f"{PREFIX}/cmd/ask", json.dumps(one).encode())
                if ear.wait_for(lambda one: len(one.messages) >= 3, 0.5):
                    break
            told = [read(Reply, one[1]) for one in ear.messages]
        post.stop()
    assert {one.id for one in told} == {"a", "b", "c"}
    assert all(one.source == "no entry" and "question" in one.text for one in told)


@needs_mosquitto
def test_alarms_of_a_box_that_stopped_are_told_as_such(tmp_path):
    """With since when they stand; the path of a picture is nothing to an operator."""
    alarm = Alarm(
        source="top", name="score_drift", severity=Severity.WARNING, state="raised",
        since="2026-11-24T11:30:00Z", detail="more rejects; picture: /var/lib/x.jpg",
    )  # fmt: skip
    state = State(state="offline", clean=True, boots=1, session=1, epoch=1, version="1",
                  at="2026-11-24T06:00:00Z")  # fmt: skip
    with Mosquitto(tmp_path) as broker:
        desk = SimpleNamespace(alarms=None, running=None, refresh=lambda: None)
        desk.clerk = november().clerk(alarms=lambda: Heard(desk.alarms, desk.running))
        post = Post(BrokerSettings(BrokerUrl("127.0.0.1", broker.port)), Topics(PREFIX), desk)
        post.start()
        with Listener(broker.port, f"{PREFIX}/state") as ear:
            alarms = AlarmList(epoch=1, boots=1, number=1, alarms=(alarm,))
            ear.publish(f"{PREFIX}/alarms", alarms.model_dump_json().encode(), retain=True)
            ear.publish(f"{PREFIX}/state", state.model_dump_json().encode(), retain=True)
            end = time.monotonic() + 10
            while (desk.alarms is None or desk.running is None) and time.monotonic() < end:
                time.sleep(0.05)
        said = desk.clerk.ask("Which alarms stand?").text
        post.stop()
    assert said == (
        "The box is not running; as it stopped: 1 alarm stands: score_drift (top, warning) since"
        " 24 Nov 2026, 12:30: more rejects. [R1]"
    )


def heard(count=1, running=True, **more):
    """Alarms as a box may publish them."""
    fields = {"source": "top", "name": "blur", "severity": Severity.WARNING, "state": "raised",
              "since": "2026-11-24T11:30:00Z", **more}  # fmt: skip
    alarms = tuple(Alarm(**fields) for _ in range(count))
    return Heard(AlarmList(epoch=1, boots=1, number=1, alarms=alarms), running)


@pytest.mark.parametrize("since", ["", "never", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999Z",
                                   "9999-12-31T23:59:59-14:00", "\x00", "2026-11-24"])  # fmt: skip
def test_an_alarm_without_a_time_is_told_all_the_same(since):
    """Whoever publishes chooses its text: a bad one takes no answer away."""
    said = november().clerk(alarms=lambda: heard(since=since)).ask("Which alarms stand?").text
    assert "blur (top, warning)" in said


def test_alarms_are_told_as_far_as_an_answer_goes(tmp_path):
    """The rest are counted; and nobody's word that the box runs is not a word that it does."""
    many = heard(40, detail="x" * 250)
    desk = SimpleNamespace(clerk=november().clerk(alarms=lambda: many), refresh=lambda: None)
    told = Questions(desk).answer(Ask(id="a", question="Which alarms stand?"))
    assert "40 alarms stand" in told.text
    assert "and 28 more" in told.text
    unsure = november().clerk(alarms=lambda: heard(running=None)).ask("Which alarms stand?").text
    assert unsure.startswith("Whether the box runs isn't known; as it said last: 1 alarm stands")


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
