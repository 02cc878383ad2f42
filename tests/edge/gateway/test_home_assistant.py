"""Home Assistant's MQTT discovery: what it is told is what it takes, and leads to true values."""

import json
import os
import signal
import subprocess

import jinja2
import jsonschema
import pytest

from edge.gateway.home_assistant import configurations, slug
from edge.topics import Topics
from tests.broker import needs_mosquitto
from tests.edge.box import PREFIX
from tests.edge.gateway.home_assistant_schema import ASK, schema
from tests.edge.gateway.plant import plant
from tests.listener import Listener

TABLE = "[gateway.home_assistant]\n"
OURS = "homeassistant/+/+/+/config"
CAMERAS = ("line", "Kamera 2", "Kamera_2", 'o"ne')


def told(ear):
    """{topic: configuration} of the newest discovery messages."""
    found = [(topic, body) for topic, body, *_ in list(ear.messages) if topic.endswith("/config")]
    return {topic: json.loads(body) for topic, body in found}


def component(topic):
    """Sensor or binary_sensor."""
    return topic.split("/")[1]


def shown(configuration, payload):
    """What the template makes of a payload, by Jinja, which Home Assistant uses."""
    template = jinja2.Template(configuration["value_template"])
    return template.render(value=payload, value_json=json.loads(payload))


@needs_mosquitto
def test_home_assistant_finds_the_box_and_reads_it(tmp_path):
    """Retained, valid, said again when Home Assistant starts; values are the box's."""
    with plant(tmp_path, TABLE, OURS) as it:
        it.start("run", "gateway")
        ear = it.ear
        assert ear.wait_for(lambda ear: len(told(ear)) == 7, 30), told(ear)
        assert ear.wait_for(lambda ear: ear.bodies("/line/last") and ear.bodies("/alarms"), 30)
        assert ear.wait_for(lambda ear: ear.bodies("/health")[-1]["cameras"]["line"]["verdicts"])
        with Listener(it.broker.port, OURS) as late:
            assert late.wait_for(lambda late: len(told(late)) == 7)
            assert all(retain for *_, retain, _ in late.messages)
        count = len(ear.messages)
        ear.publish("homeassistant/status", "online")
        assert ear.wait_for(
            lambda ear: sum(one[0].endswith("/config") for one in ear.messages[count:]) == 7
        )
        configurations_, newest = told(ear), {one[0]: one[1] for one in ear.messages}
        it.end("box", signal.SIGKILL)
        assert ear.wait_for(lambda ear: ear.bodies("/state")[-1]["state"] == "offline", 30)
        gone = ear.bodies("/state")[-1]
    asked = []
    for topic, one in configurations_.items():
        jsonschema.validate(one, schema(component(topic)))
        payload = newest[one["state_topic"]].decode()
        asked.append((component(topic), one, payload, shown(one, payload)))
    values = {one["name"]: value for _, one, _, value in asked}
    last = json.loads(newest[f"{PREFIX}/line/last"])
    assert values["line outcome"] == last["outcome"]
    assert float(values["line score"]) == pytest.approx(last["score"])
    assert int(values["line verdicts"]) >= 1
    assert (values["line gives frames"], values["Problem"]) == ("ON", "OFF")
    (available,) = asked[0][1]["availability"]
    said = jinja2.Template(available["value_template"]).render(value_json=gone)
    assert (available["topic"], said) == (f"{PREFIX}/state", available["payload_not_available"])
    home_assistants_own_schema(asked)


def home_assistants_own_schema(asked):
    """The real thing's schema and templates, where a Python that has it is named."""
    if python := os.environ.get("LINEWARDEN_HOME_ASSISTANT"):
        done = subprocess.run(
            [python, "-W", "ignore", "-c", ASK], input=json.dumps(asked),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.split()[1] == str(len(asked))


def test_every_camera_has_entities_of_its_own():
    """However it is called: ids differ, topics are the camera's, and the schema holds."""
    made = dict(configurations(Topics(PREFIX), CAMERAS, "homeassistant"))
    assert len(made) == 2 + 5 * len(CAMERAS)
    assert len({one["unique_id"] for one in made.values()}) == len(made)
    assert len({slug(camera) for camera in CAMERAS}) == len(CAMERAS)
    for topic, one in made.items():
        jsonschema.validate(one, schema(component(topic)))
    health = json.dumps(
        {"cameras": {name: {"verdicts": n} for n, name in enumerate(CAMERAS)}}, ensure_ascii=False
    )
    verdicts = [one for one in made.values() if one["name"].endswith(" verdicts")]
    assert [shown(one, health) for one in verdicts] == ["0", "1", "2", "3"]


def test_the_schema_refuses_what_is_wrong():
    """An unknown key, a missing one: else it would prove nothing."""
    (_, right), *_ = configurations(Topics(PREFIX), ("line",), "homeassistant")
    for wrong in (right | {"colour": "red"}, {k: v for k, v in right.items() if k != "device"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("binary_sensor"))


@pytest.mark.slow
@needs_mosquitto
def test_a_gateway_that_hangs_holds_up_no_verdict(tmp_path):
    """Frozen for seconds, then at work again: the box goes on and its verdicts are in time."""
    with plant(tmp_path, TABLE + '[gateway.sparkplug]\ngroup = "g"\nnode = "n"\n', OURS) as it:
        it.start("run", "gateway")
        assert it.ear.wait_for(lambda ear: len(told(ear)) == 7, 30)
        it.gateway.send_signal(signal.SIGSTOP)
        before = len(it.verdicts())
        assert it.ear.wait_for(lambda _: len(it.verdicts()) >= before + 3, 30)
        during = it.ear.bodies("/line/verdicts")[before:]
        assert not any(one["reason"] == "no_result_before_the_deadline" for one in during)
