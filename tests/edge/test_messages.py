"""Laws of the messages: what isn't exactly one is an error, and each has a published schema."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.alarm import Alarms
from edge.messages import MAX_BYTES, CameraReport, Health, OutboxReport, Replay, State, read, schema
from edge.topics import TABLE

GOOD = {"camera": "cam", "epoch": 1, "first": 1, "last": 9}
ALARMS = Alarms()
ALARMS.raise_("cam", "frozen", "the picture stands")
SAID = {
    "State": State(state="online", boots=1, session=2, epoch=3, version="1", at="now"),
    "Replay": Replay(camera="cam", epoch=1, first=2, last=3),
    "AlarmList": ALARMS.told(1, 2),
    "Health": Health(
        at="now",
        boots=1,
        epoch=2,
        cameras={"cam": CameraReport(oldest=1, newest=2, faults=("dark",))},
        outbox=OutboxReport(depth=0, waiting_in_memory=0, quarantined=0, bytes=1),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_round_trip_under_the_published_schema(name):
    """A message survives the wire, and its wire form keeps its schema."""
    message = SAID[name]
    body = message.model_dump_json()
    assert read(type(message), body.encode()) == message
    jsonschema.validate(json.loads(body), schema(name))


def test_every_payload_in_the_topics_table_has_a_schema():
    """No topic without a contract."""
    assert all(schema(topic.payload)["type"] == "object" for topic in TABLE)


@pytest.mark.parametrize(
    "change",
    [
        {"camera": ""},
        {"camera": "c" * 65},
        {"camera": 1},
        {"camera": None},
        {"epoch": -1},
        {"epoch": "1"},
        {"epoch": 1.5},
        {"first": 0},
        {"first": 10},
        {"first": True},
        {"last": 2**60},
        {"last": [1]},
        {"more": 1},
        {"__class__": "x"},
    ],
    ids=str,
)
def test_a_wrong_replay_request_is_refused(change):
    """Wrong types, ranges, unknown fields: refused, in one line that names the field."""
    with pytest.raises(ValueError, match=r"^Replay: ") as refused:
        read(Replay, json.dumps({**GOOD, **change}).encode())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", GOOD)
def test_every_field_of_a_replay_request_is_needed(name):
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=name):
        read(Replay, json.dumps({k: v for k, v in GOOD.items() if k != name}).encode())


def test_what_is_too_long_is_not_even_parsed():
    """More than 64 KiB is refused by its length."""
    with pytest.raises(ValueError, match="at most"):
        read(Replay, json.dumps(GOOD).encode() + b" " * MAX_BYTES)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


@given(st.binary(max_size=300) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_hostile_payloads_are_value_errors(payload):
    """Whatever bytes come, reading them gives a message or a ValueError."""
    for kind in (Replay, State, Health):
        try:
            message = read(kind, payload)
        except ValueError:
            continue
        assert isinstance(message, kind)
